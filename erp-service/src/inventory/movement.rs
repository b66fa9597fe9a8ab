//! Stock that comes and goes, with its value in the base currency.
//!
//! Value is stored, the unit cost is derived from it. What leaves takes its share of the value at
//! the moving average ([`average::share`](super::average::share)), the last unit takes the rest. The
//! average follows the order of recording; reports follow the posting date. A cost that arrives
//! late revalues what is left of its goods and never rewrites a move: see [`late_cost`].
//!
//! The levels must be locked already ([`levels::lock`](super::levels::lock)); the caller has seen
//! that enough is there, and the database refuses what it has not.

use super::average;
use super::levels::{self, Demand};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Date, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, Error, Quantity, Result, Tx};
use std::collections::BTreeMap;
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
}

impl<'a> Issue<'a> {
    pub fn new(warehouse_id: Uuid, demand: &'a Demand, document: Document) -> Self {
        Issue {
            warehouse_id,
            demand,
            document,
        }
    }
}

/// What left, with the value that it took along.
#[derive(Debug, Clone, Default)]
pub struct Issued {
    /// By product; not negative.
    pub values: Values,
}

/// One product that comes in, worth `value` in all.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// In the base currency, rounded to its minor unit, not negative.
    pub value: Decimal,
}

impl Incoming {
    pub fn new(product_id: Uuid, quantity: Quantity, value: Decimal) -> Self {
        Incoming {
            product_id,
            quantity,
            value,
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
    #[diesel(sql_type = Numeric)]
    value: Decimal,
}

/// Ships reserved stock: the reservation ends and the stock leaves. Answers what it was worth.
///
/// # Errors
/// When the database refuses, for one because less is on hand.
pub fn issue_reserved(tx: &mut Tx<'_>, issue: &Issue<'_>) -> Result<Issued> {
    let (products, quantities) = columns(issue.demand);
    let Document { kind, id, date, base } = issue.document;
    let rows: Vec<Moved> = sql("WITH shipped AS (
             SELECT * FROM unnest($1, $2) AS w(product_id, quantity)),
         freed AS (
             UPDATE stock_levels l SET reserved = l.reserved - shipped.quantity
             FROM shipped WHERE l.product_id = shipped.product_id AND l.warehouse_id = $3)
         INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
         SELECT s.product_id, l.warehouse_id, -s.quantity, -stock_share(l.value, l.on_hand, s.quantity, $4), $5, $6, $7, $8
         FROM shipped s JOIN stock_levels l ON l.product_id = s.product_id AND l.warehouse_id = $9 ORDER BY s.product_id
         RETURNING product_id, value")
    .bind::<Array<SqlUuid>, _>(products.clone())
    .bind::<Array<Numeric>, _>(quantities)
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .bind::<Integer, _>(digits(base))
    .bind::<Date, _>(date)
    .bind::<Text, _>(kind)
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .rows(tx)?;
    issued(tx, issue, &products, rows)
}

/// Takes stock that nobody has reserved. Answers what it was worth.
///
/// # Errors
/// When the database refuses, for one because less is free.
pub fn issue(tx: &mut Tx<'_>, issue: &Issue<'_>) -> Result<Issued> {
    let (products, quantities) = columns(issue.demand);
    let Document { kind, id, date, base } = issue.document;
    let rows: Vec<Moved> =
        sql("INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
         SELECT s.product_id, l.warehouse_id, -s.quantity, -stock_share(l.value, l.on_hand, s.quantity, $1), $2, $3, $4, $5
         FROM unnest($6, $7) AS s(product_id, quantity)
         JOIN stock_levels l ON l.product_id = s.product_id AND l.warehouse_id = $8 ORDER BY s.product_id
         RETURNING product_id, value")
        .bind::<Integer, _>(digits(base))
        .bind::<Date, _>(date)
        .bind::<Text, _>(kind)
        .bind::<SqlUuid, _>(id)
        .bind::<Timestamptz, _>(tx.now())
        .bind::<Array<SqlUuid>, _>(products.clone())
        .bind::<Array<Numeric>, _>(quantities)
        .bind::<SqlUuid, _>(issue.warehouse_id)
        .rows(tx)?;
    issued(tx, issue, &products, rows)
}

fn issued(tx: &mut Tx<'_>, issue: &Issue<'_>, products: &[Uuid], rows: Vec<Moved>) -> Result<Issued> {
    if rows.len() != issue.demand.len() {
        return Err(Error::Bug("stock was issued from a level that does not exist".into()));
    }
    levels::announce_current(tx, issue.warehouse_id, products)?;
    let values = rows.into_iter().map(|row| (row.product_id, -row.value)).collect();
    Ok(Issued { values })
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
        "INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
         SELECT product_id, $1, quantity, value, $2, $3, $4, $5
         FROM unnest($6, $7, $8) AS w(product_id, quantity, value) ORDER BY product_id",
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

fn columns(demand: &Demand) -> (Vec<Uuid>, Vec<Quantity>) {
    demand.iter().map(|(product, quantity)| (*product, *quantity)).unzip()
}

fn digits(base: Currency) -> i32 {
    i32::try_from(base.minor_digits()).unwrap_or(2)
}
