//! What the tests of the CRM share.

use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// The CRM on a free port with a database of its own.
pub async fn crm() -> TestService {
    TestService::start(crm_service::SERVICE, |_, _| {}).await
}

/// A company, made over the API.
pub async fn customer(client: &Client, name: &str) -> Value {
    let body = json!({ "name": name, "kind": "company" });
    client.post("/v1/customers", body).await.expect(201)
}

pub fn id(record: &Value) -> &str {
    record["id"].as_str().expect("a record has an id")
}

/// The events of a type (all when it is empty), once there are at least `count`.
///
/// Events become visible when every older transaction of the cluster has ended, so this waits.
pub async fn events(client: &Client, r#type: &str, count: usize) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut after = String::new();
    for _ in 0..20 {
        let types = if r#type.is_empty() {
            String::new()
        } else {
            format!("types={}&", r#type)
        };
        let path = format!("/v1/events?{types}wait=5&after={after}");
        let batch = client.get(&path).await.expect(200);
        seen.extend(batch["events"].as_array().cloned().unwrap_or_default());
        if seen.len() >= count {
            return seen;
        }
        after = batch["next_cursor"].as_str().expect("a cursor").to_owned();
    }
    panic!("only {} of {count} {} events: {seen:#?}", seen.len(), r#type);
}

/// The kinds of a customer's timeline, newest first.
pub async fn timeline_kinds(client: &Client, customer: &str) -> Vec<String> {
    let page = client
        .get(&format!("/v1/customers/{customer}/timeline"))
        .await
        .expect(200);
    let items = page["items"].as_array().expect("a page");
    items
        .iter()
        .map(|entry| entry["kind"].as_str().expect("a kind").to_owned())
        .collect()
}
