//! Backorders: stock that becomes free goes to the orders that wait for it, in the same
//! transaction, by priority, requested date, order date, number. Orders on hold are skipped.

use super::orders::SalesOrder;
use super::orders::queries;
use crate::inventory::levels::{self, Demand};
use crate::inventory::warehouses;
use crate::schema::{sales_order_lines, sales_orders};
use diesel::prelude::*;
use service_kit::{Error, Quantity, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lines looked at in one go; the loop takes the next ones while there is stock left.
const ROUND: i64 = 500;

/// A line that waits for stock.
struct Waiting {
    order: Uuid,
    order_revision: i64,
    line: Uuid,
    product: Uuid,
    quantity: Quantity,
}

/// Gives what is free of these products to the lines that wait for it. The levels of these
/// products in this warehouse are locked already, so no line can start to wait in between.
///
/// # Errors
/// When the database refuses; `Stale` when a waiting order moved on before it was locked.
pub fn fill(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let levels = levels::lock(tx, warehouse_id, products)?;
    let mut free: Demand = levels
        .into_iter()
        .map(|(product, level)| (product, level.free()))
        .collect();
    loop {
        free.retain(|_, quantity| !quantity.is_zero());
        if free.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Uuid> = free.keys().copied().collect();
        let waiting = waiting_lines(tx, warehouse_id, &wanted)?;
        if waiting.is_empty() {
            return Ok(());
        }
        let grants = share(&mut free, waiting);
        grant(tx, warehouse_id, &grants)?;
    }
}

/// The lines that wait, in the order in which they are served.
fn waiting_lines(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<Vec<Waiting>> {
    let is_default = warehouses::default_warehouse(tx)? == Some(warehouse_id);
    let mut lines = sales_order_lines::table
        .inner_join(sales_orders::table.on(sales_orders::id.eq(sales_order_lines::order_id)))
        .filter(sales_order_lines::known_product_id.eq_any(products))
        .filter(sales_order_lines::backordered_quantity.gt(Quantity::ZERO))
        .filter(
            sales_orders::lifecycle
                .eq("confirmed")
                .and(sales_orders::holds.eq(serde_json::json!([]))),
        )
        .into_boxed();
    // An order that was confirmed before there was any warehouse waits for the default one.
    lines = match is_default {
        true => lines.filter(
            sales_orders::warehouse_id
                .eq(warehouse_id)
                .or(sales_orders::warehouse_id.is_null()),
        ),
        false => lines.filter(sales_orders::warehouse_id.eq(warehouse_id)),
    };
    let rows: Vec<(Uuid, i64, Uuid, Uuid, Quantity)> = lines
        .order((
            sales_orders::priority.desc(),
            sales_orders::requested_date.asc().nulls_last(),
            sales_orders::order_date,
            sales_orders::number,
            sales_order_lines::position,
        ))
        .limit(ROUND)
        .select((
            sales_orders::id,
            sales_orders::revision,
            sales_order_lines::id,
            sales_order_lines::product_id,
            sales_order_lines::backordered_quantity,
        ))
        .load(&mut **tx)?;
    let waiting = rows
        .into_iter()
        .map(|(order, order_revision, line, product, quantity)| Waiting {
            order,
            order_revision,
            line,
            product,
            quantity,
        });
    Ok(waiting.collect())
}

/// What each order gets of what is free, line by line; keyed by order, so that they are locked in
/// key order.
type Grants = BTreeMap<Uuid, (i64, BTreeMap<Uuid, Quantity>)>;

fn share(free: &mut Demand, waiting: Vec<Waiting>) -> Grants {
    let mut grants = Grants::new();
    for line in waiting {
        let Some(left) = free.get_mut(&line.product).filter(|left| !left.is_zero()) else {
            continue;
        };
        let got = line.quantity.min(*left);
        *left = *left - got;
        let (_, lines) = grants
            .entry(line.order)
            .or_insert_with(|| (line.order_revision, BTreeMap::new()));
        lines.insert(line.line, got);
    }
    grants
}

fn grant(tx: &mut Tx<'_>, warehouse_id: Uuid, grants: &Grants) -> Result<()> {
    let ids: Vec<Uuid> = grants.keys().copied().collect();
    let mut reserved = Demand::new();
    for (mut row, mut rows, deliveries) in queries::lock_many(tx, &ids)? {
        let Some((revision, lines)) = grants.get(&row.id) else {
            continue;
        };
        if row.revision != *revision {
            return Err(Error::Stale);
        }
        let before = SalesOrder::from_rows(row.clone(), rows.clone(), deliveries.clone())?;
        row.warehouse_id = Some(warehouse_id);
        for line in &mut rows {
            let Some(got) = lines.get(&line.id) else { continue };
            line.reserved_quantity = line.reserved_quantity + *got;
            line.backordered_quantity = line.backordered_quantity - *got;
            let sum = reserved.entry(line.product_id).or_insert(Quantity::ZERO);
            *sum = *sum + *got;
        }
        queries::save(tx, &mut row, &rows, false)?;
        let after = SalesOrder::from_rows(row, rows, deliveries)?;
        tx.changed(Some(&before), &after)?;
    }
    let taken = levels::reserve(tx, warehouse_id, &reserved)?;
    match taken == reserved {
        true => Ok(()),
        false => Err(Error::Bug("stock that was free under lock is gone".into())),
    }
}
