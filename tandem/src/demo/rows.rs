//! One CSV file, row by row, with a fault for everything that is not as the layout says.

use super::faults::Fault;
use super::layout::Layout;
use chrono::NaiveDate;
use csv::{ByteRecord, ReaderBuilder};
use rust_decimal::Decimal;

/// A row under the header of its file. A cell that is wrong becomes a fault and an empty value.
pub(super) struct Row<'a> {
    layout: &'a Layout,
    record: &'a ByteRecord,
    pub(super) line: u64,
    faults: &'a mut Vec<Fault>,
}

/// All rows of a file; none, with a fault, if it is missing or has another header.
pub(super) fn read<T>(
    layout: &Layout,
    content: Option<&&[u8]>,
    faults: &mut Vec<Fault>,
    mut parse: impl FnMut(&mut Row<'_>) -> T,
) -> Vec<T> {
    let Some(content) = content else {
        faults.push(Fault::file(layout.file, "the file is missing"));
        return Vec::new();
    };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(*content);
    let mut rows = Vec::new();
    let mut record = ByteRecord::new();
    let mut is_header = true;
    // Reading from memory, and of any bytes, does not fail.
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let line = record.position().map_or(0, csv::Position::line);
        if is_header {
            is_header = false;
            if !layout.columns.iter().map(|name| name.as_bytes()).eq(record.iter()) {
                let message = format!("the header must be {}", layout.columns.join(","));
                faults.push(Fault::line(layout.file, line, message));
                return rows;
            }
        } else if record.len() == layout.columns.len() {
            rows.push(parse(&mut Row {
                layout,
                record: &record,
                line,
                faults,
            }));
        } else {
            let (expected, found) = (layout.columns.len(), record.len());
            faults.push(Fault::line(
                layout.file,
                line,
                format!("{found} fields instead of {expected}"),
            ));
        }
    }
    if is_header {
        faults.push(Fault::file(layout.file, "the file is empty"));
    }
    rows
}

impl Row<'_> {
    pub(super) fn fault(&mut self, column: &'static str, message: impl Into<String>) {
        self.faults
            .push(Fault::at(self.layout.file, self.line, column, message));
    }

    pub(super) fn file(&self) -> &'static str {
        self.layout.file
    }

    /// Whether nothing is wrong with a cell so far.
    pub(super) fn is_sound(&self, column: &'static str) -> bool {
        let of_this_row = |fault: &&Fault| fault.file == self.layout.file && fault.line == Some(self.line);
        let mut faults = self.faults.iter().rev().take_while(of_this_row);
        !faults.any(|fault| fault.column == Some(column))
    }

    /// The cell without spaces around it; `None` if it is empty.
    fn cell(&mut self, column: &'static str) -> Option<String> {
        let index = self.layout.columns.iter().position(|name| *name == column);
        let bytes = index.and_then(|index| self.record.get(index)).unwrap_or_default();
        match std::str::from_utf8(bytes).map(str::trim) {
            Err(_) => {
                self.fault(column, "is not UTF-8");
                None
            }
            Ok(text) => Some(text.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    /// A text of at most so many characters that may be missing.
    pub(super) fn optional(&mut self, column: &'static str, longest: usize) -> Option<String> {
        let text = self.cell(column);
        self.bounded(column, text, longest)
    }

    /// Of all control characters, only a line break may stand in a text.
    fn bounded(&mut self, column: &'static str, text: Option<String>, longest: usize) -> Option<String> {
        let text = text?;
        if text.chars().count() > longest {
            self.fault(column, format!("is longer than {longest} characters"));
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r') {
            self.fault(column, "holds a control character");
        }
        Some(text)
    }

    fn required(&mut self, column: &'static str) -> Option<String> {
        let before = self.faults.len();
        let text = self.cell(column);
        if text.is_none() && self.faults.len() == before {
            self.fault(column, "is empty");
        }
        text
    }

    /// A text of at most so many characters that must be there.
    pub(super) fn text(&mut self, column: &'static str, longest: usize) -> String {
        let text = self.required(column);
        self.bounded(column, text, longest).unwrap_or_default()
    }

    /// A cell that must be there, understood by `parse`.
    fn parsed<T: Default>(&mut self, column: &'static str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> T {
        let Some(text) = self.required(column) else {
            return T::default();
        };
        parse(&text).unwrap_or_else(|| {
            let start: String = text.chars().take(40).collect();
            self.fault(column, format!("{start:?} is not {expected}"));
            T::default()
        })
    }

    /// A whole number from `least` on, of at most 8 digits.
    pub(super) fn integer(&mut self, column: &'static str, least: i64) -> i64 {
        self.parsed(column, &format!("a whole number from {least} on"), |text| {
            whole(text, least)
        })
    }

    /// The same, if it is there.
    pub(super) fn optional_integer(&mut self, column: &'static str, least: i64) -> Option<i64> {
        self.cell(column)?;
        Some(self.integer(column, least))
    }

    /// An amount with at most 2 decimals.
    pub(super) fn money(&mut self, column: &'static str) -> Decimal {
        self.parsed(column, "an amount such as 18.9", |text| decimal(text, 2))
    }

    /// An amount of more than nothing.
    pub(super) fn price(&mut self, column: &'static str) -> Decimal {
        self.parsed(column, "a price above 0, such as 18.9", |text| {
            decimal(text, 2).filter(|price| !price.is_zero())
        })
    }

    /// A fraction from 0 to 1 with at most 4 decimals.
    pub(super) fn fraction(&mut self, column: &'static str) -> Decimal {
        self.parsed(column, "a fraction from 0.0 to 1.0", |text| {
            decimal(text, 4).filter(|fraction| *fraction <= Decimal::ONE)
        })
    }

    pub(super) fn flag(&mut self, column: &'static str) -> bool {
        self.parsed(column, "0 or 1", |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })
    }

    pub(super) fn date(&mut self, column: &'static str) -> NaiveDate {
        self.parsed(column, "a date such as 1996-07-04", date)
    }

    /// A date with a time of midnight.
    pub(super) fn timestamp(&mut self, column: &'static str) -> NaiveDate {
        self.parsed(
            column,
            "a timestamp at midnight such as 1996-07-04 00:00:00.000",
            |text| {
                let (day, time) = text.split_at_checked(10)?;
                date(day).filter(|_| ["", " 00:00:00", " 00:00:00.000"].contains(&time))
            },
        )
    }

    pub(super) fn optional_timestamp(&mut self, column: &'static str) -> Option<NaiveDate> {
        self.cell(column)?;
        Some(self.timestamp(column))
    }
}

fn whole(text: &str, least: i64) -> Option<i64> {
    let plain = text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number >= least)
}

/// At most 8 digits before the point and `places` behind it.
fn decimal(text: &str, places: usize) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = plain(whole) && whole.len() <= 8 && plain(fraction) && fraction.len() <= places;
    text.parse::<Decimal>()
        .ok()
        .filter(|_| fits)
        .map(|number| number.normalize())
}

/// `YYYY-MM-DD` of a day from 1900 to 2999.
fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let lived = ("1900".."3000").contains(&text.get(..4)?);
    text.parse().ok().filter(|_| shaped && lived)
}
