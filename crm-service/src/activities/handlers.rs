//! Activities over HTTP.

use crate::activities::lists::{self, ActivitiesQuery};
use crate::activities::model::{
    Activity, ActivityAssignment, ActivityCancellation, ActivityCompletion, ActivityIn, ActivityPatch,
};
use crate::activities::{actions, queries};
use crate::may;
use actix_web::{get, patch, post};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_activities)
        .add(create_activity)
        .add(get_activity)
        .add(update_activity)
        .add(complete_activity)
        .add(cancel_activity)
        .add(reopen_activity)
        .add(assign_activity);
}

/// What was done and is to be done, of all kinds, newest first.
#[utoipa::path(tag = "activities", params(ActivitiesQuery), security(("api_key" = ["activities:read"])),
    responses((status = 200, description = "A page of activities", body = Page<Activity>)))]
#[get("/activities")]
async fn list_activities(read: Read<may::ReadActivities>, query: Query<ActivitiesQuery>) -> Result<Answer, Problem> {
    let actor = read.actor().clone();
    read.json(move |conn| lists::page(conn, &query, &actor)).await
}

/// Plan an activity, or log one that has happened.
///
/// It belongs to the acting user unless it says otherwise, and follows its own owner, not the
/// record's. SMS is logged, not sent; e-mail is sent with `POST /v1/emails`.
#[utoipa::path(tag = "activities", request_body = ActivityIn, security(("api_key" = ["activities:write"])),
    responses((status = 201, description = "The activity", body = Activity)))]
#[post("/activities")]
async fn create_activity(command: Command<may::WriteActivities>, body: Body<ActivityIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// One activity.
#[utoipa::path(tag = "activities", params(IdPath), security(("api_key" = ["activities:read"])),
    responses((status = 200, description = "The activity", body = Activity)))]
#[get("/activities/{id}")]
async fn get_activity(read: Read<may::ReadActivities>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::get(conn, path.id, &sight)).await
}

/// Change an activity; its state has verbs of its own.
#[utoipa::path(tag = "activities", params(IdPath), request_body = ActivityPatch, security(("api_key" = ["activities:write"])),
    responses((status = 200, description = "The activity", body = Activity)))]
#[patch("/activities/{id}")]
async fn update_activity(
    command: Command<may::WriteActivities>,
    path: Path<IdPath>,
    body: Body<ActivityPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// Say that it is done; of a series, this makes the next one (`next_id`).
#[utoipa::path(tag = "activities", params(IdPath), request_body = ActivityCompletion, security(("api_key" = ["activities:write"])),
    responses((status = 200, description = "The activity, done", body = Activity)))]
#[post("/activities/{id}/complete")]
async fn complete_activity(
    command: Command<may::WriteActivities>,
    path: Path<IdPath>,
    body: OptionalBody<ActivityCompletion>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::complete(tx, path.id, &body.0)).await
}

/// Say that it will not be done. A series ends with it, unless `continue_series` skips this one.
#[utoipa::path(tag = "activities", params(IdPath), request_body = ActivityCancellation, security(("api_key" = ["activities:write"])),
    responses((status = 200, description = "The activity, cancelled", body = Activity)))]
#[post("/activities/{id}/cancel")]
async fn cancel_activity(
    command: Command<may::WriteActivities>,
    path: Path<IdPath>,
    body: OptionalBody<ActivityCancellation>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::cancel(tx, path.id, &body.0)).await
}

/// Take back that it was done or cancelled.
#[utoipa::path(tag = "activities", params(IdPath), security(("api_key" = ["activities:write"])),
    responses((status = 200, description = "The activity, open", body = Activity)))]
#[post("/activities/{id}/reopen")]
async fn reopen_activity(command: Command<may::WriteActivities>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::reopen(tx, path.id)).await
}

/// Give it to somebody else, who is told.
#[utoipa::path(tag = "activities", params(IdPath), request_body = ActivityAssignment, security(("api_key" = ["activities:write"])),
    responses((status = 200, description = "The activity", body = Activity)))]
#[post("/activities/{id}/assign")]
async fn assign_activity(
    command: Command<may::WriteActivities>,
    path: Path<IdPath>,
    body: Body<ActivityAssignment>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::assign(tx, path.id, &body.0)).await
}
