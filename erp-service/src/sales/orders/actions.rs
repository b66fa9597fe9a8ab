//! The verbs of a sales order after it was placed.

use super::decision::AskedLine;
use super::model::{Hold, LineRow, OrderRow, SalesOrder, SalesOrderIn, SalesOrderLineIn, SalesOrderPatch};
use super::status::{Action, Status};
use super::{place, queries};
use crate::inventory::levels::{self, Demand};
use crate::inventory::warehouses;
use crate::sales::{backorders, credit};
use crate::{catalog, customers};
use diesel::QueryResult;
use rust_decimal::Decimal;
use service_kit::{Discount, Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Enters an order of the back office, as a draft or confirmed at once.
///
/// # Errors
/// 422 with every fault.
pub fn place(tx: &mut Tx<'_>, input: &SalesOrderIn) -> Result<SalesOrder> {
    let mut faults = Faults::default();
    let asked = asked_lines(&input.lines, &mut faults);
    let mut row = place::new_row(tx, tx.mint(input.id), "erp", input.customer_id, input.currency.code());
    row.order_date = input.order_date.unwrap_or(row.order_date);
    row.requested_date = input.requested_date;
    row.warehouse_id = input.warehouse_id;
    row.priority = input.priority.unwrap_or(0);
    row.external_ref = input.external_ref.clone();
    check_dates(&row, &mut faults);
    faults.check()?;
    let Some(decided) = place::decide(tx, &row, &asked)? else {
        return Err(unknown_customer());
    };
    if !input.confirm {
        // A draft may name what cannot be confirmed yet, but nothing that does not exist.
        let unknown: Vec<_> = decided
            .reasons
            .into_iter()
            .filter(|reason| reason.code.starts_with("unknown"))
            .collect();
        place::refuse(&asked, &unknown)?;
        let lines = draft_lines(&row, &asked)?;
        place::set_totals(&mut row, lines.iter().filter_map(|line| line.line_total))?;
        return place::store_new(tx, row, lines);
    }
    place::refuse(&asked, &decided.reasons)?;
    let lines = place::confirm(tx, &mut row, &decided)?;
    place::store_new(tx, row, lines)
}

fn unknown_customer() -> Error {
    let mut faults = Faults::default();
    faults.add("/customer_id", "unknown_customer", "there is no such customer here");
    match faults.check() {
        Err(problem) => problem.into(),
        Ok(()) => Error::Bug("a fault was lost".into()),
    }
}

fn asked_lines(lines: &[SalesOrderLineIn], faults: &mut Faults) -> Vec<AskedLine> {
    let mut seen = HashSet::new();
    let asked = lines.iter().enumerate().map(|(index, line)| {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        let id = line.id.unwrap_or_else(Uuid::now_v7);
        if !seen.insert(id) {
            faults.add(format!("/lines/{index}/id"), "duplicate", "another line has this id");
        }
        AskedLine {
            id,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount.unwrap_or(Discount::ZERO),
        }
    });
    asked.collect()
}

fn check_dates(row: &OrderRow, faults: &mut Faults) {
    if row.requested_date.is_some_and(|date| date < row.order_date) {
        faults.add("/requested_date", "out_of_range", "must not be before the order date");
    }
}

/// The lines of a draft: only given prices count, the rest is priced at confirmation.
fn draft_lines(row: &OrderRow, asked: &[AskedLine]) -> Result<Vec<LineRow>> {
    let currency: service_kit::Currency = row.currency.parse().map_err(Error::Bug)?;
    asked
        .iter()
        .zip(1..)
        .map(|(line, position)| {
            let total = line
                .unit_price
                .map(|price| currency.line_total(line.quantity, price, line.discount))
                .transpose()?;
            Ok(LineRow {
                id: line.id,
                order_id: row.id,
                position,
                product_id: line.product_id,
                known_product_id: Some(line.product_id),
                quantity: line.quantity,
                unit: None,
                unit_price: line.unit_price,
                list_price: None,
                price_explanation: None,
                discount: line.discount,
                line_total: total,
                reserved_quantity: Quantity::ZERO,
                backordered_quantity: Quantity::ZERO,
                delivered_quantity: Quantity::ZERO,
            })
        })
        .collect()
}

fn asked_of(lines: &[LineRow]) -> Vec<AskedLine> {
    let asked = lines.iter().map(|line| AskedLine {
        id: line.id,
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
    });
    asked.collect()
}

/// Changes a draft.
///
/// # Errors
/// 409 when it is no draft, 412/428 by `If-Match`, 422 with every fault.
pub fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &SalesOrderPatch) -> Result<SalesOrder> {
    let (mut row, mut lines) = queries::load(tx, id).or_not_found("sales order")?;
    queries::lock_unchanged(tx, &row)?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), Vec::new())?;
    tx.require_match(&before)?;
    row.state()?.check(Action::Edit)?;
    row.order_date = patch.order_date.unwrap_or(row.order_date);
    row.requested_date = patch.requested_date.unwrap_or(row.requested_date);
    row.warehouse_id = patch.warehouse_id.unwrap_or(row.warehouse_id);
    row.priority = patch.priority.unwrap_or(row.priority);
    row.external_ref = patch.external_ref.clone().unwrap_or(row.external_ref);
    let mut faults = Faults::default();
    check_dates(&row, &mut faults);
    let asked = patch.lines.as_ref().map(|lines| asked_lines(lines, &mut faults));
    faults.check()?;
    let checked = asked.clone().unwrap_or_else(|| asked_of(&lines));
    if let Some(decided) = place::decide(tx, &row, &checked)? {
        let unknown: Vec<_> = decided
            .reasons
            .into_iter()
            .filter(|reason| reason.code.starts_with("unknown"))
            .collect();
        place::refuse(&checked, &unknown)?;
    }
    if let Some(asked) = asked {
        lines = draft_lines(&row, &asked)?;
        queries::replace_lines(tx, id, &lines)?;
        place::set_totals(&mut row, lines.iter().filter_map(|line| line.line_total))?;
    }
    queries::save(tx, &mut row, &[], false)?;
    let after = SalesOrder::from_rows(row, lines, Vec::new())?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Confirms a draft: prices it, checks the customer's credit, reserves stock.
///
/// # Errors
/// 409 `illegal_transition`; 422 with every line that cannot be confirmed.
pub fn confirm(tx: &mut Tx<'_>, id: Uuid) -> Result<SalesOrder> {
    let (mut row, lines) = queries::load(tx, id).or_not_found("sales order")?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), Vec::new())?;
    tx.match_if_given(&before)?;
    row.state()?.check(Action::Confirm)?;
    let asked = asked_of(&lines);
    let Some(decided) = place::decide(tx, &row, &asked)? else {
        return Err(unknown_customer());
    };
    place::refuse(&asked, &decided.reasons)?;
    let unlocked = row.clone();
    let lines = place::confirm(tx, &mut row, &decided)?;
    queries::lock_unchanged(tx, &unlocked)?;
    store(tx, &before, row, lines)
}

/// Stores a changed order with its traces.
fn store(tx: &mut Tx<'_>, before: &SalesOrder, mut row: OrderRow, lines: Vec<LineRow>) -> Result<SalesOrder> {
    queries::save(tx, &mut row, &lines, false)?;
    let deliveries = queries::deliveries_of_order(tx, &row)?;
    let after = SalesOrder::from_rows(row, lines, deliveries)?;
    tx.changed(Some(before), &after)?;
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
    let (mut row, mut lines) = queries::load(tx, id).or_not_found("sales order")?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), queries::deliveries_of_order(tx, &row)?)?;
    let products: Vec<Uuid> = lines.iter().filter_map(|line| line.known_product_id).collect();
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

fn stocked_products(tx: &mut Tx<'_>, products: &[Uuid]) -> QueryResult<Vec<Uuid>> {
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

/// Holds a confirmed order by hand. It keeps what it reserved; nothing ships until the release.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn hold(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<SalesOrder> {
    change(tx, id, |tx, row, _| {
        row.state()?.check(Action::Hold)?;
        let hold = Hold {
            code: "manual".to_owned(),
            reason: reason.to_owned(),
            placed_at: tx.now(),
        };
        row.holds = serde_json::to_value([hold])?;
        Ok(())
    })
}

/// Releases an order from its holds, on the authority of who releases it.
///
/// Released from a credit hold, it counts towards the exposure from now on and ships past the
/// limit. Released from another hold, it goes on a credit hold when credit does not suffice. It
/// reserves what it did not reserve yet.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn release(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<SalesOrder> {
    let customer: Uuid = queries::load(tx, id).or_not_found("sales order")?.0.customer_id;
    // The exposure changes, so the customer is locked, and first of all locks.
    let terms = customers::lock_terms(tx, customer)?;
    let after = change(tx, id, |tx, row, lines| {
        row.state()?.check(Action::Release)?;
        note_release(tx, row, reason)?;
        let was_for_credit = row.holds.as_array().into_iter().flatten().any(is_for_credit);
        row.holds = serde_json::json!([]);
        row.credit_released |= was_for_credit;
        // Released from another hold, credit has its say as at any other step.
        if !row.credit_released
            && let Some(terms) = &terms
            && let Some(stop) = credit::check(tx, terms, customer, row.gross, &row.currency, row.credit_counted)?
        {
            row.holds = serde_json::to_value([Hold {
                code: stop.code.to_owned(),
                reason: stop.reason,
                placed_at: tx.now(),
            }])?;
            return Ok(());
        }
        row.credit_counted = true;
        if row.warehouse_id.is_none() {
            row.warehouse_id = warehouses::default_warehouse(tx)?;
        }
        let products: Vec<Uuid> = lines.iter().filter_map(|line| line.known_product_id).collect();
        let stocked = stocked_products(tx, &products)?;
        let stocked: Vec<bool> = lines.iter().map(|line| stocked.contains(&line.product_id)).collect();
        place::reserve(tx, row, lines, &stocked)
    })?;
    if after.status == Status::OnHold {
        return Ok(after);
    }
    // Stock may have become free while it was skipped.
    if let Some(warehouse) = after.warehouse_id {
        let waiting: Vec<Uuid> = after
            .lines
            .iter()
            .filter(|line| !line.backordered_quantity.is_zero())
            .map(|line| line.product_id)
            .collect();
        backorders::fill(tx, warehouse, &waiting)?;
        return queries::find(tx, id);
    }
    Ok(after)
}

fn is_for_credit(hold: &serde_json::Value) -> bool {
    hold["code"].as_str().is_some_and(|code| code.starts_with("credit"))
}

/// Who releases takes it on themselves: the log keeps from what, why, and at which exposure.
fn note_release(tx: &mut Tx<'_>, row: &OrderRow, reason: &str) -> Result<()> {
    let exposure = credit::exposure(tx, row.customer_id)?;
    let note = serde_json::json!({
        "released": { "from": row.holds, "to": null },
        "reason": { "from": null, "to": reason },
        "exposure_before": { "from": null, "to": exposure },
    });
    tx.audit_changes("sales_order", row.id, row.revision + 1, note);
    Ok(())
}

/// Closes an order; an undelivered rest is dropped, with a reason.
///
/// # Errors
/// 409 `illegal_transition`, 422 `reason_required`.
pub fn close(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<SalesOrder> {
    change(tx, id, |_, row, lines| {
        row.state()?.check(Action::Close)?;
        let rest = lines.iter().any(|line| line.delivered_quantity < line.quantity);
        if rest && reason.is_none() {
            return Err(Problem::rule("reason_required", "closing drops what is not delivered: say why").into());
        }
        row.lifecycle = "closed".to_owned();
        row.end_reason = reason.map(str::to_owned);
        drop_rest(lines);
        Ok(())
    })
}

/// Cancels an order while nothing has shipped.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<SalesOrder> {
    change(tx, id, |_, row, lines| {
        row.state()?.check(Action::Cancel)?;
        cancel_rows(row, lines, reason.map(str::to_owned));
        Ok(())
    })
}

/// Cancels rows whose state allows it.
pub(super) fn cancel_rows(row: &mut OrderRow, lines: &mut [LineRow], reason: Option<String>) {
    row.lifecycle = "cancelled".to_owned();
    row.end_reason = reason;
    row.holds = serde_json::json!([]);
    drop_rest(lines);
}

fn drop_rest(lines: &mut [LineRow]) {
    for line in lines {
        line.reserved_quantity = Quantity::ZERO;
        line.backordered_quantity = Quantity::ZERO;
    }
}

/// Whether shipping is stopped for credit; the customer is locked when there is a limit.
///
/// # Errors
/// 409 `credit_exceeded`.
pub fn check_credit_to_ship(tx: &mut Tx<'_>, row: &OrderRow) -> Result<()> {
    if row.credit_released {
        return Ok(());
    }
    let Some(terms) = customers::terms(tx, row.customer_id)? else {
        return Ok(());
    };
    let terms = match terms.credit_limit {
        Some(_) => customers::lock_terms(tx, row.customer_id)?.unwrap_or(terms),
        None => terms,
    };
    let gross: Decimal = row.gross;
    match credit::check(tx, &terms, row.customer_id, gross, &row.currency, row.credit_counted)? {
        None => Ok(()),
        Some(stop) => Err(Problem::conflict("credit_exceeded", stop.reason)
            .fact("hold", stop.code)
            .into()),
    }
}
