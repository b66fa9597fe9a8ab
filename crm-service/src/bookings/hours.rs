//! When a resource is open: pure.

use crate::activities::clock;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use service_kit::Faults;
use std::collections::HashSet;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// A time on the wall clock, such as `09:30`; `24:00` ends a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockTime(String);

impl ClockTime {
    /// Minutes since midnight.
    pub fn minutes(&self) -> i64 {
        let (hours, minutes) = self.0.split_once(':').unwrap_or_default();
        hours.parse::<i64>().unwrap_or_default() * 60 + minutes.parse::<i64>().unwrap_or_default()
    }

    fn on(&self, day: NaiveDate) -> NaiveDateTime {
        day.and_time(NaiveTime::MIN) + TimeDelta::minutes(self.minutes())
    }
}

impl utoipa::PartialSchema for ClockTime {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(5))
            .pattern(Some("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))
            .examples(["09:30"])
            .into()
    }
}

impl ToSchema for ClockTime {}

/// From a time to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockSpan {
    pub from: ClockTime,
    pub to: ClockTime,
}

/// Hours of a day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// 1 is Monday, 7 Sunday.
    #[schema(minimum = 1, maximum = 7)]
    pub weekday: u32,
    pub from: ClockTime,
    pub to: ClockTime,
}

/// A day with other hours than its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursException {
    pub date: NaiveDate,
    /// Empty: it is closed.
    #[schema(max_items = 10)]
    pub hours: Vec<ClockSpan>,
}

/// An interval of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeSpan {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl TimeSpan {
    pub fn contains(&self, other: &TimeSpan) -> bool {
        self.starts_at <= other.starts_at && other.ends_at <= self.ends_at
    }
}

/// Adds what is wrong with working hours and exceptions.
pub fn check(weekly: &[WorkingHours], exceptions: &[HoursException], faults: &mut Faults) {
    for weekday in 1..=7 {
        let spans: Vec<(String, i64, i64)> = weekly
            .iter()
            .enumerate()
            .filter(|(_, hours)| hours.weekday == weekday)
            .map(|(at, hours)| (format!("/working_hours/{at}"), hours.from.minutes(), hours.to.minutes()))
            .collect();
        check_day(spans, faults);
    }
    let mut seen = HashSet::new();
    for (index, exception) in exceptions.iter().enumerate() {
        if !seen.insert(exception.date) {
            faults.add(
                format!("/exceptions/{index}/date"),
                "duplicate",
                "this day stands there already",
            );
        }
        let spans = exception.hours.iter().enumerate().map(|(at, span)| {
            let pointer = format!("/exceptions/{index}/hours/{at}");
            (pointer, span.from.minutes(), span.to.minutes())
        });
        check_day(spans.collect(), faults);
    }
}

fn check_day(mut spans: Vec<(String, i64, i64)>, faults: &mut Faults) {
    for (pointer, from, to) in &spans {
        if to <= from {
            faults.add(format!("{pointer}/to"), "out_of_range", "must lie after from");
        }
    }
    spans.sort_by_key(|(_, from, _)| *from);
    for pair in spans.windows(2) {
        if let [(_, _, to), (pointer, from, _)] = pair
            && from < to
        {
            faults.add(format!("{pointer}/from"), "overlaps", "overlaps other hours of the day");
        }
    }
}

/// When it is open between two instants, in order; hours that touch each other are one.
pub fn open_between(
    weekly: &[WorkingHours],
    exceptions: &[HoursException],
    zone: Tz,
    within: &TimeSpan,
) -> Vec<TimeSpan> {
    // Hours of the day before may reach into the first day.
    let first = clock::day_of(within.starts_at, zone).checked_sub_days(Days::new(1));
    let last = clock::day_of(within.ends_at, zone);
    let days = first
        .into_iter()
        .flat_map(|first| first.iter_days())
        .take_while(|day| *day <= last);
    let mut open: Vec<TimeSpan> = Vec::new();
    for day in days {
        let mut spans = spans_of(weekly, exceptions, day);
        spans.sort_by_key(|(from, _)| *from);
        for (from, to) in spans {
            let (starts_at, ends_at) = (clock::earliest(from, zone), clock::latest(to, zone));
            match open.last_mut() {
                Some(before) if before.ends_at >= starts_at => before.ends_at = before.ends_at.max(ends_at),
                _ if ends_at > starts_at => open.push(TimeSpan { starts_at, ends_at }),
                // The clocks skip all of it.
                _ => {}
            }
        }
    }
    open.retain(|span| span.ends_at > within.starts_at && span.starts_at < within.ends_at);
    open
}

fn spans_of(
    weekly: &[WorkingHours],
    exceptions: &[HoursException],
    day: NaiveDate,
) -> Vec<(NaiveDateTime, NaiveDateTime)> {
    match exceptions.iter().find(|exception| exception.date == day) {
        Some(exception) => {
            let hours = exception.hours.iter();
            hours.map(|span| (span.from.on(day), span.to.on(day))).collect()
        }
        None => {
            let weekday = day.weekday().number_from_monday();
            let hours = weekly.iter().filter(|hours| hours.weekday == weekday);
            hours.map(|hours| (hours.from.on(day), hours.to.on(day))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(weekday: u32, from: &str, to: &str) -> WorkingHours {
        WorkingHours {
            weekday,
            from: ClockTime(from.to_owned()),
            to: ClockTime(to.to_owned()),
        }
    }

    fn span(from: &str, to: &str) -> TimeSpan {
        TimeSpan {
            starts_at: from.parse().unwrap(),
            ends_at: to.parse().unwrap(),
        }
    }

    #[test]
    fn hours_are_those_of_the_wall_clock_also_when_the_clocks_change() {
        // Sundays from 1 to 4: two hours when the clocks are set forward, four when they are set back.
        let weekly = [hours(7, "01:00", "04:00")];
        let zone = Tz::Europe__Berlin;
        for (day, open) in [
            ("2026-03-22", ("00:00", "03:00")),
            ("2026-03-29", ("00:00", "02:00")),
            ("2026-10-18", ("T23:00", "02:00")),
            ("2026-10-25", ("T23:00", "03:00")),
        ] {
            let date: NaiveDate = day.parse().unwrap();
            let from = match open.0.strip_prefix('T') {
                Some(time) => format!("{}T{time}:00Z", date - Days::new(1)),
                None => format!("{day}T{}:00Z", open.0),
            };
            let to = format!("{day}T{}:00Z", open.1);
            let all = span(
                &format!("{}T12:00:00Z", date - Days::new(1)),
                &format!("{day}T12:00:00Z"),
            );
            assert_eq!(open_between(&weekly, &[], zone, &all), [span(&from, &to)], "{day}");
        }
        // An hour that is skipped is none.
        let all = span("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
        assert_eq!(open_between(&[hours(7, "02:00", "03:00")], &[], zone, &all), []);
    }

    #[test]
    fn hours_that_touch_are_one_and_exceptions_take_their_place() {
        let weekly = [
            hours(1, "18:00", "24:00"),
            hours(2, "00:00", "02:00"),
            hours(2, "02:00", "04:00"),
        ];
        let all = span("2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z");
        assert_eq!(
            open_between(&weekly, &[], Tz::UTC, &all),
            [span("2026-06-01T18:00:00Z", "2026-06-02T04:00:00Z")]
        );
        let exceptions = [
            HoursException {
                date: "2026-06-01".parse().unwrap(),
                hours: Vec::new(),
            },
            HoursException {
                date: "2026-06-02".parse().unwrap(),
                hours: vec![ClockSpan {
                    from: ClockTime("10:00".to_owned()),
                    to: ClockTime("11:00".to_owned()),
                }],
            },
        ];
        assert_eq!(
            open_between(&weekly, &exceptions, Tz::UTC, &all),
            [span("2026-06-02T10:00:00Z", "2026-06-02T11:00:00Z")]
        );
    }
}
