//! Plans: what a user or a team is to reach in a month, and how far they are.
//!
//! There is one plan for each user (or team), month and kind. A user's plan is seen like a record of that
//! user, a team's like one of the team. Facts ([`kpis`]) are counted by what the records say:
//!
//! - `calls`, `meetings`: those that are done, in the month in which they were, by their owner;
//! - `deals`: those that were won, by the day of closing;
//! - `revenue`: the sales of [`sales`](super::sales), credited to the owner at the order date;
//! - `overdue_tasks`: tasks that were due in the month and not done by then. Its plan is what is not to
//!   be exceeded; the others' what is to be reached.
//!
//! [`forecast`] sets revenue and the weighted forecast of open deals against the plan.

mod forecast;
mod kpis;
mod resource;

use service_kit::{Routes, text_enum};

text_enum! {
    /// What is planned and counted.
    PlanKind {
        Calls = "calls",
        Meetings = "meetings",
        /// Deals won.
        Deals = "deals",
        /// In the company's currency.
        Revenue = "revenue",
        /// Tasks not done by when they were due: at most so many.
        OverdueTasks = "overdue_tasks",
    }
}

text_enum! {
    /// Whom a plan is of.
    PlanOf { User = "user", Team = "team" }
}

pub fn routes(routes: &mut Routes) {
    resource::routes(routes);
    kpis::routes(routes);
    forecast::routes(routes);
}
