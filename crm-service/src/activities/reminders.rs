//! Reminders: each fires once, whatever number of processes looks for them.
//!
//! A round claims activities whose time has come and that nobody holds (`FOR UPDATE SKIP LOCKED`),
//! marks them as reminded of only if they still are not, and tells their owners, in one statement.
//! What is changed, done or cancelled meanwhile is locked by that command, and looked at again by
//! the next round. Setting another time makes an activity remind of itself again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use uuid::Uuid;

/// How many reminders a round fires.
pub const ROUND: i64 = 200;

/// A reminder that has fired.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Fired {
    #[diesel(sql_type = SqlUuid)]
    pub activity_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub user_id: Uuid,
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Timestamptz)]
    pub remind_at: DateTime<Utc>,
}

/// Fires the reminders whose time has come, up to [`ROUND`] of them.
///
/// # Errors
/// When the database refuses.
pub fn fire(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<Vec<Fired>> {
    sql("WITH due AS (
             SELECT id FROM activities
             WHERE state = 'open' AND remind_at IS NOT NULL AND reminded_at IS NULL AND remind_at <= $1
             ORDER BY remind_at LIMIT $2 FOR UPDATE SKIP LOCKED),
         fired AS (
             UPDATE activities a SET reminded_at = $3 FROM due
             WHERE a.id = due.id AND a.state = 'open' AND a.reminded_at IS NULL
             RETURNING a.id, a.owner_id, a.title, a.remind_at),
         told AS (
             INSERT INTO notifications (id, user_id, kind, title, subject_type, subject, about, created_at)
             SELECT gen_random_uuid(), owner_id, 'reminder', title, 'activity', id, remind_at, $4
             FROM fired WHERE owner_id IS NOT NULL
             ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING)
         SELECT id AS activity_id, owner_id AS user_id, title, remind_at FROM fired
         WHERE owner_id IS NOT NULL ORDER BY remind_at, id")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(ROUND)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .rows(conn)
}
