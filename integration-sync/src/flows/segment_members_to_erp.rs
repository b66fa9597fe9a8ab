//! Who is in which segment, and was: the CRM is the master.
//!
//! A rule may let a hundred thousand customers in at once: each membership is a small item of its own, and up to 500 items are
//! one request.

use super::{Bulk, Change, Flow, Record, RefusedItem, Request, refused_items};
use crate::erp;
use crate::http::System;
use uuid::Uuid;

pub(super) static FLOW: Flow = Flow {
    name: "segment-members-to-erp",
    source: System::Crm,
    target: System::Erp,
    records: &[Record {
        kind: "segment_membership",
        events: &["segment.membership_changed"],
        list: "/v1/segment-memberships",
        one: None,
    }],
    request,
    bulk: Some(Bulk {
        most: 500,
        request: erp::put_segment_memberships,
        refused,
    }),
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    erp::segment_membership_item(change.source(), &change.read()?).map(Some)
}

fn refused(items: &[Uuid], answer: &[u8]) -> Vec<RefusedItem> {
    refused_items("ERP", items, answer)
}
