//! Replays are harmless.

use crate::given::{self, product_in};
use chrono::{Days, Utc};
use diesel::{Connection, PgConnection};
use futures_util::future::join_all;
use serde_json::json;
use service_kit::retention::remove_old;

#[tokio::test]
async fn twins_make_one_product_and_get_one_answer() {
    let service = given::erp().await;
    let erp = &service.client;
    let twins = (0..32).map(|_| erp.post_with_key("/v1/products", "twins", product_in("A")));
    let replies = join_all(twins).await;
    let first = replies[0].clone();
    for reply in &replies {
        assert_eq!(reply.status.as_u16(), 201, "{:#}", reply.body);
        assert_eq!(reply.body, first.body);
        assert_eq!(
            (reply.etag(), &reply.headers["location"]),
            (first.etag(), &first.headers["location"])
        );
    }
    let page = erp.get("/v1/products").await.expect(200);
    assert_eq!(page["items"], json!([first.body]));
    assert_eq!(given::events(erp, "product.changed").await.len(), 1);
    let audit = erp.get("/v1/audit-log?subject_type=product").await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_replay_shows_the_answer_of_then() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = erp
        .post_with_key("/v1/products", "once", product_in("A"))
        .await
        .expect(201);
    erp.patch(&given::path("products", &made), json!({ "name": "New" }))
        .await
        .expect(200);
    let replay = erp
        .post_with_key("/v1/products", "once", product_in("A"))
        .await
        .expect(201);
    assert_eq!(replay, made);
}

#[tokio::test]
async fn a_key_stands_for_one_body_one_operation_and_one_caller() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = erp
        .post_with_key("/v1/products", "key", product_in("A"))
        .await
        .expect(201);
    let other = erp.post_with_key("/v1/products", "key", product_in("B")).await;
    other.expect_problem(422, "idempotency_key_reused");
    // Another operation and another caller have their own.
    let unit = json!({ "code": "crate", "name": "crate" });
    erp.post_with_key("/v1/units", "key", unit).await.expect(201);
    let colleague = erp.new_key("back_office", &[]).await;
    let own = colleague
        .post_with_key("/v1/products", "key", product_in("B"))
        .await
        .expect(201);
    assert_ne!(own["id"], made["id"]);
    let page = erp.get("/v1/products").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_failed_command_is_not_stored() {
    let service = given::erp().await;
    let erp = &service.client;
    let mut body = product_in("A");
    body["unit"] = json!("crate");
    let refused = erp.post_with_key("/v1/products", "again", body.clone()).await;
    refused.expect_problem(422, "unknown_unit");
    erp.post("/v1/units", json!({ "code": "crate", "name": "crate" }))
        .await
        .expect(201);
    erp.post_with_key("/v1/products", "again", body).await.expect(201);
}

#[tokio::test]
async fn a_dry_run_shows_the_effect_and_stores_nothing() {
    let service = given::erp().await;
    let erp = &service.client;
    let shown = erp
        .post_with_key("/v1/products?dry_run=true", "dry", product_in("A"))
        .await;
    assert!(!shown.headers.contains_key("location"), "{:?}", shown.headers);
    let shown = shown.expect(200);
    assert_eq!((&shown["sku"], &shown["version"]), (&json!("A"), &json!(1)));
    erp.get(&given::path("products", &shown))
        .await
        .expect_problem(404, "not_found");
    let audit = erp.get("/v1/audit-log").await.expect(200);
    assert_eq!(audit["items"], json!([]));
    // The key is free, for another body too.
    let made = erp
        .post_with_key("/v1/products", "dry", product_in("B"))
        .await
        .expect(201);
    let events = given::events(erp, "product.changed").await;
    assert_eq!(events.len(), 1);
    assert_eq!(given::of(&events, &made), [(1, &made)]);
    // And a dry run finds what a run would find.
    let duplicate = erp.post("/v1/products?dry_run=true", product_in("B")).await;
    duplicate.expect_problem(409, "duplicate");
}

#[tokio::test]
async fn a_verb_without_a_body_replays_too() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = format!("{}/retire", given::path("products", &given::product(erp, "A").await));
    let retire = || {
        erp.request(reqwest::Method::POST, &path)
            .header("Idempotency-Key", "retire")
    };
    let retired = erp.send(retire()).await.expect(200);
    assert_eq!(erp.send(retire()).await.expect(200), retired);
    let again = erp.send(erp.request(reqwest::Method::POST, &path)).await;
    again.expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn an_answer_is_kept_for_the_days_of_retention() {
    let service = given::erp().await;
    let erp = &service.client;
    let once = || erp.post_with_key("/v1/products", "once", product_in("A"));
    once().await.expect(201);
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let now = Utc::now();
    remove_old(&mut conn, now + Days::new(29), 30).unwrap();
    once().await.expect(201);
    remove_old(&mut conn, now + Days::new(31), 30).unwrap();
    // No replay any more: a second product with that SKU.
    once().await.expect_problem(409, "duplicate");
}
