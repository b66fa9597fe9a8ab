//! Segments: groups of customers, put together by hand or by a rule.
//!
//! **Static** segments hold who is added to them. **Rule** segments hold who fulfils a condition in the language of
//! filters ([`crate::filter`]), such as `grade = "A" and last_order_on < today-90d`. A rule is a text with a version;
//! changing it makes the next version, and every version is kept.
//!
//! **Membership is dated.** A member entered at an instant and may have left at another; each row keeps which version of the
//! rule let it in, kept it last and let it go, and the values that the conditions looked at. So who was in a segment
//! at any instant, and why, can be told again. Rows are never removed.
//!
//! **Bringing up to date** ([`refresh`]). A rule's members are brought up to date by a background task, soon after the
//! rule changed and every hour, or on request. It goes through all customers in batches, each a transaction of its own, with
//! `today` as it was at the beginning. Only one does it at a time, under the segment's lock.
//!
//! **Sight.** A segment belongs to the company; its members show and count as far as the customers are in sight. The figures of
//! a saved rule count everybody's orders and activities. So a rule that has such figures is written by those who see
//! everything, and whoever explains a membership sees the value of such a condition only then. A preview looks with the
//! eyes of whoever asks.
//!
//! **What the ERP learns** (`memberships`): the segment, and each membership by itself under a version of its own, so
//! that a rule that lets a hundred thousand in touches no customer, and what arrives twice or late changes nothing.
//!
//! Customers that became part of others are in no segment: what they were in stands with the other from then on, by rule as
//! history, by hand as membership.

mod actions;
mod explain;
mod handlers;
mod memberships;
pub mod model;
mod queries;
pub mod refresh;

pub use memberships::moved;
pub use queries::names_of;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    memberships::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "segments_name_key",
        "duplicate",
        "/name",
        "another segment has this name",
    ),
    Constraint::conflict("segments_pkey", "duplicate", "/id", "another segment has this id"),
];
