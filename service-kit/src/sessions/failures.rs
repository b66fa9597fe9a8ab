//! Counting of failed attempts, by the SHA-256 of the e-mail address that was typed.

use super::{FAILURES, LOCKED, WINDOW};
use crate::db::sql;
use crate::problem::{Problem, Result};
use crate::tx::Tx;
use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Integer, Nullable, Timestamptz};
use diesel::{OptionalExtension, PgConnection, QueryResult, QueryableByName};
use sha2::{Digest, Sha256};

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    locked_until: Option<DateTime<Utc>>,
}

fn hash(email: &str) -> [u8; 32] {
    Sha256::digest(email.as_bytes()).into()
}

/// Until when nobody signs in with this address, if that is not over.
pub(super) fn locked_until(
    conn: &mut PgConnection,
    email: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<DateTime<Utc>>> {
    until(
        conn,
        "SELECT locked_until FROM sign_in_failures WHERE email_hash = $1",
        email,
        now,
    )
}

/// The same for somebody who has the right password: who counts a failure meanwhile waits.
///
/// # Errors
/// 429 when it is locked.
pub(super) fn require_none_too_many(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    let now = tx.now();
    let held = "SELECT locked_until FROM sign_in_failures WHERE email_hash = $1 FOR UPDATE";
    match until(tx, held, email, now)? {
        Some(until) => Err(too_many(until, now).into()),
        None => Ok(()),
    }
}

fn until(
    conn: &mut PgConnection,
    statement: &'static str,
    email: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<DateTime<Utc>>> {
    let counted: Option<Counted> = sql(statement)
        .bind::<Binary, _>(&hash(email)[..])
        .row(conn)
        .optional()?;
    Ok(counted
        .and_then(|counted| counted.locked_until)
        .filter(|until| *until > now))
}

/// Counts one more failure; answers until when it was locked before, if that is not over.
pub(super) fn count(conn: &mut PgConnection, email: &str, now: DateTime<Utc>) -> QueryResult<Option<DateTime<Utc>>> {
    let counted: Option<Counted> = sql("INSERT INTO sign_in_failures AS f (email_hash, failures, since)
             VALUES ($1, 1, $2)
             ON CONFLICT (email_hash) DO UPDATE SET
                 failures = CASE WHEN f.since < $3 OR f.locked_until IS NOT NULL THEN 1 ELSE f.failures + 1 END,
                 since = CASE WHEN f.since < $4 OR f.locked_until IS NOT NULL THEN excluded.since ELSE f.since END,
                 locked_until = CASE WHEN f.since >= $5 AND f.locked_until IS NULL AND f.failures + 1 >= $6
                                     THEN $7::timestamptz END
             WHERE f.locked_until IS NULL OR f.locked_until <= $8
             RETURNING locked_until")
    .bind::<Binary, _>(&hash(email)[..])
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - WINDOW)
    .bind::<Timestamptz, _>(now - WINDOW)
    .bind::<Timestamptz, _>(now - WINDOW)
    .bind::<Integer, _>(FAILURES)
    .bind::<Timestamptz, _>(now + LOCKED)
    .bind::<Timestamptz, _>(now)
    .row(conn)
    .optional()?;
    match counted {
        Some(_) => Ok(None),
        // Not counted, because it is locked.
        None => locked_until(conn, email, now),
    }
}

/// What was wrong before is forgotten.
pub(crate) fn forgive(conn: &mut PgConnection, email: &str) -> QueryResult<()> {
    sql("DELETE FROM sign_in_failures WHERE email_hash = $1")
        .bind::<Binary, _>(&hash(email)[..])
        .run(conn)?;
    Ok(())
}

pub(super) fn too_many(until: DateTime<Utc>, now: DateTime<Utc>) -> Problem {
    let seconds = (until - now).num_seconds().max(0) + 1;
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_failures",
        "too many wrong passwords with this e-mail address; nobody can sign in with it for a while",
    )
    .header("Retry-After", seconds.to_string())
}
