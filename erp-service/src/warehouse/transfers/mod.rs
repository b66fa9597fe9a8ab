//! Transfers between warehouses, in two steps: shipped, then received, in parts if need be.
//!
//! On the way the goods lie in the transit warehouse, at what they were worth when they left; they
//! are expected where they go ([`supply`](crate::inventory::supply)). A rest that does not arrive is
//! written off with a reason, and closes the transfer.
//!
//! States: `in_transit` → `received` (all of it) or `closed` (a rest was written off). Received + written
//! off ≤ shipped, per line.

mod actions;

use crate::company;
use crate::inventory::lots::LotQuantity;
use crate::inventory::posting;
use crate::may;
use crate::schema::{transfer_lines, transfers};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::http::IdPath;
use service_kit::tx::Emitted;
use service_kit::{
    Amount, Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Quantity, Query, Read, Resource,
    Result, Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    TransferStatus {
        InTransit = "in_transit",
        Received = "received",
        /// A rest was written off.
        Closed = "closed",
    }
}

text_enum! {
    WriteOff { Scrap = "scrap", Adjustment = "adjustment" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferIn {
    pub id: Option<Uuid>,
    pub from_warehouse_id: Uuid,
    pub to_warehouse_id: Uuid,
    /// Posting date of the shipment; default today.
    pub date: Option<NaiveDate>,
    /// When it will be there; default the day it leaves.
    pub expected_on: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<TransferLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLineIn {
    pub id: Option<Uuid>,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Lots and locations that it is taken from; absent: first expired, first out.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lots: Vec<LotQuantity>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferReceiptIn {
    /// Posting date; default today, not before it was shipped.
    pub date: Option<NaiveDate>,
    /// Absent: all that is under way.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<TransferReceiptLineIn>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferReceiptLineIn {
    pub line_id: Uuid,
    pub quantity: Quantity,
    /// Where it is put away.
    pub location_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferCloseIn {
    /// Posting date; default today, not before it was shipped.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// What the rest is posted against; default `scrap`.
    #[schema(nullable = false)]
    pub write_off: Option<WriteOff>,
}

/// Goods on their way from one warehouse to another.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    pub id: Uuid,
    /// `null` in a dry run.
    pub number: Option<String>,
    pub status: TransferStatus,
    pub from_warehouse_id: Uuid,
    pub to_warehouse_id: Uuid,
    /// Where the goods lie meanwhile.
    pub transit_warehouse_id: Uuid,
    pub shipped_on: NaiveDate,
    pub expected_on: NaiveDate,
    pub note: Option<String>,
    pub close_reason: Option<String>,
    pub lines: Vec<TransferLine>,
    pub allowed_actions: Vec<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TransferLine {
    pub id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub received_quantity: Quantity,
    pub written_off_quantity: Quantity,
    /// What it was worth when it left, in the base currency.
    pub value: Amount,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transfers)]
struct TransferRow {
    id: Uuid,
    number: Option<String>,
    status: TransferStatus,
    from_warehouse_id: Uuid,
    to_warehouse_id: Uuid,
    transit_warehouse_id: Uuid,
    shipped_on: NaiveDate,
    expected_on: NaiveDate,
    note: Option<String>,
    close_reason: Option<String>,
    version: i64,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transfer_lines)]
struct LineRow {
    id: Uuid,
    transfer_id: Uuid,
    product_id: Uuid,
    quantity: Quantity,
    received_quantity: Quantity,
    written_off_quantity: Quantity,
    value: Amount,
    open_lots: Value,
}

impl LineRow {
    fn open(&self) -> Quantity {
        self.quantity - self.received_quantity - self.written_off_quantity
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TransfersQuery {
    #[param(inline)]
    status: Option<TransferStatus>,
    from_warehouse_id: Option<Uuid>,
    to_warehouse_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `shipped_on`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Transfer {
    const PATH: &'static str = "transfers";
    const TYPE: &'static str = "transfer";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Transfer {
    const EVENT: &'static str = "transfer.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_transfers)
        .add(ship_transfer)
        .add(get_transfer)
        .add(receive_transfer)
        .add(close_transfer);
}

#[utoipa::path(tag = "inventory", params(TransfersQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of transfers", body = Page<Transfer>)))]
#[get("/transfers")]
async fn list_transfers(read: Read<may::ReadStock>, query: Query<TransfersQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = transfers::table.select(TransferRow::as_select()).into_boxed();
        if let Some(status) = query.status {
            found = found.filter(transfers::status.eq(status));
        }
        if let Some(warehouse) = query.from_warehouse_id {
            found = found.filter(transfers::from_warehouse_id.eq(warehouse));
        }
        if let Some(warehouse) = query.to_warehouse_id {
            found = found.filter(transfers::to_warehouse_id.eq(warehouse));
        }
        let page: Result<Page<TransferRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: transfers::id as Uuid => |row: &TransferRow| row.id, [
            "created_at" => transfers::created_at as DateTime<Utc> => |row: &TransferRow| row.created_at,
            "shipped_on" => transfers::shipped_on as NaiveDate => |row: &TransferRow| row.shipped_on,
        ]);
        let Page { items, next_cursor } = page?;
        let ids: Vec<Uuid> = items.iter().map(|row| row.id).collect();
        let lines = lines_of(conn, &ids)?;
        let items = items.into_iter().map(|row| shown(row, &lines)).collect();
        Ok(Page { items, next_cursor })
    })
    .await
}

/// Ship goods to another warehouse: they leave at the average, and are in transit.
#[utoipa::path(tag = "inventory", request_body = TransferIn, security(("api_key" = ["transfers:write"])),
    responses((status = 201, description = "The transfer, under way", body = Transfer)))]
#[post("/transfers")]
async fn ship_transfer(command: Command<may::WriteTransfers>, body: Body<TransferIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::ship(tx, &body.0)).await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The transfer", body = Transfer)))]
#[get("/transfers/{id}")]
async fn get_transfer(read: Read<may::ReadStock>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let (row, lines) = load(conn, path.id)?;
        Ok(shown(row, &lines))
    })
    .await
}

/// Receive what has arrived; what becomes free fills backorders.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = TransferReceiptIn, security(("api_key" = ["transfers:write"])),
    responses((status = 200, description = "The transfer", body = Transfer)))]
#[post("/transfers/{id}/receive")]
async fn receive_transfer(
    command: Command<may::WriteTransfers>,
    path: Path<IdPath>,
    body: Body<TransferReceiptIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::receive(tx, path.id, &body.0)).await
}

/// Write off what will not arrive, with a reason.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = TransferCloseIn, security(("api_key" = ["transfers:write"])),
    responses((status = 200, description = "The closed transfer", body = Transfer)))]
#[post("/transfers/{id}/close")]
async fn close_transfer(
    command: Command<may::WriteTransfers>,
    path: Path<IdPath>,
    body: Body<TransferCloseIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::close(tx, path.id, &body.0)).await
}

fn lines_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<LineRow>> {
    let mut lines: Vec<LineRow> = transfer_lines::table
        .filter(transfer_lines::transfer_id.eq_any(ids))
        .order((transfer_lines::transfer_id, transfer_lines::position))
        .select(LineRow::as_select())
        .load(conn)?;
    let base = company::settings(conn)?.base_currency;
    for line in &mut lines {
        line.value = posting::shown(base, line.value);
    }
    Ok(lines)
}

fn load(conn: &mut PgConnection, id: Uuid) -> Result<(TransferRow, Vec<LineRow>)> {
    let row = transfers::table
        .find(id)
        .select(TransferRow::as_select())
        .first(conn)
        .or_not_found("transfer")?;
    Ok((row, lines_of(conn, &[id])?))
}

fn shown(row: TransferRow, lines: &[LineRow]) -> Transfer {
    let open = row.status == TransferStatus::InTransit;
    Transfer {
        lines: lines
            .iter()
            .filter(|line| line.transfer_id == row.id)
            .map(|line| TransferLine {
                id: line.id,
                product_id: line.product_id,
                quantity: line.quantity,
                received_quantity: line.received_quantity,
                written_off_quantity: line.written_off_quantity,
                value: line.value,
            })
            .collect(),
        allowed_actions: if open {
            vec!["receive".to_owned(), "close".to_owned()]
        } else {
            Vec::new()
        },
        id: row.id,
        number: row.number,
        status: row.status,
        from_warehouse_id: row.from_warehouse_id,
        to_warehouse_id: row.to_warehouse_id,
        transit_warehouse_id: row.transit_warehouse_id,
        shipped_on: row.shipped_on,
        expected_on: row.expected_on,
        note: row.note,
        close_reason: row.close_reason,
        version: row.version,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
