//! The frame of every verb on an existing order.

use super::model::SalesOrder;
use super::queries;
use super::rows::{LineRow, OrderRow};
use crate::catalog;
use crate::inventory::levels::{self, Demand};
use crate::sales::backorders;
use diesel::QueryResult;
use service_kit::{OrNotFound, Quantity, Result, Tx};
use uuid::Uuid;

/// Stores a changed order with its traces.
pub(super) fn store(
    tx: &mut Tx<'_>,
    before: &SalesOrder,
    mut row: OrderRow,
    lines: Vec<LineRow>,
) -> Result<SalesOrder> {
    queries::save(tx, &mut row, &lines, false)?;
    let deliveries = queries::deliveries_of_order(tx, &row)?;
    let after = SalesOrder::from_rows(row, lines, deliveries)?;
    tx.changed(Some(before), &after)?;
    backorders::wait(tx, Some(before), &after)?;
    Ok(after)
}

/// The frame of every verb on an existing order: read it, lock its stock levels, lock it, change
/// it, store it, and hand stock that became free to the orders that wait for it.
///
/// # Errors
/// 404, what `change` refuses, or `Stale` when the order moved on before it was locked.
pub fn change<F>(tx: &mut Tx<'_>, id: Uuid, change: F) -> Result<SalesOrder>
where
    F: FnOnce(&mut Tx<'_>, &mut OrderRow, &mut Vec<LineRow>) -> Result<()>,
{
    change_with(tx, id, &[], change)
}

/// The same for a change that brings in more products.
///
/// # Errors
/// As [`change`].
pub fn change_with<F>(tx: &mut Tx<'_>, id: Uuid, more: &[Uuid], change: F) -> Result<SalesOrder>
where
    F: FnOnce(&mut Tx<'_>, &mut OrderRow, &mut Vec<LineRow>) -> Result<()>,
{
    let (mut row, mut lines) = queries::load(tx, id).or_not_found("sales order")?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), queries::deliveries_of_order(tx, &row)?)?;
    let known = lines.iter().filter_map(|line| line.known_product_id);
    let products: Vec<Uuid> = known.chain(more.iter().copied()).collect();
    let stocked = stocked_products(tx, &products)?;
    if let Some(warehouse) = row.warehouse_id.filter(|_| row.lifecycle == "confirmed") {
        levels::lock(tx, warehouse, &stocked)?;
    }
    queries::lock_unchanged(tx, &row)?;
    tx.match_if_given(&before)?;
    let reserved_before = reserved(&lines, &stocked);
    change(tx, &mut row, &mut lines)?;
    let freed = less(&reserved_before, &reserved(&lines, &stocked));
    let warehouse = row.warehouse_id;
    let after = store(tx, &before, row, lines)?;
    if let Some(warehouse) = warehouse.filter(|_| !freed.is_empty()) {
        levels::free(tx, warehouse, &freed)?;
        backorders::fill(tx, warehouse, &freed.keys().copied().collect::<Vec<_>>())?;
    }
    Ok(after)
}

pub(super) fn stocked_products(tx: &mut Tx<'_>, products: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    let facts = catalog::facts(tx, products)?;
    let mut stocked: Vec<Uuid> = facts
        .into_iter()
        .filter(|(_, facts)| facts.stocked)
        .map(|(id, _)| id)
        .collect();
    stocked.sort_unstable();
    Ok(stocked)
}

fn reserved(lines: &[LineRow], stocked: &[Uuid]) -> Demand {
    let mut sum = Demand::new();
    for line in lines.iter().filter(|line| stocked.contains(&line.product_id)) {
        let entry = sum.entry(line.product_id).or_insert(Quantity::ZERO);
        *entry = *entry + line.reserved_quantity;
    }
    sum
}

/// What `before` holds more than `after`, by product.
fn less(before: &Demand, after: &Demand) -> Demand {
    let freed = before.iter().filter_map(|(product, quantity)| {
        let now = after.get(product).copied().unwrap_or(Quantity::ZERO);
        (*quantity > now).then(|| (*product, *quantity - now))
    });
    freed.collect()
}
