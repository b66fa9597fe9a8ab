use super::checks::Checklist;
use super::model::{
    ClosePeriod, FiscalYear, FiscalYearIn, FiscalYearStatus, Period, PeriodRow, PeriodStatus, Reopen, YearRow,
};
use super::{actions, queries, year_end, years};
use crate::app::CHECKS;
use crate::may;
use crate::schema::{fiscal_years, periods};
use actix_web::{get, post};
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::{
    Answer, Body, Command, Cursor, IdPath, Limit, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FiscalYearsQuery {
    status: Option<FiscalYearStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `starts_on`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PeriodsQuery {
    fiscal_year_id: Option<Uuid>,
    status: Option<PeriodStatus>,
    /// The period of this day.
    date: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `starts_on`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_fiscal_years)
        .add(create_fiscal_year)
        .add(get_fiscal_year)
        .add(close_fiscal_year)
        .add(reopen_fiscal_year)
        .add(list_periods)
        .add(get_period)
        .add(get_period_checklist)
        .add(start_closing_period)
        .add(close_period)
        .add(reopen_period);
}

#[utoipa::path(tag = "ledger", params(FiscalYearsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of fiscal years", body = Page<FiscalYear>)))]
#[get("/fiscal-years")]
async fn list_fiscal_years(read: Read<may::ReadLedger>, query: Query<FiscalYearsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = fiscal_years::table.select(YearRow::as_select()).into_boxed();
        if let Some(status) = query.status {
            found = found.filter(fiscal_years::status.eq(status));
        }
        let page: Result<Page<YearRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: fiscal_years::id as Uuid => |row: &YearRow| row.id, [
            "starts_on" => fiscal_years::starts_on as NaiveDate => |row: &YearRow| row.starts_on,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: queries::complete_all(conn, items)?,
            next_cursor,
        })
    })
    .await
}

/// Make a fiscal year with a period for each month. A year that nobody has made is made by the first posting into it.
#[utoipa::path(tag = "ledger", request_body = FiscalYearIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The fiscal year", body = FiscalYear)))]
#[post("/fiscal-years")]
async fn create_fiscal_year(command: Command<may::WriteLedger>, body: Body<FiscalYearIn>) -> Result<Answer, Problem> {
    command.create(move |tx| years::create(tx, &body.0)).await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The fiscal year with its periods", body = FiscalYear)))]
#[get("/fiscal-years/{id}")]
async fn get_fiscal_year(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::year(conn, path.id)).await
}

/// Close a year whose periods are all closed: an entry on its last day moves income and expense to retained earnings.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["periods:close"])),
    responses((status = 200, description = "The closed fiscal year", body = FiscalYear)))]
#[post("/fiscal-years/{id}/close")]
async fn close_fiscal_year(command: Command<may::ClosePeriods>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| year_end::close(tx, path.id)).await
}

/// Open the last closed year again: its closing entry is reversed. Its periods stay closed.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = Reopen, security(("api_key" = ["periods:reopen"])),
    responses((status = 200, description = "The fiscal year, open again", body = FiscalYear)))]
#[post("/fiscal-years/{id}/reopen")]
async fn reopen_fiscal_year(
    command: Command<may::ReopenPeriods>,
    path: Path<IdPath>,
    body: Body<Reopen>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| year_end::reopen(tx, path.id, &body.0.reason))
        .await
}

#[utoipa::path(tag = "ledger", params(PeriodsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of periods", body = Page<Period>)))]
#[get("/periods")]
async fn list_periods(read: Read<may::ReadLedger>, query: Query<PeriodsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = periods::table.select(PeriodRow::as_select()).into_boxed();
        if let Some(year) = query.fiscal_year_id {
            found = found.filter(periods::fiscal_year_id.eq(year));
        }
        if let Some(status) = query.status {
            found = found.filter(periods::status.eq(status));
        }
        if let Some(date) = query.date {
            found = found.filter(periods::starts_on.le(date).and(periods::ends_on.ge(date)));
        }
        let page: Result<Page<PeriodRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: periods::id as Uuid => |row: &PeriodRow| row.id, [
            "starts_on" => periods::starts_on as NaiveDate => |row: &PeriodRow| row.starts_on,
        ]);
        Ok(page?.map(Period::from))
    })
    .await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The period", body = Period)))]
#[get("/periods/{id}")]
async fn get_period(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| Ok(Period::from(queries::period(conn, path.id)?)))
        .await
}

/// What is in the way of closing a period: blockers refuse it, warnings want a reason each.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "What is in the way", body = Checklist)))]
#[get("/periods/{id}/checklist")]
async fn get_period_checklist(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| actions::checklist(conn, path.id, CHECKS))
    })
    .await
}

/// From now on only adjusting entries of the general journal are posted into the period.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["periods:close"])),
    responses((status = 200, description = "The period", body = Period)))]
#[post("/periods/{id}/start-closing")]
async fn start_closing_period(command: Command<may::ClosePeriods>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::start_closing(tx, path.id)).await
}

/// Close a period for good: afterwards nothing is posted into it.
///
/// 409 `period_blocked` names every check in the way; 409 `warnings_not_accepted` those that want a reason.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = ClosePeriod, security(("api_key" = ["periods:close"])),
    responses((status = 200, description = "The closed period", body = Period)))]
#[post("/periods/{id}/close")]
async fn close_period(
    command: Command<may::ClosePeriods>,
    path: Path<IdPath>,
    body: OptionalBody<ClosePeriod>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::close(tx, path.id, &body.0, CHECKS))
        .await
}

/// Open the last closed period again.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = Reopen, security(("api_key" = ["periods:reopen"])),
    responses((status = 200, description = "The period, open again", body = Period)))]
#[post("/periods/{id}/reopen")]
async fn reopen_period(
    command: Command<may::ReopenPeriods>,
    path: Path<IdPath>,
    body: Body<Reopen>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::reopen(tx, path.id, &body.0.reason))
        .await
}
