//! Saved views over HTTP.

use super::model::{SavedView, SavedViewIn, SavedViewPatch, SavedViewsQuery};
use super::{actions, queries};
use crate::may;
use actix_web::{delete, get, patch, post};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_views)
        .add(create_view)
        .add(get_view)
        .add(update_view)
        .add(delete_view);
}

/// One's own views, and those that are shared with one's team.
#[utoipa::path(tag = "views", params(SavedViewsQuery), security(("api_key" = ["views:read"])),
    responses((status = 200, description = "A page of views", body = Page<SavedView>)))]
#[get("/views")]
async fn list_views(read: Read<may::ReadViews>, query: Query<SavedViewsQuery>) -> Result<Answer, Problem> {
    let actor = read.actor().clone();
    read.json(move |conn| queries::page(conn, &actor, &query)).await
}

/// Save a view of a list. What the list would not accept is refused now, with all its faults.
#[utoipa::path(tag = "views", request_body = SavedViewIn, security(("api_key" = ["views:write"])),
    responses((status = 201, description = "The view", body = SavedView)))]
#[post("/views")]
async fn create_view(command: Command<may::WriteViews>, body: Body<SavedViewIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// One view.
#[utoipa::path(tag = "views", params(IdPath), security(("api_key" = ["views:read"])),
    responses((status = 200, description = "The view", body = SavedView)))]
#[get("/views/{id}")]
async fn get_view(read: Read<may::ReadViews>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let actor = read.actor().clone();
    read.one(move |conn| Ok(SavedView::from(queries::get(conn, &actor, path.id)?)))
        .await
}

/// Change one's own view.
#[utoipa::path(tag = "views", params(IdPath), request_body = SavedViewPatch, security(("api_key" = ["views:write"])),
    responses((status = 200, description = "The view", body = SavedView)))]
#[patch("/views/{id}")]
async fn update_view(
    command: Command<may::WriteViews>,
    path: Path<IdPath>,
    body: Body<SavedViewPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// Remove one's own view.
#[utoipa::path(tag = "views", params(IdPath), security(("api_key" = ["views:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/views/{id}")]
async fn delete_view(command: Command<may::WriteViews>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| actions::remove(tx, path.id)).await
}
