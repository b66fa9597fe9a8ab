use crate::db::sql;
use crate::problem::{Error, Problem, Result};
use actix_web::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryResult, QueryableByName};
use uuid::Uuid;

/// A place in a feed: everything up to and including it has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedCursor {
    pub feed_id: Uuid,
    pub transaction: u64,
    pub position: i64,
}

impl FeedCursor {
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", self.feed_id, self.transaction, self.position))
    }

    /// # Errors
    /// 400 `invalid_cursor`.
    pub fn decode(text: &str) -> Result<Self, Problem> {
        let parts = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let mut parts = text.split(':');
            let cursor = FeedCursor {
                feed_id: parts.next()?.parse().ok()?,
                transaction: parts.next()?.parse().ok()?,
                position: parts.next()?.parse().ok()?,
            };
            (parts.next().is_none() && cursor.position >= 0).then_some(cursor)
        };
        parts().ok_or_else(|| Problem::bad_request("invalid_cursor", "after: this is not a cursor of an event feed"))
    }
}

/// An event as stored.
#[derive(Debug)]
pub struct FeedEvent {
    pub id: Uuid,
    pub r#type: String,
    pub subject: Uuid,
    pub subject_version: i64,
    pub occurred_at: DateTime<Utc>,
    /// The whole record, as JSON text.
    pub data: String,
}

/// What one look at the feed shows.
pub struct Batch {
    pub events: Vec<FeedEvent>,
    pub next: FeedCursor,
    /// Whether events of these types are committed or about to be, beyond the horizon.
    pub pending: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    feed_id: Uuid,
    #[diesel(sql_type = Text)]
    dropped_transaction: String,
    #[diesel(sql_type = BigInt)]
    dropped_position: i64,
    #[diesel(sql_type = Text)]
    horizon: String,
    #[diesel(sql_type = Bool)]
    pending: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    position: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    transaction_id: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    r#type: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    subject: Option<Uuid>,
    #[diesel(sql_type = Nullable<BigInt>)]
    subject_version: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    occurred_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    data: Option<String>,
}

/// Where a read starts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    Oldest,
    Latest,
    After(FeedCursor),
}

/// Reads up to `limit` events below the horizon.
///
/// # Errors
/// 410 `cursor_expired` for a cursor of another feed, or one older than the oldest event kept.
pub(crate) fn read(conn: &mut PgConnection, from: From, types: Option<&[String]>, limit: i64) -> Result<Batch> {
    let (transaction, position) = match from {
        From::Oldest | From::Latest => (0, 0),
        From::After(cursor) => (cursor.transaction, cursor.position),
    };
    let limit = if matches!(from, From::Latest) { 0 } else { limit };
    let rows: Vec<Row> = sql(
        "SELECT f.feed_id, f.dropped_transaction::text AS dropped_transaction, f.dropped_position,
                h.horizon::text AS horizon, h.pending, e.*
         FROM feed f
         CROSS JOIN (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon,
                            EXISTS (SELECT FROM events
                                    WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot())
                                      AND ($1 IS NULL OR type = ANY($2))) AS pending) h
         LEFT JOIN LATERAL (
             SELECT position, transaction_id::text AS transaction_id, id, type, subject, subject_version,
                    occurred_at, data::text AS data
             FROM events
             WHERE (events.transaction_id, events.position) > ($3::xid8, $4)
               AND events.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
               AND ($5 IS NULL OR type = ANY($6))
             ORDER BY events.transaction_id, events.position
             LIMIT $7) e ON true",
    )
    .bind::<Nullable<Array<Text>>, _>(types)
    .bind::<Nullable<Array<Text>>, _>(types)
    .bind::<Text, _>(transaction.to_string())
    .bind::<BigInt, _>(position)
    .bind::<Nullable<Array<Text>>, _>(types)
    .bind::<Nullable<Array<Text>>, _>(types)
    .bind::<BigInt, _>(limit)
    .rows(conn)?;
    let head = rows.first().ok_or(diesel::NotFound)?;
    if let From::After(cursor) = from {
        let dropped = (number(&head.dropped_transaction), head.dropped_position);
        if cursor.feed_id != head.feed_id || (cursor.transaction, cursor.position) < dropped {
            let detail = "the cursor belongs to another feed or is older than the oldest event kept; resynchronise";
            return Err(Problem::new(StatusCode::GONE, "cursor_expired", detail).into());
        }
    }
    let (feed_id, pending) = (head.feed_id, head.pending);
    // Below the horizon everything has been looked at, so the next read starts there.
    let mut next = FeedCursor {
        feed_id,
        transaction: number(&head.horizon),
        position: 0,
    };
    if let From::After(cursor) = from
        && (cursor.transaction, cursor.position) > (next.transaction, next.position)
    {
        next = cursor;
    }
    let full = limit > 0 && rows.len() as i64 == limit && head.position.is_some();
    if let Some(last) = rows.last().filter(|_| full) {
        let transaction = last.transaction_id.as_deref().map(number).unwrap_or_default();
        next = FeedCursor {
            feed_id,
            transaction,
            position: last.position.unwrap_or_default(),
        };
    }
    let events = rows.into_iter().filter_map(event).collect();
    Ok(Batch { events, next, pending })
}

fn event(row: Row) -> Option<FeedEvent> {
    Some(FeedEvent {
        id: row.id?,
        r#type: row.r#type?,
        subject: row.subject?,
        subject_version: row.subject_version?,
        occurred_at: row.occurred_at?,
        data: row.data?,
    })
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// What happened after a cursor, and the next one: for a service that follows its own feed. Without a cursor, or with one that
/// leads nowhere any more, it begins with the oldest event.
///
/// # Errors
/// When the database refuses.
pub fn since(
    conn: &mut PgConnection,
    after: Option<&str>,
    types: &[&str],
    limit: i64,
) -> Result<(Vec<FeedEvent>, String)> {
    let types: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
    let from = after.and_then(|after| FeedCursor::decode(after).ok());
    let batch = match read(conn, from.map_or(From::Oldest, From::After), Some(&types), limit) {
        Err(Error::Problem(problem)) if problem.code == "cursor_expired" => {
            read(conn, From::Oldest, Some(&types), limit)?
        }
        other => other?,
    };
    Ok((batch.events, batch.next.encode()))
}

/// Binds the feed to the database it lives in; call once at start, after the migrations.
///
/// When cluster, timeline or database differ from last time (a restored dump, a copy), transaction
/// ids of old events mean nothing here: they are stamped anew and the feed gets a new id.
///
/// # Errors
/// When the database refuses.
pub fn bind(conn: &mut PgConnection) -> QueryResult<()> {
    conn.transaction(|conn| {
        conn.batch_execute("LOCK TABLE feed IN EXCLUSIVE MODE")?;
        conn.batch_execute(
            "INSERT INTO feed (feed_id, bound_to) VALUES (gen_random_uuid(), '') ON CONFLICT DO NOTHING;
             CREATE TEMPORARY TABLE home ON COMMIT DROP AS
                 SELECT (SELECT system_identifier FROM pg_control_system())
                        -- The timeline of now; that of the control file is the last checkpoint's.
                        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
                        || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS place;
             UPDATE events SET transaction_id = pg_current_xact_id()
                 WHERE EXISTS (SELECT FROM feed, home WHERE bound_to <> place);
             UPDATE feed SET feed_id = gen_random_uuid(), bound_to = place,
                             dropped_transaction = '0', dropped_position = 0
                 FROM home WHERE bound_to <> place;",
        )
    })
}

/// Age of the oldest write transaction of the cluster, in seconds: what holds the feed back.
///
/// # Errors
/// When the database refuses.
pub fn horizon_age_seconds(conn: &mut PgConnection) -> QueryResult<f64> {
    #[derive(QueryableByName)]
    struct Age {
        #[diesel(sql_type = Double)]
        seconds: f64,
    }
    let age: Age = sql(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 AS seconds
         FROM pg_stat_activity WHERE backend_xid IS NOT NULL",
    )
    .row(conn)?;
    Ok(age.seconds)
}
