//! Leads, one file per story.

mod assignment;
mod capture;
mod conversion;
mod forms;
mod imports;
mod lists;
mod reassignment;
mod scoring;
mod sight;
mod states;

use crate::sales::merge;
use crate::support::id;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

/// A lead with what `more` says of it.
async fn lead(client: &Client, more: Value) -> Value {
    let mut body = json!({ "name": "Maria Anders", "company": "Alfreds Futterkiste" });
    merge(&mut body, &more);
    client.post("/v1/leads", body).await.expect(201)
}

async fn act(client: &Client, lead: &Value, verb: &str, body: Value) -> Reply {
    client.post(&format!("/v1/leads/{}/{verb}", id(lead)), body).await
}

async fn now(client: &Client, lead: &Value) -> Value {
    client.get(&format!("/v1/leads/{}", id(lead))).await.expect(200)
}

async fn qualified(client: &Client, more: Value) -> Value {
    let made = lead(client, more).await;
    act(client, &made, "qualify", json!({})).await.expect(200)
}

/// The items of a list.
async fn items(client: &Client, path: &str) -> Vec<Value> {
    let page = client.get(path).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// The labels of a list.
async fn labels(client: &Client, path: &str) -> Vec<String> {
    let items = items(client, path).await;
    items
        .iter()
        .map(|lead| lead["label"].as_str().unwrap().to_owned())
        .collect()
}
