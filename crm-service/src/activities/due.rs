//! When an activity is due: a day or an instant as told, and from when on it is overdue.

use crate::activities::clock;
use crate::activities::model::{ActivityKind, ActivityRow};
use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

/// Derives what follows from what was told: the day of an instant, and when it becomes overdue.
///
/// A day is over at midnight in the company's zone; a meeting is due from its beginning to its end.
pub fn settle(row: &mut ActivityRow, zone: Tz) {
    if row.kind == ActivityKind::Meeting {
        row.due_on = row.starts_at.map(|at| clock::day_of(at, zone));
        // Not before it is clear that it has both.
        row.due_by = row.ends_at.filter(|_| row.starts_at.is_some());
        return;
    }
    if let Some(at) = row.due_at {
        row.due_on = Some(clock::day_of(at, zone));
    }
    row.due_by = match (row.due_at, row.due_on) {
        (Some(at), _) => Some(at),
        (None, Some(day)) => Some(clock::end_of(day, zone)),
        (None, None) => None,
    };
}

/// What the wall clock shows when it is due: where a series is counted from.
pub fn wall_clock(row: &ActivityRow, zone: Tz) -> Option<NaiveDateTime> {
    let instant = row.starts_at.or(row.due_at);
    instant
        .map(|at| at.with_timezone(&zone).naive_local())
        .or(row.due_on.map(|day| day.and_time(NaiveTime::MIN)))
}
