//! Invoices, credit notes and payments of customers: the ERP posts them.
//!
//! A draft is not yet an invoice, and stays in the ERP; so do payments of suppliers and those without a party.

use super::{Change, Flow, Record, Request};
use crate::crm;
use crate::http::System;
use serde::Deserialize;
use std::borrow::Cow;

pub(super) static FLOW: Flow = Flow {
    name: "documents-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[
        Record {
            kind: "invoice",
            events: &["invoice.changed"],
            list: "/v1/invoices",
            one: Some("/v1/invoices"),
        },
        Record {
            kind: "payment",
            events: &["payment.changed"],
            list: "/v1/payments?party_type=customer",
            one: Some("/v1/payments"),
        },
    ],
    request,
    bulk: None,
};

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    party_type: Option<Cow<'a, str>>,
}

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let state: State<'_> = change.read()?;
    match (change.kind, state.party_type.as_deref()) {
        ("invoice", _) if state.status == "draft" => Ok(None),
        ("invoice", _) => crm::put_invoice(change.source(), &change.data).map(Some),
        (_, Some("customer")) => crm::put_payment(change.source(), &change.read()?).map(Some),
        _ => Ok(None),
    }
}
