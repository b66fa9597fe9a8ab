//! Grades: proposals from A to D, from what customers bought, and the decision on them.
//!
//! **A run** looks at the orders of the last days of the settings: what each active customer bought, net in the company's
//! currency, and how often. A customer has the best grade of which both are reached; all others are D. Where that is
//! another grade than the customer has, the run makes a proposal that keeps its inputs; what an earlier run proposed and
//! nobody decided is superseded. Orders count from their submission until they are rejected or cancelled. A customer with
//! an order that no rate is known for is `unvalued` and gets no proposal, because unknown is not 0.
//!
//! **States**: `proposed` → `approved`, `rejected` or, by the next run, `superseded`. Who made the run does not approve
//! its proposals. Approving writes the grade and its first day into the customer, whose event takes it to the ERP; there the day
//! decides which tier is in force. If the customer's grade has changed since the run, the proposal is out of date:
//! `409 grade_changed`.
//!
//! **Sight.** A run counts everybody's orders and is for those who see everything. A proposal shows with its customer; its inputs
//! only to those who see everything.
//!
//! **Concurrency.** A run holds the settings; a decision locks the customer, then the proposal, and then looks at its
//! state: of two at once one decides and the other is told what became of it.

mod actions;
mod handlers;
mod model;
mod queries;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[];
