//! Files on records.

mod evidence;
mod files;
mod races;
mod sight;

use serde_json::Value;
use service_kit::testing::{Client, Reply};

/// Hangs a file on a record.
pub async fn upload(client: &Client, subject: (&str, &str), name: &str, content_type: &str, bytes: &[u8]) -> Reply {
    let (kind, id) = subject;
    let request = client
        .request(reqwest::Method::POST, "/v1/attachments")
        .query(&[("subject_type", kind), ("subject_id", id), ("name", name)])
        .header("Content-Type", content_type)
        .body(bytes.to_vec());
    client.send(request).await
}

/// A file of a few bytes.
pub async fn pdf(client: &Client, subject: (&str, &str), name: &str) -> Value {
    let made = upload(client, subject, name, "application/pdf", b"%PDF-1.7 offer").await;
    made.expect(201)
}
