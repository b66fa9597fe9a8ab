//! What became of an order: status, quantities, deliveries, and the orders of the back office.
//!
//! A draft of the back office is not yet an order, and stays in the ERP.

use super::{Change, Flow, Record, Request};
use crate::crm;
use crate::http::System;
use serde::Deserialize;
use std::borrow::Cow;

pub(super) static FLOW: Flow = Flow {
    name: "fulfilment-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[Record {
        kind: "order",
        events: &["sales_order.changed"],
        list: "/v1/sales-orders",
        one: Some("/v1/sales-orders"),
    }],
    request,
    bulk: None,
};

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let state: State<'_> = change.read()?;
    if state.origin == "erp" && state.status == "draft" {
        return Ok(None);
    }
    crm::put_fulfilment(change.source(), &change.data).map(Some)
}
