//! Figures: what was sold, to whom, of what, by whom; nothing here writes a customer, deal or order.
//!
//! **Which orders count.** Those that the ERP has accepted, by order date, net: `accepted`, `on_hold`,
//! `partially_delivered`, `delivered`, `closed`. Drafts and what is only submitted do not count yet;
//! rejected and cancelled ones never do. What is dropped when an order is closed still counts: it was sold.
//!
//! **Whom revenue credits.** The owner at the order date (`orders.credited_owner_id`, kept by a trigger):
//! an order that is given to somebody else keeps crediting who made it. A merged customer's orders count
//! for the customer that it became part of.
//!
//! **Currency.** Figures are in the company's currency. Each order line is converted by itself at the
//! rate of its order date and rounded once, so that rows add up to their figure. What has no price or no
//! rate stands apart as `unvalued` and is never 0.
//!
//! **Days.** Orders, closings and due dates are business dates. What is an instant, a deal's opening or
//! a call, counts on the day that it is in the company's time zone; figures and their rows take the
//! bounds of a period from one place (`Period::instants`).
//!
//! **Drill-down.** Each figure carries the path of the rows that add up to it, in the caller's sight
//! like the figure: somebody who sees own records only ever sums own records. Names of customers out of
//! sight stay out.
//!
//! **One mechanism for all dimensions.** A report is asked for `by` one dimension and narrowed by any;
//! `key` picks one group (`none` for what has none), which is how a drill-down is written. The rows come
//! from one piece of SQL for orders ([`sales::facts`]) and one for deals, each with one expression that
//! says what a row's key is.
//!
//! **What a request costs.** It reads the lines of the counted orders (the deals, the activities) of its
//! period, at most five years, through an index by day, and nothing outside of it; it answers a page.
//! Its statements are planned for what is asked ([`service_kit::db::figures`]): so `q`, which says that,
//! is folded into them, and a filter that is not asked for costs nothing.

mod asked;
mod cohorts;
mod deals;
mod figure;
mod plans;
mod runs;
pub mod sales;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("plans_pkey", "duplicate", "/id", "another plan has this id"),
    Constraint::conflict(
        "plans_one_of_user",
        "duplicate",
        "/month",
        "the user has such a plan for this month",
    ),
    Constraint::conflict(
        "plans_one_of_team",
        "duplicate",
        "/month",
        "the team has such a plan for this month",
    ),
    Constraint::rule(
        "plans_owner_known",
        "unknown_user",
        "/owner_id",
        "there is no such active user",
    ),
    Constraint::rule("plans_team_known", "unknown_team", "/team_id", "there is no such team"),
    Constraint::conflict("analysis_runs_pkey", "duplicate", "/id", "another analysis has this id"),
    Constraint::conflict(
        "analysis_run_items_pkey",
        "duplicate",
        "/id",
        "another analysis has this id",
    ),
];

pub fn routes(routes: &mut Routes) {
    sales::routes(routes);
    cohorts::routes(routes);
    deals::routes(routes);
    plans::routes(routes);
    runs::routes(routes);
}
