use super::model::{User, UserIn, UserPatch};
use super::{ManageUsers, ReadUsers, actions};
use crate::command::{Command, Read};
use crate::http::{Answer, Body, IdPath, Path, Query, SearchText};
use crate::keyset_page;
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::passwords::Password;
use crate::problem::Problem;
use crate::schema::users;
use crate::server::Kit;
use actix_web::{delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsersQuery {
    /// Part of the name or e-mail address.
    q: Option<SearchText>,
    #[param(max_length = 60)]
    role: Option<String>,
    team_id: Option<Uuid>,
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name`, `email` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

/// A password that an administrator gives to somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordIn {
    password: Password,
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_users)
        .add(create_user)
        .add(get_user)
        .add(update_user)
        .add(deactivate_user)
        .add(activate_user)
        .add(set_user_password)
        .add(end_user_sessions);
}

/// Who works here.
#[utoipa::path(tag = "users", params(UsersQuery), security(("api_key" = ["users:read"])),
    responses((status = 200, description = "A page of users", body = Page<User>)))]
#[get("/users")]
async fn list_users(read: Read<ReadUsers>, query: Query<UsersQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = users::table.select(User::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let pattern = text.contains();
            rows = rows.filter(users::name.ilike(pattern.clone()).or(users::email.ilike(pattern)));
        }
        if let Some(role) = &query.role {
            rows = rows.filter(users::role.eq(role));
        }
        if let Some(team) = query.team_id {
            rows = rows.filter(users::team_id.eq(team));
        }
        if let Some(active) = query.active {
            rows = rows.filter(users::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: users::id as Uuid => |u: &User| u.id, [
            "name" => users::name as String => |u: &User| u.name.clone(),
            "email" => users::email as String => |u: &User| u.email.clone(),
            "created_at" => users::created_at as DateTime<Utc> => |u: &User| u.created_at,
        ])
    })
    .await
}

/// Make a user. They can sign in once they have a password.
#[utoipa::path(tag = "users", request_body = UserIn, security(("api_key" = ["users:manage"])),
    responses((status = 201, description = "The user", body = User)))]
#[post("/users")]
async fn create_user(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    body: Body<UserIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &kit, &body.0)).await
}

#[utoipa::path(tag = "users", params(IdPath), security(("api_key" = ["users:read"])),
    responses((status = 200, description = "The user", body = User)))]
#[get("/users/{id}")]
async fn get_user(read: Read<ReadUsers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| actions::find(conn, path.id)).await
}

/// Change a user. A new role, sight or team works at once, in their open sessions too.
#[utoipa::path(tag = "users", params(IdPath), request_body = UserPatch, security(("api_key" = ["users:manage"])),
    responses((status = 200, description = "The user", body = User)))]
#[patch("/users/{id}")]
async fn update_user(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
    body: Body<UserPatch>,
) -> Result<Answer, Problem> {
    let (forgetful, id) = (kit.clone(), path.id);
    let changed = command.run(move |tx| actions::change(tx, &kit, id, &body.0)).await;
    forgetful.recent_keys.forget();
    changed
}

/// Let somebody in no more: all their sessions end at once. Their records stay theirs.
#[utoipa::path(tag = "users", params(IdPath), security(("api_key" = ["users:manage"])),
    responses((status = 200, description = "The user", body = User)))]
#[post("/users/{id}/deactivate")]
async fn deactivate_user(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    turn(command, kit, path.id, false).await
}

/// Let somebody in again.
#[utoipa::path(tag = "users", params(IdPath), security(("api_key" = ["users:manage"])),
    responses((status = 200, description = "The user", body = User)))]
#[post("/users/{id}/activate")]
async fn activate_user(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    turn(command, kit, path.id, true).await
}

async fn turn(command: Command<ManageUsers>, kit: web::Data<Kit>, id: Uuid, active: bool) -> Result<Answer, Problem> {
    let forgetful = kit.clone();
    let turned = command.run(move |tx| actions::turn(tx, &kit, id, active)).await;
    forgetful.recent_keys.forget();
    turned
}

/// Set somebody's password: their sessions end at once, and failed attempts are forgotten.
#[utoipa::path(tag = "users", params(IdPath), request_body = PasswordIn, security(("api_key" = ["users:manage"])),
    responses((status = 200, description = "The user", body = User)))]
#[post("/users/{id}/password")]
async fn set_user_password(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
    body: Body<PasswordIn>,
) -> Result<Answer, Problem> {
    let (forgetful, id) = (kit.clone(), path.id);
    let hash = kit.passwords.hash(body.0.password).await?;
    let set = command.run(move |tx| actions::set_password(tx, &kit, id, &hash)).await;
    forgetful.recent_keys.forget();
    set
}

/// End all sessions of somebody, at once.
#[utoipa::path(tag = "users", params(IdPath), security(("api_key" = ["users:manage"])),
    responses((status = 204, description = "They are ended")))]
#[delete("/users/{id}/sessions")]
async fn end_user_sessions(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    let (forgetful, id) = (kit.clone(), path.id);
    let ended = command
        .answer(move |tx| actions::end_sessions(tx, &kit, id).map(|()| Answer::no_content()))
        .await;
    forgetful.recent_keys.forget();
    ended
}
