//! Segments over HTTP.

use super::model::{ReplicatedSegment, Segment, SegmentMember, SegmentMembersQuery, SegmentsQuery};
use super::{OWNER_PATH, queries};
use crate::may;
use actix_web::{get, patch, post, put};
use service_kit::{
    Answer, Body, Command, Error, IdPath, OrNotFound, Page, Path, Problem, Put, Query, Read, Result, Routes, Tx,
};
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_segments)
        .add(create_segment)
        .add(get_segment)
        .add(put_segment)
        .add(update_segment)
        .add(list_segment_members);
}

/// Segments of customers, as the CRM has them; with `customer_id` those that a customer is in.
#[utoipa::path(tag = "customers", params(SegmentsQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of segments", body = Page<Segment>)))]
#[get("/segments")]
async fn list_segments(read: Read<may::ReadCustomers>, query: Query<SegmentsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query)).await
}

/// Refused: segments are made in the CRM. The answer says where.
#[utoipa::path(tag = "customers", security(("api_key" = ["customers:write"])),
    responses((status = 409, description = "The CRM is the master of segments", body = Problem, content_type = "application/problem+json")))]
#[post("/segments")]
async fn create_segment(_: Command<may::WriteCustomers>) -> Result<Answer, Problem> {
    Err(Problem::not_owner("crm", OWNER_PATH))
}

/// One segment.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The segment", body = Segment)))]
#[get("/segments/{id}")]
async fn get_segment(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::get(conn, path.id).or_not_found("segment"))
        .await
}

/// Refused: segments and who is in them are changed in the CRM. The answer says where.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 409, description = "The CRM is the master of segments", body = Problem, content_type = "application/problem+json")))]
#[patch("/segments/{id}")]
async fn update_segment(_: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner("crm", &format!("{OWNER_PATH}/{}", path.id)))
}

/// Who is in a segment: now, at an instant, or all that ever were.
#[utoipa::path(tag = "customers", params(IdPath, SegmentMembersQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of memberships", body = Page<SegmentMember>)))]
#[get("/segments/{id}/members")]
async fn list_segment_members(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<SegmentMembersQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        queries::get(conn, path.id).or_not_found("segment")?;
        queries::members(conn, path.id, &query)
    })
    .await
}

/// Apply a segment as the CRM has it; the integration does.
///
/// A newer `source_version` applies, an equal or older one answers with what is stored.
#[utoipa::path(tag = "customers", params(IdPath), request_body = ReplicatedSegment, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The segment as it is stored", body = Segment),
              (status = 201, description = "The segment is new here", body = Segment)))]
#[put("/segments/{id}")]
async fn put_segment(
    command: Command<may::ApplySegments>,
    path: Path<IdPath>,
    body: Body<ReplicatedSegment>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &ReplicatedSegment) -> Result<Put<Segment>> {
    let now = tx.now();
    let stored = queries::lock(tx, id)?;
    let segment = Segment {
        id,
        name: told.name.clone(),
        description: told.description.clone(),
        kind: told.kind,
        status: told.status,
        rule: told.rule.clone(),
        source_version: told.source_version,
        as_of: told.as_of.unwrap_or(now),
        revision: stored.as_ref().map_or(1, |stored| stored.revision + 1),
        created_at: stored.as_ref().map_or(now, |stored| stored.created_at),
        updated_at: now,
    };
    let Some(stored) = stored else {
        if !queries::insert(tx, &segment)? {
            return Err(Error::Stale);
        }
        tx.audit(None, &segment)?;
        return Ok(Put::Created(queries::get(tx, id)?));
    };
    let newer = segment.source_version > stored.source_version;
    if !(newer || told.replace && !says_the_same(&stored, &segment)) {
        return Ok(Put::Unchanged(stored));
    }
    queries::update(tx, &segment)?;
    tx.audit(Some(&stored), &segment)?;
    Ok(Put::Updated(queries::get(tx, id)?))
}

fn says_the_same(stored: &Segment, told: &Segment) -> bool {
    let unstamped = Segment {
        as_of: stored.as_of,
        revision: stored.revision,
        updated_at: stored.updated_at,
        ..told.clone()
    };
    *stored == unstamped
}
