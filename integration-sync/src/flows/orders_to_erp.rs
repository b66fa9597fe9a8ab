//! Orders that were submitted in the CRM, and requests to change or cancel them: the ERP decides.
//!
//! A draft is nobody's business but the CRM's, and an order of the back office comes from the
//! ERP itself: neither travels.

use super::{Change, Flow, Record, Request};
use crate::erp::{self, CancellationRequest};
use crate::http::System;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

pub(super) static FLOW: Flow = Flow {
    name: "orders-to-erp",
    source: System::Crm,
    target: System::Erp,
    records: &[Record {
        kind: "order",
        events: &[
            "order.submitted",
            "order.cancellation_requested",
            "order.change_requested",
        ],
        list: "/v1/orders?origin=crm",
        one: Some("/v1/orders"),
    }],
    request,
    bulk: None,
};

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    origin: Cow<'a, str>,
    submitted_at: Option<DateTime<Utc>>,
    #[serde(borrow)]
    cancellation: Option<Cancellation<'a>>,
}

/// The request is the CRM's fact, whatever the ERP made of it: it travels each time.
#[derive(Deserialize)]
struct Cancellation<'a> {
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    requested_at: Option<DateTime<Utc>>,
}

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let state: State<'_> = change.read()?;
    if state.origin != "crm" || state.submitted_at.is_none() {
        return Ok(None);
    }
    let cancellation = state.cancellation.map(|asked| CancellationRequest {
        reason: asked.reason,
        requested_at: asked.requested_at.unwrap_or(change.as_of),
    });
    let order: erp::SubmittedOrder<'_> = change.read()?;
    erp::put_sales_order(change.subject, change.version, change.replace, &order, cancellation).map(Some)
}
