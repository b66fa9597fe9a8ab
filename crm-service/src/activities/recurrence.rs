//! Recurrence rules of RFC 5545, as far as activities need them.
//!
//! A rule says on which days; the time of day is that of the activity's due, and so the parts of a
//! rule that are finer than a day are refused. Everything is reckoned on the wall clock of the
//! company's time zone: what is due at nine is due at nine on both sides of a change of the clocks.
//! `rrule` finds the days; which faults a rule has is found here, because a client is told all of
//! them, and `rrule` stops at the first.

use crate::activities::clock;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{RRule, Unvalidated};
use service_kit::Faults;

/// A rule without faults.
#[derive(Debug, Clone)]
pub struct Rule {
    /// In capitals and without `RRULE:`.
    pub text: String,
    rule: RRule<Unvalidated>,
    until: Option<Until>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// That day, or that wall-clock time, included.
    Local(NaiveDateTime),
    Instant(DateTime<Utc>),
}

/// The parts that are understood, and the numbers that may stand in them.
const NUMBERS: &[(&str, i32, i32, bool)] = &[
    // name, least, most, whether it counts from the end as well
    ("BYMONTH", 1, 12, false),
    ("BYMONTHDAY", 1, 31, true),
    ("BYYEARDAY", 1, 366, true),
    ("BYWEEKNO", 1, 53, true),
    ("BYSETPOS", 1, 366, true),
];
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Reads a rule and adds all its faults at `pointer`.
pub fn parse(text: &str, pointer: &str, faults: &mut Faults) -> Option<Rule> {
    let before = faults.len();
    let text = text.trim().to_ascii_uppercase();
    let text = text.strip_prefix("RRULE:").unwrap_or(&text).to_owned();
    let mut reader = Reader {
        parts: Vec::new(),
        pointer,
        faults,
    };
    reader.read(&text);
    reader.combinations();
    let until = reader.part("UNTIL").and_then(until);
    // The end is kept here: `rrule` would compare it in another zone than the days.
    let days: Vec<String> = reader
        .parts
        .iter()
        .filter(|(name, _)| name != "UNTIL")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if faults.len() > before {
        return None;
    }
    match days.join(";").parse::<RRule<Unvalidated>>() {
        Ok(rule) => Some(Rule { text, rule, until }),
        Err(error) => {
            faults.add(pointer, INVALID, error.to_string());
            None
        }
    }
}

const INVALID: &str = "invalid_recurrence";

struct Reader<'a> {
    parts: Vec<(String, String)>,
    pointer: &'a str,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn fault(&mut self, message: String) {
        self.faults.add(self.pointer, INVALID, message);
    }

    fn part(&self, name: &str) -> Option<&str> {
        let mut parts = self.parts.iter();
        parts.find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.part(name).is_some()
    }

    fn read(&mut self, text: &str) {
        for part in text.split(';') {
            let shown: String = part.chars().take(40).collect();
            let Some((name, value)) = part.split_once('=').filter(|(_, value)| !value.is_empty()) else {
                self.fault(format!("{shown:?} is not NAME=VALUE"));
                continue;
            };
            if self.has(name) {
                self.fault(format!("{name} stands there twice"));
                continue;
            }
            if let Some(wrong) = fault_of(name, value) {
                self.fault(wrong);
            }
            self.parts.push((name.to_owned(), value.to_owned()));
        }
        if !self.has("FREQ") {
            self.fault("FREQ is missing".to_owned());
        }
    }

    fn combinations(&mut self) {
        let frequency = self.part("FREQ").unwrap_or_default().to_owned();
        let days = self.part("BYDAY").unwrap_or_default().to_owned();
        let counted = days.bytes().any(|byte| byte.is_ascii_digit());
        let monthly_or_yearly = matches!(frequency.as_str(), "MONTHLY" | "YEARLY");
        let by = ["BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH"];
        let known = matches!(frequency.as_str(), "DAILY" | "WEEKLY") || monthly_or_yearly;
        let wrong = [
            (
                self.has("COUNT") && self.has("UNTIL"),
                "COUNT and UNTIL exclude each other",
            ),
            (
                known && counted && !monthly_or_yearly,
                "BYDAY with a number, such as 2MO, needs FREQ=MONTHLY or YEARLY",
            ),
            (
                counted && self.has("BYWEEKNO"),
                "BYDAY with a number and BYWEEKNO exclude each other",
            ),
            (
                self.has("BYMONTHDAY") && frequency == "WEEKLY",
                "BYMONTHDAY is not possible with FREQ=WEEKLY",
            ),
            (
                known && self.has("BYYEARDAY") && frequency != "YEARLY",
                "BYYEARDAY needs FREQ=YEARLY",
            ),
            (
                known && self.has("BYWEEKNO") && frequency != "YEARLY",
                "BYWEEKNO needs FREQ=YEARLY",
            ),
            (
                self.has("BYSETPOS") && !by.iter().any(|name| self.has(name)),
                "BYSETPOS needs another BY part to choose from",
            ),
        ];
        for (_, message) in wrong.into_iter().filter(|(holds, _)| *holds) {
            self.fault(message.to_owned());
        }
    }
}

/// What is wrong with a part by itself.
fn fault_of(name: &str, value: &str) -> Option<String> {
    let shown: String = value.chars().take(40).collect();
    let numbers = NUMBERS.iter().find(|(part, ..)| *part == name);
    match (name, numbers) {
        (_, Some((_, least, most, from_end))) => {
            let wrong = value.split(',').find(|item| {
                let number = item.parse::<i32>().ok().filter(|_| plain(item));
                let size = number.map(|number| if *from_end { number.abs() } else { number });
                !size.is_some_and(|size| (*least..=*most).contains(&size))
            })?;
            let wrong: String = wrong.chars().take(40).collect();
            let end = if *from_end {
                ", or as many from the end with a minus"
            } else {
                ""
            };
            Some(format!("{name}: {wrong:?} is not a number from {least} to {most}{end}"))
        }
        ("FREQ", _) => match value {
            "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY" => None,
            "HOURLY" | "MINUTELY" | "SECONDLY" => Some(format!("FREQ={value} is finer than a day")),
            _ => Some(format!("FREQ: {shown:?} is not DAILY, WEEKLY, MONTHLY or YEARLY")),
        },
        ("INTERVAL" | "COUNT", _) => {
            let number = value.parse::<u32>().ok().filter(|_| plain(value));
            let fine = number.is_some_and(|number| (1..=1_000).contains(&number));
            (!fine).then(|| format!("{name}: {shown:?} is not a number from 1 to 1000"))
        }
        ("UNTIL", _) => until(value).is_none().then(|| {
            format!("UNTIL: {shown:?} is neither a day such as 20261231 nor an instant such as 20261231T225959Z")
        }),
        ("WKST", _) => (!WEEKDAYS.contains(&value)).then(|| format!("WKST: {shown:?} is not a day such as MO")),
        ("BYDAY", _) => {
            let wrong = value.split(',').find(|day| !is_weekday(day))?;
            let wrong: String = wrong.chars().take(40).collect();
            Some(format!("BYDAY: {wrong:?} is not a day such as MO, 2TU or -1FR"))
        }
        ("BYHOUR" | "BYMINUTE" | "BYSECOND", _) => {
            Some(format!("{name} is finer than a day: the time is that of the due"))
        }
        _ => {
            let name: String = name.chars().take(40).collect();
            Some(format!("there is no part {name:?}"))
        }
    }
}

/// Whether it is written as a number should be: `+1` and `001` are numbers to a parser as well.
fn plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_weekday(text: &str) -> bool {
    let Some(day) = WEEKDAYS.iter().find(|day| text.ends_with(*day)) else {
        return false;
    };
    let number = &text[..text.len() - day.len()];
    let number = number.strip_prefix('+').unwrap_or(number);
    number.is_empty()
        || plain(number)
            && number
                .parse::<i32>()
                .is_ok_and(|number| (1..=53).contains(&number.abs()))
}

fn until(text: &str) -> Option<Until> {
    if text.len() == 8 {
        let day = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        return Some(Until::Local(
            day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN),
        ));
    }
    if let Some(instant) = text.strip_suffix('Z') {
        let instant = NaiveDateTime::parse_from_str(instant, "%Y%m%dT%H%M%S").ok()?;
        return Some(Until::Instant(instant.and_utc()));
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?;
    // Exclusive, as the day above is.
    local
        .checked_add_signed(chrono::TimeDelta::seconds(1))
        .map(Until::Local)
}

impl Rule {
    /// The first occurrence after `after` of the series that begins at `start`, on the wall clock.
    pub fn next(&self, start: NaiveDateTime, after: NaiveDateTime, zone: Tz) -> Option<NaiveDateTime> {
        self.occurrences(start, zone).find(|occurrence| *occurrence > after)
    }

    /// Whether the series has any occurrence at all.
    pub fn happens(&self, start: NaiveDateTime, zone: Tz) -> bool {
        self.occurrences(start, zone).next().is_some()
    }

    fn occurrences(&self, start: NaiveDateTime, zone: Tz) -> impl Iterator<Item = NaiveDateTime> + use<> {
        let until = self.until;
        // The wall clock taken for UTC, which has no gaps that an occurrence could fall into.
        let start = rrule::Tz::UTC.from_utc_datetime(&start);
        // A rule that `parse` has passed builds with any start.
        let set = self.rule.clone().build(start).map(rrule::RRuleSet::limit);
        let set = set.unwrap_or_else(|_| rrule::RRuleSet::new(start));
        (&set)
            .into_iter()
            .map(|at| at.naive_utc())
            .take_while(move |at| match until {
                None => true,
                Some(Until::Local(end)) => *at < end,
                Some(Until::Instant(end)) => clock::earliest(*at, zone) <= end,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults_of(text: &str) -> Vec<String> {
        let mut faults = Faults::default();
        let rule = parse(text, "/recurrence", &mut faults);
        assert_eq!(rule.is_some(), faults.is_empty(), "{text}");
        let problem = faults.check().err();
        let faults = problem.into_iter().flat_map(|problem| problem.errors);
        faults.map(|fault| fault.message).collect()
    }

    fn rule(text: &str) -> Rule {
        let mut faults = Faults::default();
        let rule = parse(text, "/recurrence", &mut faults);
        rule.unwrap_or_else(|| panic!("{text}: {faults:?}"))
    }

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap_or_default()
    }

    fn first(text: &str, start: &str, count: usize) -> Vec<String> {
        let occurrences = rule(text).occurrences(at(start), Tz::Europe__Berlin);
        let occurrences = occurrences.take(count);
        occurrences.map(|at| at.format("%Y-%m-%d %H:%M").to_string()).collect()
    }

    #[test]
    fn rules_name_days() {
        assert_eq!(
            first("FREQ=WEEKLY;BYDAY=MO,TH", "2026-03-26 09:00", 3),
            ["2026-03-26 09:00", "2026-03-30 09:00", "2026-04-02 09:00"]
        );
        assert_eq!(
            first("rrule:freq=monthly;byday=-1FR", "2026-01-01 02:30", 3),
            ["2026-01-30 02:30", "2026-02-27 02:30", "2026-03-27 02:30"]
        );
        assert_eq!(
            first(
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2",
                "2026-01-01 09:00",
                5
            ),
            ["2026-01-30 09:00", "2026-02-27 09:00"]
        );
        // A day that a month does not have is no day of that month.
        assert_eq!(
            first("FREQ=MONTHLY", "2026-01-31 09:00", 3),
            ["2026-01-31 09:00", "2026-03-31 09:00", "2026-05-31 09:00"]
        );
        assert_eq!(
            first("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-01-01 09:00", 2),
            ["2028-02-29 09:00", "2032-02-29 09:00"]
        );
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_kept() {
        let daily = first("FREQ=DAILY", "2026-03-28 02:30", 3);
        assert_eq!(daily, ["2026-03-28 02:30", "2026-03-29 02:30", "2026-03-30 02:30"]);
    }

    #[test]
    fn the_last_day_is_included() {
        let days = ["2026-03-30 09:00", "2026-03-31 09:00"];
        for until in ["20260331", "20260331T090000", "20260331T070000Z"] {
            assert_eq!(first(&format!("FREQ=DAILY;UNTIL={until}"), "2026-03-30 09:00", 5), days);
        }
        for until in ["20260330", "20260331T085959", "20260331T065959Z"] {
            assert_eq!(
                first(&format!("FREQ=DAILY;UNTIL={until}"), "2026-03-30 09:00", 5),
                days[..1]
            );
        }
    }

    #[test]
    fn the_next_one_comes_after() {
        let weekly = rule("FREQ=WEEKLY;COUNT=3");
        let next = |after| weekly.next(at("2026-01-05 09:00"), at(after), Tz::UTC);
        assert_eq!(next("2026-01-05 09:00"), Some(at("2026-01-12 09:00")));
        assert_eq!(next("2026-01-13 09:00"), Some(at("2026-01-19 09:00")));
        assert_eq!(next("2026-01-19 09:00"), None, "the rule counts to three");
        let never = rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30");
        assert!(!never.happens(at("2026-01-01 09:00"), Tz::UTC));
    }

    #[test]
    fn a_rule_is_told_all_its_faults() {
        assert_eq!(
            faults_of("FREQ=OFTEN;INTERVAL=0;BYDAY=MO,XX;BYMONTH=13;COUNT=2;UNTIL=tomorrow;COLOUR=RED;X"),
            [
                "FREQ: \"OFTEN\" is not DAILY, WEEKLY, MONTHLY or YEARLY",
                "INTERVAL: \"0\" is not a number from 1 to 1000",
                "BYDAY: \"XX\" is not a day such as MO, 2TU or -1FR",
                "BYMONTH: \"13\" is not a number from 1 to 12",
                "UNTIL: \"TOMORROW\" is neither a day such as 20261231 nor an instant such as 20261231T225959Z",
                "there is no part \"COLOUR\"",
                "\"X\" is not NAME=VALUE",
                "COUNT and UNTIL exclude each other",
            ]
        );
        assert_eq!(
            faults_of("FREQ=WEEKLY;BYDAY=2MO;BYMONTHDAY=3;BYYEARDAY=4;BYWEEKNO=5"),
            [
                "BYDAY with a number, such as 2MO, needs FREQ=MONTHLY or YEARLY",
                "BYDAY with a number and BYWEEKNO exclude each other",
                "BYMONTHDAY is not possible with FREQ=WEEKLY",
                "BYYEARDAY needs FREQ=YEARLY",
                "BYWEEKNO needs FREQ=YEARLY",
            ]
        );
        assert_eq!(faults_of("FREQ=HOURLY;BYHOUR=9").len(), 2);
        assert_eq!(faults_of("").len(), 2);
        assert_eq!(faults_of("FREQ=DAILY;FREQ=DAILY"), ["FREQ stands there twice"]);
        assert_eq!(faults_of("FREQ=DAILY;BYSETPOS=1").len(), 1);
    }

    proptest! {
        /// Whatever is asked, it is answered: `rrule` never sees what it could stumble over.
        #[test]
        fn no_text_is_too_odd(
            parts in proptest::collection::vec(
                ("(FREQ|COUNT|INTERVAL|UNTIL|BYDAY|BYMONTH|BYMONTHDAY|BYYEARDAY|BYWEEKNO|BYSETPOS|WKST|BYHOUR|[A-Zé]{0,3})",
                 "(DAILY|WEEKLY|MONTHLY|YEARLY|[+-]?[0-9]{0,3}(MO|TU|SU)?(,-?[0-9]{1,2})?|2026[0-9]{4}(T[0-9]{6}Z?)?|é|)"),
                1..5),
        ) {
            let text = parts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(";");
            let mut faults = Faults::default();
            if let Some(rule) = parse(&text, "/recurrence", &mut faults) {
                let start = at("2026-01-01 09:00");
                let first: Vec<_> = rule.occurrences(start, Tz::UTC).take(3).collect();
                prop_assert!(first.is_sorted() && first.iter().all(|at| *at >= start));
            }
        }
    }
}
