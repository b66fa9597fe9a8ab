//! Availability per product and warehouse, as the ERP last told it, in bulk.
//!
//! Applying leaves neither audit rows nor events: a busy warehouse changes thousands of pairs an
//! hour, each change is recorded in the ERP as a stock move, and what is shown here says by
//! `as_of` and `source_version` which state of the ERP it is.

use super::incoming::{self, IncomingStock};
use crate::may;
use crate::schema::availability;
use actix_web::put;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Numeric, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Answer, Body, Command, Faults, Problem, Quantity, Result, Routes};
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// Availability of up to 500 pairs of product and warehouse.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityIn {
    #[schema(max_items = 500)]
    pub items: Vec<AvailabilityItemIn>,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
}

/// Availability of one product in one warehouse, as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityItemIn {
    /// The ERP's id of this pair.
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    /// At most what is on hand.
    pub reserved: Quantity,
    /// What is expected and not promised yet, by day.
    #[serde(default)]
    #[schema(max_items = 60)]
    pub incoming: Vec<IncomingStock>,
    /// The ERP's version of this pair.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
}

/// What became of each item, in the order sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AvailabilityApplied {
    pub items: Vec<AppliedItem>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AppliedItem {
    /// The ERP's id of the pair.
    pub id: Uuid,
    pub result: AppliedResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppliedResult {
    Applied,
    /// An equal or newer version was stored already.
    Unchanged,
}

/// Stock of one product in one warehouse.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = availability)]
pub struct StockLevel {
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    /// [`IncomingStock`] by day.
    pub incoming: serde_json::Value,
    pub as_of: DateTime<Utc>,
    pub revision: i64,
}

/// Stock of a product over all warehouses; zeros and no `as_of` until the ERP has told any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Availability {
    pub on_hand: Quantity,
    pub reserved: Quantity,
    /// On hand less reserved.
    pub available: Quantity,
    /// What the ERP expects and has not promised to others, by day over all warehouses. When a date has
    /// passed, the goods are late.
    pub incoming: Vec<IncomingStock>,
    /// The latest word of the ERP on any of the warehouses.
    pub as_of: Option<DateTime<Utc>>,
    pub warehouses: Vec<WarehouseAvailability>,
}

/// Stock of a product in one warehouse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WarehouseAvailability {
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    pub available: Quantity,
    pub incoming: Vec<IncomingStock>,
    pub as_of: DateTime<Utc>,
}

impl Availability {
    /// # Errors
    /// When what is stored as incoming is none, which is a bug.
    pub fn add(&mut self, level: &StockLevel) -> QueryResult<()> {
        let here = WarehouseAvailability {
            warehouse_id: level.warehouse_id,
            on_hand: level.on_hand,
            reserved: level.reserved,
            available: level.on_hand - level.reserved,
            incoming: Vec::deserialize(&level.incoming)
                .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))?,
            as_of: level.as_of,
        };
        self.on_hand = self.on_hand + here.on_hand;
        self.reserved = self.reserved + here.reserved;
        self.available = self.available + here.available;
        incoming::merge(&mut self.incoming, &here.incoming);
        self.as_of = self.as_of.max(Some(here.as_of));
        self.warehouses.push(here);
        Ok(())
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(apply_availability);
}

/// Apply availability as the ERP has it, up to 500 pairs at once. For the sync.
#[utoipa::path(tag = "catalogue", request_body = AvailabilityIn, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "What became of each item", body = AvailabilityApplied)))]
#[put("/availability")]
async fn apply_availability(
    command: Command<may::ApplyAvailability>,
    body: Body<AvailabilityIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            check(&body.0)?;
            let applied = apply(tx, &body.0)?;
            let items = body.0.items.iter().map(|item| AppliedItem {
                id: item.id,
                result: match applied.contains(&(item.product_id, item.warehouse_id)) {
                    true => AppliedResult::Applied,
                    false => AppliedResult::Unchanged,
                },
            });
            Ok(Answer::json(&AvailabilityApplied { items: items.collect() })?)
        })
        .await
}

fn check(told: &AvailabilityIn) -> Result<(), Problem> {
    let (mut faults, mut pairs) = (Faults::default(), HashSet::new());
    for (index, item) in told.items.iter().enumerate() {
        if item.reserved > item.on_hand {
            faults.add(
                format!("/items/{index}/reserved"),
                "out_of_range",
                "no more can be reserved than is on hand",
            );
        }
        let mut days = HashSet::new();
        for (position, day) in item.incoming.iter().enumerate() {
            let pointer = format!("/items/{index}/incoming/{position}");
            if day.quantity.is_zero() {
                faults.add(format!("{pointer}/quantity"), "out_of_range", "must be more than 0");
            }
            if !days.insert(day.expected_on) {
                faults.add(
                    format!("{pointer}/expected_on"),
                    "duplicate",
                    "this day stands in an earlier entry",
                );
            }
        }
        if !pairs.insert((item.product_id, item.warehouse_id)) {
            faults.add(
                format!("/items/{index}"),
                "duplicate",
                "this product and warehouse stand in an earlier item",
            );
        }
    }
    faults.check()
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
}

/// Stores what is newer, in one statement; rows are locked in key order. Returns what applied.
fn apply(conn: &mut PgConnection, told: &AvailabilityIn) -> Result<HashSet<(Uuid, Uuid)>> {
    let items = &told.items;
    let incoming = items
        .iter()
        .map(|i| serde_json::to_value(&i.incoming))
        .collect::<Result<Vec<_>, _>>()?;
    let applied: Vec<Pair> = sql("INSERT INTO availability AS stored
             (product_id, warehouse_id, stock_level_id, on_hand, reserved, incoming, source_version, as_of, revision)
         SELECT told.*, 1
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
             AS told (product_id, warehouse_id, stock_level_id, on_hand, reserved, incoming, source_version, as_of)
         ORDER BY product_id, warehouse_id
         ON CONFLICT (product_id, warehouse_id) DO UPDATE
         SET stock_level_id = excluded.stock_level_id, on_hand = excluded.on_hand, reserved = excluded.reserved,
             incoming = excluded.incoming, source_version = excluded.source_version, as_of = excluded.as_of, revision = stored.revision + 1
         WHERE $9 OR excluded.source_version > stored.source_version
         RETURNING product_id, warehouse_id")
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.product_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.warehouse_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(items.iter().map(|i| i.id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(items.iter().map(|i| i.on_hand).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(items.iter().map(|i| i.reserved).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(incoming)
    .bind::<Array<BigInt>, _>(items.iter().map(|i| i.source_version).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(items.iter().map(|i| i.as_of).collect::<Vec<_>>())
    .bind::<Bool, _>(told.replace)
    .rows(conn)?;
    Ok(applied
        .into_iter()
        .map(|pair| (pair.product_id, pair.warehouse_id))
        .collect())
}

/// Stock of these products in all warehouses.
fn of_products(conn: &mut PgConnection, product_ids: &[Uuid]) -> QueryResult<Vec<StockLevel>> {
    availability::table
        .filter(availability::product_id.eq_any(product_ids))
        .order((availability::product_id, availability::warehouse_id))
        .select(StockLevel::as_select())
        .load(conn)
}

/// Stock of each of these products over all warehouses, and how often any of it changed.
///
/// # Errors
/// When the database refuses.
pub fn stock(conn: &mut PgConnection, product_ids: &[Uuid]) -> QueryResult<HashMap<Uuid, (Availability, i64)>> {
    let mut stock: HashMap<Uuid, (Availability, i64)> = HashMap::new();
    for level in of_products(conn, product_ids)? {
        let (sum, revisions) = stock.entry(level.product_id).or_default();
        sum.add(&level)?;
        *revisions += level.revision;
    }
    Ok(stock)
}
