//! Segments of customers: the CRM is their master.

use super::{Change, Flow, Record, Request};
use crate::erp;
use crate::http::System;

pub(super) static FLOW: Flow = Flow {
    name: "segments-to-erp",
    source: System::Crm,
    target: System::Erp,
    records: &[Record {
        kind: "segment",
        events: &["segment.changed"],
        list: "/v1/segments",
        one: Some("/v1/segments"),
    }],
    request,
    bulk: None,
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    erp::put_segment(change.source(), &change.read()?).map(Some)
}
