//! Held promises: stock that a customer can count on for a while, and supply that is pegged for him.
//!
//! - What a promise holds of stock counts as reserved; the level knows how much of its reservation
//!   is held. What it holds of expected supply is a peg, which later promises leave alone.
//! - An order that names a promise **consumes** it, once: what it held becomes free under the same
//!   lock in which the order reserves.
//! - A promise **expires** by its date alone. Nothing has to run at that moment: whoever finds less
//!   stock than he wants, and whoever hands out stock, first ends the promises that are due
//!   ([`expire`]); readers do not count them.
//! - When pegged supply **arrives**, the peg becomes stock (`arrived`), before backorders are filled.
//!
//! The levels are locked before promises are.

use super::incoming;
use super::levels::{self, Demand, LevelRow};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Problem, Quantity, Result, Tx};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Freed {
    #[diesel(sql_type = SqlUuid)]
    promise_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
}

/// Ends the promises of these products that are due, and gives their stock free: answers how much
/// of which. The levels are locked already.
///
/// # Errors
/// When the database refuses.
pub fn expire(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<Demand> {
    let due: Vec<Freed> = sql("WITH due AS (
             UPDATE promises SET status = 'expired', revision = revision + 1, updated_at = $1
             WHERE status = 'active' AND expires_at <= $2 AND warehouse_id = $3 AND product_id = ANY ($4)
             RETURNING id, product_id),
         held AS (
             SELECT due.id, sum(held_quantity) FILTER (WHERE p.source = 'stock') AS quantity
             FROM due JOIN promise_parts p ON p.promise_id = due.id GROUP BY due.id),
         dropped AS (
             UPDATE promise_parts p SET held_quantity = 0 FROM due WHERE p.promise_id = due.id AND p.held_quantity > 0)
         SELECT due.id AS promise_id, due.product_id, coalesce(held.quantity, 0) AS quantity
         FROM due LEFT JOIN held USING (id)")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Array<SqlUuid>, _>(products.to_vec())
    .rows(tx)?;
    // What they had pegged of the supply can be promised again.
    let ended: Vec<Uuid> = due.iter().map(|promise| promise.product_id).collect();
    if !ended.is_empty() {
        incoming::refresh(tx, warehouse_id, &ended)?;
    }
    let mut freed = Demand::new();
    for promise in due {
        tx.audit_changes(
            "promise",
            promise.promise_id,
            0,
            serde_json::json!({ "status": { "from": "active", "to": "expired" } }),
        );
        let sum = freed.entry(promise.product_id).or_default();
        *sum = *sum + promise.quantity;
    }
    freed.retain(|_, quantity| !quantity.is_zero());
    levels::unhold(tx, warehouse_id, &freed)?;
    Ok(freed)
}

/// Levels as readers see them: what promises that are due still hold does not count.
pub(super) fn without_due(
    conn: &mut PgConnection,
    mut levels: Vec<LevelRow>,
    now: DateTime<Utc>,
) -> QueryResult<Vec<LevelRow>> {
    #[derive(QueryableByName)]
    struct Due {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Numeric)]
        quantity: Quantity,
    }
    let held: Vec<Uuid> = levels
        .iter()
        .filter(|level| !level.held.is_zero())
        .map(|level| level.id)
        .collect();
    if held.is_empty() {
        return Ok(levels);
    }
    let due: Vec<Due> = sql("SELECT l.id, sum(p.held_quantity) AS quantity FROM stock_levels l
         JOIN promises m ON m.product_id = l.product_id AND m.warehouse_id = l.warehouse_id AND m.status = 'active' AND m.expires_at <= $1
         JOIN promise_parts p ON p.promise_id = m.id AND p.source = 'stock'
         WHERE l.id = ANY ($2) GROUP BY l.id")
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(held)
    .rows(conn)?;
    for due in due {
        for level in levels.iter_mut().filter(|level| level.id == due.id) {
            level.reserved = level.reserved - due.quantity;
        }
    }
    Ok(levels)
}

#[derive(Queryable)]
struct Asked {
    customer_id: Uuid,
    product_id: Uuid,
    warehouse_id: Uuid,
    status: String,
    order_id: Option<Uuid>,
    expires_at: DateTime<Utc>,
}

/// Uses up a promise for an order: what it holds becomes free, for the order to reserve. One that
/// has expired or was released changes nothing, the order goes on without it. The levels of the order's
/// products are locked; that of the promise is locked here.
///
/// # Errors
/// 422 `unknown_promise`, also when it was made to another customer or for another warehouse; 409
/// `promise_consumed` by another order.
pub fn consume(
    tx: &mut Tx<'_>,
    promise_id: Uuid,
    customer_id: Uuid,
    warehouse_id: Uuid,
    order_id: Uuid,
) -> Result<Demand> {
    use crate::schema::promises;
    let unknown = |detail: &str| Problem::rule("unknown_promise", detail);
    let find = |tx: &mut Tx<'_>, lock: bool| -> QueryResult<Option<Asked>> {
        let columns = (
            promises::customer_id,
            promises::product_id,
            promises::warehouse_id,
            promises::status,
            promises::order_id,
            promises::expires_at,
        );
        let found = promises::table.find(promise_id).select(columns);
        match lock {
            true => found.for_update().first(&mut **tx).optional(),
            false => found.first(&mut **tx).optional(),
        }
    };
    let promise = find(tx, false)?.ok_or_else(|| unknown("there is no such promise"))?;
    if promise.customer_id != customer_id {
        return Err(unknown("the promise was made to another customer").into());
    }
    if promise.warehouse_id != warehouse_id {
        return Err(unknown("the promise was made for another warehouse").into());
    }
    levels::lock(tx, warehouse_id, &[promise.product_id])?;
    let promise = find(tx, true)?.ok_or_else(|| unknown("there is no such promise"))?;
    match (promise.status.as_str(), promise.order_id) {
        // It is ended by whoever finds less than he wants, and the orders that wait are served first.
        ("active", _) if promise.expires_at <= tx.now() => Ok(Demand::new()),
        ("active", _) => end(tx, promise_id, "consumed", Some(order_id), None),
        ("consumed", Some(other)) if other != order_id => Err(Problem::conflict(
            "promise_consumed",
            "another order has used up this promise",
        )
        .fact("order_id", other.to_string())
        .into()),
        _ => Ok(Demand::new()),
    }
}

/// Ends an active promise, whose level is locked: answers the stock that became free.
///
/// # Errors
/// When the database refuses.
pub fn end(
    tx: &mut Tx<'_>,
    promise_id: Uuid,
    status: &str,
    order_id: Option<Uuid>,
    reason: Option<&str>,
) -> Result<Demand> {
    use diesel::sql_types::Nullable;
    let ended: Vec<Ended> = sql("WITH ended AS (
             UPDATE promises SET status = $1, order_id = $2, reason = $3, revision = revision + 1, updated_at = $4
             WHERE id = $5 AND status = 'active' RETURNING id, product_id, warehouse_id, revision),
         held AS (
             SELECT coalesce(sum(p.held_quantity) FILTER (WHERE p.source = 'stock'), 0) AS quantity
             FROM ended JOIN promise_parts p ON p.promise_id = ended.id),
         dropped AS (
             UPDATE promise_parts p SET held_quantity = 0 FROM ended WHERE p.promise_id = ended.id AND p.held_quantity > 0)
         SELECT ended.product_id, ended.warehouse_id, ended.revision, held.quantity FROM ended CROSS JOIN held")
    .bind::<Text, _>(status.to_owned())
    .bind::<Nullable<SqlUuid>, _>(order_id)
    .bind::<Nullable<Text>, _>(reason.map(str::to_owned))
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(promise_id)
    .rows(tx)?;
    let mut freed = Demand::new();
    for promise in ended {
        let changes =
            serde_json::json!({ "status": { "from": "active", "to": status }, "reason": reason, "order_id": order_id });
        tx.audit_changes("promise", promise_id, promise.revision, changes);
        if !promise.quantity.is_zero() {
            freed.insert(promise.product_id, promise.quantity);
            levels::unhold(tx, promise.warehouse_id, &freed)?;
        }
        incoming::refresh(tx, promise.warehouse_id, &[promise.product_id])?;
    }
    Ok(freed)
}

#[derive(QueryableByName)]
struct Ended {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    revision: i64,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
}

#[derive(QueryableByName)]
struct Peg {
    #[diesel(sql_type = SqlUuid)]
    promise_id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    position: i32,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
    #[diesel(sql_type = Numeric)]
    held_quantity: Quantity,
}

/// Turns pegs on supply that has come into stock that is held, oldest promise first.
pub(super) fn arrived(tx: &mut Tx<'_>, received: &[(Uuid, Quantity)]) -> Result<()> {
    for (supply, quantity) in received {
        let pegs: Vec<Peg> = sql(
            "SELECT p.promise_id, p.position, m.product_id, m.warehouse_id, p.held_quantity
             FROM promise_parts p JOIN promises m ON m.id = p.promise_id
             WHERE p.supply_id = $1 AND p.held_quantity > 0 AND m.status = 'active' AND m.expires_at > $2
             ORDER BY m.created_at, m.id",
        )
        .bind::<SqlUuid, _>(*supply)
        .bind::<Timestamptz, _>(tx.now())
        .rows(tx)?;
        let mut left = *quantity;
        for peg in pegs {
            left = left.min(free_of(tx, peg.warehouse_id, peg.product_id)?);
            let got = peg.held_quantity.min(left);
            if got.is_zero() {
                break;
            }
            left = left - got;
            to_stock(tx, &peg, got)?;
        }
    }
    Ok(())
}

fn free_of(tx: &mut Tx<'_>, warehouse_id: Uuid, product_id: Uuid) -> Result<Quantity> {
    let locked = levels::lock(tx, warehouse_id, &[product_id])?;
    Ok(locked.get(&product_id).map(levels::Level::free).unwrap_or_default())
}

fn to_stock(tx: &mut Tx<'_>, peg: &Peg, got: Quantity) -> Result<()> {
    use diesel::sql_types::Integer;
    sql("WITH pegged AS (
             UPDATE promise_parts SET held_quantity = held_quantity - $1 WHERE promise_id = $2 AND position = $3
             RETURNING promise_id, available_on)
         INSERT INTO promise_parts (promise_id, position, source, quantity, held_quantity, available_on)
         SELECT promise_id, 1 + (SELECT max(position) FROM promise_parts p WHERE p.promise_id = $4), 'stock', $5, $6, available_on
         FROM pegged")
    .bind::<Numeric, _>(got)
    .bind::<SqlUuid, _>(peg.promise_id)
    .bind::<Integer, _>(peg.position)
    .bind::<SqlUuid, _>(peg.promise_id)
    .bind::<Numeric, _>(got)
    .bind::<Numeric, _>(got)
    .run(tx)?;
    // The part now says what is still to come of the supply.
    levels::hold(tx, peg.warehouse_id, &Demand::from([(peg.product_id, got)]))
}
