//! The lines of a purchase order: checked, priced, dated; and what of them is still to come.

use super::model::{LineRow, OrderRow, PurchaseOrderLineIn};
use super::status::Lifecycle;
use crate::inventory::warehouses;
use crate::purchasing::prices::{self, Question};
use crate::purchasing::references::{self, Known, Named};
use crate::purchasing::suppliers::Supplier;
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use service_kit::{Currency, Discount, Faults, Problem, Quantity, Result, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Makes the lines that an order shall have; `before` are those that it has. Every fault is added.
///
/// # Errors
/// When the database refuses, or a total does not fit.
pub(super) fn make(
    tx: &mut Tx<'_>,
    order: &OrderRow,
    supplier: &Supplier,
    asked: &[PurchaseOrderLineIn],
    before: &[LineRow],
    faults: &mut Faults,
) -> Result<Vec<LineRow>> {
    let named: Vec<Named> = asked.iter().map(named).collect();
    let known = references::check(tx, &named, faults)?;
    check(asked, before, &known, faults);
    let place = match order.warehouse_id {
        Some(place) => Some(place),
        None => warehouses::default_warehouse(tx)?,
    };
    let question = Question {
        supplier_id: supplier.id,
        currency: order.currency,
        date: order.order_date,
    };
    let wanted: Vec<(Uuid, Quantity)> = asked
        .iter()
        .map(|line| (line.product_id.unwrap_or_default(), line.quantity))
        .collect();
    let found = prices::answers(tx, question, &wanted)?;
    let old: HashMap<Uuid, &LineRow> = before.iter().map(|line| (line.id, line)).collect();
    let mut lines = Vec::with_capacity(asked.len());
    for (index, (line, found)) in asked.iter().zip(found).enumerate() {
        let stocked = known.stocked(line.product_id);
        let old = line.id.and_then(|id| old.get(&id)).copied();
        let warehouse_id = line.warehouse_id.or(place).filter(|_| stocked);
        if stocked && warehouse_id.is_none() {
            faults.add(
                format!("/lines/{index}/warehouse_id"),
                "no_warehouse",
                "there is no warehouse yet",
            );
        }
        let (unit_price, price_source) = match (line.unit_price, &found) {
            (Some(price), _) => (price, "as given".to_owned()),
            // What was agreed stays.
            (None, _) if old.is_some_and(|old| old.product_id == line.product_id) => match old {
                Some(old) => (old.unit_price, old.price_source.clone()),
                None => continue,
            },
            (None, Some(found)) => (found.unit_price, found.explain()),
            (None, None) => {
                let message = "the supplier has no price for it; give one";
                faults.add(format!("/lines/{index}/unit_price"), "no_price", message);
                continue;
            }
        };
        let lead = found
            .as_ref()
            .and_then(|found| found.lead_time_days)
            .unwrap_or(supplier.lead_time_days);
        lines.push(LineRow {
            id: line.id.unwrap_or_else(Uuid::now_v7),
            order_id: order.id,
            position: i32::try_from(index + 1).unwrap_or(i32::MAX),
            product_id: line.product_id,
            description: line.description.clone(),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            unit: line
                .product_id
                .and_then(|id| known.products.get(&id))
                .map(|facts| facts.unit.clone()),
            quantity: line.quantity,
            unit_price,
            price_source,
            supplier_sku: found.and_then(|found| found.supplier_sku),
            line_total: order.currency.line_total(line.quantity, unit_price, Discount::ZERO)?,
            expected_on: line.expected_date.unwrap_or_else(|| after(order.order_date, lead)),
            warehouse_id,
            over_receipt_tolerance: line.over_receipt_tolerance,
            received_quantity: old.map_or(Quantity::ZERO, |old| old.received_quantity),
            returned_quantity: old.map_or(Quantity::ZERO, |old| old.returned_quantity),
            replaced_quantity: old.map_or(Quantity::ZERO, |old| old.replaced_quantity),
            billed_quantity: old.map_or(Quantity::ZERO, |old| old.billed_quantity),
            matched_expected: old.map_or(Decimal::ZERO, |old| old.matched_expected),
            matched_difference: old.map_or(Decimal::ZERO, |old| old.matched_difference),
            requisition_line_id: line
                .requisition_line_id
                .or_else(|| old.and_then(|old| old.requisition_line_id)),
        });
    }
    Ok(lines)
}

fn named(line: &PurchaseOrderLineIn) -> Named {
    Named {
        product_id: line.product_id,
        account_id: line.account_id,
        department_id: line.department_id,
        project_id: line.project_id,
        warehouse_id: line.warehouse_id,
    }
}

fn check(asked: &[PurchaseOrderLineIn], before: &[LineRow], known: &Known, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for (index, line) in asked.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_zero() {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        if line.product_id.is_none() && line.description.is_none() {
            fault("product_id", "one_of", "name a product, or say what it is for");
        }
        if line.product_id.is_none() && line.unit_price.is_none() {
            fault("unit_price", "required", "an expense needs a price");
        }
        if line.account_id.is_some() && known.stocked(line.product_id) {
            fault("account_id", "not_allowed", "goods are posted to stock");
        }
        let retired = line
            .product_id
            .and_then(|id| known.products.get(&id))
            .is_some_and(|facts| facts.retired);
        let kept = line.id.is_some_and(|id| before.iter().any(|old| old.id == id));
        if retired && !kept {
            fault("product_id", "retired_product", "the product is retired");
        }
        if line.id.is_some_and(|id| !seen.insert(id)) {
            fault("id", "duplicate", "another line has this id");
        }
        if line
            .over_receipt_tolerance
            .is_some_and(|fraction| !fraction.is_proper())
        {
            fault("over_receipt_tolerance", "out_of_range", "must lie between 0 and 1");
        }
    }
}

/// What was received or billed binds: neither its product nor its price changes, and no less is
/// ordered than has come.
///
/// # Errors
/// 409 `line_in_progress` with the lines.
pub(super) fn refuse_undoing(before: &[LineRow], after: &[LineRow]) -> Result<(), Problem> {
    let new: HashMap<Uuid, &LineRow> = after.iter().map(|line| (line.id, line)).collect();
    let mut refused = Vec::new();
    for old in before {
        let begun = !old.received_quantity.is_zero() || !old.billed_quantity.is_zero();
        if !begun {
            continue;
        }
        let why = match new.get(&old.id) {
            None => "it was received or billed and cannot be taken out",
            Some(new) if new.product_id != old.product_id => "its product stays",
            Some(new) if new.unit_price != old.unit_price => "its price is frozen",
            Some(new)
                if new.quantity + old.replaced_quantity
                    < old.received_quantity.min(old.quantity + old.replaced_quantity) =>
            {
                "less would be ordered than was received"
            }
            Some(_) => continue,
        };
        refused.push(serde_json::json!({
            "line_id": old.id, "received": old.received_quantity, "billed": old.billed_quantity, "reason": why,
        }));
    }
    match refused.is_empty() {
        true => Ok(()),
        false => Err(
            Problem::conflict("line_in_progress", "what has come cannot be undone by a change").fact("lines", refused),
        ),
    }
}

fn after(day: NaiveDate, lead: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(lead).unwrap_or(0));
    day.checked_add_days(days).unwrap_or(day)
}

pub(super) fn net(currency: Currency, lines: &[LineRow]) -> Result<Decimal, Problem> {
    let sum = lines
        .iter()
        .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.line_total));
    sum.filter(|sum| service_kit::Amount::money(currency, *sum).is_some())
        .ok_or_else(|| Problem::rule("out_of_range", "the total is too large"))
}

/// Goods that are ordered and have not come yet: (line, product, warehouse, day, quantity).
pub fn still_to_come(order: &OrderRow, lines: &[LineRow]) -> Vec<(Uuid, Uuid, Uuid, NaiveDate, Quantity)> {
    let expected =
        order.number.is_some() && matches!(order.lifecycle, Lifecycle::Ordered | Lifecycle::AwaitingApproval);
    let lines = lines.iter().filter(|line| expected && !line.open_quantity().is_zero());
    lines
        .filter_map(|line| {
            Some((
                line.id,
                line.product_id?,
                line.warehouse_id?,
                line.expected_on,
                line.open_quantity(),
            ))
        })
        .collect()
}
