//! Segments: groups of customers, as the CRM puts them together.
//!
//! All of it is a replica: the CRM is the master, users here make and change none (409 `not_owner`), and nothing here
//! makes an event. A segment arrives by itself, and so does each membership, in bulk, each under a version of its own: newer
//! applies, equal or older changes nothing. So they may arrive in any order and any number of times.
//!
//! **Membership is dated** and never removed. Of a customer that became part of another, the CRM moves what it was in; its
//! orders stay its own, and count to the segments of the other ([`buyers_in`]).

mod handlers;
mod memberships;
mod model;
mod queries;

pub(super) use queries::members_of;
pub use queries::{Buyers, buyers_in};

use service_kit::Routes;

/// Where the CRM has them.
pub const OWNER_PATH: &str = "/v1/segments";

pub(super) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    memberships::routes(routes);
}
