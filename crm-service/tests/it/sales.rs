//! What the tests of catalogue and orders share: the ERP's records as the sync tells them.

use crate::support::id;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};
use uuid::Uuid;

pub const AS_OF: &str = "2026-01-15T10:00:00Z";

pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A product as the ERP has it.
pub fn product(version: i64, sku: &str, name: &str) -> Value {
    json!({
        "source_version": version, "as_of": AS_OF, "sku": sku, "name": name, "description": null, "kind": "goods",
        "unit": "pcs", "category_id": null, "category_name": null, "status": "active", "external_ref": null,
    })
}

/// A price in USD of the base list, for any quantity and day; `changes` makes it another.
pub fn price(product_id: &str, unit_price: &str, changes: &Value) -> Value {
    let mut price = json!({
        "source_version": 1, "as_of": AS_OF, "price_list_id": new_id(), "price_list_name": "Base", "currency": "USD",
        "tier": null, "product_id": product_id, "unit_price": unit_price, "minimum_quantity": "0",
        "valid_from": null, "valid_to": null,
    });
    merge(&mut price, changes);
    price
}

/// Tells the CRM a price under a new id.
pub async fn tell_price(sync: &Client, product_id: &str, unit_price: &str, changes: Value) -> String {
    let id = new_id();
    let body = price(product_id, unit_price, &changes);
    sync.put(&format!("/v1/prices/{id}"), body).await.expect(201);
    id
}

/// Puts a customer into a tier, as the ERP does.
pub async fn tell_tier(sync: &Client, customer: &Value, version: i64, tier: &str) {
    let facts = json!({
        "source_version": version, "tier": tier, "credit_limit": null, "credit_currency": null,
        "credit_hold": false, "blocked": false, "as_of": AS_OF,
    });
    sync.put(&format!("/v1/customers/{}/credit", id(customer)), facts)
        .await
        .expect(200);
}

pub fn merge(into: &mut Value, changes: &Value) {
    for (field, value) in changes.as_object().expect("an object") {
        into[field] = value.clone();
    }
}

/// An order of two priced lines worth 10 × 9.80 + 3 × 14.00 × 0.95 = 137.90 USD.
pub fn order(customer: &Value) -> Value {
    json!({
        "customer_id": id(customer), "currency": "USD",
        "lines": [
            { "product_id": new_id(), "quantity": "10", "unit_price": "9.80" },
            { "product_id": new_id(), "quantity": "3", "unit_price": "14.00", "discount": "0.05" },
        ],
    })
}

pub async fn placed(client: &Client, order: Value) -> Value {
    client.post("/v1/orders", order).await.expect(201)
}

pub async fn submitted(client: &Client, customer: &Value) -> Value {
    let mut order = order(customer);
    order["submit"] = json!(true);
    placed(client, order).await
}

/// What the ERP reports about an order of the CRM, everything reserved.
pub fn report(order: &Value, version: i64, status: &str) -> Value {
    let lines = order["lines"].as_array().expect("lines").iter().map(|line| {
        json!({
            "id": line["id"], "position": line["position"], "product_id": line["product_id"],
            "quantity": line["quantity"], "unit": "pcs", "unit_price": line["unit_price"], "list_price": null,
            "price_differs": false, "discount": line["discount"], "line_total": line["line_total"],
            "reserved_quantity": line["quantity"], "backordered_quantity": "0", "delivered_quantity": "0",
        })
    });
    let number = (status != "rejected").then_some("SO-000001");
    json!({
        "source_version": version, "as_of": AS_OF,
        "order": {
            "id": order["id"], "number": number, "origin": order["origin"], "status": status, "lifecycle": status,
            "delivery": "none", "invoicing": "none", "payment": "none", "holds": [],
            "customer_id": order["customer_id"], "currency": order["currency"], "order_date": order["order_date"],
            "requested_date": order["requested_date"], "warehouse_id": null, "priority": 0,
            "external_ref": order["external_ref"], "total": order["total"], "lines": lines.collect::<Vec<_>>(),
            "rejection": [], "cancellation": null, "deliveries": [], "allowed_actions": [],
            "source_version": order["version"], "version": version, "revision": version,
            "created_at": AS_OF, "updated_at": AS_OF,
        },
    })
}

pub async fn tell(sync: &Client, report: &Value) -> Reply {
    let order = report["order"]["id"].as_str().expect("an id");
    sync.put(&format!("/v1/orders/{order}/fulfilment"), report.clone())
        .await
}

pub async fn order_now(client: &Client, order: &Value) -> Value {
    client.get(&format!("/v1/orders/{}", id(order))).await.expect(200)
}
