//! Cycle counts: what is there is counted, somebody else approves, the difference is posted.
//!
//! A **sheet** has a line for each place that goods lie in: product, lot, location. Counting a line
//! notes what the books say at that moment, under the level's lock; the difference between the two is
//! what the approval posts, so goods that moved after the count do not disturb it. A **blind** sheet
//! shows what the books say only once it is posted.
//!
//! States: `draft` → `counted` (every line is) → `posted` (approved by none of the counters), or back to
//! `draft` (rejected), or `cancelled`. A shortage that orders have reserved is taken back from them,
//! the least urgent first; what is found fills backorders.

mod actions;
mod approve;

use crate::company;
use crate::inventory::posting;
use crate::may;
use crate::schema::{lots, stock_count_lines, stock_counts};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::SignedQuantity;
use service_kit::http::IdPath;
use service_kit::tx::Emitted;
use service_kit::{
    Amount, Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Quantity, Query, Read, Resource,
    Result, Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    CountStatus { Draft = "draft", Counted = "counted", Posted = "posted", Cancelled = "cancelled" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockCountIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    /// Do not show what is expected; default false.
    #[serde(default)]
    pub blind: bool,
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    /// What to count; absent: all that is there, at most 500 places.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub product_ids: Option<Vec<Uuid>>,
    /// Only what lies in this location.
    pub location_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountedIn {
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lines: Vec<CountedLineIn>,
    /// Goods in places that the sheet does not name.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub found: Vec<FoundIn>,
    /// That was all: hand the sheet in for approval.
    #[serde(default)]
    pub complete: bool,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountedLineIn {
    pub line_id: Uuid,
    pub counted_quantity: Quantity,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundIn {
    pub product_id: Uuid,
    /// Code of the lot, of a tracked product.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub lot: Option<String>,
    /// Of a lot that nobody knew.
    pub expires_on: Option<NaiveDate>,
    pub location_id: Option<Uuid>,
    pub counted_quantity: Quantity,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountApprovalIn {
    /// Posting date; default today, not before the day of the sheet.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountReasonIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// A count of what is there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockCount {
    pub id: Uuid,
    /// Given when it is posted.
    pub number: Option<String>,
    pub warehouse_id: Uuid,
    pub status: CountStatus,
    pub blind: bool,
    pub note: Option<String>,
    /// The day of the sheet; once posted, the posting date.
    pub counted_on: NaiveDate,
    /// API keys that counted.
    pub counted_by: Vec<Uuid>,
    pub approved_by: Option<Uuid>,
    /// Why it was rejected or cancelled.
    pub reason: Option<String>,
    pub lines: Vec<StockCountLine>,
    pub allowed_actions: Vec<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockCountLine {
    pub id: Uuid,
    pub product_id: Uuid,
    pub lot_id: Option<Uuid>,
    /// Code of the lot.
    pub lot: Option<String>,
    pub location_id: Option<Uuid>,
    pub counted_quantity: Option<Quantity>,
    /// What the books said when it was counted; hidden on a blind sheet until it is posted.
    pub book_quantity: Option<Quantity>,
    /// Counted less booked.
    pub difference: Option<SignedQuantity>,
    /// What the difference was worth, in the base currency, once posted.
    pub value: Option<Amount>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = stock_counts)]
struct CountRow {
    id: Uuid,
    number: Option<String>,
    warehouse_id: Uuid,
    status: CountStatus,
    blind: bool,
    note: Option<String>,
    counted_on: NaiveDate,
    counted_by: Vec<Uuid>,
    approved_by: Option<Uuid>,
    reason: Option<String>,
    version: i64,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = stock_count_lines)]
struct LineRow {
    id: Uuid,
    count_id: Uuid,
    product_id: Uuid,
    lot_id: Option<Uuid>,
    location_id: Option<Uuid>,
    counted_quantity: Option<Quantity>,
    book_quantity: Option<Quantity>,
    value: Option<Amount>,
    #[diesel(select_expression = lots::code.nullable())]
    lot: Option<String>,
}

impl LineRow {
    fn difference(&self) -> Option<SignedQuantity> {
        let difference = self.counted_quantity?.value() - self.book_quantity?.value();
        SignedQuantity::new(difference).ok()
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockCountsQuery {
    warehouse_id: Option<Uuid>,
    #[param(inline)]
    status: Option<CountStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `counted_on`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for StockCount {
    const PATH: &'static str = "stock-counts";
    const TYPE: &'static str = "stock_count";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for StockCount {
    const EVENT: &'static str = "stock_count.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_stock_counts)
        .add(create_stock_count)
        .add(get_stock_count)
        .add(record_stock_count)
        .add(approve_stock_count)
        .add(reject_stock_count)
        .add(cancel_stock_count);
}

#[utoipa::path(tag = "inventory", params(StockCountsQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of stock counts", body = Page<StockCount>)))]
#[get("/stock-counts")]
async fn list_stock_counts(read: Read<may::ReadStock>, query: Query<StockCountsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = stock_counts::table.select(CountRow::as_select()).into_boxed();
        if let Some(warehouse) = query.warehouse_id {
            found = found.filter(stock_counts::warehouse_id.eq(warehouse));
        }
        if let Some(status) = query.status {
            found = found.filter(stock_counts::status.eq(status));
        }
        let page: Result<Page<CountRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: stock_counts::id as Uuid => |row: &CountRow| row.id, [
            "created_at" => stock_counts::created_at as DateTime<Utc> => |row: &CountRow| row.created_at,
            "counted_on" => stock_counts::counted_on as NaiveDate => |row: &CountRow| row.counted_on,
        ]);
        let Page { items, next_cursor } = page?;
        let ids: Vec<Uuid> = items.iter().map(|row| row.id).collect();
        let lines = lines_of(conn, &ids)?;
        let items = items.into_iter().map(|row| shown(row, &lines)).collect();
        Ok(Page { items, next_cursor })
    })
    .await
}

/// Make a sheet of what is to be counted.
#[utoipa::path(tag = "inventory", request_body = StockCountIn, security(("api_key" = ["stock_counts:write"])),
    responses((status = 201, description = "The sheet", body = StockCount)))]
#[post("/stock-counts")]
async fn create_stock_count(command: Command<may::WriteCounts>, body: Body<StockCountIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The count", body = StockCount)))]
#[get("/stock-counts/{id}")]
async fn get_stock_count(read: Read<may::ReadStock>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let (row, lines) = load(conn, path.id)?;
        Ok(shown(row, &lines))
    })
    .await
}

/// Fill in what was counted, in one go or bit by bit; `complete` hands the sheet in.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = CountedIn, security(("api_key" = ["stock_counts:write"])),
    responses((status = 200, description = "The count", body = StockCount)))]
#[post("/stock-counts/{id}/record")]
async fn record_stock_count(
    command: Command<may::WriteCounts>,
    path: Path<IdPath>,
    body: Body<CountedIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::record(tx, path.id, &body.0)).await
}

/// Post the differences. Not by anybody who counted.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = CountApprovalIn, security(("api_key" = ["stock_counts:approve"])),
    responses((status = 200, description = "The posted count", body = StockCount)))]
#[post("/stock-counts/{id}/approve")]
async fn approve_stock_count(
    command: Command<may::ApproveCounts>,
    path: Path<IdPath>,
    body: Body<CountApprovalIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| approve::approve(tx, path.id, &body.0)).await
}

/// Send a sheet back: it is counted again from the beginning.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = CountReasonIn, security(("api_key" = ["stock_counts:approve"])),
    responses((status = 200, description = "The sheet, to be counted again", body = StockCount)))]
#[post("/stock-counts/{id}/reject")]
async fn reject_stock_count(
    command: Command<may::ApproveCounts>,
    path: Path<IdPath>,
    body: Body<CountReasonIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::reject(tx, path.id, &body.0.reason))
        .await
}

#[utoipa::path(tag = "inventory", params(IdPath), request_body = CountReasonIn, security(("api_key" = ["stock_counts:write"])),
    responses((status = 200, description = "The cancelled count", body = StockCount)))]
#[post("/stock-counts/{id}/cancel")]
async fn cancel_stock_count(
    command: Command<may::WriteCounts>,
    path: Path<IdPath>,
    body: Body<CountReasonIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::cancel(tx, path.id, &body.0.reason))
        .await
}

/// Counts up to a day that are neither posted nor cancelled: they stand in the way of closing a period.
///
/// # Errors
/// When the database refuses.
pub fn unapproved(conn: &mut PgConnection, until: NaiveDate) -> QueryResult<Vec<Uuid>> {
    stock_counts::table
        .filter(stock_counts::status.eq_any([CountStatus::Draft, CountStatus::Counted]))
        .filter(stock_counts::counted_on.le(until))
        .order(stock_counts::counted_on)
        .select(stock_counts::id)
        .load(conn)
}

fn lines_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<LineRow>> {
    let mut lines: Vec<LineRow> = stock_count_lines::table
        .left_join(lots::table)
        .filter(stock_count_lines::count_id.eq_any(ids))
        .order((stock_count_lines::count_id, stock_count_lines::position))
        .select(LineRow::as_select())
        .load(conn)?;
    let base = company::settings(conn)?.base_currency;
    for line in &mut lines {
        line.value = line.value.map(|value| posting::shown(base, value));
    }
    Ok(lines)
}

fn load(conn: &mut PgConnection, id: Uuid) -> Result<(CountRow, Vec<LineRow>)> {
    let row = stock_counts::table
        .find(id)
        .select(CountRow::as_select())
        .first(conn)
        .or_not_found("stock count")?;
    Ok((row, lines_of(conn, &[id])?))
}

/// What may be done next.
fn allowed(status: CountStatus) -> &'static [&'static str] {
    match status {
        CountStatus::Draft => &["record", "cancel"],
        CountStatus::Counted => &["approve", "reject", "cancel"],
        CountStatus::Posted | CountStatus::Cancelled => &[],
    }
}

fn shown(row: CountRow, lines: &[LineRow]) -> StockCount {
    let open = !row.blind || row.status == CountStatus::Posted;
    StockCount {
        lines: lines
            .iter()
            .filter(|line| line.count_id == row.id)
            .map(|line| StockCountLine {
                id: line.id,
                product_id: line.product_id,
                lot_id: line.lot_id,
                lot: line.lot.clone(),
                location_id: line.location_id,
                counted_quantity: line.counted_quantity,
                book_quantity: line.book_quantity.filter(|_| open),
                difference: line.difference().filter(|_| open),
                value: line.value,
            })
            .collect(),
        allowed_actions: allowed(row.status).iter().map(|action| (*action).to_owned()).collect(),
        id: row.id,
        number: row.number,
        warehouse_id: row.warehouse_id,
        status: row.status,
        blind: row.blind,
        note: row.note,
        counted_on: row.counted_on,
        counted_by: row.counted_by,
        approved_by: row.approved_by,
        reason: row.reason,
        version: row.version,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
