//! What a unit is worth when nobody says so: the current average, else the last cost known.

use super::average;
use super::levels::Level;
use diesel::sql_types::{Array, Numeric, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, Quantity, Result};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A cost as the quantity and value that it comes from, so that nothing is rounded twice.
#[derive(Debug, Clone, Copy, PartialEq, QueryableByName)]
pub struct Cost {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
}

impl Cost {
    /// What so many units are worth at this cost.
    pub fn of(&self, quantity: Quantity, base: Currency) -> Decimal {
        average::at_cost(self.value, self.quantity, quantity, base)
    }
}

/// The cost of these products in the warehouse of the locked levels; a product that never came
/// anywhere has none.
///
/// # Errors
/// When the database refuses.
pub fn known(
    conn: &mut PgConnection,
    locked: &BTreeMap<Uuid, Level>,
    products: &[Uuid],
) -> Result<BTreeMap<Uuid, Cost>> {
    let mut known: BTreeMap<Uuid, Cost> = locked
        .values()
        .filter(|level| !level.on_hand.is_zero())
        .map(|level| {
            let cost = Cost {
                product_id: level.product_id,
                quantity: level.on_hand,
                value: level.value,
            };
            (level.product_id, cost)
        })
        .collect();
    let missing: Vec<Uuid> = products
        .iter()
        .filter(|product| !known.contains_key(product))
        .copied()
        .collect();
    if !missing.is_empty() {
        known.extend(last(conn, locked, missing)?);
    }
    Ok(known)
}

/// The cost at which each came last, here before elsewhere.
fn last(conn: &mut PgConnection, locked: &BTreeMap<Uuid, Level>, products: Vec<Uuid>) -> Result<Vec<(Uuid, Cost)>> {
    let warehouses: Vec<Uuid> = locked.values().map(|level| level.warehouse_id).take(1).collect();
    let costs: Vec<Cost> = sql(
        "SELECT w.product_id, m.quantity, m.value FROM unnest($1) AS w(product_id)
         CROSS JOIN LATERAL (
             SELECT quantity, value FROM stock_moves m
             WHERE m.product_id = w.product_id AND m.quantity > 0 AND m.kind <> 'relocation'
             ORDER BY m.warehouse_id = ANY ($2) DESC, m.id DESC LIMIT 1) m",
    )
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<SqlUuid>, _>(warehouses)
    .rows(conn)?;
    Ok(costs.into_iter().map(|cost| (cost.product_id, cost)).collect())
}
