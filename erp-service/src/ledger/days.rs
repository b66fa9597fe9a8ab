//! The posting date and the fiscal year that it falls into.

use super::entry::Journal;
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Date, Nullable, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Currency, Faults, Problem, Result, Tx};
use uuid::Uuid;

/// A day that can be posted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingDay {
    pub date: NaiveDate,
    pub fiscal_year_id: Uuid,
    /// Name of the fiscal year; part of document numbers.
    pub label: String,
    /// The company's, in which entries balance.
    pub base_currency: Currency,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    fiscal_year_id: Uuid,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    base_currency: Currency,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Date)]
    ends_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    first_open: Option<NaiveDate>,
}

/// The day that a document is posted on: as asked, or today in the company's time zone. A fiscal year
/// that nobody has made yet is made.
///
/// # Errors
/// 422 `future_date`; 409 `period_closed` with `first_open_date`, the first day after it that is open.
pub fn posting_day(tx: &mut Tx<'_>, asked: Option<NaiveDate>) -> Result<PostingDay> {
    let today = tx.today();
    let date = asked.unwrap_or(today);
    if date > today {
        let mut faults = Faults::default();
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
        faults.check()?;
    }
    let day = open_day(tx, date)?;
    match day {
        Ok(found) => Ok(found.day(date)),
        Err(first_open) => {
            let problem = Problem::conflict("period_closed", format!("the period of {date} is closed"));
            Err(problem
                .fact("first_open_date", serde_json::to_value(first_open)?)
                .into())
        }
    }
}

/// The first day from this one on that a journal can be posted on: the day itself when its period is open.
///
/// # Errors
/// 409 `period_closed` when no period is open up to today.
pub(super) fn first_open_day(tx: &mut Tx<'_>, date: NaiveDate, journal: Journal) -> Result<PostingDay> {
    let mut date = date;
    while date <= tx.today() {
        let next = match open_day(tx, date)? {
            Ok(found) if found.status == "open" || journal.adjusts() => return Ok(found.day(date)),
            Ok(found) => found.ends_on.succ_opt(),
            Err(first_open) => first_open,
        };
        date = match next {
            Some(next) if next > date => next,
            _ => break,
        };
    }
    Err(Problem::conflict("period_closed", "no period is open up to today").into())
}

impl Found {
    fn day(self, date: NaiveDate) -> PostingDay {
        PostingDay {
            date,
            fiscal_year_id: self.fiscal_year_id,
            label: self.label,
            base_currency: self.base_currency,
        }
    }
}

/// The period of a day, unless it is closed. `Err` holds the first day of the first open period after that.
fn open_day(tx: &mut Tx<'_>, date: NaiveDate) -> Result<Result<Found, Option<NaiveDate>>> {
    let found = match find(tx, date)? {
        Some(found) => found,
        None => {
            // What is posted before a closed period would change the balances that it was closed with.
            if let Some(closed) = closed_after(tx, date)? {
                return Ok(Err(closed.first_open));
            }
            sql("SELECT make_fiscal_year($1)").bind::<Date, _>(date).run(tx)?;
            find(tx, date)?
                .ok_or_else(|| Problem::conflict("period_closed", format!("there is no period of {date}")))?
        }
    };
    Ok(match found.status.as_str() {
        "closed" => Err(found.first_open),
        _ => Ok(found),
    })
}

fn find(tx: &mut Tx<'_>, date: NaiveDate) -> Result<Option<Found>> {
    let found: Vec<Found> = sql("SELECT y.id AS fiscal_year_id, y.name AS label, p.status, p.ends_on, (SELECT base_currency FROM company) AS base_currency,
                CASE WHEN p.status = 'closed' THEN
                    (SELECT min(o.starts_on) FROM periods o WHERE o.starts_on > p.starts_on AND o.status <> 'closed') END AS first_open
         FROM periods p JOIN fiscal_years y ON y.id = p.fiscal_year_id
         WHERE p.starts_on = (SELECT max(starts_on) FROM periods WHERE starts_on <= $1) AND p.ends_on >= $2")
    .bind::<Date, _>(date)
    .bind::<Date, _>(date)
    .rows(tx)?;
    Ok(found.into_iter().next())
}

#[derive(QueryableByName)]
struct Closed {
    #[diesel(sql_type = Nullable<Date>)]
    first_open: Option<NaiveDate>,
}

/// Whether a period after a day is closed, and the first open day after that one.
fn closed_after(tx: &mut Tx<'_>, date: NaiveDate) -> Result<Option<Closed>> {
    let closed: Vec<Closed> = sql("SELECT (SELECT min(o.starts_on) FROM periods o WHERE o.starts_on > c.starts_on AND o.status <> 'closed') AS first_open
         FROM periods c WHERE c.status = 'closed' AND c.starts_on > $1 ORDER BY c.starts_on DESC LIMIT 1")
    .bind::<Date, _>(date)
    .rows(tx)?;
    Ok(closed.into_iter().next())
}
