//! Payment proposals: which bills to pay on a day, who approves it, and the payments that come of it.
//!
//! ```text
//! draft ──submit──► awaiting_approval ──approve──► approved ──execute──► executed
//!   ▲                      │                          │
//!   └───────reject─────────┴──────────────────────────┤        cancel: from everywhere before the end
//! ```
//! - A proposal collects, by supplier and currency, what is due up to a day and what would lose its cash discount, less
//!   the supplier's credits (`plan`, pure). It says of every item why it is there, or why it is left out.
//! - In a draft, lines are taken out or paid in part. What is submitted stays as it is until it is rejected.
//! - Somebody else than who made or changed it approves, within a limit. Whoever changed a supplier's bank details since
//!   the proposal was made does not; and when they change after the approval, it has to be approved again.
//! - **Executing** posts one payment for each supplier and currency in one transaction; credits are cleared against bills
//!   first. What has been paid, disputed or lost its discount meanwhile is dropped with its reason: it never pays more
//!   than was approved.
//! - `pain` writes the file for the bank: pain.001.001.09.
//!
//! Invariants, in the database as well: an item stands in one open proposal (`payment_proposal_lines_one_open`); a
//! planned payment becomes the payment with its id, so never two.
//!
//! Lock order: proposal → suppliers by id → open items by id → number series.

mod approval;
mod candidates;
mod draft;
mod execute;
mod handlers;
mod model;
mod pain;
mod plan;
mod prepare;
mod queries;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub(super) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "payment_proposals_pkey",
        "duplicate",
        "/id",
        "a payment proposal with this id exists",
    ),
    Constraint::conflict(
        "payment_proposal_lines_one_open",
        "other_proposal",
        "",
        "an item stands in another proposal that is open",
    ),
];
