//! Who fulfils a rule, brought up to date batch by batch.

use super::memberships::{self, Membership};
use super::model::{SegmentKind, SegmentRow, SegmentStatus};
use super::queries;
use crate::filter::fragment::Bound;
use crate::filter::{CUSTOMERS, Filter, Fragment, Scope};
use crate::schema::segments;
use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Uuid as SqlUuid};
use serde_json::{Value, json};
use service_kit::background::{Background, Round};
use service_kit::server::Kit;
use service_kit::{Result, Sight, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

pub const REFRESH: Background = Background {
    name: "segments",
    every: Duration::from_secs(30),
    wakes_on: &["segment.changed"],
    round,
};

/// Customers in one transaction.
const BATCH: i64 = 2_000;

/// How long the members of a rule stand before they are looked at again.
const EVERY: TimeDelta = TimeDelta::hours(1);

fn round(kit: Kit) -> Round {
    Box::pin(async move {
        let more = Arc::new(AtomicBool::new(false));
        let found = more.clone();
        let work = move |tx: &mut Tx<'_>| {
            let due = next_due(tx)?;
            found.store(due.is_some(), Ordering::Relaxed);
            due.map_or(Ok(()), |mut segment| step(tx, &mut segment).map(drop))
        };
        kit.run_as_service("segments", work).await?;
        Ok(more.load(Ordering::Relaxed))
    })
}

/// A segment whose time has come and that nobody is at.
fn next_due(tx: &mut Tx<'_>) -> QueryResult<Option<SegmentRow>> {
    let now = tx.now();
    segments::table
        .filter(
            segments::kind
                .eq(SegmentKind::Rule)
                .and(segments::status.eq(SegmentStatus::Active)),
        )
        .filter(segments::due_at.le(now))
        .order(segments::due_at)
        .select(SegmentRow::as_select())
        .for_no_key_update()
        .skip_locked()
        .first(&mut **tx)
        .optional()
}

/// Makes a segment's members up to date from the beginning, as soon as the next round comes.
pub fn ask(tx: &Tx<'_>, segment: &mut SegmentRow) {
    segment.due_at = Some(tx.now());
    segment.refresh_from = None;
    segment.refresh_day = None;
    segment.fault = None;
}

/// What a batch did.
#[derive(Debug, QueryableByName)]
struct Batch {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    looked_at: i64,
    #[diesel(sql_type = BigInt)]
    entered: i64,
    #[diesel(sql_type = BigInt)]
    departed: i64,
    /// Those who entered and departed, as a list of [`Membership`].
    #[diesel(sql_type = Jsonb)]
    changed: Value,
}

/// Does one batch of a segment that is locked: whether it was the last.
///
/// # Errors
/// When the database refuses.
pub fn step(tx: &mut Tx<'_>, segment: &mut SegmentRow) -> Result<bool> {
    let rule = queries::rule(tx, segment.id, segment.rule_version)?.unwrap_or_default();
    let filter = match Filter::of(tx, &CUSTOMERS, &rule, "/rule") {
        Ok(filter) => filter,
        Err(error) => {
            // It was understood once: a custom field has gone. It stays as it is until somebody looks.
            segment.fault = Some(words(error)?);
            (segment.due_at, segment.refresh_from, segment.refresh_day) = (None, None, None);
            queries::update(tx, segment)?;
            return Ok(true);
        }
    };
    let day = *segment.refresh_day.get_or_insert(tx.today());
    let scope = Scope {
        today: day,
        ..Scope::within(tx, Sight::All)
    };
    let done: Batch = statement(tx, segment, &filter, &scope).statement().row(tx)?;
    if done.entered + done.departed > 0 {
        let told = json!({
            "segment_id": segment.id, "rule_version": segment.rule_version, "entered": done.entered, "left": done.departed,
        });
        tx.emit("segment.members_changed", segment.id, segment.revision, told);
        memberships::tell(tx, &serde_json::from_value::<Vec<Membership>>(done.changed)?)?;
        // The next batch need not be held together with this one.
        tx.flush()?;
    }
    let last = done.looked_at < BATCH;
    if last {
        segment.refreshed_at = Some(tx.now());
        segment.due_at = Some(tx.now() + EVERY);
        (segment.refresh_from, segment.refresh_day) = (None, None);
    } else {
        segment.refresh_from = done.last;
    }
    queries::update(tx, segment)?;
    Ok(last)
}

fn words(error: service_kit::Error) -> Result<String> {
    match error {
        service_kit::Error::Problem(problem) if problem.status < 500 => Ok(problem.detail.chars().take(500).collect()),
        other => Err(other),
    }
}

/// Lets in who fulfils the rule, keeps who still does, lets go who does not any more.
fn statement(tx: &Tx<'_>, segment: &SegmentRow, filter: &Filter, scope: &Scope) -> Fragment {
    let (id, now) = (Bound::Id(segment.id), Bound::Instant(tx.now()));
    let version = Bound::Count(segment.rule_version.unwrap_or_default().into());
    let seen = Fragment::joined(filter.parts(scope).into_iter().map(|part| part.value), ", ");
    Fragment::new("WITH q AS MATERIALIZED (SELECT ")
        .bind(id)
        .sql(" AS segment, ")
        .bind(now)
        .sql(" AS now, ")
        .bind(version)
        .sql("::int AS version), batch AS MATERIALIZED (SELECT id FROM customers WHERE id > ")
        .bind(Bound::Id(segment.refresh_from.unwrap_or_default()))
        .sql(" ORDER BY id LIMIT ")
        .bind(Bound::Count(BATCH))
        .sql("), matching AS MATERIALIZED (SELECT customers.id, to_jsonb(ARRAY")
        .then(seen.bracketed())
        .sql(
            ") AS seen FROM customers WHERE customers.id IN (SELECT id FROM batch)
             AND customers.merged_into IS NULL AND ",
        )
        .then(filter.sql(scope))
        .sql(
            "), kept AS (
             UPDATE segment_members s SET rule_version = q.version, seen = m.seen FROM matching m, q
             WHERE s.segment_id = q.segment AND s.customer_id = m.id AND s.left_at IS NULL
               AND s.rule_version <> q.version),
         entered AS (
             INSERT INTO segment_members (id, segment_id, customer_id, entered_at, entered_version, rule_version, seen)
             SELECT gen_random_uuid(), q.segment, m.id, q.now, q.version, q.version, m.seen FROM matching m, q
             WHERE NOT EXISTS (SELECT FROM segment_members s
                 WHERE s.segment_id = q.segment AND s.customer_id = m.id AND s.left_at IS NULL)
             RETURNING id, segment_id, customer_id, entered_at, left_at, version),
         departed AS (
             UPDATE segment_members s SET left_at = greatest(s.entered_at, q.now), left_version = q.version,
                 version = s.version + 1 FROM q
             WHERE s.segment_id = q.segment AND s.left_at IS NULL
               AND s.customer_id IN (SELECT id FROM batch) AND s.customer_id NOT IN (SELECT id FROM matching)
             RETURNING s.id, s.segment_id, s.customer_id, s.entered_at, s.left_at, s.version),
         changed AS (SELECT * FROM entered UNION ALL SELECT * FROM departed)
         SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS last, (SELECT count(*) FROM batch) AS looked_at,
             (SELECT count(*) FROM entered) AS entered, (SELECT count(*) FROM departed) AS departed,
             (SELECT coalesce(jsonb_agg(to_jsonb(changed)), '[]') FROM changed) AS changed",
        )
}
