//! Stock adjustments: stock found, lost, or there at the beginning, with a reason.

use crate::catalog;
use crate::inventory::levels::{self, Document};
use crate::inventory::warehouses;
use crate::may;
use crate::sales::backorders;
use crate::schema::{stock_adjustment_lines, stock_adjustments};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::decimal::SignedQuantity;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustmentIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Business day; default today, not in the future.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<StockAdjustmentLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct StockAdjustmentLine {
    pub product_id: Uuid,
    /// Positive: stock that came; negative: stock that is gone.
    pub quantity: SignedQuantity,
}

/// A posted stock adjustment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockAdjustment {
    pub id: Uuid,
    pub warehouse_id: Uuid,
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
    warehouse_id: Uuid,
    reason: String,
    adjusted_on: NaiveDate,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockAdjustmentsQuery {
    warehouse_id: Option<Uuid>,
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
    command.create(move |tx| adjust(tx, &body.0)).await
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
    let all: Vec<(Uuid, Uuid, SignedQuantity)> = stock_adjustment_lines::table
        .filter(stock_adjustment_lines::adjustment_id.eq_any(&ids))
        .order(stock_adjustment_lines::position)
        .select((
            stock_adjustment_lines::adjustment_id,
            stock_adjustment_lines::product_id,
            stock_adjustment_lines::quantity,
        ))
        .load(conn)?;
    let lines_of = |id| all.iter().filter(move |(of, _, _)| *of == id);
    let complete = rows.into_iter().map(|row| StockAdjustment {
        lines: lines_of(row.id)
            .map(|(_, product_id, quantity)| StockAdjustmentLine {
                product_id: *product_id,
                quantity: *quantity,
            })
            .collect(),
        id: row.id,
        warehouse_id: row.warehouse_id,
        reason: row.reason,
        date: row.adjusted_on,
        revision: 1,
        created_at: row.created_at,
    });
    Ok(complete.collect())
}

fn adjust(tx: &mut Tx<'_>, input: &StockAdjustmentIn) -> Result<StockAdjustment> {
    let date = input.date.unwrap_or(tx.today());
    check_input(tx, input, date)?;
    let mut moves: BTreeMap<Uuid, Decimal> = BTreeMap::new();
    for line in &input.lines {
        *moves.entry(line.product_id).or_insert(Decimal::ZERO) += line.quantity.value();
    }
    moves.retain(|_, quantity| !quantity.is_zero());
    let products: Vec<Uuid> = moves.keys().copied().collect();
    let locked = levels::lock(tx, input.warehouse_id, &products)?;
    let least = levels::least_on_hand_since(tx, &locked, date)?;
    refuse_shortage(&moves, &locked, &least)?;

    let adjustment = StockAdjustment {
        id: tx.mint(input.id),
        warehouse_id: input.warehouse_id,
        reason: input.reason.clone(),
        date,
        lines: input.lines.clone(),
        revision: 1,
        created_at: tx.now(),
    };
    insert(tx, &adjustment)?;
    let moves: Vec<(Uuid, Decimal)> = moves.into_iter().collect();
    levels::record_moves(
        tx,
        input.warehouse_id,
        &moves,
        Document {
            kind: "adjustment",
            id: adjustment.id,
            date,
        },
    )?;
    let more: Vec<Uuid> = moves
        .iter()
        .filter(|(_, quantity)| quantity.is_sign_positive())
        .map(|(product, _)| *product)
        .collect();
    backorders::fill(tx, input.warehouse_id, &more)?;
    tx.audit(None, &adjustment)?;
    Ok(adjustment)
}

fn check_input(tx: &mut Tx<'_>, input: &StockAdjustmentIn, date: NaiveDate) -> Result<()> {
    let mut faults = Faults::default();
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let today = tx.today();
    if date > today {
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
    }
    let facts = catalog::facts(tx, &input.lines.iter().map(|line| line.product_id).collect::<Vec<_>>())?;
    for (index, line) in input.lines.iter().enumerate() {
        match facts.get(&line.product_id) {
            None => faults.add(
                format!("/lines/{index}/product_id"),
                "unknown_product",
                "there is no such product",
            ),
            Some(facts) if !facts.stocked => faults.add(
                format!("/lines/{index}/product_id"),
                "not_stocked",
                "a service has no stock",
            ),
            Some(_) => {}
        }
        if line.quantity.is_zero() {
            faults.add(format!("/lines/{index}/quantity"), "out_of_range", "must not be 0");
        }
    }
    Ok(faults.check()?)
}

/// Stock that is reserved, or that a later day needs, cannot be taken away; all shortages at once.
fn refuse_shortage(
    moves: &BTreeMap<Uuid, Decimal>,
    locked: &BTreeMap<Uuid, levels::Level>,
    least: &BTreeMap<Uuid, Decimal>,
) -> Result<(), Problem> {
    let short: Vec<_> = moves
        .iter()
        .filter_map(|(product, quantity)| {
            let free = locked.get(product).map_or(Decimal::ZERO, |level| level.free().value());
            let available = least.get(product).copied().map_or(free, |least| least.min(free));
            (*quantity + available < Decimal::ZERO)
                .then(|| serde_json::json!({ "product_id": product, "wanted": (-*quantity).normalize(), "available": available.normalize() }))
        })
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => Err(
            Problem::conflict("insufficient_stock", "less is free than is to be taken away").fact("products", short),
        ),
    }
}

fn insert(tx: &mut Tx<'_>, adjustment: &StockAdjustment) -> Result<()> {
    diesel::insert_into(stock_adjustments::table)
        .values((
            stock_adjustments::id.eq(adjustment.id),
            stock_adjustments::warehouse_id.eq(adjustment.warehouse_id),
            stock_adjustments::reason.eq(&adjustment.reason),
            stock_adjustments::adjusted_on.eq(adjustment.date),
            stock_adjustments::created_at.eq(adjustment.created_at),
        ))
        .execute(&mut **tx)?;
    let lines = &adjustment.lines;
    sql("INSERT INTO stock_adjustment_lines (adjustment_id, position, product_id, quantity) SELECT $1, * FROM unnest($2, $3, $4)")
        .bind::<SqlUuid, _>(adjustment.id)
        .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
        .run(tx)?;
    Ok(())
}
