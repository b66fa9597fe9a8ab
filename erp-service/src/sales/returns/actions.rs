//! Authorising, cancelling, and what a credit note tells.

use super::model::{ReturnAction, ReturnLineRow, ReturnRow, ReturnStatus, SalesReturn, SalesReturnIn};
use super::queries::{self, Delivered};
use crate::company;
use crate::inventory::warehouses;
use crate::ledger;
use crate::ledger::numbers::{self, Series};
use crate::sales::orders;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::{Error, Faults, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Authorises a return. Nothing moves and nothing is posted yet.
///
/// # Errors
/// 409 `exceeds_delivered` with every line; 422 with every fault.
pub(super) fn authorise(tx: &mut Tx<'_>, input: &SalesReturnIn) -> Result<SalesReturn> {
    // Under the order's lock two returns cannot claim the same goods.
    let Some((order, lines, _)) = orders::queries::lock_many(tx, &[input.order_id])?.pop() else {
        let mut faults = Faults::default();
        faults.add("/order_id", "unknown_order", "there is no such sales order");
        faults.check()?;
        return Err(Error::Bug("a fault was lost".into()));
    };
    let delivered = queries::delivered(tx, order.id)?;
    let mut faults = Faults::default();
    for (index, line) in input.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        if line.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must be more than 0");
        }
        if !lines.iter().any(|known| known.id == line.line_id) {
            faults.add(at("line_id"), "unknown_line", "the order has no such line");
        } else if let Some(delivery) = line.delivery_id
            && !delivered
                .iter()
                .any(|d| (d.delivery_id, d.line_id) == (delivery, line.line_id))
        {
            faults.add(at("delivery_id"), "unknown_delivery", "the line has no such delivery");
        }
    }
    if let Some(warehouse) = input.warehouse_id
        && !warehouses::exists(tx, warehouse)?
    {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    faults.check()?;
    let id = tx.mint(input.id);
    let claimed = claim(id, input, delivered)?;
    let warehouse_id = match (input.warehouse_id, claimed.first()) {
        (None, Some(first)) => queries::warehouse_of(tx, first.delivery_id)?,
        (given, _) => given,
    };
    let on = ledger::posting_day(tx, None)?;
    let row = ReturnRow {
        id,
        number: numbers::draw(tx, Series::Return, &on)?,
        order_id: order.id,
        customer_id: order.customer_id,
        warehouse_id,
        status: ReturnStatus::Authorised,
        reason: input.reason.clone(),
        external_ref: input.external_ref.clone(),
        authorised_on: on.date,
        received_on: None,
        inspected_on: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    queries::insert(tx, &row, &claimed)?;
    let base = company::settings(tx)?.base_currency;
    let made = SalesReturn::from_rows(row, claimed, base)?;
    tx.changed(None, &made)?;
    Ok(made)
}

/// Takes what comes back from the deliveries that brought it; every line of which less is there is named.
fn claim(return_id: Uuid, input: &SalesReturnIn, mut delivered: Vec<Delivered>) -> Result<Vec<ReturnLineRow>, Problem> {
    let (mut lines, mut short): (Vec<ReturnLineRow>, Vec<Value>) = (Vec::new(), Vec::new());
    for asked in &input.lines {
        let mut left = asked.quantity;
        let fits = |d: &&mut Delivered| {
            d.line_id == asked.line_id && asked.delivery_id.is_none_or(|delivery| delivery == d.delivery_id)
        };
        for from in delivered.iter_mut().filter(fits) {
            let got = left.min(from.quantity.less(from.claimed));
            if got.is_zero() {
                continue;
            }
            (left, from.claimed) = (left - got, from.claimed + got);
            lines.push(ReturnLineRow {
                id: Uuid::now_v7(),
                return_id,
                position: i32::try_from(lines.len() + 1).unwrap_or(i32::MAX),
                line_id: from.line_id,
                delivery_id: from.delivery_id,
                product_id: from.product_id,
                quantity: got,
                received_quantity: Quantity::ZERO,
                uninvoiced_quantity: Quantity::ZERO,
                credited_quantity: Quantity::ZERO,
                restocked_quantity: Quantity::ZERO,
                scrapped_quantity: Quantity::ZERO,
                held_quantity: Quantity::ZERO,
                value: Decimal::ZERO,
                lots: json!([]),
            });
        }
        if !left.is_zero() {
            let there = asked.quantity - left;
            short.push(json!({ "line_id": asked.line_id, "wanted": asked.quantity, "delivered": there }));
        }
    }
    match short.is_empty() {
        true => Ok(lines),
        false => {
            let detail = "more is to come back than was delivered and has not come back yet";
            Err(Problem::conflict("exceeds_delivered", detail).fact("lines", short))
        }
    }
}

/// Takes an authorisation back.
///
/// # Errors
/// 404; 409 `illegal_transition`.
pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid) -> Result<SalesReturn> {
    change(tx, id, ReturnAction::Cancel, |row, _| {
        row.status = ReturnStatus::Cancelled;
        Ok(())
    })
}

/// Notes what credit notes have credited of a return, by its lines; it is completed when nothing is
/// left to credit. The caller holds the locks that go before.
///
/// # Errors
/// 404; 409 `illegal_transition` unless inspected, `exceeds_to_credit` with every line.
pub fn note_credited(tx: &mut Tx<'_>, id: Uuid, credited: &[(Uuid, Quantity)]) -> Result<SalesReturn> {
    change(tx, id, ReturnAction::Credit, |row, lines| {
        let mut short = Vec::new();
        for (line_id, quantity) in credited {
            let line = lines.iter_mut().find(|line| line.id == *line_id);
            let line = line.ok_or_else(|| Error::Bug(format!("return {id} has no line {line_id}")))?;
            if *quantity > line.to_credit() {
                short.push(json!({ "id": line_id, "wanted": quantity, "to_credit": line.to_credit() }));
                continue;
            }
            line.credited_quantity = line.credited_quantity + *quantity;
        }
        if !short.is_empty() {
            let detail = "more would be credited than came back invoiced";
            return Err(Problem::conflict("exceeds_to_credit", detail)
                .fact("lines", short)
                .into());
        }
        if lines.iter().all(|line| line.to_credit().is_zero()) {
            row.status = ReturnStatus::Completed;
        }
        Ok(())
    })
}

/// The frame of a change that moves no stock.
fn change<F>(tx: &mut Tx<'_>, id: Uuid, action: ReturnAction, change: F) -> Result<SalesReturn>
where
    F: FnOnce(&mut ReturnRow, &mut Vec<ReturnLineRow>) -> Result<()>,
{
    let base = company::settings(tx)?.base_currency;
    let (mut row, mut lines) = queries::lock_rows(tx, id)?;
    let before = SalesReturn::from_rows(row.clone(), lines.clone(), base)?;
    tx.match_if_given(&before)?;
    row.status.check(action)?;
    change(&mut row, &mut lines)?;
    queries::save(tx, &mut row, &lines)?;
    let after = SalesReturn::from_rows(row, lines, base)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}
