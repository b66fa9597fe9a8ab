//! Every write leaves a trace that stays.

use crate::given;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_says_who_when_and_from_what_to_what() {
    let service = given::erp().await;
    let admin = &service.client;
    let clerk = admin.new_key("back_office", &[]).await;
    let made = given::product(&clerk, "A").await;
    let path = given::path("products", &made);
    let request = clerk.request(Method::PATCH, &path).header("If-Match", "\"1\"");
    let reply = clerk.send(request.json(&json!({ "name": "New", "unit": "kg" }))).await;
    let request_id = reply.headers["x-request-id"].to_str().unwrap().to_owned();
    let changed = reply.expect(200);
    let subject = made["id"].as_str().unwrap();
    let log = admin.get(&format!("/v1/audit-log?subject={subject}")).await.expect(200);
    let entries = log["items"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    let entry = &entries[0];
    assert_eq!(
        entry["changes"],
        json!({ "name": { "from": "Product A", "to": "New" }, "unit": { "from": "pcs", "to": "kg" } })
    );
    for (field, value) in [
        ("actor", json!("back_office")),
        ("operation", json!(format!("PATCH {path}"))),
        ("request_id", json!(request_id)),
        ("subject", made["id"].clone()),
        ("subject_type", json!("product")),
        ("revision", json!(2)),
        ("occurred_at", changed["updated_at"].clone()),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(entries[1]["changes"]["sku"], json!({ "from": null, "to": "A" }));
}

#[tokio::test]
async fn the_log_is_filtered_and_paged_newest_first() {
    let service = given::erp().await;
    let admin = &service.client;
    let clerk = admin.new_key("back_office", &[]).await;
    for sku in ["A", "B", "C"] {
        given::product(&clerk, sku).await;
    }
    let category = given::category(admin, "Tea").await;
    let subjects = async |query: &str| -> Vec<String> {
        let page = admin.get(&format!("/v1/audit-log?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|entry| entry["subject_type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(subjects("limit=3").await, ["category", "product", "product"]);
    assert_eq!(subjects("subject_type=category").await, ["category"]);
    let log = admin
        .get("/v1/audit-log?subject_type=product&limit=1")
        .await
        .expect(200);
    let clerk_id = log["items"][0]["actor_id"].as_str().unwrap();
    assert_eq!(subjects(&format!("actor_id={clerk_id}")).await, ["product"; 3]);
    let since = category["created_at"].as_str().unwrap();
    assert_eq!(subjects(&format!("since={since}")).await, ["category"]);
    let next = log["next_cursor"].as_str().unwrap();
    let rest = format!("subject_type=product&limit=5&cursor={next}");
    assert_eq!(subjects(&rest).await.len(), 2);
    assert_eq!(subjects("sort=occurred_at&limit=1").await, ["api_key"]);
}

#[tokio::test]
async fn a_refused_change_leaves_nothing_and_the_log_cannot_be_rewritten() {
    let service = given::erp().await;
    let erp = &service.client;
    given::product(erp, "A").await;
    erp.post("/v1/products", given::product_in("A"))
        .await
        .expect_problem(409, "duplicate");
    let before = erp.get("/v1/audit-log").await.expect(200);
    assert_eq!(before["items"].as_array().map(Vec::len), Some(1));
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    for statement in [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ] {
        match conn.batch_execute(statement) {
            Err(diesel::result::Error::DatabaseError(_, info)) => {
                assert_eq!(info.constraint_name(), Some("audit_log_append_only"), "{statement}");
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
    let after: Value = erp.get("/v1/audit-log").await.expect(200);
    assert_eq!(after, before);
}
