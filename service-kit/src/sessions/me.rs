use super::model::Me;
use super::{end_all, failures};
use crate::auth::{Authenticated, SignedIn};
use crate::command::{Command, Read};
use crate::http::{Answer, Body};
use crate::openapi::Routes;
use crate::passwords::Password;
use crate::problem::{Faults, Problem, Result};
use crate::schema::users;
use crate::server::Kit;
use crate::users::{User, store_password};
use actix_web::{get, post, web};
use chrono::Utc;
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPasswordIn {
    current_password: Password,
    new_password: Password,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(get_me).add(set_own_password);
}

/// Who is calling: the user or the key, what they may, and what they see.
#[utoipa::path(tag = "sessions", security(("api_key" = ["authenticated"])),
    responses((status = 200, description = "The caller", body = Me)))]
#[get("/me")]
async fn get_me(read: Read<Authenticated>) -> Result<Answer, Problem> {
    let (kit, actor) = (read.kit().clone(), read.actor().clone());
    read.json(move |conn| Ok(Me::of(conn, &kit, &actor)?)).await
}

/// Change one's own password: one's other sessions end at once. Wrong attempts count as they do
/// when signing in.
#[utoipa::path(tag = "sessions", request_body = OwnPasswordIn, security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "The user", body = User)))]
#[post("/me/password")]
async fn set_own_password(
    command: Command<SignedIn>,
    kit: web::Data<Kit>,
    body: Body<OwnPasswordIn>,
) -> Result<Answer, Problem> {
    let acting = command.actor().user.ok_or_else(Problem::internal)?;
    let (email, hash) = kit.run_read(move |conn| own(conn, acting.id)).await?;
    let Body(OwnPasswordIn {
        current_password,
        new_password,
    }) = body;
    if !kit.passwords.verify(current_password, hash.clone()).await? {
        let now = Utc::now();
        let counted = kit
            .run_background(move |conn| Ok(failures::count(conn, &email, now)?))
            .await?;
        return Err(counted.map_or_else(wrong, |until| failures::too_many(until, now)));
    }
    let new_hash = kit.passwords.hash(new_password).await?;
    let changed = command
        .run(move |tx| {
            let verified = users::password_hash.is_not_distinct_from(hash.clone());
            let before: User = users::table
                .find(acting.id)
                .filter(verified)
                .select(User::as_select())
                .for_update()
                .first(&mut **tx)
                .optional()?
                .ok_or_else(wrong)?;
            failures::require_none_too_many(tx, &before.email)?;
            let after = store_password(tx, &before, &new_hash)?;
            end_all(tx, acting.id, Some(acting.session_id))?;
            failures::forgive(tx, &after.email)?;
            Ok(after)
        })
        .await;
    kit.recent_keys.forget();
    changed
}

/// One's own e-mail address and the hash to verify, unless it is locked.
fn own(conn: &mut PgConnection, id: Uuid) -> Result<(String, Option<String>)> {
    let (email, hash): (String, Option<String>) = users::table
        .find(id)
        .select((users::email, users::password_hash))
        .first(conn)?;
    let now = Utc::now();
    match failures::locked_until(conn, &email, now)? {
        Some(until) => Err(failures::too_many(until, now).into()),
        None => Ok((email, hash)),
    }
}

fn wrong() -> Problem {
    let mut faults = Faults::default();
    faults.add(
        "/current_password",
        "wrong_password",
        "this is not the current password",
    );
    faults.check().err().unwrap_or_else(Problem::internal)
}
