use super::model::{DeadLetter, DeadLetterRow, DeadLetterState, DiscardIn};
use super::{actions, queries};
use crate::app::SyncData;
use crate::may;
use crate::schema::dead_letters;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::server::Kit;
use service_kit::{Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Routes, Sort, keyset_page};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeadLettersQuery {
    state: Option<DeadLetterState>,
    /// Name of a flow, e.g. `orders-to-erp`.
    #[param(max_length = 60)]
    flow: Option<String>,
    /// The record.
    subject: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_dead_letters)
        .add(get_dead_letter)
        .add(retry_dead_letter)
        .add(discard_dead_letter);
}

/// Changes that a target refused.
#[utoipa::path(tag = "dead letters", params(DeadLettersQuery), security(("api_key" = ["dead_letters:read"])),
    responses((status = 200, description = "A page of dead letters", body = Page<DeadLetter>)))]
#[get("/dead-letters")]
async fn list_dead_letters(
    read: Read<may::ReadDeadLetters>,
    query: Query<DeadLettersQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut letters = dead_letters::table.select(DeadLetterRow::as_select()).into_boxed();
        if let Some(state) = query.state {
            letters = letters.filter(dead_letters::state.eq(state));
        }
        if let Some(flow) = &query.flow {
            letters = letters.filter(dead_letters::flow.eq(flow.replace('\0', "")));
        }
        if let Some(subject) = query.subject {
            letters = letters.filter(dead_letters::subject.eq(subject));
        }
        let page: service_kit::Result<Page<DeadLetterRow>> = keyset_page!(letters, conn, query.limit, query.cursor,
            query.sort, id: dead_letters::id as Uuid => |letter: &DeadLetterRow| letter.id, [
            "created_at" => dead_letters::created_at as DateTime<Utc> => |letter: &DeadLetterRow| letter.created_at,
        ]);
        Ok(page?.map(DeadLetter::from))
    })
    .await
}

#[utoipa::path(tag = "dead letters", params(IdPath), security(("api_key" = ["dead_letters:read"])),
    responses((status = 200, description = "The dead letter", body = DeadLetter)))]
#[get("/dead-letters/{id}")]
async fn get_dead_letter(read: Read<may::ReadDeadLetters>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| Ok(DeadLetter::from(queries::find(conn, path.id)?)))
        .await
}

/// Send it again, now: the record's current state as its owner shows it, or else what was stored.
///
/// Answers 200 with what became of it: `resolved`, or still `open` with the new answer. A dry run
/// sends nothing and shows the dead letter as it is.
#[utoipa::path(tag = "dead letters", params(IdPath), security(("api_key" = ["dead_letters:manage"])),
    responses((status = 200, description = "The dead letter after the try", body = DeadLetter)))]
#[post("/dead-letters/{id}/retry")]
async fn retry_dead_letter(
    command: Command<may::ManageDeadLetters>,
    kit: web::Data<Kit>,
    sync: web::Data<SyncData>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    let id = path.id;
    let letter = kit.run_read(move |conn| queries::find(conn, id)).await?;
    // Nothing remote happens inside a transaction.
    let wanted = letter.state == DeadLetterState::Open && command.matches(&DeadLetter::from(letter.clone()));
    let outcome = match wanted && !command.dry_run() {
        true => Some(actions::send_again(&sync.courier, &letter).await),
        false => None,
    };
    command.run(move |tx| actions::settle(tx, id, outcome.as_ref())).await
}

/// Give it up, with a reason.
#[utoipa::path(tag = "dead letters", params(IdPath), request_body = DiscardIn, security(("api_key" = ["dead_letters:manage"])),
    responses((status = 200, description = "The discarded dead letter", body = DeadLetter)))]
#[post("/dead-letters/{id}/discard")]
async fn discard_dead_letter(
    command: Command<may::ManageDeadLetters>,
    path: Path<IdPath>,
    body: Body<DiscardIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::discard(tx, path.id, &body.0)).await
}
