//! Reminders: each fires once, whatever number of processes looks for them.
//!
//! A round claims activities whose time has come and that nobody holds (`FOR UPDATE SKIP LOCKED`),
//! marks them as reminded of only if they still are not, and tells their owners, in one statement.
//! What is changed, done or cancelled meanwhile is locked by that command, and looked at again by
//! the next round. Setting another time makes an activity remind of itself again.

use crate::activities::emails::compose::{Draft, compose};
use crate::activities::emails::outbox;
use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::background::{Background, Round};
use service_kit::config::Mail;
use service_kit::db::sql;
use service_kit::server::Kit;
use std::time::Duration;
use uuid::Uuid;

/// How many reminders a round fires.
const ROUND: usize = 200;

pub const REMINDERS: Background = Background {
    name: "reminders",
    every: Duration::from_secs(5),
    wakes_on: &[],
    round,
};

fn round(kit: Kit) -> Round {
    Box::pin(async move {
        let (mail, zone) = (kit.mail.clone(), kit.time_zone);
        let work = move |conn: &mut PgConnection| Ok(fire(conn, mail.as_deref(), zone, Utc::now())?);
        let fired = kit.run_background(work).await?;
        Ok(fired == ROUND)
    })
}

/// A reminder that has fired.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
struct Fired {
    #[diesel(sql_type = SqlUuid)]
    activity_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
    due_by: Option<DateTime<Utc>>,
    /// Of who is reminded.
    #[diesel(sql_type = Text)]
    email: String,
}

/// Fires the reminders whose time has come, some at a time: how many there were. Run it in a
/// transaction: the mail is written in it, and goes out after it.
///
/// # Errors
/// When the database refuses.
pub fn fire(conn: &mut PgConnection, mail: Option<&Mail>, zone: Tz, now: DateTime<Utc>) -> QueryResult<usize> {
    let now = now.trunc_subsecs(6);
    let all = claim(conn, now)?;
    if let Some(mail) = mail {
        all.iter().try_for_each(|fired| write(conn, mail, fired, zone, now))?;
    }
    Ok(all.len())
}

fn claim(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<Vec<Fired>> {
    sql("WITH due AS (
             SELECT id FROM activities
             WHERE state = 'open' AND remind_at IS NOT NULL AND reminded_at IS NULL AND remind_at <= $1
             ORDER BY remind_at LIMIT $2 FOR UPDATE SKIP LOCKED),
         fired AS (
             UPDATE activities a SET reminded_at = $3 FROM due
             WHERE a.id = due.id AND a.state = 'open' AND a.reminded_at IS NULL
             RETURNING a.id, a.owner_id, a.kind, a.title, a.due_by, a.remind_at),
         told AS (
             INSERT INTO notifications (id, user_id, kind, title, subject_type, subject, about, created_at)
             SELECT gen_random_uuid(), owner_id, 'reminder', title, 'activity', id, remind_at, $4
             FROM fired WHERE owner_id IS NOT NULL
             ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING)
         SELECT f.id AS activity_id, f.kind, f.title, f.due_by, u.email
         FROM fired f JOIN users u ON u.id = f.owner_id
         ORDER BY f.remind_at, f.id")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(ROUND as i64)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .rows(conn)
}

fn write(conn: &mut PgConnection, mail: &Mail, fired: &Fired, zone: Tz, now: DateTime<Utc>) -> QueryResult<()> {
    let due = match fired.due_by {
        Some(due) => format!("\nDue by {}.", due.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z")),
        None => String::new(),
    };
    let text = format!(
        "{}: {}{due}\n\nIn the CRM: /v1/activities/{}\n",
        fired.kind, fired.title, fired.activity_id
    );
    let draft = Draft {
        id: Uuid::now_v7(),
        to: std::slice::from_ref(&fired.email),
        subject: &format!("Reminder: {}", fired.title),
        text: &text,
        ..Draft::default()
    };
    match compose(mail, &draft, now) {
        Ok(composed) => outbox::put(conn, &composed, None, now).map(drop),
        // It stands among the notifications in any case.
        Err(error) => {
            tracing::warn!(%error, "a reminder cannot be written as a mail");
            Ok(())
        }
    }
}
