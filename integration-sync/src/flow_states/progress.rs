//! What the owner of a flow's lease writes while it works. Each statement names owner and epoch:
//! that of an earlier owner touches nothing and answers `false`.

use super::model::FlowState;
use crate::dead_letters::{self, Parked};
use crate::flows::Flow;
use crate::http::System;
use crate::retries::{self, Failed};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use service_kit::Result;
use service_kit::db::sql;
use uuid::Uuid;

/// Who writes: the flow, the owner of its lease, and since which change of owner.
#[derive(Debug, Clone, Copy)]
pub struct Fence {
    pub flow: &'static str,
    pub owner: Uuid,
    pub epoch: i64,
}

/// Where a flow stands when somebody starts to work on it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Position {
    #[diesel(sql_type = Nullable<Text>)]
    pub cursor: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resync_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    pub resync_replace: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub resync_head: Option<String>,
    #[diesel(sql_type = Integer)]
    pub resync_list: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub resync_page: Option<String>,
}

/// Reads the position; `None` when the lease is somebody else's.
///
/// # Errors
/// When the database refuses. The same holds for the others here.
pub fn load(conn: &mut PgConnection, fence: Fence) -> Result<Option<Position>> {
    let rows: Vec<Position> = sql(
        "SELECT cursor, resync_requested_at, resync_replace, resync_head, resync_list, resync_page
         FROM flow_states WHERE name = $1 AND lease_owner = $2 AND lease_epoch = $3",
    )
    .bind::<Text, _>(fence.flow)
    .bind::<SqlUuid, _>(fence.owner)
    .bind::<BigInt, _>(fence.epoch)
    .rows(conn)?;
    Ok(rows.into_iter().next())
}

/// Where the flow goes on after a batch.
#[derive(Debug, Clone)]
pub enum Next {
    /// Only retries were tried.
    Here,
    /// In the feed.
    Cursor(String),
    /// In the resync that was requested then: the list, and the page of it.
    Page {
        requested_at: DateTime<Utc>,
        list: i32,
        page: Option<String>,
    },
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Batch {
    pub read: i64,
    pub superseded: i64,
    pub skipped: i64,
    pub last_event_at: Option<DateTime<Utc>>,
    pub committed_to_read_ms: Option<i64>,
    pub read_to_applied_ms: Option<i64>,
    pub applied: Vec<Done>,
    pub failed: Vec<Failed>,
    pub parked: Vec<Parked>,
}

/// A change that the target has.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    pub kind: &'static str,
    pub subject: Uuid,
    pub version: i64,
    pub replace: bool,
}

/// Saves a batch: where the flow goes on, its counts, and what was settled, failed or refused.
/// Run it in a transaction when something failed or was refused.
pub fn save(conn: &mut PgConnection, fence: Fence, next: &Next, state: FlowState, batch: &Batch) -> Result<bool> {
    let (cursor, requested_at, list, page) = match next {
        Next::Here => (None, None, 0, None),
        Next::Cursor(cursor) => (Some(cursor.as_str()), None, 0, None),
        Next::Page {
            requested_at,
            list,
            page,
        } => (None, Some(*requested_at), *list, page.as_deref()),
    };
    let settled = batch.applied.iter().map(|done| (done.kind, done.subject));
    // What is parked has been tried in its newest version: nothing is left to retry.
    let settled = settled.chain(batch.parked.iter().map(|parked| (parked.kind, parked.subject)));
    let (kinds, subjects): (Vec<&str>, Vec<Uuid>) = settled.unzip();
    // One statement, because it runs after every batch.
    let touched = sql("WITH mine AS (
             UPDATE flow_states
             SET cursor = coalesce($1, cursor), state = $2, last_error = NULL,
                 last_event_at = greatest(last_event_at, $3),
                 committed_to_read_ms = coalesce($4, committed_to_read_ms),
                 read_to_applied_ms = coalesce($5, read_to_applied_ms),
                 read = read + $6, superseded = superseded + $7, skipped = skipped + $8, applied = applied + $9,
                 retried = retried + $10, dead = dead + $11,
                 resync_list = CASE WHEN $12::timestamptz IS NULL THEN resync_list ELSE $13 END,
                 resync_page = CASE WHEN $14::timestamptz IS NULL THEN resync_page ELSE $15 END,
                 resync_pushed = resync_pushed + CASE WHEN $16::timestamptz IS NULL THEN 0 ELSE $17 END,
                 updated_at = now()
             WHERE name = $18 AND lease_owner = $19 AND lease_epoch = $20
               AND ($21::timestamptz IS NULL OR resync_requested_at = $22)
             RETURNING name),
         retried AS (
             DELETE FROM retries r USING mine, unnest($23, $24) AS s(kind, subject)
             WHERE r.flow = mine.name AND r.kind = s.kind AND r.subject = s.subject),
         resolved AS (
             UPDATE dead_letters d
             SET state = 'resolved', resolution = 'a later try applied version ' || s.version,
                 closed_at = now(), updated_at = now(), revision = d.revision + 1
             FROM mine, unnest($25, $26, $27, $28) AS s(kind, subject, version, replace)
             WHERE d.flow = mine.name AND d.state = 'open' AND d.kind = s.kind AND d.subject = s.subject
               AND (s.replace OR d.version <= s.version))
         SELECT FROM mine")
    .bind::<Nullable<Text>, _>(cursor)
    .bind::<Text, _>(state)
    .bind::<Nullable<Timestamptz>, _>(batch.last_event_at)
    .bind::<Nullable<BigInt>, _>(batch.committed_to_read_ms)
    .bind::<Nullable<BigInt>, _>(batch.read_to_applied_ms)
    .bind::<BigInt, _>(batch.read)
    .bind::<BigInt, _>(batch.superseded)
    .bind::<BigInt, _>(batch.skipped)
    .bind::<BigInt, _>(batch.applied.len() as i64)
    .bind::<BigInt, _>(batch.failed.len() as i64)
    .bind::<BigInt, _>(batch.parked.len() as i64)
    .bind::<Nullable<Timestamptz>, _>(requested_at)
    .bind::<Integer, _>(list)
    .bind::<Nullable<Timestamptz>, _>(requested_at)
    .bind::<Nullable<Text>, _>(page)
    .bind::<Nullable<Timestamptz>, _>(requested_at)
    .bind::<BigInt, _>(batch.read)
    .bind::<Text, _>(fence.flow)
    .bind::<SqlUuid, _>(fence.owner)
    .bind::<BigInt, _>(fence.epoch)
    .bind::<Nullable<Timestamptz>, _>(requested_at)
    .bind::<Nullable<Timestamptz>, _>(requested_at)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<SqlUuid>, _>(subjects)
    .bind::<Array<Text>, _>(batch.applied.iter().map(|done| done.kind).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(batch.applied.iter().map(|done| done.subject).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(batch.applied.iter().map(|done| done.version).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(batch.applied.iter().map(|done| done.replace).collect::<Vec<_>>())
    .run(conn)?;
    if touched == 0 {
        return Ok(false);
    }
    retries::store(conn, fence.flow, &batch.failed)?;
    dead_letters::park(conn, fence.flow, &batch.parked)?;
    Ok(true)
}

/// Says what the flow is doing, and why it waits.
pub fn report(conn: &mut PgConnection, fence: Fence, state: FlowState, error: Option<&str>) -> Result<bool> {
    let touched = sql("UPDATE flow_states SET state = $1, last_error = $2, updated_at = now()
         WHERE name = $3 AND lease_owner = $4 AND lease_epoch = $5")
    .bind::<Text, _>(state)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Text, _>(fence.flow)
    .bind::<SqlUuid, _>(fence.owner)
    .bind::<BigInt, _>(fence.epoch)
    .run(conn)?;
    Ok(touched == 1)
}

/// Whether flows into the ERP have a resync to do first.
///
/// What the ERP emits because of it must be in the pages that are then sent to the CRM, for a
/// restored ERP counts versions that the CRM has seen before. A paused flow is not waited for.
pub fn others_resync_first(conn: &mut PgConnection, flow: &'static Flow) -> Result<bool> {
    if flow.target == System::Erp {
        return Ok(false);
    }
    let first: Vec<&str> = Flow::into(System::Erp).map(|flow| flow.name).collect();
    let open = sql("SELECT FROM flow_states WHERE name = ANY($1) AND NOT paused AND resync_requested_at IS NOT NULL")
        .bind::<Array<Text>, _>(first)
        .run(conn)?;
    Ok(open > 0)
}

/// Begins a resync at its first page; the flow will go on from `head`.
pub fn begin_resync(conn: &mut PgConnection, fence: Fence, requested_at: DateTime<Utc>, head: &str) -> Result<bool> {
    let touched = sql("UPDATE flow_states
         SET resync_head = $1, resync_list = 0, resync_page = NULL, resync_pushed = 0, state = 'resyncing',
             last_error = NULL, updated_at = now()
         WHERE name = $2 AND lease_owner = $3 AND lease_epoch = $4 AND resync_requested_at = $5")
    .bind::<Text, _>(head)
    .bind::<Text, _>(fence.flow)
    .bind::<SqlUuid, _>(fence.owner)
    .bind::<BigInt, _>(fence.epoch)
    .bind::<Timestamptz, _>(requested_at)
    .run(conn)?;
    Ok(touched == 1)
}

/// Ends a resync: the flow follows the feed from the head that it had before the first page.
pub fn finish_resync(conn: &mut PgConnection, fence: Fence, requested_at: DateTime<Utc>) -> Result<bool> {
    let touched = sql("UPDATE flow_states
         SET cursor = resync_head, state = 'running', last_error = NULL, resync_requested_at = NULL,
             resync_reason = NULL, resync_head = NULL, resync_list = 0, resync_page = NULL,
             resync_finished_at = now(), updated_at = now()
         WHERE name = $1 AND lease_owner = $2 AND lease_epoch = $3 AND resync_requested_at = $4")
    .bind::<Text, _>(fence.flow)
    .bind::<SqlUuid, _>(fence.owner)
    .bind::<BigInt, _>(fence.epoch)
    .bind::<Timestamptz, _>(requested_at)
    .run(conn)?;
    Ok(touched == 1)
}

/// The source's feed is gone (410): opens a resync of this flow.
///
/// The source may have been restored from a backup, and then it has also lost what was applied to
/// it since: the first flow that notices has everything that goes into it sent again as well. A
/// flow that has noticed before notices a new restore. Run it in a transaction.
pub fn mark_gone(conn: &mut PgConnection, fence: Fence, source: System, reason: &str) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Noticed {
        #[diesel(sql_type = Bool)]
        first: bool,
    }
    sql("SELECT FROM flow_states ORDER BY name FOR UPDATE").run(conn)?;
    if load(conn, fence)?.is_none() {
        return Ok(false);
    }
    let noticed: Noticed = sql("INSERT INTO restores AS r (system, noticed_by) VALUES ($1, ARRAY[$2])
         ON CONFLICT (system) DO UPDATE SET
             noticed_by = CASE WHEN $3 = ANY(r.noticed_by) THEN excluded.noticed_by
                               ELSE r.noticed_by || excluded.noticed_by END,
             noticed_at = now()
         RETURNING cardinality(noticed_by) = 1 AS first")
    .bind::<Text, _>(source.as_str())
    .bind::<Text, _>(fence.flow)
    .bind::<Text, _>(fence.flow)
    .row(conn)?;
    let stale = Flow::into(source).filter(|_| noticed.first).map(|flow| flow.name);
    let marked: Vec<&str> = stale.chain([fence.flow]).collect();
    sql("UPDATE flow_states
         SET resync_requested_at = clock_timestamp(), resync_reason = $1, resync_replace = true, resync_head = NULL,
             resync_list = 0, resync_page = NULL, resync_pushed = 0, updated_at = now(),
             state = CASE WHEN name = $2 THEN 'gone' ELSE state END
         WHERE name = ANY($3)")
    .bind::<Text, _>(reason)
    .bind::<Text, _>(fence.flow)
    .bind::<Array<Text>, _>(marked)
    .run(conn)?;
    Ok(true)
}
