//! Who is in which segment, applied in bulk.
//!
//! Applying leaves neither audit rows nor events: a rule may let a hundred thousand in at once, each membership is dated, and
//! what is shown here says by `as_of` and `source_version` which state of the CRM it is.

use super::queries;
use crate::customers;
use crate::may;
use actix_web::put;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::db::sql;
use service_kit::{Answer, Body, Command, Faults, Problem, Result, Routes};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Up to 500 memberships.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentMembershipsIn {
    #[schema(max_items = 500)]
    pub items: Vec<SegmentMembershipIn>,
    /// Apply whatever the version: after one side was restored.
    #[serde(default)]
    pub replace: bool,
}

/// That a customer is in a segment, or was, as the CRM has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentMembershipIn {
    /// The CRM's id of the membership.
    pub id: Uuid,
    pub segment_id: Uuid,
    pub customer_id: Uuid,
    pub entered_at: DateTime<Utc>,
    /// Absent: it is in.
    pub left_at: Option<DateTime<Utc>>,
    /// The CRM's version of the membership: newer applies, equal or older leaves what is stored.
    #[schema(minimum = 1)]
    pub source_version: i64,
    /// When this was as it is here.
    pub as_of: DateTime<Utc>,
}

/// What became of each item, in the order sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentMembershipsApplied {
    pub items: Vec<SegmentMembershipApplied>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentMembershipApplied {
    pub id: Uuid,
    pub result: MembershipResult,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MembershipResult {
    Applied,
    /// An equal or newer version was stored already.
    Unchanged,
}

pub fn routes(routes: &mut Routes) {
    routes.add(apply_segment_memberships);
}

/// Apply who is in which segment as the CRM has it, up to 500 memberships at once; the integration does.
#[utoipa::path(tag = "customers", request_body = SegmentMembershipsIn, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "What became of each item", body = SegmentMembershipsApplied)))]
#[put("/segment-memberships")]
async fn apply_segment_memberships(
    command: Command<may::ApplySegments>,
    body: Body<SegmentMembershipsIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let told = &body.0;
            check(told)?;
            known(tx, told)?;
            let applied = apply(tx, told)?;
            let items = told.items.iter().map(|item| SegmentMembershipApplied {
                id: item.id,
                result: match applied.contains(&item.id) {
                    true => MembershipResult::Applied,
                    false => MembershipResult::Unchanged,
                },
            });
            Ok(Answer::json(&SegmentMembershipsApplied { items: items.collect() })?)
        })
        .await
}

fn check(told: &SegmentMembershipsIn) -> Result<(), Problem> {
    let (mut faults, mut ids) = (Faults::default(), HashSet::new());
    for (index, item) in told.items.iter().enumerate() {
        if item.left_at.is_some_and(|left| left < item.entered_at) {
            let message = "nobody leaves before entering";
            faults.add(format!("/items/{index}/left_at"), "out_of_range", message);
        }
        if !ids.insert(item.id) {
            let message = "this membership stands in an earlier item";
            faults.add(format!("/items/{index}/id"), "duplicate", message);
        }
    }
    faults.check()
}

/// What they refer to must be here first; all that is missing is told at once.
fn known(conn: &mut PgConnection, told: &SegmentMembershipsIn) -> Result<()> {
    let ids = |of: fn(&SegmentMembershipIn) -> Uuid| {
        let mut ids: Vec<Uuid> = told.items.iter().map(of).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let (segments, buyers) = (ids(|item| item.segment_id), ids(|item| item.customer_id));
    let (known_segments, known_buyers) = (queries::exist(conn, &segments)?, customers::exist(conn, &buyers)?);
    let lacking = |kind: &'static str, ids: &[Uuid], known: &HashSet<Uuid>| {
        let lacking = ids.iter().filter(|id| !known.contains(id));
        lacking.map(|id| (kind, *id)).collect::<Vec<_>>()
    };
    let mut missing = lacking("segment", &segments, &known_segments);
    missing.extend(lacking("customer", &buyers, &known_buyers));
    let Some((kind, id)) = missing.first() else {
        return Ok(());
    };
    let all: Vec<_> = missing
        .iter()
        .map(|(kind, id)| json!({ "type": kind, "id": id }))
        .collect();
    Err(Problem::reference_missing(kind, *id).fact("missing", all).into())
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Stores what is newer, in one statement; rows are locked in key order. Returns what applied.
fn apply(conn: &mut PgConnection, told: &SegmentMembershipsIn) -> QueryResult<HashSet<Uuid>> {
    let items = &told.items;
    let applied: Vec<Applied> = sql("INSERT INTO segment_members AS stored
             (id, segment_id, customer_id, entered_at, left_at, source_version, as_of)
         SELECT told.* FROM unnest($1, $2, $3, $4, $5, $6, $7)
             AS told (id, segment_id, customer_id, entered_at, left_at, source_version, as_of)
         ORDER BY id
         ON CONFLICT (id) DO UPDATE
         SET segment_id = excluded.segment_id, customer_id = excluded.customer_id, entered_at = excluded.entered_at,
             left_at = excluded.left_at, source_version = excluded.source_version, as_of = excluded.as_of
         WHERE $8 OR excluded.source_version > stored.source_version
         RETURNING id")
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.segment_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.customer_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(items.iter().map(|i| i.entered_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(items.iter().map(|i| i.left_at).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(items.iter().map(|i| i.source_version).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(items.iter().map(|i| i.as_of).collect::<Vec<_>>())
    .bind::<Bool, _>(told.replace)
    .rows(conn)?;
    Ok(applied.into_iter().map(|row| row.id).collect())
}
