//! The SQL of segments.

use super::model::{Segment, SegmentMember, SegmentMembersQuery, SegmentsQuery};
use crate::schema::{segment_buyers, segment_members, segments};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use service_kit::{Page, Result, keyset_page};
use std::collections::HashSet;
use uuid::Uuid;

pub fn get(conn: &mut PgConnection, id: Uuid) -> QueryResult<Segment> {
    segments::table.find(id).select(Segment::as_select()).first(conn)
}

pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Segment>> {
    let found = segments::table.find(id).select(Segment::as_select());
    found.for_no_key_update().first(conn).optional()
}

/// Stores a segment that was unknown; false when a twin was faster.
pub fn insert(conn: &mut PgConnection, segment: &Segment) -> QueryResult<bool> {
    let stored = diesel::insert_into(segments::table)
        .values(segment)
        .on_conflict(segments::id)
        .do_nothing()
        .execute(conn)?;
    Ok(stored == 1)
}

pub fn update(conn: &mut PgConnection, segment: &Segment) -> QueryResult<usize> {
    diesel::update(segments::table.find(segment.id))
        .set(segment)
        .execute(conn)
}

/// Which of these segments are here.
pub fn exist(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    let known = segments::table.filter(segments::id.eq_any(ids)).select(segments::id);
    Ok(known.load(conn)?.into_iter().collect())
}

pub fn page(conn: &mut PgConnection, query: &SegmentsQuery) -> Result<Page<Segment>> {
    let mut rows = segments::table.select(Segment::as_select()).into_boxed();
    if let Some(text) = &query.q {
        rows = rows.filter(segments::name.ilike(text.contains()));
    }
    if let Some(kind) = query.kind {
        rows = rows.filter(segments::kind.eq(kind));
    }
    if let Some(status) = query.status {
        rows = rows.filter(segments::status.eq(status));
    }
    if let Some(customer) = query.customer_id {
        let of = segment_members::table
            .filter(segment_members::left_at.is_null())
            .filter(segment_members::customer_id.eq(customer))
            .select(segment_members::segment_id);
        rows = rows.filter(segments::id.eq_any(of));
    }
    keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: segments::id as Uuid => |s: &Segment| s.id, [
        "name" => segments::name as String => |s: &Segment| s.name.clone(),
        "created_at" => segments::created_at as DateTime<Utc> => |s: &Segment| s.created_at,
    ])
}

pub fn members(conn: &mut PgConnection, segment: Uuid, query: &SegmentMembersQuery) -> Result<Page<SegmentMember>> {
    let mut rows = segment_members::table
        .filter(segment_members::segment_id.eq(segment))
        .select(SegmentMember::as_select())
        .into_boxed();
    if let Some(customer) = query.customer_id {
        rows = rows.filter(segment_members::customer_id.eq(customer));
    }
    match (query.at, query.history) {
        (Some(at), _) => {
            let stayed = segment_members::left_at.is_null().or(segment_members::left_at.gt(at));
            rows = rows.filter(segment_members::entered_at.le(at)).filter(stayed);
        }
        (None, Some(true)) => {}
        (None, _) => rows = rows.filter(segment_members::left_at.is_null()),
    }
    keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: segment_members::id as Uuid => |m: &SegmentMember| m.id, [
        "entered_at" => segment_members::entered_at as DateTime<Utc> => |m: &SegmentMember| m.entered_at,
    ])
}

/// The customers that are in a segment, to filter by.
pub type Members = segment_members::BoxedQuery<'static, Pg, diesel::sql_types::Uuid>;

pub fn members_of(segment: Uuid) -> Members {
    segment_members::table
        .filter(segment_members::left_at.is_null())
        .filter(segment_members::segment_id.eq(segment))
        .select(segment_members::customer_id)
        .into_boxed()
}

/// The customers whose orders count to a segment, to filter by.
pub type Buyers = segment_buyers::BoxedQuery<'static, Pg, diesel::sql_types::Uuid>;

/// Those that are in a segment, and those that became part of one.
pub fn buyers_in(segment: Uuid) -> Buyers {
    segment_buyers::table
        .filter(segment_buyers::segment_id.eq(segment))
        .select(segment_buyers::customer_id)
        .into_boxed()
}
