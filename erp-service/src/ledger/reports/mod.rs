//! Reports of the general ledger: any day, any span of days, drilling down to entries and documents.
//!
//! Every report answers JSON, and its rows as CSV when the request says `Accept: text/csv` or `?format=csv`: the kit makes a table of the one array
//! that a report has, so reports need to do nothing for that but to be flat. Whole months are read from sums that are kept with
//! the entries, and only what is left at both ends from the lines: a trial balance over a million lines takes as long as one over
//! its last month. Each report is read from one snapshot.

mod balance_sheet;
mod cash_flow;
mod general_ledger;
mod profit_and_loss;
mod statement;
mod sums;
mod trial_balance;

use chrono::{Datelike, NaiveDate};
use diesel::PgConnection;
use diesel::QueryableByName;
use diesel::sql_types::{Date, Nullable};
use service_kit::db::sql;
use service_kit::{Problem, Result, Routes};
use std::fmt::Display;

pub fn routes(routes: &mut Routes) {
    trial_balance::routes(routes);
    general_ledger::routes(routes);
    balance_sheet::routes(routes);
    profit_and_loss::routes(routes);
    cash_flow::routes(routes);
}

service_kit::text_enum! {
    /// How a report is answered; the kit reads it from the query.
    ReportFormat { Json = "json", Csv = "csv" }
}

/// Runs a report on one state of the database.
///
/// # Errors
/// Those of the report.
pub fn consistent<T>(conn: &mut PgConnection, report: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    conn.build_transaction().repeatable_read().read_only().run(report)
}

/// The days that a report is about: up to today, from the beginning of the fiscal year of its end.
///
/// # Errors
/// 400 `invalid_parameter` when it ends before it begins.
pub fn span(
    conn: &mut PgConnection,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(NaiveDate, NaiveDate)> {
    let to = to.unwrap_or_else(|| from.map_or(today, |from| from.max(today)));
    let from = match from {
        Some(from) => from,
        None => start_of_year(conn, to)?,
    };
    match from <= to {
        true => Ok((from, to)),
        false => Err(Problem::bad_request("invalid_parameter", "to: is before from").into()),
    }
}

#[derive(QueryableByName)]
struct Start {
    #[diesel(sql_type = Nullable<Date>)]
    starts_on: Option<NaiveDate>,
    #[diesel(sql_type = diesel::sql_types::SmallInt)]
    month: i16,
}

/// The first day of the fiscal year of a day, be there one or not.
fn start_of_year(conn: &mut PgConnection, day: NaiveDate) -> Result<NaiveDate> {
    let start: Start = sql(
        "SELECT (SELECT starts_on FROM fiscal_years WHERE $1 BETWEEN starts_on AND ends_on) AS starts_on,
         fiscal_year_start_month AS month FROM company",
    )
    .bind::<Date, _>(day)
    .row(conn)?;
    let month = u32::try_from(start.month).unwrap_or(1);
    let year = if day.month() < month {
        day.year() - 1
    } else {
        day.year()
    };
    Ok(start
        .starts_on
        .or_else(|| NaiveDate::from_ymd_opt(year, month, 1))
        .unwrap_or(day))
}

/// Where the lines behind a figure are found.
fn ledger_link(account: &str, from: Option<NaiveDate>, to: NaiveDate) -> String {
    let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
    format!("/v1/reports/general-ledger?account={}{from}&to={to}", encoded(account))
}

/// The code of an account as part of a query.
fn encoded(text: impl Display) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = text.to_string().into_bytes();
    let pieces = bytes.into_iter().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    pieces.collect()
}
