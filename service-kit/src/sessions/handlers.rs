use super::model::{Session, audit_end};
use crate::auth::SignedIn;
use crate::command::{Command, OrNotFound, Read};
use crate::http::{Answer, IdPath, Path, Query};
use crate::keyset_page;
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::{Problem, Result};
use crate::schema::sessions;
use crate::server::Kit;
use crate::tx::Tx;
use actix_web::{delete, get, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SessionsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub(super) fn routes(routes: &mut Routes) {
    // In this order: `current` is no id.
    routes.add(list_sessions).add(end_current_session).add(end_session);
}

/// One's own sessions that are not over.
#[utoipa::path(tag = "sessions", params(SessionsQuery), security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "A page of sessions", body = Page<Session>)))]
#[get("/sessions")]
async fn list_sessions(read: Read<SignedIn>, query: Query<SessionsQuery>) -> Result<Answer, Problem> {
    let user = read.actor().user.map(|user| user.id);
    read.json(move |conn| {
        let rows = sessions::table.select(Session::as_select()).into_boxed();
        let rows = rows
            .filter(sessions::user_id.nullable().eq(user))
            .filter(sessions::revoked_at.is_null().and(sessions::expires_at.gt(Utc::now())));
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: sessions::id as Uuid => |s: &Session| s.id, [
            "created_at" => sessions::created_at as DateTime<Utc> => |s: &Session| s.created_at,
        ])
    })
    .await
}

/// Sign out: the token of this request works no more.
#[utoipa::path(tag = "sessions", security(("api_key" = ["signed_in"])),
    responses((status = 204, description = "Signed out")))]
#[delete("/sessions/current")]
async fn end_current_session(command: Command<SignedIn>, kit: web::Data<Kit>) -> Result<Answer, Problem> {
    let current = command.actor().user.map(|user| user.session_id).unwrap_or_default();
    let ended = command.answer(move |tx| end(tx, current)).await;
    kit.recent_keys.forget();
    ended
}

/// End one of one's own sessions.
#[utoipa::path(tag = "sessions", params(IdPath), security(("api_key" = ["signed_in"])),
    responses((status = 204, description = "It is ended")))]
#[delete("/sessions/{id}")]
async fn end_session(command: Command<SignedIn>, kit: web::Data<Kit>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let ended = command.answer(move |tx| end(tx, path.id)).await;
    kit.recent_keys.forget();
    ended
}

fn end(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let user = tx.actor().user.map(|user| user.id);
    let own = sessions::user_id
        .nullable()
        .eq(user)
        .and(sessions::revoked_at.is_null());
    let session: Session = sessions::table
        .find(id)
        .filter(own)
        .select(Session::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("session")?;
    tx.match_if_given(&session)?;
    diesel::update(sessions::table.find(id))
        .set(sessions::revoked_at.eq(tx.now()))
        .execute(&mut **tx)?;
    audit_end(tx, id);
    Ok(Answer::no_content())
}
