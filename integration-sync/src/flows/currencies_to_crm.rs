//! The company with its currencies, and exchange rates: the ERP is their master.

use super::{Change, Flow, Record, Request};
use crate::crm;
use crate::http::System;

pub(super) static FLOW: Flow = Flow {
    name: "currencies-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[
        Record {
            kind: "company",
            events: &["company.changed"],
            list: "/v1/companies",
            one: None,
        },
        Record {
            kind: "exchange_rate",
            events: &["exchange_rate.changed"],
            list: "/v1/exchange-rates",
            one: Some("/v1/exchange-rates"),
        },
    ],
    request,
    bulk: None,
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let source = change.source();
    match change.kind {
        "company" => crm::put_company(source, &change.read()?),
        _ => crm::put_exchange_rate(source, &change.read()?),
    }
    .map(Some)
}
