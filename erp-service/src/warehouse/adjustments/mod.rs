//! Stock adjustments: stock found, lost, or there at the beginning, with a reason.
//!
//! What comes in is worth `unit_cost`, by default the current average, else the last cost known, else
//! nothing; what goes takes its share of the value. Posted to the ledger against stock adjustments, or
//! against the opening balance.

mod post;

pub use post::adjust;

use crate::company;
use crate::inventory::lots::LotQuantity;
use crate::inventory::posting;
use crate::may;
use crate::schema::{stock_adjustment_lines, stock_adjustments};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::decimal::{Amount, SignedQuantity, UnitPrice};
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Opening stock posts against the opening balance, a correction against stock adjustments.
    /// Scrap is posted by `POST /v1/scraps`, against scrap.
    AdjustmentKind { Correction = "correction", Opening = "opening", Scrap = "scrap" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustmentIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    /// Default `correction`; for scrap see `POST /v1/scraps`.
    #[schema(nullable = false)]
    pub kind: Option<AdjustmentKind>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Posting date; default today, not in the future, not in a closed period.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<StockAdjustmentLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustmentLineIn {
    pub product_id: Uuid,
    /// Positive: stock that came; negative: stock that is gone.
    pub quantity: SignedQuantity,
    /// What a unit that came is worth, in the base currency. Absent: the current average, else the
    /// last cost known, else 0.
    pub unit_cost: Option<UnitPrice>,
    /// Of tracked products: for what comes, lots for the whole quantity; for what goes, those that
    /// it must come from, the rest goes first expired, first out.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lots: Vec<LotQuantity>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct StockAdjustmentLine {
    pub product_id: Uuid,
    pub quantity: SignedQuantity,
    /// As given.
    pub unit_cost: Option<UnitPrice>,
    /// What came or went, in the base currency, with the sign of the quantity.
    pub value: Amount,
    /// As given; what was taken stands in the stock moves of this document.
    pub lots: Vec<LotQuantity>,
}

/// A posted stock adjustment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockAdjustment {
    pub id: Uuid,
    /// `null` in a dry run.
    pub number: Option<String>,
    pub warehouse_id: Uuid,
    pub kind: AdjustmentKind,
    pub reason: String,
    pub date: NaiveDate,
    pub lines: Vec<StockAdjustmentLine>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = stock_adjustments)]
struct AdjustmentRow {
    id: Uuid,
    number: Option<String>,
    warehouse_id: Uuid,
    kind: AdjustmentKind,
    reason: String,
    adjusted_on: NaiveDate,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockAdjustmentsQuery {
    warehouse_id: Option<Uuid>,
    #[param(inline)]
    kind: Option<AdjustmentKind>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for StockAdjustment {
    const PATH: &'static str = "stock-adjustments";
    const TYPE: &'static str = "stock_adjustment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_stock_adjustments)
        .add(create_stock_adjustment)
        .add(get_stock_adjustment);
}

#[utoipa::path(tag = "inventory", params(StockAdjustmentsQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of stock adjustments", body = Page<StockAdjustment>)))]
#[get("/stock-adjustments")]
async fn list_stock_adjustments(
    read: Read<may::ReadStock>,
    query: Query<StockAdjustmentsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = stock_adjustments::table.select(AdjustmentRow::as_select()).into_boxed();
        if let Some(warehouse) = query.warehouse_id {
            rows = rows.filter(stock_adjustments::warehouse_id.eq(warehouse));
        }
        if let Some(kind) = query.kind {
            rows = rows.filter(stock_adjustments::kind.eq(kind));
        }
        let page: Result<Page<AdjustmentRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: stock_adjustments::id as Uuid => |row: &AdjustmentRow| row.id, [
            "created_at" => stock_adjustments::created_at as DateTime<Utc> => |row: &AdjustmentRow| row.created_at,
            "date" => stock_adjustments::adjusted_on as NaiveDate => |row: &AdjustmentRow| row.adjusted_on,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: complete(conn, items)?,
            next_cursor,
        })
    })
    .await
}

/// Correct stock by signed quantities. What becomes free fills backorders at once.
#[utoipa::path(tag = "inventory", request_body = StockAdjustmentIn, security(("api_key" = ["stock:adjust"])),
    responses((status = 201, description = "The posted adjustment", body = StockAdjustment)))]
#[post("/stock-adjustments")]
async fn create_stock_adjustment(
    command: Command<may::AdjustStock>,
    body: Body<StockAdjustmentIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            if body.0.kind == Some(AdjustmentKind::Scrap) {
                let mut faults = Faults::default();
                faults.add("/kind", "not_applicable", "scrap goes through /v1/scraps");
                faults.check()?;
            }
            post::adjust(tx, &body.0)
        })
        .await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The adjustment", body = StockAdjustment)))]
#[get("/stock-adjustments/{id}")]
async fn get_stock_adjustment(read: Read<may::ReadStock>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let row = stock_adjustments::table
            .find(path.id)
            .select(AdjustmentRow::as_select())
            .first(conn)
            .or_not_found("stock adjustment")?;
        complete(conn, vec![row])?
            .pop()
            .ok_or_else(|| Problem::not_found("stock adjustment").into())
    })
    .await
}

fn complete(conn: &mut PgConnection, rows: Vec<AdjustmentRow>) -> QueryResult<Vec<StockAdjustment>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<(Uuid, Uuid, SignedQuantity, Option<UnitPrice>, Amount, Value)> = stock_adjustment_lines::table
        .filter(stock_adjustment_lines::adjustment_id.eq_any(&ids))
        .order(stock_adjustment_lines::position)
        .select((
            stock_adjustment_lines::adjustment_id,
            stock_adjustment_lines::product_id,
            stock_adjustment_lines::quantity,
            stock_adjustment_lines::unit_cost,
            stock_adjustment_lines::value,
            stock_adjustment_lines::lots,
        ))
        .load(conn)?;
    let base = company::settings(conn)?.base_currency;
    let lines_of = |id| all.iter().filter(move |line| line.0 == id);
    let complete = rows.into_iter().map(|row| StockAdjustment {
        lines: lines_of(row.id)
            .map(
                |(_, product_id, quantity, unit_cost, value, lots)| StockAdjustmentLine {
                    product_id: *product_id,
                    quantity: *quantity,
                    unit_cost: *unit_cost,
                    value: posting::shown(base, *value),
                    lots: serde_json::from_value(lots.clone()).unwrap_or_default(),
                },
            )
            .collect(),
        id: row.id,
        number: row.number,
        warehouse_id: row.warehouse_id,
        kind: row.kind,
        reason: row.reason,
        date: row.adjusted_on,
        revision: 1,
        created_at: row.created_at,
    });
    Ok(complete.collect())
}
