//! What a change of a payment means to people: entries of the customer's timeline.

use super::model::{Payment, PaymentDirection, PaymentStatus};
use crate::customers::timeline::{self, Entry, TimelineSource};
use serde_json::json;
use service_kit::{Resource, Tx};

/// Tells that the payment was received (or paid back to the customer) and that it was reversed.
pub fn tell(tx: &mut Tx<'_>, before: Option<&Payment>, after: &Payment) -> diesel::QueryResult<()> {
    let document = &after.document;
    let (name, kind, done) = match document.direction {
        PaymentDirection::In => ("Payment", "payment_received", "received"),
        PaymentDirection::Out => ("Refund", "refund_paid", "paid"),
    };
    let name = match &document.number {
        Some(number) => format!("{name} {number}"),
        None => name.to_owned(),
    };
    let of = format!("{name} of {} {}", document.amount, document.currency);
    let mut entries = Vec::new();
    if before.is_none() {
        entries.push(entry(after, kind, format!("{of} {done}")));
    }
    let was_reversed = before.is_some_and(|before| before.document.status == PaymentStatus::Reversed);
    if document.status == PaymentStatus::Reversed && !was_reversed {
        let summary = match &document.reversal_reason {
            Some(reason) => format!("{of} reversed: {reason}"),
            None => format!("{of} reversed"),
        };
        entries.push(entry(after, "payment_reversed", summary));
    }
    timeline::add_all(tx, &entries)
}

fn entry(payment: &Payment, kind: &'static str, summary: String) -> Entry {
    let document = &payment.document;
    let cleared: Vec<_> = document
        .allocations
        .iter()
        .filter(|allocation| allocation.undone_on.is_none())
        .map(|allocation| allocation.document_id)
        .collect();
    Entry {
        customer_id: document.customer_id,
        occurred_at: payment.as_of,
        source: TimelineSource::Erp,
        kind,
        subject_type: Payment::TYPE,
        subject: document.id,
        subject_version: payment.source_version,
        summary,
        data: json!({
            "number": document.number, "date": document.date, "currency": document.currency, "amount": document.amount,
            "unallocated": document.unallocated, "documents": cleared,
        }),
        as_of: payment.as_of,
        owned: None,
    }
}
