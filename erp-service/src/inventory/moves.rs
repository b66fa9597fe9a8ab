//! `GET /v1/stock-moves`: the append-only ledger of stock.

use crate::may;
use crate::schema::stock_moves;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::{Amount, SignedQuantity};
use service_kit::{Answer, Cursor, Limit, Page, Problem, Query, Read, Routes, Sort, keyset_page};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A signed quantity of a product that entered or left a warehouse.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = stock_moves)]
pub struct StockMove {
    pub id: i64,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub quantity: SignedQuantity,
    /// In the base currency. A revaluation has a value without a quantity.
    pub value: Amount,
    /// Business day.
    pub moved_on: NaiveDate,
    /// `opening`, `adjustment`, `receipt`, `delivery`, `customer_return`, `supplier_return`,
    /// `transfer`, `count`, `scrap`, `revaluation` or `relocation`.
    pub kind: String,
    /// Of a product that is tracked.
    pub lot_id: Option<Uuid>,
    /// Within the warehouse; absent where it was not put away.
    pub location_id: Option<Uuid>,
    /// The document behind it.
    pub document_id: Uuid,
    pub recorded_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockMovesQuery {
    product_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    document_id: Option<Uuid>,
    lot_id: Option<Uuid>,
    location_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `recorded_at` or `moved_on`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_stock_moves);
}

/// The ledger of stock.
#[utoipa::path(tag = "inventory", params(StockMovesQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of stock moves", body = Page<StockMove>)))]
#[get("/stock-moves")]
async fn list_stock_moves(read: Read<may::ReadStock>, query: Query<StockMovesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut moves = stock_moves::table.select(StockMove::as_select()).into_boxed();
        if let Some(product) = query.product_id {
            moves = moves.filter(stock_moves::product_id.eq(product));
        }
        if let Some(warehouse) = query.warehouse_id {
            moves = moves.filter(stock_moves::warehouse_id.eq(warehouse));
        }
        if let Some(document) = query.document_id {
            moves = moves.filter(stock_moves::document_id.eq(document));
        }
        if let Some(lot) = query.lot_id {
            moves = moves.filter(stock_moves::lot_id.eq(lot));
        }
        if let Some(location) = query.location_id {
            moves = moves.filter(stock_moves::location_id.eq(location));
        }
        keyset_page!(moves, conn, query.limit, query.cursor, query.sort, id: stock_moves::id as i64 => |m: &StockMove| m.id, [
            "recorded_at" => stock_moves::recorded_at as DateTime<Utc> => |m: &StockMove| m.recorded_at,
            "moved_on" => stock_moves::moved_on as NaiveDate => |m: &StockMove| m.moved_on,
        ])
    })
    .await
}
