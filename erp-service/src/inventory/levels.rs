//! Stock levels: lock, reserve, free. What comes and goes stands in [`movement`](super::movement).
//! Every change is announced as `availability.changed`.

pub use super::movement::{
    Document, Incoming, Issue, Issued, LateCost, Pick, Values, issue, issue_reserved, late_cost, receive, revalue,
};

use super::incoming::IncomingStock;
use super::lots;
use crate::schema::stock_levels;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Numeric, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Error, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use utoipa::ToSchema;
use uuid::Uuid;

/// What of one product is in one warehouse, as it is stored.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, PartialEq)]
#[diesel(table_name = stock_levels)]
pub struct LevelRow {
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    /// What it is worth, in the base currency: the sum of its moves' values.
    pub value: Decimal,
    /// Whether it lies in lots.
    pub tracked: bool,
    /// Of it in lots if tracked, else in locations.
    pub placed: Quantity,
    /// Of what is reserved, by promises.
    pub held: Quantity,
    /// What is expected and can still be promised, by day: [`IncomingStock`].
    pub incoming: serde_json::Value,
    pub last_move_on: Option<NaiveDate>,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
}

/// What of one product is in one warehouse, and what of it has expired.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    row: LevelRow,
    /// In lots that may not be sold any more.
    pub expired: Quantity,
}

impl Deref for Level {
    type Target = LevelRow;
    fn deref(&self) -> &LevelRow {
        &self.row
    }
}

/// Availability of a product in a warehouse.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Availability {
    /// The stock level; subject of `availability.changed`.
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub on_hand: Quantity,
    /// Held by confirmed orders and promises.
    pub reserved: Quantity,
    /// In lots that have expired.
    pub expired: Quantity,
    /// On hand − reserved − expired, at least 0.
    pub available: Quantity,
    /// What is expected and can still be promised, by day, earliest first: less what promises hold and
    /// orders wait for. What comes after the 59th day counts for the last.
    #[schema(max_items = 60)]
    pub incoming: Vec<IncomingStock>,
    pub version: i64,
    pub as_of: DateTime<Utc>,
}

impl Level {
    /// What can be promised: neither reserved nor expired.
    pub fn free(&self) -> Quantity {
        let left = self.on_hand.value() - self.reserved.value() - self.expired.value();
        Quantity::new(left.max(Decimal::ZERO)).unwrap_or_default()
    }
}

impl TryFrom<Level> for Availability {
    type Error = Error;

    fn try_from(level: Level) -> Result<Self> {
        Ok(Availability {
            available: level.free(),
            expired: level.expired,
            id: level.id,
            product_id: level.product_id,
            warehouse_id: level.warehouse_id,
            on_hand: level.on_hand,
            reserved: level.reserved,
            incoming: serde_json::from_value(level.row.incoming)?,
            version: level.row.version,
            as_of: level.row.updated_at,
        })
    }
}

/// Quantities by product, in key order: what a document wants of one warehouse.
pub type Demand = BTreeMap<Uuid, Quantity>;

fn columns(demand: &Demand) -> (Vec<Uuid>, Vec<Quantity>) {
    demand.iter().map(|(product, quantity)| (*product, *quantity)).unzip()
}

pub(super) fn announce(tx: &mut Tx<'_>, levels: Vec<LevelRow>) -> Result<()> {
    let today = tx.today();
    for level in with_expired(tx, levels, today)? {
        let (id, version) = (level.id, level.version);
        let data = serde_json::to_value(Availability::try_from(level)?)?;
        tx.emit("availability.changed", id, version, data);
    }
    Ok(())
}

/// Adds what has expired; asks only when there is something in lots.
pub(super) fn with_expired(conn: &mut PgConnection, rows: Vec<LevelRow>, today: NaiveDate) -> Result<Vec<Level>> {
    let tracked: Vec<Uuid> = rows.iter().filter(|row| row.tracked).map(|row| row.id).collect();
    let expired = match tracked.is_empty() {
        true => HashMap::new(),
        false => lots::expired(conn, tracked, today)?,
    };
    let levels = rows.into_iter().map(|row| Level {
        expired: expired.get(&row.id).copied().unwrap_or_default(),
        row,
    });
    Ok(levels.collect())
}

#[derive(QueryableByName)]
struct Reserved {
    #[diesel(embed)]
    level: LevelRow,
    #[diesel(sql_type = Numeric)]
    taken: Quantity,
}

/// Reserves of each product what is free, at most what is wanted. Returns what was taken.
///
/// One statement locks the levels in key order, so that concurrent orders neither deadlock nor
/// oversell. A level that does not exist yet is made, so that whoever receives stock meets it.
///
/// # Errors
/// When the database refuses.
pub fn reserve(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<Demand> {
    let mut taken = take(tx, warehouse_id, demand, false)?;
    let missing: Demand = demand
        .iter()
        .filter(|(product, _)| !taken.contains_key(product))
        .map(|(p, q)| (*p, *q))
        .collect();
    if !missing.is_empty() {
        taken.extend(reserve_unusual(tx, warehouse_id, &missing)?);
    }
    Ok(taken)
}

/// What the one statement leaves aside: levels that do not exist yet, and those in lots, where
/// what has expired must be known under the lock.
fn reserve_unusual(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<Demand> {
    let levels = lock(tx, warehouse_id, &demand.keys().copied().collect::<Vec<_>>())?;
    let wanted = |tracked: bool| -> Demand {
        let of_kind = levels.values().filter(|level| level.tracked == tracked);
        of_kind
            .filter_map(|level| {
                let wanted = demand.get(&level.product_id)?;
                Some((level.product_id, (*wanted).min(level.free())))
            })
            .collect()
    };
    let mut taken = take(tx, warehouse_id, &wanted(false), false)?;
    taken.extend(take(tx, warehouse_id, &wanted(true), true)?);
    Ok(taken)
}

fn take(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand, tracked: bool) -> Result<Demand> {
    if demand.is_empty() {
        return Ok(Demand::new());
    }
    let (products, quantities) = columns(demand);
    let rows: Vec<Reserved> = sql("WITH locked AS (
             SELECT l.id, least(w.quantity, l.on_hand - l.reserved) AS taken
             FROM stock_levels l
             JOIN unnest($1, $2) AS w(product_id, quantity) ON w.product_id = l.product_id
             WHERE l.warehouse_id = $3 AND l.tracked = $4
             ORDER BY l.product_id
             FOR UPDATE OF l)
         UPDATE stock_levels l
         SET reserved = l.reserved + locked.taken,
             version = l.version + (locked.taken > 0)::int,
             updated_at = CASE WHEN locked.taken > 0 THEN $5 ELSE l.updated_at END
         FROM locked WHERE l.id = locked.id
         RETURNING l.*, locked.taken")
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Bool, _>(tracked)
    .bind::<Timestamptz, _>(tx.now())
    .rows(tx)?;
    let taken = rows.iter().map(|row| (row.level.product_id, row.taken)).collect();
    let changed = rows.into_iter().filter(|row| !row.taken.is_zero());
    announce(tx, changed.map(|row| row.level).collect())?;
    Ok(taken)
}

/// Makes the levels that do not exist yet, empty.
fn ensure(tx: &mut Tx<'_>, warehouse_id: Uuid, products: Vec<Uuid>) -> Result<()> {
    sql("INSERT INTO stock_levels (product_id, warehouse_id)
         SELECT product_id, $1 FROM unnest($2) AS w(product_id) ORDER BY product_id
         ON CONFLICT (product_id, warehouse_id) DO NOTHING")
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Array<SqlUuid>, _>(products)
    .run(tx)?;
    Ok(())
}

/// Locks levels in key order, making those that do not exist yet.
///
/// # Errors
/// When the database refuses.
pub fn lock(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<BTreeMap<Uuid, Level>> {
    let mut levels = lock_existing(tx, warehouse_id, products)?;
    let missing: Vec<Uuid> = products
        .iter()
        .filter(|product| !levels.contains_key(product))
        .copied()
        .collect();
    if !missing.is_empty() {
        ensure(tx, warehouse_id, missing)?;
        levels = lock_existing(tx, warehouse_id, products)?;
    }
    Ok(levels)
}

fn lock_existing(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<BTreeMap<Uuid, Level>> {
    let rows: Vec<LevelRow> = stock_levels::table
        .filter(
            stock_levels::warehouse_id
                .eq(warehouse_id)
                .and(stock_levels::product_id.eq_any(products)),
        )
        .order(stock_levels::product_id)
        .for_update()
        .select(LevelRow::as_select())
        .load(&mut **tx)?;
    let today = tx.today();
    let levels = with_expired(tx, rows, today)?;
    Ok(levels.into_iter().map(|level| (level.product_id, level)).collect())
}

/// Gives reserved stock free again; the levels are locked already.
///
/// # Errors
/// When the database refuses.
pub fn free(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<()> {
    if demand.is_empty() {
        return Ok(());
    }
    let (products, quantities) = columns(demand);
    let levels: Vec<LevelRow> = sql("UPDATE stock_levels l
         SET reserved = l.reserved - w.quantity, version = l.version + 1, updated_at = $1
         FROM unnest($2, $3) AS w(product_id, quantity)
         WHERE l.product_id = w.product_id AND l.warehouse_id = $4
         RETURNING l.*")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(warehouse_id)
    .rows(tx)?;
    expect_all(demand, levels.len())?;
    announce(tx, levels)
}

pub(super) fn announce_current(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<()> {
    let levels = stock_levels::table
        .filter(
            stock_levels::warehouse_id
                .eq(warehouse_id)
                .and(stock_levels::product_id.eq_any(products)),
        )
        .select(LevelRow::as_select())
        .load(&mut **tx)?;
    announce(tx, levels)
}

/// Reserves for a promise what is free; the levels are locked already.
///
/// # Errors
/// When the database refuses, for one because less is free.
pub fn hold(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<()> {
    change_held(tx, warehouse_id, demand, Decimal::ONE)
}

/// Gives free what promises held; the levels are locked already.
pub(super) fn unhold(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<()> {
    change_held(tx, warehouse_id, demand, -Decimal::ONE)
}

fn change_held(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand, sign: Decimal) -> Result<()> {
    if demand.is_empty() {
        return Ok(());
    }
    let (products, quantities): (Vec<Uuid>, Vec<Decimal>) = demand.iter().map(|(p, q)| (*p, sign * q.value())).unzip();
    let levels: Vec<LevelRow> = sql("UPDATE stock_levels l
         SET reserved = l.reserved + w.quantity, held = l.held + w.quantity, version = l.version + 1, updated_at = $1
         FROM unnest($2, $3) AS w(product_id, quantity)
         WHERE l.product_id = w.product_id AND l.warehouse_id = $4
         RETURNING l.*")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(warehouse_id)
    .rows(tx)?;
    expect_all(demand, levels.len())?;
    announce(tx, levels)
}

fn expect_all(demand: &Demand, touched: usize) -> Result<()> {
    match touched == demand.len() {
        true => Ok(()),
        false => Err(Error::Bug("a stock level that was locked is gone".into())),
    }
}

/// The least stock on hand at the end of any day from `date` on, for products with later moves.
///
/// Taking more than that on `date` would make a later day negative. Products without a move after
/// `date` are absent: what is on hand now is their least.
///
/// # Errors
/// When the database refuses.
pub fn least_on_hand_since(
    tx: &mut Tx<'_>,
    levels: &BTreeMap<Uuid, Level>,
    date: NaiveDate,
) -> Result<BTreeMap<Uuid, Decimal>> {
    let later: Vec<&Level> = levels
        .values()
        .filter(|level| level.last_move_on.is_some_and(|last| last > date))
        .collect();
    if later.is_empty() {
        return Ok(BTreeMap::new());
    }
    #[derive(QueryableByName)]
    struct Least {
        #[diesel(sql_type = SqlUuid)]
        product_id: Uuid,
        #[diesel(sql_type = Numeric)]
        on_hand: Decimal,
    }
    // The balance of a day is what is on hand now less all that moved after it.
    let rows: Vec<Least> = sql(
        "WITH wanted AS (SELECT id FROM unnest($1) AS w(id)),
         days AS (
             SELECT l.id, l.product_id, l.on_hand, m.moved_on, sum(m.quantity) AS quantity
             FROM wanted JOIN stock_levels l USING (id)
             JOIN stock_moves m ON m.product_id = l.product_id AND m.warehouse_id = l.warehouse_id AND m.moved_on > $2
             GROUP BY l.id, l.product_id, l.on_hand, m.moved_on),
         balances AS (
             SELECT product_id, on_hand - sum(quantity) OVER (PARTITION BY id ORDER BY moved_on DESC) AS before_day, on_hand
             FROM days)
         SELECT product_id, least(min(before_day), min(on_hand)) AS on_hand FROM balances GROUP BY product_id",
    )
    .bind::<Array<SqlUuid>, _>(later.iter().map(|level| level.id).collect::<Vec<_>>())
    .bind::<Date, _>(date)
    .rows(tx)?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.on_hand)).collect())
}
