//! Changes that failed while their target was healthy: one row a record, holding its newest
//! version. They are tried again by the flow itself, later and later, for ever; meanwhile they
//! hold nobody else back.

use crate::flows::{Flow, Request};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use service_kit::Result;
use service_kit::db::sql;
use std::time::Duration;
use uuid::Uuid;

/// A change to try again.
#[derive(Debug, Clone)]
pub struct Failed {
    pub kind: &'static str,
    pub subject: Uuid,
    pub version: i64,
    pub replace: bool,
    pub as_of: DateTime<Utc>,
    pub request: Request,
    /// Tries so far.
    pub attempts: i32,
    pub error: String,
}

/// What is open for a flow.
#[derive(Debug, Clone, Copy, Default, QueryableByName)]
pub struct Open {
    #[diesel(sql_type = BigInt)]
    pub retries: i64,
    #[diesel(sql_type = BigInt)]
    pub dead_letters: i64,
    #[diesel(sql_type = Nullable<Double>)]
    seconds_to_next: Option<f64>,
}

impl Open {
    /// When the next retry is due.
    pub fn next_in(&self) -> Option<Duration> {
        self.seconds_to_next
            .map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 3_600.0)))
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = SqlUuid)]
    subject: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Bool)]
    replace: bool,
    #[diesel(sql_type = Timestamptz)]
    as_of: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Text)]
    last_error: String,
}

/// Retries at most at a time; the others are due right afterwards.
const AT_ONCE: i64 = 200;
const LONGEST_WAIT: f64 = 60.0;

/// What is open for a flow.
///
/// # Errors
/// When the database refuses. The same holds for the others here.
pub fn open(conn: &mut PgConnection, flow: &'static str) -> Result<Open> {
    Ok(sql(
        "SELECT count(*) AS retries, extract(epoch FROM min(next_at) - clock_timestamp())::float8 AS seconds_to_next,
                (SELECT count(*) FROM dead_letters WHERE flow = $1 AND state = 'open') AS dead_letters
         FROM retries WHERE flow = $2",
    )
    .bind::<Text, _>(flow)
    .bind::<Text, _>(flow)
    .row(conn)?)
}

/// Those that are due.
pub fn due(conn: &mut PgConnection, flow: &'static Flow) -> Result<Vec<Failed>> {
    let rows: Vec<Row> = sql(
        "SELECT kind, subject, version, replace, as_of, path, body, attempts, last_error
         FROM retries WHERE flow = $1 AND next_at <= clock_timestamp() ORDER BY next_at LIMIT $2",
    )
    .bind::<Text, _>(flow.name)
    .bind::<BigInt, _>(AT_ONCE)
    .rows(conn)?;
    Ok(from_rows(flow, rows))
}

/// Those of some records, to be merged with what is new about them.
pub fn of_subjects(conn: &mut PgConnection, flow: &'static Flow, subjects: &[Uuid]) -> Result<Vec<Failed>> {
    let rows: Vec<Row> = sql(
        "SELECT kind, subject, version, replace, as_of, path, body, attempts, last_error
         FROM retries WHERE flow = $1 AND subject = ANY($2)",
    )
    .bind::<Text, _>(flow.name)
    .bind::<Array<SqlUuid>, _>(subjects)
    .rows(conn)?;
    Ok(from_rows(flow, rows))
}

fn from_rows(flow: &'static Flow, rows: Vec<Row>) -> Vec<Failed> {
    let failed = rows.into_iter().filter_map(|row| {
        Some(Failed {
            kind: flow.record(&row.kind)?.kind,
            subject: row.subject,
            version: row.version,
            replace: row.replace,
            as_of: row.as_of,
            request: Request {
                path: row.path,
                body: row.body,
            },
            attempts: row.attempts,
            error: row.last_error,
        })
    });
    failed.collect()
}

/// Stores what failed; what was stored of the same records goes.
pub fn store(conn: &mut PgConnection, flow: &'static str, failed: &[Failed]) -> Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    sql(
        "INSERT INTO retries (flow, kind, subject, version, replace, as_of, path, body, attempts, last_error, next_at)
         SELECT $1, s.kind, s.subject, s.version, s.replace, s.as_of, s.path, s.body, s.attempts, s.error,
                clock_timestamp() + make_interval(secs => s.delay)
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
              AS s(kind, subject, version, replace, as_of, path, body, attempts, error, delay)
         ON CONFLICT (flow, kind, subject) DO UPDATE SET
             version = excluded.version, replace = excluded.replace, as_of = excluded.as_of, path = excluded.path,
             body = excluded.body, attempts = excluded.attempts, last_error = excluded.last_error,
             next_at = excluded.next_at",
    )
    .bind::<Text, _>(flow)
    .bind::<Array<Text>, _>(failed.iter().map(|f| f.kind).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(failed.iter().map(|f| f.subject).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(failed.iter().map(|f| f.version).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(failed.iter().map(|f| f.replace).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(failed.iter().map(|f| f.as_of).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(failed.iter().map(|f| f.request.path.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(failed.iter().map(|f| f.request.body.as_str()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(failed.iter().map(|f| f.attempts).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(failed.iter().map(|f| f.error.replace('\0', "")).collect::<Vec<_>>())
    .bind::<Array<Double>, _>(failed.iter().map(|f| delay(f.attempts)).collect::<Vec<_>>())
    .run(conn)?;
    Ok(())
}

/// Seconds until the next try: doubling from one second, up to a minute, never in step.
fn delay(attempts: i32) -> f64 {
    let doubled = 2_f64.powi(attempts.clamp(1, 16) - 1);
    doubled.min(LONGEST_WAIT) * rand::random_range(0.75..1.0)
}
