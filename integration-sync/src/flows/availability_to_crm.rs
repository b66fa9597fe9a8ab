//! What is on hand, reserved and incoming by day, per product and warehouse: the ERP knows.
//!
//! A thousand stock moves of a product are one item here, and up to 500 items are one request.

use super::{Bulk, Change, Flow, Record, RefusedItem, Request, refused_items};
use crate::crm;
use crate::http::System;
use uuid::Uuid;

pub(super) static FLOW: Flow = Flow {
    name: "availability-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[Record {
        kind: "availability",
        events: &["availability.changed"],
        list: "/v1/availability",
        one: None,
    }],
    request,
    bulk: Some(Bulk {
        most: 500,
        request: crm::put_availability,
        refused,
    }),
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    crm::availability_item(change.source(), &change.read()?).map(Some)
}

fn refused(items: &[Uuid], answer: &[u8]) -> Vec<RefusedItem> {
    refused_items("CRM", items, answer)
}
