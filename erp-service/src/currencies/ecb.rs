//! The European Central Bank's reference rates as CSV: `eurofxref.csv` (one day, "20 November
//! 2026", a space after each comma) and `eurofxref-hist.csv` (every day since 1999, "2026-11-20").
//!
//! Header `Date,USD,JPY,…,` and rows with as many cells, the last empty; `N/A` where there was no
//! rate. Columns of currencies that went out of use are skipped.

use chrono::NaiveDate;
use service_kit::decimal::{DecimalError, Rate};
use service_kit::{Currency, Faults, Problem};
use std::collections::HashSet;

/// More days than there were since 1999, with a century to come.
const MOST_DAYS: usize = 40_000;

#[derive(Debug, PartialEq)]
pub(super) struct EcbFile {
    pub days: usize,
    pub rates: Vec<EcbRate>,
    pub skipped: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EcbRate {
    pub date: NaiveDate,
    pub currency: Currency,
    pub rate: Rate,
}

/// A column: its name, and the currency if it is one in use.
struct Column<'a> {
    name: &'a str,
    currency: Option<Currency>,
}

/// Reads a whole file; all faults at once, each with `/lines/<number of the line>/<column>`.
pub(super) fn parse(text: &str, reference: Currency) -> Result<EcbFile, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let mut faults = Faults::default();
    let header = lines.next();
    let columns = match header {
        Some((number, line)) => columns(number, line, reference, &mut faults)?,
        None => Vec::new(),
    };
    let mut file = EcbFile {
        days: 0,
        rates: Vec::new(),
        skipped: columns
            .iter()
            .filter(|c| c.currency.is_none())
            .map(|c| c.name.to_owned())
            .collect(),
    };
    let mut days = HashSet::new();
    for (number, line) in lines.take(MOST_DAYS + 1) {
        match day(number, line, &columns, &mut faults) {
            Some((date, rates)) if days.insert(date) => file.rates.extend(rates),
            Some((date, _)) => faults.add(
                format!("/lines/{number}/Date"),
                "duplicate",
                format!("the file has {date} twice"),
            ),
            None => {}
        }
    }
    file.days = days.len();
    if faults.is_empty() && file.rates.is_empty() {
        let message = "expected a header `Date,USD,JPY,…` and at least one day with a rate";
        faults.add("/lines/1", "required", message);
    }
    if days.len() > MOST_DAYS {
        faults.add("/lines", "too_long", format!("at most {MOST_DAYS} days"));
    }
    faults.check()?;
    Ok(file)
}

fn cells(line: &str) -> Vec<&str> {
    let mut cells: Vec<&str> = line
        .split(',')
        .map(|cell| cell.trim().trim_matches('"').trim())
        .collect();
    // Every line ends with a comma.
    if cells.last().is_some_and(|last| last.is_empty()) {
        cells.pop();
    }
    cells
}

fn columns<'a>(
    number: usize,
    line: &'a str,
    reference: Currency,
    faults: &mut Faults,
) -> Result<Vec<Column<'a>>, Problem> {
    let names = cells(line);
    if names.first().is_none_or(|name| !name.eq_ignore_ascii_case("date")) {
        // What the other lines are then, nobody can say.
        let mut unknown = Faults::default();
        let message = "the first column must be `Date`";
        unknown.add(format!("/lines/{number}"), "unknown_layout", message);
        unknown.check()?;
    }
    let mut seen = HashSet::new();
    let columns = (2..).zip(&names[1..]).map(|(position, name)| {
        let pointer = || format!("/lines/{number}/{position}");
        if name.len() != 3 || !name.bytes().all(|b| b.is_ascii_uppercase()) {
            let shown: String = name.chars().take(20).collect();
            faults.add(pointer(), "unknown_value", format!("{shown:?} is no currency code"));
        } else if *name == reference.code() {
            faults.add(
                pointer(),
                "unknown_value",
                format!("the rates are those of 1 {reference}"),
            );
        } else if !seen.insert(*name) {
            faults.add(pointer(), "duplicate", format!("{name} has two columns"));
        }
        Column {
            name,
            currency: name.parse().ok(),
        }
    });
    Ok(columns.collect())
}

/// The rates of one day; `None` when its date is not understood.
fn day(number: usize, line: &str, columns: &[Column<'_>], faults: &mut Faults) -> Option<(NaiveDate, Vec<EcbRate>)> {
    let cells = cells(line);
    if cells.len() != columns.len() + 1 {
        let message = format!(
            "expected {} cells as in the header, not {}",
            columns.len() + 1,
            cells.len()
        );
        faults.add(format!("/lines/{number}"), "wrong_cell_count", message);
    }
    let (date, values) = cells.split_first()?;
    let parsed = parse_date(date);
    if parsed.is_none() {
        let message = "expected a date such as 2026-11-20 or 20 November 2026";
        faults.add(format!("/lines/{number}/Date"), "bad_format", message);
    }
    let mut rates = Vec::new();
    for (column, value) in columns.iter().zip(values) {
        let Some(currency) = column.currency.filter(|_| !matches!(*value, "" | "N/A")) else {
            continue;
        };
        let fault = match value.parse::<Rate>() {
            Ok(rate) if !rate.is_zero() => {
                rates.extend(parsed.map(|date| EcbRate { date, currency, rate }));
                continue;
            }
            Ok(_) => ("out_of_range", "must be more than 0".to_owned()),
            Err(error @ DecimalError::OutOfRange { .. }) => ("out_of_range", error.to_string()),
            Err(error) => ("bad_format", error.to_string()),
        };
        faults.add(format!("/lines/{number}/{}", column.name), fault.0, fault.1);
    }
    Some((parsed?, rates))
}

/// In either layout; other years than those of four digits are mistakes.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let date = ["%Y-%m-%d", "%d %B %Y"]
        .iter()
        .find_map(|layout| NaiveDate::parse_from_str(text, layout).ok())?;
    let first = NaiveDate::from_ymd_opt(1999, 1, 1)?;
    (date >= first && text.len() <= 20 && date < NaiveDate::from_ymd_opt(10_000, 1, 1)?).then_some(date)
}
