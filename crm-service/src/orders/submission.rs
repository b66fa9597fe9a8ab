//! Submitting and cancelling: the CRM's last word, and the request that may follow it.

use super::drafts;
use super::model::Order;
use super::queries;
use super::status::{CancellationState, OrderAction, OrderStatus};
use super::stored::StoredOrder;
use crate::catalogue;
use crate::customers::Standing;
use crate::customers::timeline::{self, Entry};
use serde_json::json;
use service_kit::{Error, Faults, Result, Sight, Tx};
use uuid::Uuid;

/// Submits a draft to the ERP: prices what has no price, and tells it.
pub fn submit(tx: &mut Tx<'_>, id: Uuid) -> Result<Order> {
    let before = queries::acted_on(tx, id)?;
    tx.match_if_given(&before.wire()?)?;
    before.state().check(OrderAction::Submit)?;
    // Whoever sees the order may submit it, even on a customer that is somebody else's.
    let standing = drafts::customer(tx, &Sight::All, before.row.customer_id, Faults::default())?;
    let mut after = before.clone();
    price_and_mark(tx, &mut after, &standing)?;
    after.count_own_change(tx.now());
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    let after = after.wire()?;
    tx.audit(Some(&before.wire()?), &after)?;
    tell(tx, &after, &standing)?;
    Ok(after)
}

/// Gives each line without a price the list price of the customer's tier at the order date, and
/// marks the order submitted. What the replica cannot price is left to the ERP.
pub fn price_and_mark(tx: &mut Tx<'_>, order: &mut StoredOrder, standing: &Standing) -> Result<()> {
    let unpriced = order.lines.iter().filter(|line| line.unit_price.is_none());
    let asked: Vec<_> = unpriced.map(|line| (line.product_id, line.quantity)).collect();
    if !asked.is_empty() {
        let (currency, date) = (order.row.currency, order.row.order_date);
        let prices = catalogue::prices_for(
            tx,
            order.row.customer_id,
            standing.tiers.on(date),
            currency,
            date,
            &asked,
        )?;
        let unpriced = order.lines.iter_mut().filter(|line| line.unit_price.is_none());
        for (line, price) in unpriced.zip(prices) {
            line.unit_price = price;
        }
        order.compute_totals()?;
    }
    order.row.status = OrderStatus::Submitted;
    order.row.submitted_at = Some(tx.now());
    Ok(())
}

/// Tells the ERP and the customer's timeline that an order was submitted.
pub fn tell(tx: &mut Tx<'_>, order: &Order, standing: &Standing) -> Result<()> {
    tx.emit("order.submitted", order.id, order.version, serde_json::to_value(order)?);
    let summary = format!("{} ordered for {} {}", standing.name, order.total.net, order.currency);
    let entry = Entry::here(tx, order.customer_id, "order_submitted", order)
        .owned(order.owner_id, order.team_id)
        .summary(summary)
        .data(json!({ "total": order.total, "currency": order.currency, "lines": order.lines.len() }));
    timeline::add(tx, entry)?;
    Ok(())
}

/// Ends a draft at once; asks the ERP to cancel an order that was submitted.
///
/// While the ERP has not answered, its reports win: the request stands beside the status.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<Order> {
    let before = queries::acted_on(tx, id)?;
    tx.match_if_given(&before.wire()?)?;
    before.state().check(OrderAction::Cancel)?;
    let (mut after, now) = (before.clone(), tx.now());
    after.count_own_change(now);
    let draft = before.row.status == OrderStatus::Draft;
    if draft {
        after.row.status = OrderStatus::Cancelled;
    } else {
        after.row.cancellation_state = Some(CancellationState::Requested);
        after.row.cancellation_reason = reason.map(str::to_owned);
        after.row.cancellation_requested_at = Some(now);
        after.row.cancellation_version = Some(after.row.version);
    }
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    let after = after.wire()?;
    tx.audit(Some(&before.wire()?), &after)?;
    if draft {
        drafts::emit_changed(tx, &after)?;
        return Ok(after);
    }
    let data = serde_json::to_value(&after)?;
    tx.emit("order.cancellation_requested", after.id, after.version, data);
    let entry = Entry::here(tx, after.customer_id, "order_cancellation_requested", &after)
        .owned(after.owner_id, after.team_id)
        .summary("Cancellation of an order requested")
        .data(json!({ "reason": reason }));
    timeline::add(tx, entry)?;
    Ok(after)
}
