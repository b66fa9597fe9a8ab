//! Dunning: reminders of what is overdue.
//!
//! - [`levels`]: data. An item goes to the next level when it is overdue by the days of that level and the waiting days of its present
//!   one have passed since its last letter; at most one level in a run. After the highest level nothing is sent any more.
//! - [`settings`]: what differs for a customer: language, and an exemption with its reason until a date. Customers with
//!   `dunning_blocked` get no letters at all.
//! - A **run** collects what is overdue, not disputed and of customers that are not exempt, and makes one **letter** for each customer and
//!   currency:
//!
//! ```text
//! run     draft ──issue──► issued      letter   draft ──issue──► issued     (its items go up a level)
//!           └──discard──► discarded               ├──remove──► removed    (by hand, with a reason)
//!                                                 └──────────► dropped    (nothing was left when the run was issued)
//! ```
//!
//! A letter has the level of its highest item, its words and its fee. Customers with more unallocated credits than overdue items get
//! none, nor those whose items come to less than the level's minimum. When a run is issued, items that were paid, disputed, exempted or
//! reminded of since are left out, and amounts are those of that moment. A number is drawn for each letter then.
//!
//! **A fee is asked for and not posted.** Whether it is owed, and taxed, is the law of the country, and most are never paid; so it is income when it comes
//! in (an invoice for the charge, cleared with what is on account), and no receivable that the ageing would show as a sale.

pub mod levels;
mod model;
mod proposal;
mod queries;
mod runs;
pub mod settings;
mod text;

pub use model::{DunningLetter, DunningRun};

use self::model::{DunningLettersQuery, DunningReasonIn, DunningRunIn, DunningRunSummary, DunningRunsQuery};
use crate::{company, may};
use actix_web::http::header;
use actix_web::{HttpResponse, get, post};
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    levels::routes(routes);
    settings::routes(routes);
    routes
        .add(list_dunning_runs)
        .add(create_dunning_run)
        .add(get_dunning_run)
        .add(issue_dunning_run)
        .add(discard_dunning_run)
        .add(list_dunning_letters)
        .add(get_dunning_letter)
        .add(print_dunning_letter)
        .add(remove_dunning_letter);
}

#[utoipa::path(tag = "receivables", params(DunningRunsQuery), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "A page of runs", body = Page<DunningRunSummary>)))]
#[get("/dunning-runs")]
async fn list_dunning_runs(read: Read<may::ReadDunning>, query: Query<DunningRunsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::runs(conn, &query.0)).await
}

/// Collect what is overdue into letters, as a draft. With `dry_run` nothing is kept: the answer is the proposal.
#[utoipa::path(tag = "receivables", request_body = DunningRunIn, security(("api_key" = ["dunning:write"])),
    responses((status = 201, description = "The run with its letters", body = DunningRun)))]
#[post("/dunning-runs")]
async fn create_dunning_run(command: Command<may::WriteDunning>, body: Body<DunningRunIn>) -> Result<Answer, Problem> {
    command.create(move |tx| runs::create(tx, &body.0)).await
}

#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "The run with its letters", body = DunningRun)))]
#[get("/dunning-runs/{id}")]
async fn get_dunning_run(read: Read<may::ReadDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::run(conn, path.id)).await
}

/// Issue the letters of a run: they get their numbers, and their items go up a level.
#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:issue"])),
    responses((status = 200, description = "The issued run", body = DunningRun)))]
#[post("/dunning-runs/{id}/issue")]
async fn issue_dunning_run(command: Command<may::IssueDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| runs::issue(tx, path.id)).await
}

/// Discard a draft: no letter of it is sent.
#[utoipa::path(tag = "receivables", params(IdPath), request_body = DunningReasonIn, security(("api_key" = ["dunning:write"])),
    responses((status = 200, description = "The discarded run", body = DunningRun)))]
#[post("/dunning-runs/{id}/discard")]
async fn discard_dunning_run(
    command: Command<may::WriteDunning>,
    path: Path<IdPath>,
    body: Body<DunningReasonIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| runs::discard(tx, path.id, &body.0.reason)).await
}

#[utoipa::path(tag = "receivables", params(DunningLettersQuery), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "A page of letters", body = Page<DunningLetter>)))]
#[get("/dunning-letters")]
async fn list_dunning_letters(
    read: Read<may::ReadDunning>,
    query: Query<DunningLettersQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::letters(conn, &query.0)).await
}

#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "The letter with its items", body = DunningLetter)))]
#[get("/dunning-letters/{id}")]
async fn get_dunning_letter(read: Read<may::ReadDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::letter(conn, path.id)).await
}

/// A letter as a page to print.
#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "The letter", body = String, content_type = "text/html")))]
#[get("/dunning-letters/{id}/page")]
async fn print_dunning_letter(read: Read<may::ReadDunning>, path: Path<IdPath>) -> Result<HttpResponse, Problem> {
    let answer = read
        .json(move |conn| {
            let letter = queries::letter(conn, path.id)?;
            Ok(text::page(&letter, &company::settings(conn)?.name))
        })
        .await?;
    let page: String = serde_json::from_str(&answer.body).map_err(|_| Problem::internal())?;
    let response = HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'",
        ))
        .body(page);
    Ok(response)
}

/// Take a letter out of a draft, with the reason.
#[utoipa::path(tag = "receivables", params(IdPath), request_body = DunningReasonIn, security(("api_key" = ["dunning:write"])),
    responses((status = 200, description = "The removed letter", body = DunningLetter)))]
#[post("/dunning-letters/{id}/remove")]
async fn remove_dunning_letter(
    command: Command<may::WriteDunning>,
    path: Path<IdPath>,
    body: Body<DunningReasonIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| runs::remove(tx, path.id, &body.0.reason)).await
}
