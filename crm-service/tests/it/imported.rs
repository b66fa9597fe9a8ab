//! What the tests of imports share: sending a file, and what came of its rows.

use crate::support::id;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

pub async fn send(client: &Client, kind: &str, more: &[(&str, &str)], file: &str) -> Reply {
    let request = client.request(Method::POST, "/v1/imports").query(&[("kind", kind)]);
    let request = request.query(more).header("Content-Type", "text/csv");
    client.send(request.body(file.to_owned())).await
}

/// What came of a row, and the columns and codes of its faults.
pub type RowAnswer = (String, Vec<(String, String)>);

/// Of each row, with the faults in the order of their columns.
pub async fn rows(client: &Client, import: &Value) -> Vec<RowAnswer> {
    let path = format!("/v1/imports/{}/rows?limit=500", id(import));
    let page = client.get(&path).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let faults = |row: &Value| {
        let faults = row["faults"].as_array().unwrap().iter();
        let mut faults: Vec<(String, String)> = faults.map(|f| (text(&f["column"]), text(&f["code"]))).collect();
        faults.sort();
        faults
    };
    let items = page["items"].as_array().unwrap();
    items.iter().map(|row| (text(&row["result"]), faults(row))).collect()
}

pub fn good(what: &str) -> RowAnswer {
    (what.to_owned(), Vec::new())
}

pub fn bad(faults: &[(&str, &str)]) -> RowAnswer {
    let faults = faults.iter().map(|(c, f)| ((*c).to_owned(), (*f).to_owned()));
    ("rejected".to_owned(), faults.collect())
}

pub async fn undo(client: &Client, import: &Value) -> Reply {
    client
        .post(&format!("/v1/imports/{}/undo", id(import)), json!({}))
        .await
}

/// The records that stay when an import is taken back, with the reasons, in the order of these.
pub async fn kept(client: &Client, import: &Value) -> Vec<(Value, Value)> {
    let path = format!("/v1/imports/{}/changes?outcome=kept", id(import));
    let page = client.get(&path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    let mut kept: Vec<_> = items.map(|c| (c["record_id"].clone(), c["reason"].clone())).collect();
    kept.sort_by_key(|(_, reason)| reason.to_string());
    kept
}
