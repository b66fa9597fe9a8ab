//! The SQL of analyses. One that is out of sight is not there: [`get`] and [`page`] are the only ways to one.

use super::model::{
    AnalysisClass, AnalysisItem, AnalysisItemsQuery, AnalysisKind, AnalysisRun, AnalysisRunsQuery, AnalysisSees,
    AnalysisSubject, AnalysisThresholds,
};
use crate::analytics::asked::Period;
use crate::analytics::figure::{Figure, money};
use crate::analytics::sales;
use crate::json::AsJson;
use crate::schema::analysis_runs;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::paging::turn;
use service_kit::{Currency, Cursor, OrNotFound, Page, Result, Sight, keyset_page, visible};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = analysis_runs)]
pub struct RunRow {
    pub id: Uuid,
    pub kind: AnalysisKind,
    pub subject: AnalysisSubject,
    pub from_day: NaiveDate,
    pub to_day: NaiveDate,
    pub against_from: Option<NaiveDate>,
    pub against_to: Option<NaiveDate>,
    pub thresholds: AsJson<AnalysisThresholds>,
    pub currency: Currency,
    pub sees: AnalysisSees,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub net: Decimal,
    pub net_before: Option<Decimal>,
    pub classes: AsJson<Vec<AnalysisClass>>,
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

pub fn shown(row: RunRow) -> Result<AnalysisRun> {
    let growth = row.net_before.and_then(|before| row.net.checked_div(before));
    let classes = row.classes.0.into_iter().map(|class| AnalysisClass {
        rows: format!("/v1/analysis-runs/{}/items?class={}", row.id, class.class),
        ..class
    });
    Ok(AnalysisRun {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        from: row.from_day,
        to: row.to_day,
        against_from: row.against_from,
        against_to: row.against_to,
        thresholds: row.thresholds.0,
        currency: row.currency,
        sees: row.sees,
        owner_id: row.owner_id,
        net: money(row.currency, row.net)?,
        net_before: row.net_before.map(|before| money(row.currency, before)).transpose()?,
        growth: growth.map(|growth| Figure::new(growth - Decimal::ONE)),
        classes: classes.collect(),
        as_of: row.as_of,
        revision: row.revision,
        created_at: row.created_at,
    })
}

/// # Errors
/// 404 when there is no such analysis in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<RunRow> {
    analysis_runs::table
        .filter(analysis_runs::id.eq(id))
        .select(RunRow::as_select())
        .into_boxed()
        .filter(visible!(sight, analysis_runs))
        .first(conn)
        .or_not_found("analysis")
}

/// The last analysis of the same kind and subject before this one.
///
/// # Errors
/// 404 when there is none in sight.
pub fn before(conn: &mut PgConnection, sight: &Sight, run: &RunRow) -> Result<RunRow> {
    analysis_runs::table
        .filter(
            analysis_runs::kind
                .eq(run.kind)
                .and(analysis_runs::subject.eq(run.subject)),
        )
        .filter(analysis_runs::created_at.lt(run.created_at))
        .order((analysis_runs::created_at.desc(), analysis_runs::id.desc()))
        .select(RunRow::as_select())
        .into_boxed()
        .filter(visible!(sight, analysis_runs))
        .first(conn)
        .or_not_found("earlier analysis")
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &AnalysisRunsQuery) -> Result<Page<AnalysisRun>> {
    let mut rows = analysis_runs::table.select(RunRow::as_select()).into_boxed();
    rows = rows.filter(visible!(sight, analysis_runs));
    if let Some(kind) = query.kind {
        rows = rows.filter(analysis_runs::kind.eq(kind));
    }
    if let Some(subject) = query.subject {
        rows = rows.filter(analysis_runs::subject.eq(subject));
    }
    let page: Result<Page<RunRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: analysis_runs::id as Uuid => |run: &RunRow| run.id, [
        "created_at" => analysis_runs::created_at as DateTime<Utc> => |run: &RunRow| run.created_at,
    ]);
    let page = page?;
    Ok(Page {
        items: page.items.into_iter().map(shown).collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

#[derive(Debug, QueryableByName)]
struct ItemRow {
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    subject_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    net: Option<Decimal>,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
    #[diesel(sql_type = BigInt)]
    orders: i64,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    share_before: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    variation: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    net_before: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    growth: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    relative_size: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    last_order_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Integer>)]
    recency: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    frequency: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    monetary: Option<i32>,
}

const ORDER: &str = "analysis items";

pub fn items(
    conn: &mut PgConnection,
    sight: &Sight,
    run: &RunRow,
    query: &AnalysisItemsQuery,
) -> Result<Page<AnalysisItem>> {
    let (limit, cursor) = turn(query.limit, query.cursor.as_ref());
    let after: Option<i32> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let (all, me, teams) = sight.binds();
    let rows: Vec<ItemRow> = sql("SELECT i.*, CASE $1
                WHEN 'customer' THEN (SELECT c.name FROM customers c WHERE c.id = i.subject_id
                                        AND ($2 OR c.owner_id = $3 OR c.team_id = ANY($4)))
                WHEN 'product' THEN (SELECT name FROM products WHERE id = i.subject_id)
                ELSE (SELECT name FROM categories WHERE id = i.subject_id) END AS name
         FROM analysis_run_items i
         WHERE i.run_id = $5 AND i.position > $6 AND ($7 IS NULL OR i.class = $8)
         ORDER BY i.position LIMIT $9")
    .bind::<Text, _>(run.subject)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .bind::<SqlUuid, _>(run.id)
    .bind::<Integer, _>(after.unwrap_or(0))
    .bind::<Nullable<Text>, _>(&query.class)
    .bind::<Nullable<Text>, _>(&query.class)
    .bind::<BigInt, _>(limit.plus_one())
    .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(ORDER, &row.position));
    let items = page.items.into_iter().map(|row| item(run, row));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

fn item(run: &RunRow, row: ItemRow) -> Result<AnalysisItem> {
    let period = Period {
        from: run.from_day,
        to: run.to_day,
    };
    let key = row.subject_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    let sold = row.orders > 0;
    let amount = |value: Option<Decimal>| value.map(|value| money(run.currency, value)).transpose();
    Ok(AnalysisItem {
        position: row.position,
        subject_id: row.subject_id,
        name: row.name,
        class: row.class,
        net: amount(row.net)?,
        unvalued: row.unvalued,
        orders: row.orders,
        quantity: Figure::new(row.quantity),
        share_before: row.share_before.map(Figure::new),
        variation: row.variation.map(Figure::new),
        net_before: amount(row.net_before)?,
        growth: row.growth.map(Figure::new),
        relative_size: row.relative_size.map(Figure::new),
        last_order_on: row.last_order_on,
        recency: row.recency,
        frequency: row.frequency,
        monetary: row.monetary,
        rows: sold.then(|| sales::rows_of(period, run.subject.dimension(), &key)),
        as_of: run.as_of,
    })
}
