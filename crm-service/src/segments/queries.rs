//! The SQL of segments.

use super::memberships::Membership;
use super::model::{MemberRow, Segment, SegmentMember, SegmentMembersQuery, SegmentRow, SegmentRule, SegmentsQuery};
use crate::schema::{customers, segment_members, segment_rules, segments};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{OrNotFound, Page, Result, Sight, Tx, keyset_page, visible};
use std::collections::HashMap;
use uuid::Uuid;

/// # Errors
/// 404 when there is none.
pub fn get(conn: &mut PgConnection, id: Uuid) -> Result<SegmentRow> {
    let found = segments::table.find(id).select(SegmentRow::as_select());
    found.first(conn).or_not_found("segment")
}

/// # Errors
/// 404 when there is none.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<SegmentRow> {
    let found = segments::table.find(id).select(SegmentRow::as_select());
    found.for_no_key_update().first(&mut **tx).or_not_found("segment")
}

pub fn insert(conn: &mut PgConnection, segment: &SegmentRow) -> QueryResult<usize> {
    diesel::insert_into(segments::table).values(segment).execute(conn)
}

pub fn update(conn: &mut PgConnection, segment: &SegmentRow) -> QueryResult<usize> {
    diesel::update(segments::table.find(segment.id))
        .set(segment)
        .execute(conn)
}

pub fn insert_rule(conn: &mut PgConnection, rule: &SegmentRule) -> QueryResult<usize> {
    diesel::insert_into(segment_rules::table).values(rule).execute(conn)
}

pub fn rule(conn: &mut PgConnection, segment: Uuid, version: Option<i32>) -> QueryResult<Option<String>> {
    let Some(version) = version else { return Ok(None) };
    let found = segment_rules::table
        .find((segment, version))
        .select(segment_rules::rule);
    found.first(conn).optional()
}

/// A segment with its rule and how many customers of it are in sight.
pub fn shown(conn: &mut PgConnection, sight: &Sight, row: SegmentRow) -> QueryResult<Segment> {
    all_shown(conn, sight, vec![row])?.pop().ok_or(diesel::NotFound)
}

#[derive(QueryableByName)]
struct Beside {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
    #[diesel(sql_type = BigInt)]
    members: i64,
}

fn all_shown(conn: &mut PgConnection, sight: &Sight, rows: Vec<SegmentRow>) -> QueryResult<Vec<Segment>> {
    let (all, user, teams) = sight.binds();
    let beside: Vec<Beside> = sql("WITH q AS MATERIALIZED (SELECT $1 AS sees_all, $2 AS me, $3 AS teams)
         SELECT s.id, r.rule, (
             SELECT count(*) FROM segment_members m JOIN customers c ON c.id = m.customer_id, q
             WHERE m.segment_id = s.id AND m.left_at IS NULL
               AND (q.sees_all OR c.owner_id = q.me OR c.team_id = ANY(q.teams))) AS members
         FROM segments s LEFT JOIN segment_rules r ON r.segment_id = s.id AND r.version = s.rule_version
         WHERE s.id = ANY($4)")
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(user)
    .bind::<Array<SqlUuid>, _>(teams)
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .rows(conn)?;
    let mut beside: HashMap<Uuid, Beside> = beside.into_iter().map(|beside| (beside.id, beside)).collect();
    Ok(rows
        .iter()
        .map(|row| match beside.remove(&row.id) {
            Some(beside) => row.shown(beside.rule, beside.members),
            None => row.shown(None, 0),
        })
        .collect())
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &SegmentsQuery) -> Result<Page<Segment>> {
    let mut rows = segments::table.select(SegmentRow::as_select()).into_boxed();
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
        // One out of sight is in none.
        let seen = customers::table
            .filter(customers::id.eq(customer))
            .filter(visible!(sight, customers))
            .select(customers::id);
        let seen: Option<Uuid> = seen.first(conn).optional()?;
        let of = segment_members::table
            .filter(segment_members::left_at.is_null())
            .filter(segment_members::customer_id.nullable().eq(seen))
            .select(segment_members::segment_id);
        rows = rows.filter(segments::id.eq_any(of));
    }
    let page: Result<Page<SegmentRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: segments::id as Uuid => |s: &SegmentRow| s.id, [
        "name" => segments::name as String => |s: &SegmentRow| s.name.clone(),
        "created_at" => segments::created_at as DateTime<Utc> => |s: &SegmentRow| s.created_at,
    ]);
    let page = page?;
    Ok(Page {
        items: all_shown(conn, sight, page.items)?,
        next_cursor: page.next_cursor,
    })
}

pub fn rules(conn: &mut PgConnection, segment: Uuid) -> QueryResult<Vec<SegmentRule>> {
    segment_rules::table
        .filter(segment_rules::segment_id.eq(segment))
        .order(segment_rules::version.desc())
        .select(SegmentRule::as_select())
        .limit(MOST_VERSIONS)
        .load(conn)
}

/// So many versions of a rule are listed, the newest first.
const MOST_VERSIONS: i64 = 500;

pub fn members(
    conn: &mut PgConnection,
    sight: &Sight,
    segment: Uuid,
    query: &SegmentMembersQuery,
) -> Result<Page<SegmentMember>> {
    let mut rows = segment_members::table
        .filter(segment_members::segment_id.eq(segment))
        .select(MemberRow::as_select())
        .into_boxed();
    if !sight.sees_all() {
        let seen = customers::table.select(customers::id).into_boxed();
        rows = rows.filter(segment_members::customer_id.eq_any(seen.filter(visible!(sight, customers))));
    }
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
    let page: Result<Page<MemberRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: segment_members::id as Uuid => |m: &MemberRow| m.id, [
        "entered_at" => segment_members::entered_at as DateTime<Utc> => |m: &MemberRow| m.entered_at,
    ]);
    let page = page?;
    let ids: Vec<Uuid> = page.items.iter().map(|row| row.customer_id).collect();
    let names: Vec<(Uuid, String)> = customers::table
        .filter(customers::id.eq_any(ids))
        .select((customers::id, customers::name))
        .load(conn)?;
    let names: HashMap<Uuid, String> = names.into_iter().collect();
    Ok(page.map(|row| SegmentMember {
        customer_name: names.get(&row.customer_id).cloned().unwrap_or_default(),
        row,
    }))
}

/// The membership of a customer, if it is in.
pub fn membership(
    conn: &mut PgConnection,
    segment: Uuid,
    customer: Uuid,
) -> QueryResult<Option<(MemberRow, Option<serde_json::Value>)>> {
    segment_members::table
        .filter(segment_members::segment_id.eq(segment))
        .filter(segment_members::customer_id.eq(customer))
        .filter(segment_members::left_at.is_null())
        .select((MemberRow::as_select(), segment_members::seen))
        .first(conn)
        .optional()
}

/// Puts customers into a static segment; those that are in stay as they are.
pub fn add(
    conn: &mut PgConnection,
    segment: Uuid,
    customers: &[Uuid],
    now: DateTime<Utc>,
    by: &str,
) -> QueryResult<Vec<Membership>> {
    sql(
        "INSERT INTO segment_members (id, segment_id, customer_id, entered_at, added_by)
         SELECT gen_random_uuid(), $1, c.id, $2, $3 FROM unnest($4) AS c (id)
         ON CONFLICT (segment_id, customer_id) WHERE left_at IS NULL DO NOTHING
         RETURNING id, segment_id, customer_id, entered_at, left_at, version",
    )
    .bind::<SqlUuid, _>(segment)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .bind::<Array<SqlUuid>, _>(customers.to_vec())
    .rows(conn)
}

/// Takes customers out of a segment.
pub fn remove(
    conn: &mut PgConnection,
    segment: Uuid,
    customers: &[Uuid],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Membership>> {
    // A command that waited for another is older than it.
    sql(
        "UPDATE segment_members SET left_at = greatest(entered_at, $1), version = version + 1
         WHERE segment_id = $2 AND customer_id = ANY($3) AND left_at IS NULL
         RETURNING id, segment_id, customer_id, entered_at, left_at, version",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<SqlUuid, _>(segment)
    .bind::<Array<SqlUuid>, _>(customers.to_vec())
    .rows(conn)
}

/// Names of the segments that a customer is in, for its card.
///
/// # Errors
/// When the database refuses.
pub fn names_of(conn: &mut PgConnection, customer: Uuid) -> QueryResult<Vec<(Uuid, String)>> {
    let of = segment_members::table
        .filter(segment_members::left_at.is_null())
        .filter(segment_members::customer_id.eq(customer))
        .select(segment_members::segment_id);
    segments::table
        .filter(segments::id.eq_any(of))
        .filter(segments::status.eq("active"))
        .order((segments::name, segments::id))
        .select((segments::id, segments::name))
        .limit(100)
        .load(conn)
}
