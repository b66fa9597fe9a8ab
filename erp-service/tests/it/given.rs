//! Records to start from, and what the service told the world about them.

use erp_service::app::SERVICE;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub async fn erp() -> TestService {
    TestService::start(SERVICE, |_, _| {}).await
}

pub async fn category(erp: &Client, name: &str) -> Value {
    erp.post("/v1/categories", json!({ "name": name })).await.expect(201)
}

pub fn product_in(sku: &str) -> Value {
    json!({ "sku": sku, "name": format!("Product {sku}"), "kind": "goods", "unit": "pcs" })
}

pub async fn product(erp: &Client, sku: &str) -> Value {
    erp.post("/v1/products", product_in(sku)).await.expect(201)
}

pub async fn price_list(erp: &Client, tier: Option<&str>, currency: &str) -> Value {
    let body = json!({ "name": format!("{} {currency}", tier.unwrap_or("Base")), "currency": currency, "tier": tier });
    erp.post("/v1/price-lists", body).await.expect(201)
}

pub async fn price(erp: &Client, list: &Value, product: &Value, price: Value) -> Value {
    let mut body = json!({ "product_id": product["id"] });
    for (name, value) in price.as_object().expect("an object") {
        body[name] = value.clone();
    }
    erp.post(&format!("{}/prices", path("price-lists", list)), body)
        .await
        .expect(201)
}

/// A customer as the integration applies it.
pub fn replicated(source_version: i64, name: &str) -> Value {
    json!({
        "source_version": source_version, "name": name, "kind": "company", "status": "active",
        "email": "orders@example.com", "phone": null, "tax_id": "DE123", "grade": "B",
        "grade_effective_from": "2026-01-01", "external_ref": "ALFKI", "as_of": "2026-01-01T00:00:00Z",
        "legal_entities": [{ "id": Uuid::nil(), "name": name, "is_default": true }],
        "contacts": [], "addresses": [{ "kind": "billing", "city": "Berlin", "country": "DE" }],
    })
}

pub async fn customer(service: &TestService, name: &str) -> Value {
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    service.integration().put(&path, replicated(1, name)).await.expect(201)
}

pub fn path(collection: &str, record: &Value) -> String {
    format!(
        "/v1/{collection}/{}",
        record["id"].as_str().expect("a record with an id")
    )
}

/// All events of these types that were committed so far, oldest first.
///
/// The horizon is that of the whole cluster, so what was committed may show a little later. A
/// last event of our own tells when everything before it has been shown.
pub async fn events(erp: &Client, types: &str) -> Vec<Value> {
    let last = category(erp, "the last event").await;
    let started = Instant::now();
    let (mut cursor, mut events) = (String::new(), Vec::new());
    while started.elapsed() < Duration::from_secs(30) {
        let path = format!("/v1/events?after={cursor}&types={types},category.changed&wait=5");
        let batch = erp.get(&path).await.expect(200);
        cursor = batch["next_cursor"].as_str().unwrap_or_default().to_owned();
        events.extend(batch["events"].as_array().cloned().unwrap_or_default());
        if events.iter().any(|event| event["subject"] == last["id"]) {
            let wanted = |event: &Value| {
                let kind = event["type"].as_str().unwrap_or_default();
                types.split(',').any(|t| t == kind) && event["subject"] != last["id"]
            };
            return events.into_iter().filter(wanted).collect();
        }
    }
    panic!("the last event never came: {events:#?}");
}

/// (subject version, data) of the events of one record.
pub fn of<'a>(events: &'a [Value], record: &Value) -> Vec<(i64, &'a Value)> {
    let own = events.iter().filter(|event| event["subject"] == record["id"]);
    own.map(|event| (event["subjectversion"].as_i64().unwrap_or_default(), &event["data"]))
        .collect()
}

/// Codes and pointers of a problem.
pub fn faults(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|e| {
            (
                e["pointer"].as_str().unwrap_or_default(),
                e["code"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}
