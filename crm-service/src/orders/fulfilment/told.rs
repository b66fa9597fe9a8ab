//! Telling what a report changed: the feed, and the customer's timeline.

use super::model::{FulfilmentIn, OrderDelivery};
use crate::customers::timeline::{self, Entry, TimelineSource};
use crate::orders::model::Order;
use crate::orders::status::OrderStatus;
use serde_json::json;
use service_kit::{Resource, Result, Tx};

/// Emits the event of the ERP's part, and an entry for a new status and for each new delivery.
pub fn tell(tx: &mut Tx<'_>, before: Option<&Order>, after: &Order, told: &FulfilmentIn) -> Result<()> {
    let data = serde_json::to_value(after)?;
    tx.emit("order.fulfilment_changed", after.id, told.source_version, data);
    let mut entries = Vec::new();
    if before.is_none_or(|before| before.status != after.status) {
        entries.extend(status_entry(after, told));
    }
    let known = |delivery: &OrderDelivery| {
        let fulfilment = before.and_then(|before| before.fulfilment.as_ref());
        fulfilment.is_some_and(|fulfilment| fulfilment.deliveries.iter().any(|d| d.id == delivery.id))
    };
    let deliveries = told.order.deliveries.iter().flatten();
    entries.extend(
        deliveries
            .filter(|delivery| !known(delivery))
            .map(|delivery| delivery_entry(after, delivery, told)),
    );
    timeline::add_all(tx, &entries)?;
    Ok(())
}

fn status_entry(order: &Order, told: &FulfilmentIn) -> Option<Entry> {
    let name = match &told.order.number {
        Some(number) => format!("Order {number}"),
        None => "Order".to_owned(),
    };
    let (kind, summary) = match order.status {
        OrderStatus::Accepted => ("order_accepted", format!("{name} accepted")),
        OrderStatus::Rejected => ("order_rejected", format!("{name} rejected")),
        OrderStatus::OnHold => ("order_on_hold", format!("{name} accepted and on hold")),
        OrderStatus::PartiallyDelivered => ("order_partially_delivered", format!("{name} delivered in part")),
        OrderStatus::Delivered => ("order_delivered", format!("{name} delivered")),
        OrderStatus::Closed => ("order_closed", format!("{name} closed")),
        OrderStatus::Cancelled => ("order_cancelled", format!("{name} cancelled")),
        OrderStatus::Draft | OrderStatus::Submitted => return None,
    };
    Some(Entry {
        customer_id: order.customer_id,
        occurred_at: told.as_of,
        source: TimelineSource::Erp,
        kind,
        subject_type: Order::TYPE,
        subject: order.id,
        subject_version: told.source_version,
        summary,
        data: json!({ "number": told.order.number, "holds": told.order.holds, "rejection": order.rejection }),
        as_of: told.as_of,
    })
}

fn delivery_entry(order: &Order, delivery: &OrderDelivery, told: &FulfilmentIn) -> Entry {
    let name = match &delivery.number {
        Some(number) => format!("Delivery {number}"),
        None => "Delivery".to_owned(),
    };
    Entry {
        customer_id: order.customer_id,
        occurred_at: told.as_of,
        source: TimelineSource::Erp,
        kind: "delivery",
        subject_type: "delivery",
        subject: delivery.id,
        // A delivery is posted once and never changes, so it is told once.
        subject_version: 1,
        summary: format!("{name} of {}", delivery.date),
        data: json!({ "order_id": order.id, "date": delivery.date, "lines": delivery.lines.len() }),
        as_of: told.as_of,
    }
}
