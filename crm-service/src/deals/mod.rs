//! Deals: what a customer may buy, on its way through the stages of a pipeline.
//!
//! A deal belongs to a customer (any number of deals may), has an owner, and follows that owner's
//! visibility: [`queries::get`] and [`queries::lock`] are the only ways to one, and what is out of
//! sight is not there. Early on it needs neither amount nor lines; an amount that nobody knows is
//! `null`, never 0. With lines of the catalogue the amount is their sum, unless somebody named one.
//!
//! **States** ([`status`]): `open` → `won` or `lost`, and back by `reopen`. While open, a deal is in
//! one stage of one version of its pipeline ([`pipelines`]) and goes only where that stage leads.
//! **Steps**: whoever goes forward, past stages or wins leaves no required step behind: `409
//! steps_missing` lists them all. A step is proved by a call, a document ([`evidence`]) or a field
//! that is filled; the last is looked at when it matters, so that it cannot be emptied afterwards.
//!
//! **History** ([`stays`]): every entry of a stage has its exit, or the deal is still there. The
//! database keeps that: one open stay for each open deal, none for a closed one.
//!
//! **Figures.** `weighted_amount` is round(amount × probability) in the deal's currency and stored
//! with the deal, so that sums over deals are sums of what the rows show. In the company's currency
//! a deal is worth that at the rate of the day ([`value`]); a closed one keeps what it was worth on
//! the day it closed. [`forecast`] and the board ([`pipelines::board`]) add up exactly these.
//!
//! **Soft demand** ([`soft_demand`]): lines × probability at the expected date, told to whoever plans
//! stock; it reserves nothing and is withdrawn when the deal is closed.
//!
//! **Concurrency.** Every command locks the deal and then looks at its state: of two that would
//! close or move it, one does and the other is told what it is now.
//!
//! Reading order: [`model`], [`status`], [`stored`], then the verbs: [`editing`] (open, change,
//! assign), [`moving`] (move, complete a step, change version), [`closing`] (win, lose, reopen).

pub mod assignment;
pub mod closing;
pub mod editing;
pub mod evidence;
pub mod forecast;
mod handlers;
pub mod lines;
pub mod list;
pub mod loss_reasons;
pub mod model;
pub mod moving;
pub mod pipelines;
pub mod queries;
pub mod soft_demand;
pub mod status;
pub mod stays;
pub mod steps;
pub mod stored;
pub mod value;

pub use editing::moved;
pub use model::{Deal, DealIn};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "pipelines_name_key",
        "duplicate",
        "/name",
        "another pipeline has this name",
    ),
    Constraint::conflict(
        "pipelines_one_default",
        "duplicate",
        "/is_default",
        "another pipeline became the default one at the same time",
    ),
    Constraint::conflict(
        "loss_reasons_code_key",
        "duplicate",
        "/code",
        "another reason has this code",
    ),
    Constraint::conflict("loss_reasons_pkey", "duplicate", "/id", "another reason has this id"),
    Constraint::conflict(
        "deal_lines_pkey",
        "duplicate",
        "/lines",
        "another deal has a line with the id of one of these",
    ),
    Constraint::rule(
        "deals_customer_known",
        "unknown_customer",
        "/customer_id",
        "there is no such customer",
    ),
    Constraint::rule(
        "deals_owner_known",
        "unknown_user",
        "/owner_id",
        "there is no such active user",
    ),
    Constraint::rule("deals_team_known", "unknown_team", "/team_id", "there is no such team"),
];

pub fn routes(routes: &mut Routes) {
    pipelines::routes(routes);
    loss_reasons::routes(routes);
    // Before the deals: `/deals/forecast` is not the id of one.
    forecast::routes(routes);
    handlers::routes(routes);
    stays::routes(routes);
    soft_demand::routes(routes);
}
