//! Segments over HTTP.

use super::model::{
    Segment, SegmentExplanation, SegmentIn, SegmentMember, SegmentMembersIn, SegmentMembersQuery, SegmentPatch,
    SegmentPreview, SegmentPreviewIn, SegmentRule, SegmentsQuery,
};
use super::{actions, explain, queries};
use crate::filter::Scope;
use crate::may;
use actix_web::{get, patch, post};
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Page, Path, Problem, Query, Read, Routes, Sight};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct MemberPath {
    /// UUID of the segment.
    id: Uuid,
    /// UUID of the customer.
    customer_id: Uuid,
}

/// The versions of a rule, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentRules {
    versions: Vec<SegmentRule>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_segments)
        .add(create_segment)
        .add(preview_segment)
        .add(get_segment)
        .add(update_segment)
        .add(archive_segment)
        .add(restore_segment)
        .add(refresh_segment)
        .add(list_segment_rules)
        .add(list_segment_members)
        .add(add_segment_members)
        .add(remove_segment_members)
        .add(explain_segment_member);
}

/// Segments, each with how many of the caller's customers are in it.
#[utoipa::path(tag = "segments", params(SegmentsQuery), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "A page of segments", body = Page<Segment>)))]
#[get("/segments")]
async fn list_segments(read: Read<may::ReadSegments>, query: Query<SegmentsQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// Make a segment: static, or with a rule in the language of filters.
///
/// A rule that cannot be understood is answered with all its faults and their `positions`. Who is in it, is found out at
/// once in the background, or by `refresh`.
#[utoipa::path(tag = "segments", request_body = SegmentIn, security(("api_key" = ["segments:write"])),
    responses((status = 201, description = "The segment", body = Segment)))]
#[post("/segments")]
async fn create_segment(command: Command<may::WriteSegments>, body: Body<SegmentIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// Try a rule: how many of the caller's customers fulfil it, and the first of them. Nothing is kept.
#[utoipa::path(tag = "segments", request_body = SegmentPreviewIn, security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "Who would be in it", body = SegmentPreview)))]
#[post("/segments/preview")]
async fn preview_segment(command: Command<may::ReadSegments>, body: Body<SegmentPreviewIn>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let sight = tx.sight();
            let scope = Scope::within(tx, sight);
            Ok(Answer::json(&explain::preview(tx, &body.0.rule, &scope)?)?)
        })
        .await
}

/// One segment.
#[utoipa::path(tag = "segments", params(IdPath), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[get("/segments/{id}")]
async fn get_segment(read: Read<may::ReadSegments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.snapshot(move |conn| {
        let row = queries::get(conn, path.id)?;
        Ok(queries::shown(conn, &sight, row)?)
    })
    .await
}

/// Change a segment. Another rule is its next version; members are brought up to date in the background.
#[utoipa::path(tag = "segments", params(IdPath), request_body = SegmentPatch, security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[patch("/segments/{id}")]
async fn update_segment(
    command: Command<may::WriteSegments>,
    path: Path<IdPath>,
    body: Body<SegmentPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// Archive a segment: its members stay as they are.
#[utoipa::path(tag = "segments", params(IdPath), security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[post("/segments/{id}/archive")]
async fn archive_segment(command: Command<may::WriteSegments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::archive(tx, path.id)).await
}

/// Take an archived segment up again.
#[utoipa::path(tag = "segments", params(IdPath), security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[post("/segments/{id}/restore")]
async fn restore_segment(command: Command<may::WriteSegments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::restore(tx, path.id)).await
}

/// Bring the members of a rule up to date now.
///
/// Of very many customers the first are looked at in this request and the rest in the background: `refreshing` says so.
#[utoipa::path(tag = "segments", params(IdPath), security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[post("/segments/{id}/refresh")]
async fn refresh_segment(command: Command<may::WriteSegments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::bring_up_to_date(tx, path.id)).await
}

/// The versions of a segment's rule, newest first.
#[utoipa::path(tag = "segments", params(IdPath), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "The versions", body = SegmentRules)))]
#[get("/segments/{id}/rules")]
async fn list_segment_rules(read: Read<may::ReadSegments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        queries::get(conn, path.id)?;
        let versions = queries::rules(conn, path.id)?;
        Ok(SegmentRules { versions })
    })
    .await
}

/// Customers in a segment that the caller sees: now, at an instant, or all that ever were.
#[utoipa::path(tag = "segments", params(IdPath, SegmentMembersQuery), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "A page of memberships", body = Page<SegmentMember>)))]
#[get("/segments/{id}/members")]
async fn list_segment_members(
    read: Read<may::ReadSegments>,
    path: Path<IdPath>,
    query: Query<SegmentMembersQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::get(conn, path.id)?;
        queries::members(conn, &sight, path.id, &query)
    })
    .await
}

/// Put customers into a static segment; those that are in stay as they are.
#[utoipa::path(tag = "segments", params(IdPath), request_body = SegmentMembersIn, security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[post("/segments/{id}/members/add")]
async fn add_segment_members(
    command: Command<may::WriteSegments>,
    path: Path<IdPath>,
    body: Body<SegmentMembersIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::add(tx, path.id, &body.0)).await
}

/// Take customers out of a static segment; that they were in it stays known.
#[utoipa::path(tag = "segments", params(IdPath), request_body = SegmentMembersIn, security(("api_key" = ["segments:write"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[post("/segments/{id}/members/remove")]
async fn remove_segment_members(
    command: Command<may::WriteSegments>,
    path: Path<IdPath>,
    body: Body<SegmentMembersIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::remove(tx, path.id, &body.0)).await
}

/// Why a customer is in a segment, or is not: each condition with the value that it looks at.
#[utoipa::path(tag = "segments", params(MemberPath), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "The conditions", body = SegmentExplanation)))]
#[get("/segments/{id}/members/{customer_id}/why")]
async fn explain_segment_member(read: Read<may::ReadSegments>, path: Path<MemberPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    // As the segment looks: at everything. What the caller must not see is left out of the answer.
    let scope = Scope {
        sight: Sight::All,
        ..Scope::of(&read)
    };
    read.json(move |conn| explain::explain(conn, &sight, &scope, path.id, path.customer_id))
        .await
}
