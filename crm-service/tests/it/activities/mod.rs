//! Activities, one file per story.

mod calendar;
mod consent;
mod inbound;
mod lists;
mod mail;
mod recurrence;
mod reminders;
mod sight;
pub mod smtp;
mod stream;
mod templates;

use crate::support::customer;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// A connection of the test's own.
pub fn conn(crm: &TestService) -> PgConnection {
    PgConnection::establish(&crm.database.url).unwrap()
}

pub fn sql(crm: &TestService, statement: &str) {
    conn(crm).batch_execute(statement).unwrap();
}

pub async fn activity(client: &Client, body: Value) -> Value {
    client.post("/v1/activities", body).await.expect(201)
}

pub async fn task(client: &Client, title: &str) -> Value {
    activity(client, json!({ "kind": "task", "title": title })).await
}

/// A customer that belongs to somebody.
pub async fn customer_of(crm: &TestService, name: &str, owner: &str) -> Value {
    let made = customer(&crm.client, name).await;
    let id = made["id"].as_str().unwrap();
    sql(
        crm,
        &format!(
            "UPDATE customers SET owner_id = '{owner}', team_id = (SELECT team_id FROM users WHERE id = '{owner}') WHERE id = '{id}'"
        ),
    );
    made
}

/// The titles of a list.
pub async fn titles(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(path).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect()
}

/// The faults of a problem as (pointer, code), in order.
pub fn faults(problem: &Value) -> Vec<(String, String)> {
    let mut faults: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            (
                fault["pointer"].as_str().unwrap().to_owned(),
                fault["code"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    faults.sort();
    faults
}
