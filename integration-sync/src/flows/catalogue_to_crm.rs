//! Categories, products and prices: the ERP is their master.

use super::{Change, Flow, Record, Request};
use crate::crm;
use crate::http::System;

pub(super) static FLOW: Flow = Flow {
    name: "catalogue-to-crm",
    source: System::Erp,
    target: System::Crm,
    records: &[
        Record {
            kind: "category",
            events: &["category.changed"],
            list: "/v1/categories",
            one: Some("/v1/categories"),
        },
        Record {
            kind: "product",
            events: &["product.changed"],
            list: "/v1/products",
            one: Some("/v1/products"),
        },
        Record {
            kind: "price",
            events: &["price.changed"],
            list: "/v1/prices",
            one: Some("/v1/prices"),
        },
    ],
    request,
    bulk: None,
};

fn request(change: &Change) -> serde_json::Result<Option<Request>> {
    let source = change.source();
    match change.kind {
        "category" => crm::put_category(source, &change.read()?),
        "product" => crm::put_product(source, &change.read()?),
        _ => crm::put_price(source, &change.read()?),
    }
    .map(Some)
}
