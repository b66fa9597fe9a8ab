//! Saved views: a list with its filters, order and columns under a name.
//!
//! A view is somebody's own or shared with a team: then the members of that team see it too, and still only who saved
//! it changes it. It holds no records: whoever opens it gets the list in their own sight.
//!
//! What a view says is checked against the list itself when it is saved (`check`): parameters against the OpenAPI
//! document that the service runs on, conditions in the language of filters with their positions, orders and columns
//! against what the list has. All faults are answered at once. A list that loses a custom field later refuses a view that
//! has it, as it refuses anybody.

mod actions;
mod check;
mod handlers;
mod model;
mod queries;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "saved_views_name_once",
        "duplicate",
        "/name",
        "you have a view with this name",
    ),
    Constraint::conflict("saved_views_pkey", "duplicate", "/id", "another view has this id"),
];
