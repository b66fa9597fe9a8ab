//! Activities that recur: completing one makes the next.
//!
//! A series is told by its rule and the wall clock of its first due; each activity has its place in
//! it (`occurs_at`), which stays when somebody moves that one activity. The next one takes the
//! first place after both that place and now: what was missed is not made up for. One activity
//! for each place: completing, reopening and completing again makes the next once.

use crate::activities::model::{Activity, ActivityKind, ActivityRow, ActivityState};
use crate::activities::recurrence::{self, Rule};
use crate::activities::{clock, due, queries};
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use service_kit::{Faults, Result, Tx};
use uuid::Uuid;

/// How long ago a series may have begun: counting from then on takes time.
const OLDEST_START: TimeDelta = TimeDelta::days(3_660);

/// Makes the activity the first of a series by its rule; without a rule it belongs to none any more.
pub fn begin(row: &mut ActivityRow, zone: Tz, now: DateTime<Utc>, faults: &mut Faults) {
    (row.series_id, row.series_start, row.occurs_at) = (None, None, None);
    let Some(text) = &row.recurrence else {
        return;
    };
    let Some(rule) = recurrence::parse(text, "/recurrence", faults) else {
        return;
    };
    row.recurrence = Some(rule.text.clone());
    let Some(start) = due::wall_clock(row, zone) else {
        return;
    };
    if clock::earliest(start, zone) < now - OLDEST_START {
        let message = "a series may have begun at most ten years ago";
        faults.add("/recurrence", "out_of_range", message);
    } else if !rule.happens(start, zone) {
        let message = "no day fulfils the rule from the first due on";
        faults.add("/recurrence", "invalid_recurrence", message);
    }
    row.series_id = Some(Uuid::now_v7());
    (row.series_start, row.occurs_at) = (Some(start), Some(start));
}

/// Makes the next activity after this one, if its series goes on and has not made it already.
pub fn make_next(tx: &mut Tx<'_>, row: &ActivityRow) -> Result<Option<Uuid>> {
    let Some(next) = next(row, tx.time_zone(), tx.now()) else {
        return Ok(None);
    };
    if !queries::insert_next(tx, &next)? {
        return Ok(None);
    }
    let next = Activity::from(next);
    tx.changed(None, &next)?;
    Ok(Some(next.row.id))
}

fn next(row: &ActivityRow, zone: Tz, now: DateTime<Utc>) -> Option<ActivityRow> {
    let rule = rule_of(row)?;
    let (start, place) = (row.series_start?, row.occurs_at?);
    let local = now.with_timezone(&zone).naive_local();
    // A day counts as long as it lasts.
    let passed = match row.starts_at.or(row.due_at) {
        Some(_) => local,
        None => local.date().and_time(NaiveTime::MIN) - TimeDelta::seconds(1),
    };
    let place = rule.next(start, place.max(passed), zone)?;
    Some(at_place(row, place, zone, now))
}

fn rule_of(row: &ActivityRow) -> Option<Rule> {
    let mut none = Faults::default();
    recurrence::parse(row.recurrence.as_deref()?, "/recurrence", &mut none)
}

/// The same to be done again, at another place of the series.
fn at_place(row: &ActivityRow, place: NaiveDateTime, zone: Tz, now: DateTime<Utc>) -> ActivityRow {
    let shown = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    let was_due = due::wall_clock(row, zone).unwrap_or(place);
    let mut next = ActivityRow {
        id: Uuid::now_v7(),
        state: ActivityState::Open,
        occurs_at: Some(place),
        // As long before the due as it was, on the wall clock.
        remind_at: row
            .remind_at
            .map(|at| clock::earliest(place + (shown(at) - was_due), zone)),
        reminded_at: None,
        next_id: None,
        done_at: None,
        outcome: None,
        duration_minutes: None,
        revision: 1,
        created_at: now,
        updated_at: now,
        ..row.clone()
    };
    match (row.kind, row.starts_at, row.ends_at) {
        (ActivityKind::Meeting, Some(starts_at), Some(ends_at)) => {
            let begins = clock::earliest(place, zone);
            next.starts_at = Some(begins);
            next.ends_at = Some(begins + (ends_at - starts_at));
        }
        _ if row.due_at.is_some() => next.due_at = Some(clock::earliest(place, zone)),
        _ => next.due_on = Some(place.date()),
    }
    due::settle(&mut next, zone);
    next
}
