//! What a change of a document means to people: entries of the customer's timeline.

use super::model::{Invoice, InvoiceKind, InvoiceStatus};
use crate::customers::timeline::{self, Entry, TimelineSource};
use serde_json::json;
use service_kit::{Resource, Tx};

/// Tells that the document was posted, paid, credited or is open again.
pub fn tell(tx: &mut Tx<'_>, before: Option<&Invoice>, after: &Invoice) -> diesel::QueryResult<()> {
    let entries: Vec<Entry> = changes(before, after)
        .into_iter()
        .map(|(kind, summary)| entry(after, kind, summary))
        .collect();
    timeline::add_all(tx, &entries)
}

fn changes(before: Option<&Invoice>, after: &Invoice) -> Vec<(&'static str, String)> {
    let document = &after.document;
    let name = name(after);
    let currency = document.currency;
    let is_note = document.kind == InvoiceKind::CreditNote;
    let mut told = Vec::new();
    if before.is_none() {
        let kind = if is_note {
            "credit_note_posted"
        } else {
            "invoice_posted"
        };
        told.push((kind, format!("{name} of {} {currency} posted", document.total.gross)));
    }
    let credited_before = before
        .map(|before| before.document.credited.value())
        .unwrap_or_default();
    let credited = document.credited.value() > credited_before;
    if credited {
        told.push((
            "invoice_credited",
            format!("{name} credited: {} {currency} in all", document.credited),
        ));
    }
    let open = document.open_amount;
    if let Some(before) = before {
        told.extend(collected(before, after, &name));
    }
    let status_before = before.map_or(InvoiceStatus::Posted, |before| before.document.status);
    let (kind, summary) = match (status_before, document.status) {
        (old, new) if old == new => return told,
        (InvoiceStatus::Paid | InvoiceStatus::Credited, InvoiceStatus::Posted | InvoiceStatus::PartiallyPaid)
        | (_, InvoiceStatus::Posted) => ("invoice_reopened", format!("{name} open again: {open} {currency}")),
        (_, InvoiceStatus::PartiallyPaid) if credited => return told,
        (_, InvoiceStatus::PartiallyPaid) => (
            "invoice_partially_paid",
            format!("{name} paid in part: {open} {currency} open"),
        ),
        (_, InvoiceStatus::Paid) if is_note => ("credit_note_settled", format!("{name} used up")),
        (_, InvoiceStatus::Paid) => ("invoice_paid", format!("{name} paid")),
        (_, InvoiceStatus::Credited) => return told,
    };
    told.push((kind, summary));
    told
}

/// Reminders and disputes of its instalments.
fn collected(before: &Invoice, after: &Invoice, name: &str) -> Vec<(&'static str, String)> {
    let level = |invoice: &Invoice| {
        let levels = invoice.document.instalments.iter().map(|part| part.dunning_level);
        levels.max().unwrap_or_default()
    };
    let disputed = |invoice: &Invoice| invoice.document.instalments.iter().any(|part| part.disputed);
    let mut told = Vec::new();
    if level(after) > level(before) {
        let (open, currency) = (after.document.open_amount, after.document.currency);
        let summary = format!("{name}: reminder of level {}, {open} {currency} open", level(after));
        told.push(("invoice_reminded", summary));
    }
    match (disputed(before), disputed(after)) {
        (false, true) => told.push(("invoice_disputed", format!("{name} disputed"))),
        (true, false) => told.push(("invoice_dispute_lifted", format!("{name} not disputed any more"))),
        _ => {}
    }
    told
}

fn name(invoice: &Invoice) -> String {
    let kind = match invoice.document.kind {
        InvoiceKind::Invoice => "Invoice",
        InvoiceKind::CreditNote => "Credit note",
    };
    match &invoice.document.number {
        Some(number) => format!("{kind} {number}"),
        None => kind.to_owned(),
    }
}

fn entry(invoice: &Invoice, kind: &'static str, summary: String) -> Entry {
    let document = &invoice.document;
    let posting = matches!(kind, "invoice_posted" | "credit_note_posted");
    Entry {
        customer_id: document.customer_id,
        occurred_at: document.posted_at.filter(|_| posting).unwrap_or(invoice.as_of),
        source: TimelineSource::Erp,
        kind,
        subject_type: Invoice::TYPE,
        subject: document.id,
        subject_version: invoice.source_version,
        summary,
        data: json!({
            "number": document.number, "order_id": document.order_id, "credited_invoice_id": document.credited_invoice_id,
            "currency": document.currency, "gross": document.total.gross, "open_amount": document.open_amount,
            "due_on": invoice.due_on,
        }),
        as_of: invoice.as_of,
        owned: None,
    }
}
