//! Stock that comes and goes, with its value in the base currency.
//!
//! Value is stored, the unit cost is derived from it. What leaves takes its share of the value at
//! the moving average ([`average::share`]), the last unit takes the rest. The
//! average follows the order of recording; reports follow the posting date. A cost that arrives
//! late revalues what is left of its goods and never rewrites a move: see [`late_cost`].
//!
//! The levels must be locked already ([`levels::lock`]); the caller has seen
//! that enough is there, and the database refuses what it has not.

use super::average;
use super::levels::{self, Demand};
use super::lots::{self, Named};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, Quantity, Result, Tx};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A document that moves stock.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// One of the kinds of `stock_moves`: `adjustment`, `opening`, `delivery`, `receipt`,
    /// `customer_return`, `supplier_return`, `transfer`, `count`, `scrap`, `revaluation`.
    pub kind: &'static str,
    pub id: Uuid,
    /// The posting date.
    pub date: NaiveDate,
    /// The company's base currency: values are in it, rounded to its minor unit.
    pub base: Currency,
}

/// Values in the base currency by product, in key order.
pub type Values = BTreeMap<Uuid, Decimal>;

/// What leaves a warehouse.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    pub warehouse_id: Uuid,
    pub demand: &'a Demand,
    pub document: Document,
    /// Lots and locations that it must come from; what nobody names is taken first expired, first out.
    pub named: &'a [Named],
}

impl<'a> Issue<'a> {
    pub fn new(warehouse_id: Uuid, demand: &'a Demand, document: Document) -> Self {
        Issue {
            warehouse_id,
            demand,
            document,
            named: &[],
        }
    }

    /// From these lots and locations, see [`lots::named`].
    pub fn named(self, named: &'a [Named]) -> Self {
        Issue { named, ..self }
    }
}

/// What left, with the value that it took along.
#[derive(Debug, Clone, Default)]
pub struct Issued {
    /// By product; not negative.
    pub values: Values,
    /// What was taken from where; one for each product that is neither in lots nor in locations.
    pub picks: Vec<Pick>,
}

/// A quantity that left one lot and location, with its part of the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    pub product_id: Uuid,
    pub lot_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub quantity: Quantity,
    pub value: Decimal,
}

/// One product, and lot, that comes in, worth `value` in all.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// In the base currency, rounded to its minor unit, not negative.
    pub value: Decimal,
    pub lot_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
}

impl Incoming {
    /// Of a product that is not tracked; for tracked ones see [`lots::bring`].
    pub fn new(product_id: Uuid, quantity: Quantity, value: Decimal) -> Self {
        Incoming {
            product_id,
            quantity,
            value,
            lot_id: None,
            location_id: None,
        }
    }
}

/// Where a cost that arrived after its goods ended up; the sum is the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateCost {
    /// What changed the value of stock: a revaluation move exists for it.
    pub stock: Decimal,
    /// What belongs to goods that have left already: for the caller to post as variance.
    pub variance: Decimal,
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    lot_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    location_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
}

/// Ships reserved stock: the reservation ends and the stock leaves. Answers what it was worth.
///
/// # Errors
/// 409 `insufficient_stock` or `lot_expired`.
pub fn issue_reserved(tx: &mut Tx<'_>, issue: &Issue<'_>) -> Result<Issued> {
    leave(tx, issue, true)
}

/// Takes stock that nobody has reserved; the caller has seen that it is free. Answers what it was worth.
///
/// # Errors
/// 409 `insufficient_stock` or `lot_expired`.
pub fn issue(tx: &mut Tx<'_>, issue: &Issue<'_>) -> Result<Issued> {
    leave(tx, issue, false)
}

fn leave(tx: &mut Tx<'_>, issue: &Issue<'_>, reserved: bool) -> Result<Issued> {
    if issue.demand.is_empty() {
        return Ok(Issued::default());
    }
    let mut moved = match issue.named.is_empty() {
        true => leave_plain(tx, issue, reserved)?,
        false => Vec::new(),
    };
    let gone: BTreeSet<Uuid> = moved.iter().map(|row| row.product_id).collect();
    let rest: Demand = issue
        .demand
        .iter()
        .filter(|(product, _)| !gone.contains(product))
        .map(|(product, quantity)| (*product, *quantity))
        .collect();
    if !rest.is_empty() {
        let places = lots::allocate(tx, issue, &rest)?;
        moved.extend(leave_places(tx, issue, &rest, &places, reserved)?);
    }
    let products: Vec<Uuid> = issue.demand.keys().copied().collect();
    levels::announce_current(tx, issue.warehouse_id, &products)?;
    let mut issued = Issued::default();
    for row in moved {
        *issued.values.entry(row.product_id).or_default() -= row.value;
        issued.picks.push(Pick {
            product_id: row.product_id,
            lot_id: row.lot_id,
            location_id: row.location_id,
            quantity: Quantity::new(-row.quantity).unwrap_or_default(),
            value: -row.value,
        });
    }
    Ok(issued)
}

/// The usual case in one statement: stock in no lots, of which enough lies in no location.
fn leave_plain(tx: &mut Tx<'_>, issue: &Issue<'_>, reserved: bool) -> Result<Vec<Moved>> {
    let (products, quantities): (Vec<Uuid>, Vec<Quantity>) = issue.demand.iter().map(|(p, q)| (*p, *q)).unzip();
    let Document { kind, id, date, base } = issue.document;
    let rows = sql("WITH leaving AS (
             SELECT l.id, l.product_id, l.warehouse_id, w.quantity, stock_share(l.value, l.on_hand, w.quantity, $1) AS value
             FROM unnest($2, $3) AS w(product_id, quantity)
             JOIN stock_levels l ON l.product_id = w.product_id AND l.warehouse_id = $4
             WHERE NOT l.tracked AND l.on_hand - w.quantity >= l.placed),
         freed AS (
             UPDATE stock_levels l SET reserved = l.reserved - leaving.quantity
             FROM leaving WHERE l.id = leaving.id AND $5)
         INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
         SELECT product_id, warehouse_id, -quantity, -value, $6, $7, $8, $9 FROM leaving ORDER BY product_id
         RETURNING product_id, lot_id, location_id, quantity, value")
    .bind::<Integer, _>(digits(base))
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .bind::<Bool, _>(reserved)
    .bind::<Date, _>(date)
    .bind::<Text, _>(kind)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(tx.now())
    .rows(tx)?;
    Ok(rows)
}

/// Out of lots and locations: a move for each, which share the value that the product takes along.
fn leave_places(
    tx: &mut Tx<'_>,
    issue: &Issue<'_>,
    demand: &Demand,
    places: &[Named],
    reserved: bool,
) -> Result<Vec<Moved>> {
    let (products, quantities): (Vec<Uuid>, Vec<Quantity>) = demand.iter().map(|(p, q)| (*p, *q)).unzip();
    let Document { kind, id, date, base } = issue.document;
    let rows = sql("WITH leaving AS (
             SELECT l.id, w.quantity FROM unnest($1, $2) AS w(product_id, quantity)
             JOIN stock_levels l ON l.product_id = w.product_id AND l.warehouse_id = $3),
         freed AS (
             UPDATE stock_levels l SET reserved = l.reserved - leaving.quantity
             FROM leaving WHERE l.id = leaving.id AND $4),
         picks AS (
             SELECT p.*, sum(quantity) OVER (PARTITION BY product_id ORDER BY n) AS through
             FROM unnest($5, $6, $7, $8) WITH ORDINALITY AS p(product_id, lot_id, location_id, quantity, n))
         INSERT INTO stock_moves (product_id, warehouse_id, lot_id, location_id, quantity, value, moved_on, kind, document_id, recorded_at)
         SELECT p.product_id, l.warehouse_id, p.lot_id, p.location_id, -p.quantity,
                stock_share(l.value, l.on_hand, p.through - p.quantity, d.digits) - stock_share(l.value, l.on_hand, p.through, d.digits),
                $9, $10, $11, $12
         FROM picks p JOIN stock_levels l ON l.product_id = p.product_id AND l.warehouse_id = $13,
              (SELECT $14 AS digits) d ORDER BY p.n
         RETURNING product_id, lot_id, location_id, quantity, value")
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .bind::<Bool, _>(reserved)
    .bind::<Array<SqlUuid>, _>(places.iter().map(|place| place.product_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(places.iter().map(|place| place.lot_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(places.iter().map(|place| place.location_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(places.iter().map(|place| place.quantity).collect::<Vec<_>>())
    .bind::<Date, _>(date)
    .bind::<Text, _>(kind)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .bind::<Integer, _>(digits(base))
    .rows(tx)?;
    Ok(rows)
}

/// Takes stock in, each product worth what it says.
///
/// # Errors
/// When the database refuses.
pub fn receive(tx: &mut Tx<'_>, warehouse_id: Uuid, incoming: &[Incoming], document: Document) -> Result<()> {
    if incoming.is_empty() {
        return Ok(());
    }
    let products: Vec<Uuid> = incoming.iter().map(|line| line.product_id).collect();
    sql(
        "INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at, lot_id, location_id)
         SELECT product_id, $1, quantity, value, $2, $3, $4, $5, lot_id, location_id
         FROM unnest($6, $7, $8, $9, $10) AS w(product_id, quantity, value, lot_id, location_id) ORDER BY product_id",
    )
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Date, _>(document.date)
    .bind::<Text, _>(document.kind)
    .bind::<SqlUuid, _>(document.id)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(products.clone())
    .bind::<Array<Numeric>, _>(incoming.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(
        incoming
            .iter()
            .map(|line| document.base.round(line.value))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(incoming.iter().map(|line| line.lot_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(incoming.iter().map(|line| line.location_id).collect::<Vec<_>>())
    .run(tx)?;
    levels::announce_current(tx, warehouse_id, &products)
}

/// Changes the value of what lies there, without moving anything. The document's own kind does not
/// count: the move is a `revaluation`.
///
/// # Errors
/// When the database refuses, for one because the value would become negative.
pub fn revalue(
    tx: &mut Tx<'_>,
    warehouse_id: Uuid,
    product_id: Uuid,
    amount: Decimal,
    document: Document,
) -> Result<()> {
    let amount = document.base.round(amount);
    if amount.is_zero() {
        return Ok(());
    }
    sql(
        "INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
         VALUES ($1, $2, 0, $3, $4, 'revaluation', $5, $6)",
    )
    .bind::<SqlUuid, _>(product_id)
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Numeric, _>(amount)
    .bind::<Date, _>(document.date)
    .bind::<SqlUuid, _>(document.id)
    .bind::<Timestamptz, _>(tx.now())
    .run(tx)?;
    Ok(())
}

/// Lets a cost arrive after its goods: of `amount` (negative when they turned out cheaper) the share
/// min(on hand, received) ÷ received changes the value of stock, the rest is variance, which the
/// caller posts. Locks the level.
///
/// # Errors
/// When the database refuses.
pub fn late_cost(
    tx: &mut Tx<'_>,
    warehouse_id: Uuid,
    product_id: Uuid,
    received: Quantity,
    amount: Decimal,
    document: Document,
) -> Result<LateCost> {
    let amount = document.base.round(amount);
    let locked = levels::lock(tx, warehouse_id, &[product_id])?;
    let stock = locked.get(&product_id).map_or(Decimal::ZERO, |level| {
        let share = average::late_share(amount, level.on_hand, received, document.base);
        // Goods never become worth less than nothing.
        share.max(-level.value)
    });
    revalue(tx, warehouse_id, product_id, stock, document)?;
    Ok(LateCost {
        stock,
        variance: amount - stock,
    })
}

fn digits(base: Currency) -> i32 {
    i32::try_from(base.minor_digits()).unwrap_or(2)
}
