//! Bookings: rooms, people and demo kits, when they are open, and who has them when.
//!
//! A resource ([`resources`]) has weekly working hours on the wall clock of its own time zone, and exceptions: days
//! with other hours, or with none. [`hours`] makes instants of them; on a day on which the clocks are changed it is
//! open as long as the clock says. A booking ([`booking`]) lies within the hours and overlaps no other one of
//! its resource: whoever books locks the resource, and an exclusion constraint keeps it.
//!
//! **States**: `booked` → `cancelled`; a booked one can be changed and moved. **Sight**: a booking follows its own owner; to
//! others its time is taken, and nothing more. What it is about must be in sight of whoever books.

pub mod booking;
mod handlers;
pub mod hours;
pub mod resources;
pub mod slots;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    resources::routes(routes);
    slots::routes(routes);
    handlers::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("resources_pkey", "duplicate", "/id", "another resource has this id"),
    Constraint::conflict(
        "resources_name_key",
        "duplicate",
        "/name",
        "another resource has this name",
    ),
    Constraint::conflict("bookings_pkey", "duplicate", "/id", "another booking has this id"),
    Constraint::conflict(
        "bookings_no_overlap",
        "already_booked",
        "/starts_at",
        "it is booked at this time",
    ),
];
