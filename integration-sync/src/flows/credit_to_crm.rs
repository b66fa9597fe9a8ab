//! Tier, credit limit, hold, block and balance of a customer: the ERP is their master.

use super::{Change, Flow, Record, Request};
use crate::crm;
use crate::http::System;

pub(super) static FLOW: Flow = Flow {
    name: "credit-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[Record {
        kind: "credit",
        events: &["customer.credit_changed"],
        list: "/v1/customers",
        one: Some("/v1/customers"),
    }],
    request,
    bulk: None,
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    crm::put_credit(change.source(), &change.read()?).map(Some)
}
