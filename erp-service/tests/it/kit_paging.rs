//! Pages stay in step while records are added.

use crate::given;
use serde_json::Value;
use service_kit::testing::Client;

async fn walk(erp: &Client, sort: &str, between: &[&str]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut cursor = String::new();
    let mut newcomers = between.iter();
    loop {
        let path = format!("/v1/products?limit=7&sort={sort}{cursor}");
        let page = erp.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()));
        if let Some(sku) = newcomers.next() {
            given::product(erp, sku).await;
        }
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(items.len(), 7);
                cursor = format!("&cursor={next}");
            }
            None => return seen,
        }
    }
}

fn originals() -> Vec<String> {
    (10..40).map(|number| format!("P{number}")).collect()
}

#[tokio::test]
async fn every_record_is_seen_once_whatever_is_added() {
    let service = given::erp().await;
    let erp = &service.client;
    for sku in originals() {
        given::product(erp, &sku).await;
    }
    // Before and behind the place where the walk is.
    let seen = walk(erp, "sku", &["P00", "P38b", "P01"]).await;
    assert_eq!(seen.iter().filter(|sku| *sku == "P38b").count(), 1, "{seen:?}");
    let seen: Vec<String> = seen.into_iter().filter(|sku| *sku != "P38b").collect();
    assert_eq!(seen, originals());
    let backwards = walk(erp, "-sku", &["P99", "P98"]).await;
    let mut expected = originals();
    expected.extend(["P00", "P01", "P38b"].map(str::to_owned));
    expected.sort_by(|a, b| b.cmp(a));
    assert_eq!(backwards, expected);
    let by_age = walk(erp, "created_at", &[]).await;
    assert_eq!(by_age[..30], originals()[..]);
    assert_eq!(by_age[30..], ["P00", "P38b", "P01", "P99", "P98"].map(str::to_owned));
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order_and_a_full_last_page_is_the_last() {
    let service = given::erp().await;
    let erp = &service.client;
    for sku in ["A", "B", "C", "D"] {
        given::product(erp, sku).await;
    }
    let page = erp.get("/v1/products?limit=2&sort=sku").await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = erp
        .get(&format!("/v1/products?limit=2&sort=name&cursor={cursor}"))
        .await;
    other.expect_problem(400, "invalid_cursor");
    let last = erp
        .get(&format!("/v1/products?limit=2&sort=sku&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(last["items"].as_array().unwrap().len(), 2);
    assert_eq!(last["next_cursor"], Value::Null);
    // Sorting by what many records share is still an order.
    let page = erp.get("/v1/products?limit=3&sort=-created_at").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    erp.get("/v1/products?sort=price")
        .await
        .expect_problem(400, "invalid_parameter");
}
