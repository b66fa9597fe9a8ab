//! The outbox: what was written in a command goes out after its commit.
//!
//! A round takes one message, for itself and for half an hour, sends it, and writes down what came
//! of it if it still has it. Several processes take different messages (`FOR UPDATE SKIP LOCKED`).
//! A message that a process took and never answered for is taken again when its time is over.

use crate::activities::actions::{save, tell_done};
use crate::activities::emails::compose::Composed;
use crate::activities::emails::opt_out;
use crate::activities::emails::smtp::{Attempt, Smtp};
use crate::activities::model::{ActivityState, EmailDelivery};
use crate::activities::queries;
use crate::schema::outgoing_mails;
use actix_web::web;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::background::{Background, Round};
use service_kit::db::sql;
use service_kit::server::Kit;
use service_kit::{Problem, Result, Tx};
use std::time::Duration;
use uuid::Uuid;

/// How long a process has a message for itself.
const CLAIM: TimeDelta = TimeDelta::minutes(30);
/// After so many attempts, within about a day, it is given up.
const MOST_ATTEMPTS: i32 = 12;

pub const OUTBOX: Background = Background {
    name: "outbox",
    every: Duration::from_secs(5),
    wakes_on: &["activity.changed"],
    round,
};

/// Puts a message into the outbox.
///
/// # Errors
/// When the database refuses.
pub fn put(
    conn: &mut PgConnection,
    composed: &Composed,
    activity_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    sql("INSERT INTO outgoing_mails
             (id, activity_id, message_id, sender, recipients, message, state, next_attempt_at, created_at, allowed_attempts)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9)")
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Nullable<SqlUuid>, _>(activity_id)
    .bind::<Text, _>(&composed.message_id)
    .bind::<Text, _>(&composed.sender)
    .bind::<Array<Text>, _>(&composed.recipients)
    .bind::<Binary, _>(&composed.message)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(MOST_ATTEMPTS)
    .run(conn)
}

/// A message that this process has for itself.
#[derive(Debug, Clone, QueryableByName)]
struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    activity_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    sender: String,
    #[diesel(sql_type = Array<Text>)]
    recipients: Vec<String>,
    #[diesel(sql_type = Binary)]
    message: Vec<u8>,
    /// This attempt's number.
    #[diesel(sql_type = Integer)]
    attempts: i32,
    /// How many there may be.
    #[diesel(sql_type = Integer)]
    allowed_attempts: i32,
}

fn round(kit: Kit) -> Round {
    Box::pin(send_one(kit, Utc::now))
}

/// Sends the message that has waited longest, if there is one: whether there was. A test says what
/// time it is.
///
/// # Errors
/// When the database or the configured server cannot be used.
pub async fn send_one(kit: Kit, clock: fn() -> DateTime<Utc>) -> Result<bool, Problem> {
    let Some(mail) = kit.mail.clone() else {
        return Ok(false);
    };
    let smtp = Smtp::of(&mail).map_err(|wrong| Problem::unavailable("mail_server_unusable", wrong))?;
    let now = clock().trunc_subsecs(6);
    let Some((claimed, stop)) = kit.run_background(move |conn| claim_and_look(conn, now)).await? else {
        return Ok(false);
    };
    let attempt = match stop {
        Some(reason) => Attempt::Refused(reason),
        None => {
            let sent = claimed.clone();
            let attempt = web::block(move || smtp.send(&sent.sender, &sent.recipients, &sent.message));
            attempt.await.map_err(|_| Problem::internal())?
        }
    };
    kit.run_as_service("outbox", move |tx| record(tx, &claimed, &attempt, now))
        .await?;
    Ok(true)
}

/// A message to send, and why it must not go out, if it must not.
fn claim_and_look(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<(Claimed, Option<String>)>> {
    let Some(claimed) = claim(conn, now)? else {
        return Ok(None);
    };
    let stop = match claimed.activity_id {
        Some(activity) => opt_out::stops(conn, activity, &claimed.recipients)?,
        None => None,
    };
    Ok(Some((claimed, stop)))
}

fn claim(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<Option<Claimed>> {
    let rows: Vec<Claimed> = sql("UPDATE outgoing_mails
         SET state = 'sending', attempts = attempts + 1, next_attempt_at = NULL, claimed_until = $1
         WHERE id = (
             SELECT id FROM (
                 SELECT * FROM (
                     SELECT id, next_attempt_at AS since FROM outgoing_mails
                     WHERE state = 'queued' AND next_attempt_at <= $2
                     ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) queued
                 UNION ALL
                 SELECT * FROM (
                     SELECT id, claimed_until FROM outgoing_mails
                     WHERE state = 'sending' AND claimed_until <= $3
                     ORDER BY claimed_until, id LIMIT 1 FOR UPDATE SKIP LOCKED) lapsed) waiting
             ORDER BY since LIMIT 1)
         RETURNING id, activity_id, sender, recipients, message, attempts, allowed_attempts")
    .bind::<Timestamptz, _>(now + CLAIM)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .rows(conn)?;
    Ok(rows.into_iter().next())
}

/// Writes down what came of it, unless somebody else has the message by now.
fn record(tx: &mut Tx<'_>, claimed: &Claimed, attempt: &Attempt, now: DateTime<Utc>) -> Result<()> {
    // The activity first, as every command does.
    let activity = match claimed.activity_id {
        Some(id) => Some(queries::lock(tx, id)?),
        None => None,
    };
    let attempts_left = claimed.allowed_attempts - claimed.attempts;
    let again = now + backoff(MOST_ATTEMPTS - attempts_left);
    let (state, next, error) = match attempt {
        Attempt::Taken => ("sent", None, None),
        Attempt::Later(said) if attempts_left > 0 => ("queued", Some(again), Some(said)),
        Attempt::Later(said) | Attempt::Refused(said) => ("failed", None, Some(said)),
    };
    let sent_at = (state == "sent").then_some(tx.now());
    let written = sql("UPDATE outgoing_mails
         SET state = $1, next_attempt_at = $2, claimed_until = NULL, last_error = $3, sent_at = $4
         WHERE id = $5 AND state = 'sending' AND attempts = $6")
    .bind::<Text, _>(state)
    .bind::<Nullable<Timestamptz>, _>(next)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Nullable<Timestamptz>, _>(sent_at)
    .bind::<SqlUuid, _>(claimed.id)
    .bind::<Integer, _>(claimed.attempts)
    .run(tx)?;
    let Some(before) = activity.filter(|_| written == 1) else {
        return Ok(());
    };
    let mut row = before.row.clone();
    match state {
        "sent" => {
            row.delivery = Some(EmailDelivery::Sent);
            row.state = ActivityState::Done;
            row.done_at = sent_at;
        }
        "failed" => row.delivery = Some(EmailDelivery::Failed),
        _ => return Ok(()),
    }
    let after = save(tx, &before, row)?;
    if state == "sent" {
        tell_done(tx, &after)?;
    }
    Ok(())
}

/// After the first attempt one minute, then two, four … eight hours at most.
fn backoff(attempt: i32) -> TimeDelta {
    let minutes = 1_i64 << (attempt.clamp(1, 10) - 1);
    TimeDelta::minutes(minutes.min(480))
}

/// Takes a message of the outbox back that nobody is sending; false when it is too late.
///
/// # Errors
/// When the database refuses.
pub fn take_back(conn: &mut PgConnection, activity: Uuid) -> QueryResult<bool> {
    use outgoing_mails::dsl;
    let mine = dsl::activity_id
        .eq(activity)
        .and(dsl::state.eq_any(["queued", "failed"]));
    let taken = diesel::update(dsl::outgoing_mails.filter(mine))
        .set((
            dsl::state.eq("cancelled"),
            dsl::next_attempt_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)?;
    Ok(taken == 1)
}

/// Sends a message that had failed anew; false when it has not.
///
/// # Errors
/// When the database refuses.
pub fn put_again(conn: &mut PgConnection, activity: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    use outgoing_mails::dsl;
    let failed = dsl::activity_id.eq(activity).and(dsl::state.eq("failed"));
    let put = diesel::update(dsl::outgoing_mails.filter(failed))
        .set((
            dsl::state.eq("queued"),
            dsl::next_attempt_at.eq(Some(now)),
            // An attempt's number is never given again.
            dsl::allowed_attempts.eq(dsl::attempts + MOST_ATTEMPTS),
        ))
        .execute(conn)?;
    Ok(put == 1)
}
