//! What other documents tell an order: invoiced, returned, paid. Each is one guarded change with
//! its event; the caller holds the locks that go before orders.

use super::model::{Charge, Hold, SalesOrder};
use super::queries;
use super::rows::{LineRow, OrderRow};
use super::status::{Lifecycle, Progress};
use super::totals;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Amount, Error, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Notes what an invoice takes of an order. Each delta names a line (a quantity) or a charge (an
/// amount, net or gross as the order's prices are); a negative one takes an unposted mistake back.
///
/// # Errors
/// 404; 409 `illegal_transition` unless the order is confirmed or closed; 409 `exceeds_invoiceable`
/// naming every line of which more would be invoiced than its policy allows.
pub fn note_invoiced(tx: &mut Tx<'_>, order_id: Uuid, deltas: &[(Uuid, Decimal)]) -> Result<SalesOrder> {
    note(tx, order_id, |row, lines| {
        let state = row.state()?;
        if !matches!(state.lifecycle, Lifecycle::Confirmed | Lifecycle::Closed) {
            return Err(Problem::illegal_transition("invoice", state.status().name(), &[]).into());
        }
        let mut charges = totals::charges(row)?;
        let mut refused = Vec::new();
        for (id, delta) in deltas {
            if let Some(charge) = charges.iter_mut().find(|charge| charge.id == *id) {
                match invoiced_charge(charge, *delta) {
                    Some(invoiced) => charge.invoiced_amount = invoiced,
                    None => refused.push(json!({ "charge_id": id, "wanted": delta.normalize(), "open": open(charge) })),
                }
                continue;
            }
            let line = lines.iter_mut().find(|line| line.id == *id);
            let line = line.ok_or_else(|| Error::Bug(format!("order {order_id} has no line {id}")))?;
            let allowed = line.to_invoice(row.invoicing_policy, state.lifecycle).value();
            match Quantity::new(line.invoiced_quantity.value() + *delta) {
                Ok(invoiced) if *delta <= allowed => line.invoiced_quantity = invoiced,
                _ => refused.push(json!({ "line_id": id, "wanted": delta.normalize(), "open": allowed })),
            }
        }
        if !refused.is_empty() {
            let detail = "more would be invoiced than may be";
            return Err(Problem::conflict("exceeds_invoiceable", detail)
                .fact("lines", refused)
                .into());
        }
        row.charges = serde_json::to_value(charges)?;
        Ok(())
    })
}

fn open(charge: &Charge) -> Decimal {
    charge.amount.value() - charge.invoiced_amount.value()
}

fn invoiced_charge(charge: &Charge, delta: Decimal) -> Option<Amount> {
    let invoiced = charge.invoiced_amount.value() + delta;
    match delta <= open(charge) && invoiced >= Decimal::ZERO {
        true => Amount::new(invoiced).ok(),
        false => None,
    }
}

/// Notes what came back of an order's lines. Answers for each line how much of it was not invoiced
/// before: that part is not invoiced any more; the rest is to be credited.
///
/// # Errors
/// 404; 409 `exceeds_delivered` naming every line of which more would come back than is there.
pub fn note_returned(
    tx: &mut Tx<'_>,
    order_id: Uuid,
    deltas: &[(Uuid, Quantity)],
) -> Result<(SalesOrder, Vec<(Uuid, Quantity)>)> {
    let mut uninvoiced = Vec::with_capacity(deltas.len());
    let order = note(tx, order_id, |_, lines| {
        let mut refused = Vec::new();
        for (id, quantity) in deltas {
            let line = lines.iter_mut().find(|line| line.id == *id);
            let line = line.ok_or_else(|| Error::Bug(format!("order {order_id} has no line {id}")))?;
            let there = line.delivered_quantity.less(line.returned_quantity);
            if *quantity > there {
                refused.push(json!({ "line_id": id, "wanted": quantity, "delivered": there }));
                continue;
            }
            let open = line
                .delivered_quantity
                .less(line.returned_uninvoiced_quantity)
                .less(line.invoiced_quantity);
            let part = open.min(*quantity);
            line.returned_quantity = line.returned_quantity + *quantity;
            line.returned_uninvoiced_quantity = line.returned_uninvoiced_quantity + part;
            uninvoiced.push((*id, part));
        }
        match refused.is_empty() {
            true => Ok(()),
            false => {
                let detail = "more would come back than was delivered";
                Err(Problem::conflict("exceeds_delivered", detail)
                    .fact("lines", refused)
                    .into())
            }
        }
    })?;
    Ok((order, uninvoiced))
}

/// Notes how far an order is paid; nothing happens when that is known already.
///
/// # Errors
/// 404.
pub fn note_payment(tx: &mut Tx<'_>, order_id: Uuid, payment: Progress) -> Result<SalesOrder> {
    note(tx, order_id, |row, _| {
        row.payment = payment.name().to_owned();
        Ok(())
    })
}

/// Locks an order, changes it, stores it and leaves its traces.
fn note<F>(tx: &mut Tx<'_>, id: Uuid, change: F) -> Result<SalesOrder>
where
    F: FnOnce(&mut OrderRow, &mut Vec<LineRow>) -> Result<()>,
{
    let found = queries::lock_many(tx, &[id])?.pop();
    let (mut row, mut lines, deliveries) = found.ok_or_else(|| Problem::not_found("sales order"))?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), deliveries.clone())?;
    change(&mut row, &mut lines)?;
    if SalesOrder::from_rows(row.clone(), lines.clone(), deliveries.clone())? == before {
        return Ok(before);
    }
    queries::save(tx, &mut row, &lines, false)?;
    let after = SalesOrder::from_rows(row, lines, deliveries)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Puts a hold with this code on an order in whatever state it is, or with no reason takes it away.
///
/// # Errors
/// 404.
pub fn note_hold(tx: &mut Tx<'_>, order_id: Uuid, code: &str, reason: Option<&str>) -> Result<SalesOrder> {
    let placed_at = tx.now();
    note(tx, order_id, |row, _| {
        let mut holds: Vec<Hold> = serde_json::from_value(row.holds.clone())?;
        match reason {
            None => holds.retain(|hold| hold.code != code),
            Some(_) if holds.iter().any(|hold| hold.code == code) => {}
            Some(reason) => holds.push(Hold {
                code: code.to_owned(),
                reason: reason.to_owned(),
                placed_at,
            }),
        }
        row.holds = serde_json::to_value(holds)?;
        Ok(())
    })
}
