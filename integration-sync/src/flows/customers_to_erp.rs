//! Customers, with their legal entities, contacts and addresses: the CRM is their master.

use super::{Change, Flow, Record, Request};
use crate::erp;
use crate::http::System;

pub(super) static FLOW: Flow = Flow {
    name: "customers-to-erp",
    source: System::Crm,
    target: System::Erp,
    records: &[Record {
        kind: "customer",
        events: &["customer.changed", "customer.merged"],
        // What is open in the ERP may still be of one that became part of another.
        list: "/v1/customers?include_merged=true",
        one: Some("/v1/customers"),
    }],
    request,
    bulk: None,
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let customer: erp::Customer<'_> = change.read()?;
    erp::put_customer(change.subject, change.version, change.replace, change.as_of, &customer).map(Some)
}
