//! Revaluation: what is open in foreign currency, shown at the rate of a day.
//!
//! - **What**: receivables and payables, item by item, and bank accounts that are kept in a foreign
//!   currency. Advances stay at the rate that they were paid at (IFRIC 22). What counts is what was open
//!   at the end of that day by the posting dates, whatever has been paid since.
//! - **How**: the foreign amount at the day's rate ([`currencies::rate`](crate::currencies::rate)), less
//!   what the books have, is an unrealised gain or loss. It changes the value of the item, not what is
//!   owed, and nothing that a later payment clears it at.
//! - **Reversed on the next day**, by an entry of the same command. A posting is never in the
//!   future, so the latest day to revalue is yesterday: of a month's end, from the first of the next
//!   month on. Where the period of that next day is closed, the first open day after it takes the
//!   reversal, as with any reversal; the period of the day itself must be open (or closing).
//! - **Once per date.** A run that finds nothing to post is a run, too: the closing of a period asks
//!   whether there was one. What is posted for that day afterwards is not revalued any more.

mod actions;
mod closing;
mod model;
mod queries;

pub use closing::CHECKS;
pub use model::{Revaluation, RevaluationIn, RevaluationLine, RevaluationSummary};

use self::model::RevaluationsQuery;
use crate::may;
use actix_web::{get, post};
use service_kit::problem::Constraint;
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_revaluations)
        .add(create_revaluation)
        .add(get_revaluation);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "revaluations_pkey",
        "duplicate",
        "/id",
        "a revaluation with this id exists",
    ),
    Constraint::conflict(
        "revaluations_once_a_date",
        "already_revalued",
        "/date",
        "there is a revaluation of this date",
    ),
];

#[utoipa::path(tag = "currencies", params(RevaluationsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of revaluations", body = Page<RevaluationSummary>)))]
#[get("/revaluations")]
async fn list_revaluations(read: Read<may::ReadLedger>, query: Query<RevaluationsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Revalue receivables, payables and bank balances in foreign currency at a date.
///
/// Unrealised gains and losses are posted on that day and reversed on the next, so the date is before
/// today. Once per date.
#[utoipa::path(tag = "currencies", request_body = RevaluationIn, security(("api_key" = ["journal_entries:post"])),
    responses((status = 201, description = "The revaluation", body = Revaluation)))]
#[post("/revaluations")]
async fn create_revaluation(
    command: Command<may::PostJournalEntries>,
    body: Body<RevaluationIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::run(tx, &body.0)).await
}

#[utoipa::path(tag = "currencies", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The revaluation", body = Revaluation)))]
#[get("/revaluations/{id}")]
async fn get_revaluation(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id).or_not_found("revaluation"))
        .await
}
