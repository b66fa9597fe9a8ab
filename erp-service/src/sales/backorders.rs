//! Backorders: stock that becomes free goes to the orders that wait for it, in the same
//! transaction, by priority, requested date, order date, number. Orders on hold are skipped.

use super::orders::SalesOrder;
use super::orders::queries;
use crate::inventory::levels::{self, Demand};
use crate::inventory::warehouses;
use crate::inventory::{holds, incoming};
use crate::schema::{sales_order_lines, sales_orders};
use diesel::prelude::*;
use service_kit::{Error, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, BTreeSet};
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
    let mut levels = levels::lock(tx, warehouse_id, products)?;
    // A promise that is due holds nothing any more.
    let held = levels.values().any(|level| !level.held.is_zero());
    if held && !holds::expire(tx, warehouse_id, products)?.is_empty() {
        levels = levels::lock(tx, warehouse_id, products)?;
    }
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

/// Reserves of each product what is free, at most what is wanted: what promises that are due still
/// hold is given to the orders that wait for it, then to this one. Returns what was taken.
///
/// # Errors
/// When the database refuses; `Stale` as in [`fill`].
pub fn reserve(tx: &mut Tx<'_>, warehouse_id: Uuid, demand: &Demand) -> Result<Demand> {
    let mut taken = levels::reserve(tx, warehouse_id, demand)?;
    let short: Vec<Uuid> = demand
        .iter()
        .filter(|(product, wanted)| taken.get(product).is_none_or(|got| got < *wanted))
        .map(|(product, _)| *product)
        .collect();
    if short.is_empty() {
        return Ok(taken);
    }
    let freed = holds::expire(tx, warehouse_id, &short)?;
    if freed.is_empty() {
        return Ok(taken);
    }
    let products: Vec<Uuid> = freed.keys().copied().collect();
    fill(tx, warehouse_id, &products)?;
    let rest: Demand = products
        .into_iter()
        .filter_map(|product| {
            let wanted =
                demand.get(&product)?.value() - taken.get(&product).map_or_else(Default::default, |got| got.value());
            Some((product, Quantity::new(wanted).ok()?))
        })
        .collect();
    for (product, more) in levels::reserve(tx, warehouse_id, &rest)? {
        let sum = taken.entry(product).or_default();
        *sum = *sum + more;
    }
    Ok(taken)
}

/// Notes that an order waits for more or less than before: what is expected can be promised to others as
/// far as nobody waits for it. The levels are locked already, the order is stored.
///
/// # Errors
/// When the database refuses.
pub fn wait(tx: &mut Tx<'_>, before: Option<&SalesOrder>, after: &SalesOrder) -> Result<()> {
    let waiting = |order: &SalesOrder| {
        let mut sum = Demand::new();
        for line in order.lines.iter().filter(|line| !line.backordered_quantity.is_zero()) {
            let quantity = sum.entry(line.product_id).or_default();
            *quantity = *quantity + line.backordered_quantity;
        }
        sum
    };
    let (before, now) = (before.map(waiting).unwrap_or_default(), waiting(after));
    let concerned: BTreeSet<Uuid> = before.keys().chain(now.keys()).copied().collect();
    let changed: Vec<Uuid> = concerned
        .into_iter()
        .filter(|product| before.get(product) != now.get(product))
        .collect();
    match after.warehouse_id {
        Some(warehouse) if !changed.is_empty() => incoming::refresh(tx, warehouse, &changed),
        _ => Ok(()),
    }
}

/// Takes reserved stock back from orders, the least urgent first: it is not there. Their lines wait for it
/// again. The levels are locked already.
///
/// # Errors
/// 409 `insufficient_stock` when promises hold the rest; `Stale` as in [`fill`].
pub fn take_back(tx: &mut Tx<'_>, warehouse_id: Uuid, missing: &Demand) -> Result<()> {
    let mut missing = missing.clone();
    let products: Vec<Uuid> = missing.keys().copied().collect();
    if products.is_empty() {
        return Ok(());
    }
    for (product, freed) in holds::expire(tx, warehouse_id, &products)? {
        if let Some(left) = missing.get_mut(&product) {
            *left = *left - freed.min(*left);
        }
    }
    loop {
        missing.retain(|_, quantity| !quantity.is_zero());
        if missing.is_empty() {
            return Ok(());
        }
        let wanted: Vec<Uuid> = missing.keys().copied().collect();
        let reserved = reserved_lines(tx, warehouse_id, &wanted)?;
        if reserved.is_empty() {
            return Err(Problem::conflict("insufficient_stock", "promises hold what is missing")
                .fact("product_ids", serde_json::to_value(wanted)?)
                .into());
        }
        let taken = share(&mut missing, reserved);
        give_back(tx, warehouse_id, &taken)?;
    }
}

/// Lines that have something reserved, the least urgent first.
fn reserved_lines(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<Vec<Waiting>> {
    let rows: Vec<(Uuid, i64, Uuid, Uuid, Quantity)> = sales_order_lines::table
        .inner_join(sales_orders::table.on(sales_orders::id.eq(sales_order_lines::order_id)))
        .filter(sales_order_lines::known_product_id.eq_any(products))
        .filter(sales_order_lines::reserved_quantity.gt(Quantity::ZERO))
        .filter(
            sales_orders::status
                .eq_any(["confirmed", "on_hold", "partially_delivered"])
                .and(sales_orders::warehouse_id.eq(warehouse_id)),
        )
        .order((
            sales_orders::priority.asc(),
            sales_orders::requested_date.desc().nulls_first(),
            sales_orders::order_date.desc(),
            sales_orders::number.desc(),
            sales_order_lines::position.desc(),
        ))
        .limit(ROUND)
        .select((
            sales_orders::id,
            sales_orders::revision,
            sales_order_lines::id,
            sales_order_lines::product_id,
            sales_order_lines::reserved_quantity,
        ))
        .load(&mut **tx)?;
    let lines = rows
        .into_iter()
        .map(|(order, order_revision, line, product, quantity)| Waiting {
            order,
            order_revision,
            line,
            product,
            quantity,
        });
    Ok(lines.collect())
}

fn give_back(tx: &mut Tx<'_>, warehouse_id: Uuid, taken: &Grants) -> Result<()> {
    let ids: Vec<Uuid> = taken.keys().copied().collect();
    let mut freed = Demand::new();
    for (mut row, mut rows, deliveries) in queries::lock_many(tx, &ids)? {
        let Some((revision, lines)) = taken.get(&row.id) else {
            continue;
        };
        if row.revision != *revision {
            return Err(Error::Stale);
        }
        let before = SalesOrder::from_rows(row.clone(), rows.clone(), deliveries.clone())?;
        for line in &mut rows {
            let Some(quantity) = lines.get(&line.id) else { continue };
            line.reserved_quantity = line.reserved_quantity - *quantity;
            line.backordered_quantity = line.backordered_quantity + *quantity;
            let sum = freed.entry(line.product_id).or_insert(Quantity::ZERO);
            *sum = *sum + *quantity;
        }
        queries::save(tx, &mut row, &rows, false)?;
        let after = SalesOrder::from_rows(row, rows, deliveries)?;
        tx.changed(Some(&before), &after)?;
        wait(tx, Some(&before), &after)?;
    }
    levels::free(tx, warehouse_id, &freed)
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
        wait(tx, Some(&before), &after)?;
    }
    let taken = levels::reserve(tx, warehouse_id, &reserved)?;
    match taken == reserved {
        true => Ok(()),
        false => Err(Error::Bug("stock that was free under lock is gone".into())),
    }
}
