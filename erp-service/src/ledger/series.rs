//! Number series, to look at and to give another prefix.

use super::numbers::JOURNALS;
use crate::may;
use crate::schema::series;
use actix_web::{get, patch};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::http::SearchText;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A series of numbers without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NumberSeries {
    pub id: Uuid,
    /// What is numbered: `invoice`, or `journal:GEN` for the entries of a journal.
    pub key: String,
    /// `INV` gives `INV-2026-000001`.
    pub prefix: String,
    /// Whether a document may not be dated before the last one.
    pub ascending: bool,
    /// By fiscal year, the newest first.
    pub years: Vec<SeriesYear>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// How far a series has come in a fiscal year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesYear {
    pub fiscal_year_id: Uuid,
    /// Name of the fiscal year; part of the number.
    pub fiscal_year: String,
    pub last_number: i64,
    /// The latest date of a document that has a number.
    pub last_date: NaiveDate,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberSeriesPatch {
    /// Unique among the series. Numbers that are given stay as they are.
    #[schema(
        min_length = 1,
        max_length = 20,
        pattern = r"^[A-Z0-9]([A-Z0-9./-]*[A-Z0-9])?$",
        nullable = false
    )]
    pub prefix: Option<String>,
    /// Whether a document may not be dated before the last one; not for journals.
    #[schema(nullable = false)]
    pub ascending: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NumberSeriesQuery {
    key: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `key` or `prefix`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = series)]
struct SeriesRow {
    id: Uuid,
    key: String,
    prefix: String,
    ascending: bool,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Resource for NumberSeries {
    const PATH: &'static str = "number-series";
    const TYPE: &'static str = "number_series";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
    /// The numbers drawn are shown with the series, and change without it.
    fn etag(&self) -> String {
        let drawn: i64 = self.years.iter().map(|year| year.last_number).sum();
        format!("\"{}.{drawn}\"", self.revision)
    }
    fn matches(&self, tag: &str) -> bool {
        service_kit::http::same_revision(tag, self.revision)
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_number_series)
        .add(get_number_series)
        .add(update_number_series);
}

#[utoipa::path(tag = "ledger", params(NumberSeriesQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of number series", body = Page<NumberSeries>)))]
#[get("/number-series")]
async fn list_number_series(read: Read<may::ReadLedger>, query: Query<NumberSeriesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = series::table.select(SeriesRow::as_select()).into_boxed();
        if let Some(key) = &query.key {
            found = found.filter(series::key.eq(key.as_str()));
        }
        let page: Result<Page<SeriesRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: series::id as Uuid => |row: &SeriesRow| row.id, [
            "key" => series::key as String => |row: &SeriesRow| row.key.clone(),
            "prefix" => series::prefix as String => |row: &SeriesRow| row.prefix.clone(),
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: complete(conn, items)?,
            next_cursor,
        })
    })
    .await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The series", body = NumberSeries)))]
#[get("/number-series/{id}")]
async fn get_number_series(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let row = series::table
            .filter(series::id.eq(path.id))
            .select(SeriesRow::as_select());
        let row = row.first(conn).or_not_found("number series")?;
        one(conn, row)
    })
    .await
}

/// Give a series another prefix, or let it ascend in date. Numbers that are given stay as they are.
#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = NumberSeriesPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed series", body = NumberSeries)))]
#[patch("/number-series/{id}")]
async fn update_number_series(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<NumberSeriesPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &NumberSeriesPatch) -> Result<NumberSeries> {
    let row = series::table
        .filter(series::id.eq(id))
        .for_update()
        .select(SeriesRow::as_select());
    let row: SeriesRow = row.first(&mut **tx).or_not_found("number series")?;
    let before = one(tx, row)?;
    tx.require_match(&before)?;
    let prefix = patch.prefix.as_ref().unwrap_or(&before.prefix);
    let ascending = patch.ascending.unwrap_or(before.ascending);
    if ascending && before.key.starts_with(JOURNALS) {
        let mut faults = Faults::default();
        faults.add("/ascending", "journal", "a journal takes entries of every open day");
        faults.check()?;
    }
    if (prefix, ascending) == (&before.prefix, before.ascending) {
        return Ok(before);
    }
    let row: SeriesRow = diesel::update(series::table.filter(series::id.eq(id)))
        .set((
            series::prefix.eq(prefix),
            series::ascending.eq(ascending),
            series::revision.eq(series::revision + 1),
            series::updated_at.eq(tx.now()),
        ))
        .returning(SeriesRow::as_returning())
        .get_result(&mut **tx)?;
    let after = one(tx, row)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

#[derive(QueryableByName)]
struct YearRow {
    #[diesel(sql_type = Text)]
    series: String,
    #[diesel(sql_type = SqlUuid)]
    fiscal_year_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    last_number: i64,
    #[diesel(sql_type = Date)]
    last_date: NaiveDate,
}

fn one(conn: &mut PgConnection, row: SeriesRow) -> Result<NumberSeries> {
    let made = complete(conn, vec![row])?.pop();
    made.ok_or_else(|| Problem::not_found("number series").into())
}

fn complete(conn: &mut PgConnection, rows: Vec<SeriesRow>) -> QueryResult<Vec<NumberSeries>> {
    let years: Vec<YearRow> = sql("SELECT n.series, n.fiscal_year_id, y.name, n.last_number, n.last_date
         FROM series_numbers n JOIN fiscal_years y ON y.id = n.fiscal_year_id
         WHERE n.series = ANY ($1) AND n.last_number > 0 ORDER BY y.starts_on DESC")
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>())
    .rows(conn)?;
    let series = rows.into_iter().map(|row| NumberSeries {
        years: years
            .iter()
            .filter(|year| year.series == row.key)
            .map(|year| SeriesYear {
                fiscal_year_id: year.fiscal_year_id,
                fiscal_year: year.name.clone(),
                last_number: year.last_number,
                last_date: year.last_date,
            })
            .collect(),
        id: row.id,
        key: row.key,
        prefix: row.prefix,
        ascending: row.ascending,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    });
    Ok(series.collect())
}
