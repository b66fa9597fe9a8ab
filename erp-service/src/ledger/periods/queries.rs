use super::model::{FiscalYear, Period, PeriodRow, PeriodStatus, YearRow};
use crate::schema::{fiscal_years, periods};
use chrono::NaiveDate;
use diesel::prelude::*;
use service_kit::{OrNotFound, Result};
use uuid::Uuid;

pub fn period(conn: &mut PgConnection, id: Uuid) -> Result<PeriodRow> {
    periods::table
        .find(id)
        .select(PeriodRow::as_select())
        .first(conn)
        .or_not_found("period")
}

/// All periods, in their order, are locked by whoever changes one: the order of closing depends on its neighbours.
pub fn lock_all(conn: &mut PgConnection) -> QueryResult<Vec<PeriodRow>> {
    periods::table
        .order(periods::starts_on)
        .for_update()
        .select(PeriodRow::as_select())
        .load(conn)
}

pub fn year(conn: &mut PgConnection, id: Uuid) -> Result<FiscalYear> {
    let row = fiscal_years::table.find(id).select(YearRow::as_select());
    let row = row.first(conn).or_not_found("fiscal year")?;
    Ok(complete(conn, row)?)
}

pub fn lock_year(conn: &mut PgConnection, id: Uuid) -> Result<FiscalYear> {
    let row = fiscal_years::table.find(id).for_update().select(YearRow::as_select());
    let row = row.first(conn).or_not_found("fiscal year")?;
    Ok(complete(conn, row)?)
}

pub fn complete(conn: &mut PgConnection, row: YearRow) -> QueryResult<FiscalYear> {
    let all = complete_all(conn, vec![row])?;
    all.into_iter().next().ok_or(diesel::NotFound)
}

pub fn complete_all(conn: &mut PgConnection, rows: Vec<YearRow>) -> QueryResult<Vec<FiscalYear>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<PeriodRow> = periods::table
        .filter(periods::fiscal_year_id.eq_any(ids))
        .order(periods::starts_on)
        .select(PeriodRow::as_select())
        .load(conn)?;
    let years = rows.into_iter().map(|row| {
        let own = all.iter().filter(|period| period.fiscal_year_id == row.id);
        let own = own.cloned().map(Period::from).collect();
        FiscalYear::of(row, own)
    });
    Ok(years.collect())
}

/// Whether a period that begins after a day is closed.
pub fn closed_after(conn: &mut PgConnection, day: NaiveDate) -> QueryResult<bool> {
    let later = periods::table.filter(periods::starts_on.gt(day).and(periods::status.eq(PeriodStatus::Closed)));
    diesel::select(diesel::dsl::exists(later)).get_result(conn)
}
