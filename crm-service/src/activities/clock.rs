//! Wall clocks and instants: what a time zone makes of a day and a time of day.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The instant at which the wall clock shows `local`; the first of two when the clocks are set back.
///
/// A time that the clocks skip stands for the instant at which they are set.
pub fn earliest(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => skipped(local, zone),
    }
}

/// As [`earliest`], but the second of two: where something ends.
pub fn latest(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(_, at) => at.to_utc(),
        LocalResult::None => skipped(local, zone),
    }
}

/// The instant of the change of the clocks that skips this time.
fn skipped(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // No zone skips more than a day; changes happen at full minutes.
    let before = (1..=24 * 60).find_map(|minutes| {
        let earlier = local.checked_sub_signed(TimeDelta::minutes(minutes))?;
        let at = zone.from_local_datetime(&earlier).latest()?;
        // The last minute before the change, counted on, is the change.
        Some(at.to_utc() + TimeDelta::minutes(1) - TimeDelta::seconds(seconds_past(earlier)))
    });
    before.unwrap_or_else(|| local.and_utc())
}

fn seconds_past(local: NaiveDateTime) -> i64 {
    local.and_utc().timestamp().rem_euclid(60)
}

/// The day that it is there at an instant.
pub fn day_of(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// When the day begins there.
pub fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    earliest(day.and_time(NaiveTime::MIN), zone)
}

/// When the day is over there.
pub fn end_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    start_of(next, zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap_or_default()
    }

    #[test]
    fn a_skipped_time_is_the_instant_of_the_change() {
        // Berlin, 29 March 2026: 02:00 is followed by 03:00, at 01:00 UTC.
        let change = at("2026-03-29 01:00:00").and_utc();
        for local in ["2026-03-29 02:00:00", "2026-03-29 02:30:00", "2026-03-29 02:59:59"] {
            assert_eq!(earliest(at(local), Tz::Europe__Berlin), change, "{local}");
            assert_eq!(latest(at(local), Tz::Europe__Berlin), change, "{local}");
        }
        assert_eq!(earliest(at("2026-03-29 03:00:00"), Tz::Europe__Berlin), change);
    }

    #[test]
    fn a_time_that_comes_twice_has_a_first_and_a_second() {
        // Berlin, 25 October 2026: 03:00 summer time is followed by 02:00 winter time.
        let local = at("2026-10-25 02:30:00");
        assert_eq!(earliest(local, Tz::Europe__Berlin), at("2026-10-25 00:30:00").and_utc());
        assert_eq!(latest(local, Tz::Europe__Berlin), at("2026-10-25 01:30:00").and_utc());
    }

    #[test]
    fn a_day_may_begin_after_midnight() {
        // Beirut, 29 March 2026: midnight is skipped.
        let day = at("2026-03-29 00:00:00").date();
        assert_eq!(start_of(day, Tz::Asia__Beirut), at("2026-03-28 22:00:00").and_utc());
        assert_eq!(end_of(day, Tz::Asia__Beirut), at("2026-03-29 21:00:00").and_utc());
    }
}
