//! The posting date and the fiscal year that it falls into.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Date, Nullable, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Faults, Problem, Result, Tx};
use uuid::Uuid;

/// A day that can be posted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingDay {
    pub date: NaiveDate,
    pub fiscal_year_id: Uuid,
    /// Name of the fiscal year; part of document numbers.
    pub label: String,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    fiscal_year_id: Uuid,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    status: String,
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
        Ok(day) => Ok(day),
        Err(first_open) => {
            let problem = Problem::conflict("period_closed", format!("the period of {date} is closed"));
            Err(problem
                .fact("first_open_date", serde_json::to_value(first_open)?)
                .into())
        }
    }
}

/// The day itself when its period is open, else the first open day after it.
///
/// # Errors
/// 409 `period_closed` when nothing after it is open up to today.
pub(super) fn first_open_day(tx: &mut Tx<'_>, date: NaiveDate) -> Result<PostingDay> {
    match open_day(tx, date)? {
        Ok(day) => Ok(day),
        Err(Some(first)) => posting_day(tx, Some(first)),
        Err(None) => posting_day(tx, None),
    }
}

/// `Err` holds the first open day after a closed one.
fn open_day(tx: &mut Tx<'_>, date: NaiveDate) -> Result<Result<PostingDay, Option<NaiveDate>>> {
    let found = match find(tx, date)? {
        Some(found) => found,
        None => {
            sql("SELECT make_fiscal_year($1)").bind::<Date, _>(date).run(tx)?;
            find(tx, date)?
                .ok_or_else(|| Problem::conflict("period_closed", format!("there is no period of {date}")))?
        }
    };
    Ok(match found.status.as_str() {
        "closed" => Err(found.first_open),
        _ => Ok(PostingDay {
            date,
            fiscal_year_id: found.fiscal_year_id,
            label: found.label,
        }),
    })
}

fn find(tx: &mut Tx<'_>, date: NaiveDate) -> Result<Option<Found>> {
    let found: Vec<Found> = sql("SELECT y.id AS fiscal_year_id, y.name AS label, p.status,
                CASE WHEN p.status = 'closed' THEN
                    (SELECT min(o.starts_on) FROM periods o WHERE o.starts_on > p.starts_on AND o.status <> 'closed') END AS first_open
         FROM periods p JOIN fiscal_years y ON y.id = p.fiscal_year_id
         WHERE p.starts_on = (SELECT max(starts_on) FROM periods WHERE starts_on <= $1) AND p.ends_on >= $2")
    .bind::<Date, _>(date)
    .bind::<Date, _>(date)
    .rows(tx)?;
    Ok(found.into_iter().next())
}
