//! Fiscal years made by hand; a year that nobody has made is made by the first posting into it.

use super::model::{FiscalYear, FiscalYearIn, YearRow};
use super::queries;
use crate::schema::fiscal_years;
use chrono::{Datelike, Months, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use service_kit::db::sql;
use service_kit::{Faults, Problem, Result, Tx};

pub fn create(tx: &mut Tx<'_>, input: &FiscalYearIn) -> Result<FiscalYear> {
    let starts_on = input.starts_on;
    let a_year = starts_on
        .checked_add_months(Months::new(12))
        .and_then(|day| day.pred_opt());
    let longest = starts_on
        .checked_add_months(Months::new(24))
        .and_then(|day| day.pred_opt());
    let mut faults = Faults::default();
    let ends_on = input.ends_on.or(a_year).unwrap_or(starts_on);
    if starts_on.day() != 1 || !(1900..=2199).contains(&starts_on.year()) {
        let message = "expected the first day of a month of the years 1900 to 2199";
        faults.add("/starts_on", "not_first_of_month", message);
    }
    if ends_on.succ_opt().is_none_or(|next| next.day() != 1) {
        faults.add("/ends_on", "not_last_of_month", "expected the last day of a month");
    }
    if ends_on <= starts_on || longest.is_none_or(|longest| ends_on > longest) {
        faults.add("/ends_on", "out_of_range", "expected 1 to 24 months after it starts");
    }
    faults.check()?;
    if queries::closed_after(tx, starts_on)? {
        let detail = "a later period is closed: what is posted before it would change its balances";
        return Err(Problem::conflict("period_closed", detail).into());
    }
    let row: YearRow = diesel::insert_into(fiscal_years::table)
        .values((
            fiscal_years::id.eq(tx.mint(input.id)),
            fiscal_years::name.eq(input.name.clone().unwrap_or_else(|| name_of(starts_on))),
            fiscal_years::starts_on.eq(starts_on),
            fiscal_years::ends_on.eq(ends_on),
            fiscal_years::created_at.eq(tx.now()),
            fiscal_years::updated_at.eq(tx.now()),
        ))
        .returning(YearRow::as_returning())
        .get_result(&mut **tx)?;
    sql("INSERT INTO periods (fiscal_year_id, starts_on, ends_on)
         SELECT y.id, m::date, (m + interval '1 month' - interval '1 day')::date
         FROM fiscal_years y, generate_series(y.starts_on::timestamp, y.ends_on::timestamp, interval '1 month') m WHERE y.id = $1")
    .bind::<SqlUuid, _>(row.id)
    .run(tx)?;
    let year = queries::complete(tx, row)?;
    tx.changed(None, &year)?;
    Ok(year)
}

fn name_of(starts_on: NaiveDate) -> String {
    match starts_on.month() {
        1 => starts_on.format("%Y").to_string(),
        _ => format!("{}-{:02}", starts_on.year(), (starts_on.year() + 1).rem_euclid(100)),
    }
}
