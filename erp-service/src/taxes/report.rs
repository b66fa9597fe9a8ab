//! The tax report: base and tax by report code, tax code and rate, out of the ledger and nothing else.

use super::codes::TaxKind;
use crate::{company, may};
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::decimal::TaxRate;
use service_kit::http::SearchText;
use service_kit::paging::unknown_sort;
use service_kit::{Amount, Answer, Currency, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, Sort};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TaxReportQuery {
    /// First posting day.
    from: NaiveDate,
    /// Last posting day.
    to: NaiveDate,
}

/// Base and tax of a period, in the base currency.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaxReport {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub currency: Currency,
    /// By side, report code, tax code and rate.
    pub rows: Vec<TaxReportRow>,
    pub output_tax: Amount,
    pub input_tax: Amount,
    /// Output less input tax.
    pub payable: Amount,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaxReportRow {
    /// Output tax is owed, input tax comes back; reverse charge stands on both sides.
    pub kind: TaxKind,
    pub report_code: Option<String>,
    pub tax_code: String,
    pub name: Option<String>,
    /// As a fraction; `null` where the entry does not tell.
    pub rate: Option<TaxRate>,
    pub reverse_charge: bool,
    pub base: Amount,
    pub tax: Amount,
    /// How many entry lines it is the sum of.
    pub lines: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TaxReportLinesQuery {
    /// First posting day.
    from: NaiveDate,
    /// Last posting day.
    to: NaiveDate,
    tax_code: Option<SearchText>,
    #[param(inline)]
    kind: Option<TaxKind>,
    #[param(inline)]
    rate: Option<TaxRate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date`.
    sort: Option<Sort>,
}

/// An entry line that the tax report counts, with its document.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaxReportLine {
    pub entry_id: Uuid,
    pub entry_number: Option<String>,
    pub position: i32,
    pub date: NaiveDate,
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub kind: TaxKind,
    pub tax_code: String,
    pub rate: Option<TaxRate>,
    pub base: Amount,
    pub tax: Amount,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(get_tax_report).add(list_tax_report_lines);
}

/// What is owed and comes back in a period, by report code, tax code and rate.
///
/// It is the sum of the entry lines that carry a tax code; `/v1/reports/tax/lines` shows them.
#[utoipa::path(tag = "reports", params(TaxReportQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The tax report", body = TaxReport)))]
#[get("/reports/tax")]
async fn get_tax_report(read: Read<may::ReadReports>, query: Query<TaxReportQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| report(conn, query.from, query.to)).await
}

/// The entry lines of the tax report, oldest first.
#[utoipa::path(tag = "reports", params(TaxReportLinesQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "A page of entry lines", body = Page<TaxReportLine>)))]
#[get("/reports/tax/lines")]
async fn list_tax_report_lines(
    read: Read<may::ReadReports>,
    query: Query<TaxReportLinesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| lines(conn, &query.0)).await
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kind: TaxKind,
    #[diesel(sql_type = Nullable<Text>)]
    report_code: Option<String>,
    #[diesel(sql_type = Text)]
    tax_code: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    rate: Option<TaxRate>,
    #[diesel(sql_type = Bool)]
    reverse_charge: bool,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = BigInt)]
    lines: i64,
}

/// The tax report of a period.
///
/// # Errors
/// When the database refuses.
pub fn report(conn: &mut PgConnection, from: NaiveDate, to: NaiveDate) -> Result<TaxReport> {
    let currency = company::settings(conn)?.base_currency;
    let rows: Vec<Row> = sql(
        "SELECT t.kind, CASE WHEN c.kind = 'input' AND t.kind = 'output' THEN c.reverse_report_code ELSE c.report_code END AS report_code,
                t.tax_code, c.name, t.rate, coalesce(c.reverse_charge, false) AS reverse_charge,
                sum(t.base) AS base, sum(t.tax) AS tax, count(*) AS lines
         FROM tax_lines t
         LEFT JOIN tax_codes c ON c.code = t.tax_code
         WHERE t.posted_on BETWEEN $1 AND $2
         GROUP BY t.kind, c.kind, c.report_code, c.reverse_report_code, t.tax_code, c.name, t.rate, c.reverse_charge
         ORDER BY t.kind DESC, report_code NULLS LAST, t.tax_code, t.rate",
    )
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .rows(conn)?;
    let money = |value| Amount::money(currency, value).unwrap_or_default();
    let tax_of = |kind| {
        let of_kind = rows.iter().filter(|row| row.kind == kind);
        of_kind.map(|row| row.tax).sum::<Decimal>()
    };
    let (output, input) = (tax_of(TaxKind::Output), tax_of(TaxKind::Input));
    Ok(TaxReport {
        from,
        to,
        currency,
        output_tax: money(output),
        input_tax: money(input),
        payable: money(output - input),
        rows: rows
            .into_iter()
            .map(|row| TaxReportRow {
                kind: row.kind,
                report_code: row.report_code,
                tax_code: row.tax_code,
                name: row.name,
                rate: row.rate,
                reverse_charge: row.reverse_charge,
                base: money(row.base),
                tax: money(row.tax),
                lines: row.lines,
            })
            .collect(),
    })
}

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    entry_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    entry_number: Option<String>,
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Date)]
    posted_on: NaiveDate,
    #[diesel(sql_type = Text)]
    source_type: String,
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    source_number: Option<String>,
    #[diesel(sql_type = Text)]
    kind: TaxKind,
    #[diesel(sql_type = Text)]
    tax_code: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    rate: Option<TaxRate>,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
}

type Key = (NaiveDate, Uuid, i32);

fn lines(conn: &mut PgConnection, query: &TaxReportLinesQuery) -> Result<Page<TaxReportLine>> {
    if let Some(sort) = query.sort.as_ref().filter(|sort| sort.as_str() != "date") {
        return Err(unknown_sort(sort.as_str(), &["date"]).into());
    }
    let currency = company::settings(conn)?.base_currency;
    let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
    let after = cursor.map(|cursor| cursor.decode::<Key>("date")).transpose()?;
    let rows: Vec<LineRow> = sql(
        "SELECT t.entry_id, e.number AS entry_number, t.position, t.posted_on, e.source_type, e.source_id, e.source_number,
                t.kind, t.tax_code, t.rate, t.base, t.tax
         FROM tax_lines t JOIN journal_entries e ON e.id = t.entry_id
         WHERE t.posted_on BETWEEN $1 AND $2 AND ($3 IS NULL OR t.tax_code = $4) AND ($5 IS NULL OR t.kind = $6)
           AND ($7 IS NULL OR t.rate = $8)
           AND (t.posted_on, t.entry_id, t.position) > (coalesce($9, '-infinity'), coalesce($10, '00000000-0000-0000-0000-000000000000'), coalesce($11, 0))
         ORDER BY t.posted_on, t.entry_id, t.position LIMIT $12",
    )
    .bind::<Date, _>(query.from)
    .bind::<Date, _>(query.to)
    .bind::<Nullable<Text>, _>(query.tax_code.as_ref().map(SearchText::as_str))
    .bind::<Nullable<Text>, _>(query.tax_code.as_ref().map(SearchText::as_str))
    .bind::<Nullable<Text>, _>(query.kind)
    .bind::<Nullable<Text>, _>(query.kind)
    .bind::<Nullable<Numeric>, _>(query.rate)
    .bind::<Nullable<Numeric>, _>(query.rate)
    .bind::<Nullable<Date>, _>(after.map(|key| key.0))
    .bind::<Nullable<SqlUuid>, _>(after.map(|key| key.1))
    .bind::<Nullable<Integer>, _>(after.map(|key| key.2))
    .bind::<BigInt, _>(limit.plus_one())
    .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| {
        Cursor::encode("date", &(row.posted_on, row.entry_id, row.position))
    });
    let money = |value| Amount::money(currency, value).unwrap_or_default();
    Ok(page.map(|row| TaxReportLine {
        entry_id: row.entry_id,
        entry_number: row.entry_number,
        position: row.position,
        date: row.posted_on,
        source_type: row.source_type,
        source_id: row.source_id,
        source_number: row.source_number,
        kind: row.kind,
        tax_code: row.tax_code,
        rate: row.rate,
        base: money(row.base),
        tax: money(row.tax),
    }))
}
