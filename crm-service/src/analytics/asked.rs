//! What reports are asked for alike: a period, and drill-down paths.

use crate::activities::clock;
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use service_kit::problem::Fault;
use service_kit::{Problem, Result};
use std::fmt::Display;

/// Five years.
const MOST_DAYS: i64 = 5 * 366;

/// Days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// Everything wrong with the parameters, so that one answer names it all.
#[derive(Debug, Default)]
pub struct Refused(Vec<Fault>);

impl Refused {
    pub fn add(&mut self, parameter: &str, message: &str) {
        self.0.push(Fault {
            pointer: parameter.to_owned(),
            code: "invalid_parameter".to_owned(),
            message: message.to_owned(),
        });
    }

    /// 400 with all of them.
    pub fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let words: Vec<String> = self.0.iter().map(|f| format!("{}: {}", f.pointer, f.message)).collect();
        let mut problem = Problem::bad_request("invalid_parameter", words.join("; "));
        problem.errors = self.0;
        Err(problem)
    }
}

impl Period {
    /// The days asked for; without any, this month and the eleven before it.
    pub fn of(from: Option<NaiveDate>, to: Option<NaiveDate>, today: NaiveDate, refused: &mut Refused) -> Self {
        let to_day = to.unwrap_or_else(|| from.map_or(today, |from| today.max(from)));
        let eleven_before = first_of(to_day).checked_sub_months(Months::new(11));
        let period = Period {
            from: from.or(eleven_before).unwrap_or(to_day),
            to: to_day,
        };
        period.check(refused);
        period
    }

    fn check(self, refused: &mut Refused) {
        let years = 1..=9998;
        if !years.contains(&self.from.year()) || !years.contains(&self.to.year()) {
            refused.add("from", "the years 1 to 9998 are known");
        }
        if self.to < self.from {
            refused.add("to", "must not be before from");
        } else if (self.to - self.from).num_days() > MOST_DAYS {
            refused.add("to", "at most five years after from");
        }
    }

    /// Whether it is one that a report takes.
    pub fn is_bounded(self) -> bool {
        let mut refused = Refused::default();
        self.check(&mut refused);
        refused.check().is_ok()
    }

    /// From the first day of both to the last.
    pub fn with(self, other: Period) -> Period {
        Period {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }

    /// With all days of its first and its last month.
    pub fn widened(self) -> Period {
        let next = first_of(self.to).checked_add_months(Months::new(1));
        let last = next.and_then(|next| next.pred_opt());
        Period {
            from: first_of(self.from),
            to: last.unwrap_or(self.to),
        }
    }

    /// Its days in a month.
    pub fn within_month(self, first: NaiveDate) -> Period {
        let next = first.checked_add_months(Months::new(1));
        let last = next.and_then(|next| next.pred_opt()).unwrap_or(first);
        Period {
            from: self.from.max(first),
            to: self.to.min(last),
        }
    }

    /// First days of the months that it touches.
    pub fn months(self) -> Vec<NaiveDate> {
        let next = |month: &NaiveDate| month.checked_add_months(Months::new(1));
        let months = std::iter::successors(Some(first_of(self.from)), next);
        months.take_while(|month| *month <= self.to).collect()
    }

    /// The first instant of its days there, and the first one after them. A midnight that comes twice
    /// begins a day with its first: PostgreSQL's `AT TIME ZONE` would take the second.
    pub fn instants(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        (clock::start_of(self.from, zone), clock::end_of(self.to, zone))
    }

    /// Whether it begins and ends with a month.
    pub fn is_whole_months(self) -> bool {
        let after = self.to.succ_opt();
        self.from.day() == 1 && after.is_some_and(|after| after.day() == 1)
    }
}

pub fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// The path of some rows, with what narrows them.
#[derive(Debug, Clone)]
pub struct Rows(String);

impl Rows {
    pub fn at(path: &str, period: Period) -> Self {
        Rows(format!("{path}?from={}&to={}", period.from, period.to))
    }

    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        self.0.push_str(&format!("&{name}={}", escaped(&value.to_string())));
        self
    }

    pub fn with_some<T: Display>(self, name: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn path(self) -> String {
        self.0
    }
}

/// A value as it stands in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
