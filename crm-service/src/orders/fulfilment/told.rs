//! Telling what a report changed: the feed, and the customer's timeline.

use super::model::{Fulfilment, FulfilmentIn, OrderDelivery};
use crate::customers::timeline::{self, Entry, TimelineSource};
use crate::orders::model::Order;
use crate::orders::status::{OrderProgress, OrderStatus};
use serde_json::{Value, json};
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
    entries.extend(progress_entries(before, after, told));
    timeline::add_all(tx, &entries)?;
    Ok(())
}

/// When an order has come to be invoiced or paid as a whole.
fn progress_entries(before: Option<&Order>, after: &Order, told: &FulfilmentIn) -> Vec<Entry> {
    let name = name(told);
    type Part = fn(&Fulfilment) -> Option<OrderProgress>;
    let parts: [(&str, String, Part); 2] = [
        ("order_invoiced", format!("{name} invoiced"), |fulfilment| {
            fulfilment.invoicing
        }),
        ("order_paid", format!("{name} paid"), |fulfilment| fulfilment.payment),
    ];
    let is_full = |order: Option<&Order>, part: Part| {
        let fulfilment = order.and_then(|order| order.fulfilment.as_ref());
        fulfilment.and_then(part) == Some(OrderProgress::Full)
    };
    let new = parts
        .into_iter()
        .filter(|(_, _, part)| is_full(Some(after), *part) && !is_full(before, *part));
    new.map(|(kind, summary, _)| entry(after, kind, summary, told, json!({ "number": told.order.number })))
        .collect()
}

fn name(told: &FulfilmentIn) -> String {
    match &told.order.number {
        Some(number) => format!("Order {number}"),
        None => "Order".to_owned(),
    }
}

/// Something that happened to the order as a whole.
fn entry(order: &Order, kind: &'static str, summary: String, told: &FulfilmentIn, data: Value) -> Entry {
    Entry {
        customer_id: order.customer_id,
        occurred_at: told.as_of,
        source: TimelineSource::Erp,
        kind,
        subject_type: Order::TYPE,
        subject: order.id,
        subject_version: told.source_version,
        summary,
        data,
        as_of: told.as_of,
        owned: Some(order.owned()),
    }
}

fn status_entry(order: &Order, told: &FulfilmentIn) -> Option<Entry> {
    let name = name(told);
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
    let data = json!({ "number": told.order.number, "holds": told.order.holds, "rejection": order.rejection });
    Some(entry(order, kind, summary, told, data))
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
        owned: None,
    }
}
