//! Availability as the sync tells it, in bulk.

use crate::sales::{AS_OF, new_id, product};
use crate::support::crm;
use futures_util::future::join_all;
use serde_json::{Value, json};

const PATH: &str = "/v1/availability";

fn item(product_id: &str, warehouse_id: &str, version: i64, on_hand: &str, reserved: &str) -> Value {
    json!({
        "id": new_id(), "product_id": product_id, "warehouse_id": warehouse_id, "on_hand": on_hand,
        "reserved": reserved, "source_version": version, "as_of": AS_OF,
    })
}

fn results(reply: &Value) -> Vec<&str> {
    let items = reply["items"].as_array().unwrap();
    items.iter().map(|item| item["result"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn it_is_summed_over_warehouses() {
    let crm = crm().await;
    let (sync, product_id, east, west) = (crm.integration(), new_id(), new_id(), new_id());
    let path = format!("/v1/products/{product_id}");
    let unknown_stock = sync.put(&path, product(1, "P", "P")).await.etag();
    let mut here = item(&product_id, &east, 1, "10.5", "4");
    here["as_of"] = json!("2026-01-15T11:00:00Z");
    let told = json!({ "items": [here, item(&product_id, &west, 1, "2", "0")] });
    let answer = sync.put(PATH, told.clone()).await.expect(200);
    assert_eq!(results(&answer), ["applied", "applied"]);
    assert_eq!(
        answer["items"][1]["id"], told["items"][1]["id"],
        "answered in the order sent"
    );

    let reply = crm.client.get(&path).await;
    assert_ne!(reply.etag(), unknown_stock, "the ETag is over the whole answer");
    let stock = reply.expect(200)["availability"].clone();
    assert_eq!(
        (
            &stock["on_hand"],
            &stock["reserved"],
            &stock["available"],
            &stock["as_of"]
        ),
        (
            &json!("12.5"),
            &json!("4"),
            &json!("8.5"),
            &json!("2026-01-15T11:00:00Z")
        )
    );
    let warehouses = stock["warehouses"].as_array().unwrap();
    assert_eq!(warehouses.len(), 2);
    assert!(
        warehouses.contains(
            &json!({ "warehouse_id": west, "on_hand": "2", "reserved": "0", "available": "2", "incoming": [], "as_of": AS_OF })
        )
    );
}

#[actix_web::test]
async fn what_is_incoming_is_summed_by_day_and_follows_the_newest_version() {
    let crm = crm().await;
    let (sync, product_id, east, west) = (crm.integration(), new_id(), new_id(), new_id());
    let path = format!("/v1/products/{product_id}");
    sync.put(&path, product(1, "P", "P")).await.expect(201);
    let day = |on: &str, quantity: &str| json!({ "expected_on": on, "quantity": quantity });
    let told = |warehouse: &str, version: i64, days: Value| {
        let mut item = item(&product_id, warehouse, version, "2", "0");
        item["incoming"] = days;
        json!({ "items": [item] })
    };
    let incoming = async || crm.client.get(&path).await.expect(200)["availability"]["incoming"].clone();
    let here = json!([day("2026-12-01", "5"), day("2026-12-09", "1.5")]);
    sync.put(PATH, told(&east, 3, here)).await.expect(200);
    let there = json!([day("2026-12-09", "2"), day("2026-12-04", "7")]);
    sync.put(PATH, told(&west, 1, there)).await.expect(200);
    let both = json!([day("2026-12-01", "5"), day("2026-12-04", "7"), day("2026-12-09", "3.5")]);
    assert_eq!(incoming().await, both);
    let older = json!([day("2026-12-02", "9")]);
    assert_eq!(
        results(&sync.put(PATH, told(&east, 2, older)).await.expect(200)),
        ["unchanged"]
    );
    assert_eq!(incoming().await, both);
    // An ERP that does not tell of it yet expects nothing.
    let plain = json!({ "items": [item(&product_id, &east, 4, "2", "0")] });
    sync.put(PATH, plain).await.expect(200);
    assert_eq!(
        incoming().await,
        json!([day("2026-12-04", "7"), day("2026-12-09", "2")])
    );

    let faulty = json!([day("2026-12-01", "1"), day("2026-12-01", "0")]);
    let problem = sync
        .put(PATH, told(&east, 5, faulty))
        .await
        .expect_problem(422, "invalid_input");
    let mut pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/items/0/incoming/1/expected_on", "/items/0/incoming/1/quantity"]
    );
    let many: Vec<Value> = (0..61).map(|_| day("2026-12-01", "1")).collect();
    sync.put(PATH, told(&east, 5, json!(many)))
        .await
        .expect_problem(422, "too_long");
}

#[actix_web::test]
async fn the_newest_version_of_each_item_wins() {
    let crm = crm().await;
    let (sync, a, b, warehouse) = (crm.integration(), new_id(), new_id(), new_id());
    for (id, sku) in [(&a, "A"), (&b, "B")] {
        sync.put(&format!("/v1/products/{id}"), product(1, sku, sku))
            .await
            .expect(201);
    }
    let on_hand = async |id: &str| {
        let product = crm.client.get(&format!("/v1/products/{id}")).await.expect(200);
        product["availability"]["on_hand"].as_str().unwrap().to_owned()
    };
    let first = json!({ "items": [item(&a, &warehouse, 5, "5", "0"), item(&b, &warehouse, 5, "5", "0")] });
    sync.put(PATH, first.clone()).await.expect(200);
    let etag = crm.client.get(&format!("/v1/products/{a}")).await.etag();
    let again = sync.put(PATH, first).await.expect(200);
    assert_eq!(
        results(&again),
        ["unchanged", "unchanged"],
        "applying twice changes nothing"
    );
    assert_eq!(crm.client.get(&format!("/v1/products/{a}")).await.etag(), etag);

    let mixed = json!({ "items": [item(&a, &warehouse, 4, "4", "0"), item(&b, &warehouse, 6, "6", "6")] });
    assert_eq!(
        results(&sync.put(PATH, mixed).await.expect(200)),
        ["unchanged", "applied"]
    );
    assert_eq!((on_hand(&a).await, on_hand(&b).await), ("5".to_owned(), "6".to_owned()));

    let resync = json!({ "replace": true, "items": [item(&a, &warehouse, 1, "1", "0")] });
    assert_eq!(results(&sync.put(PATH, resync).await.expect(200)), ["applied"]);
    assert_eq!(on_hand(&a).await, "1");
}

#[actix_web::test]
async fn batches_that_cross_each_other_end_in_the_newest() {
    let crm = crm().await;
    let (sync, warehouse) = (crm.integration(), new_id());
    let products: Vec<String> = (0..20).map(|_| new_id()).collect();
    let batches = (1..=12).map(|version| {
        let mut items: Vec<Value> = products
            .iter()
            .map(|id| item(id, &warehouse, version, &version.to_string(), "0"))
            .collect();
        if version % 2 == 0 {
            items.reverse();
        }
        let sync = sync.clone();
        async move { sync.put(PATH, json!({ "items": items })).await.expect(200) }
    });
    join_all(batches).await;
    for id in &products {
        sync.put(&format!("/v1/products/{id}"), product(1, "P", "P"))
            .await
            .expect(201);
        let stored = crm.client.get(&format!("/v1/products/{id}")).await.expect(200);
        assert_eq!(stored["availability"]["on_hand"], "12");
    }
}

#[actix_web::test]
async fn every_faulty_item_is_named_and_none_applied() {
    let crm = crm().await;
    let (sync, product_id, warehouse) = (crm.integration(), new_id(), new_id());
    sync.put(&format!("/v1/products/{product_id}"), product(1, "P", "P"))
        .await
        .expect(201);
    let told = json!({ "items": [
        item(&product_id, &warehouse, 1, "1", "0"),
        item(&new_id(), &warehouse, 1, "1", "2"),
        item(&product_id, &warehouse, 2, "1", "0"),
    ]});
    let problem = sync.put(PATH, told).await.expect_problem(422, "invalid_input");
    let pointers: Vec<&Value> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["pointer"])
        .collect();
    assert_eq!(pointers, ["/items/1/reserved", "/items/2"]);
    let product = crm.client.get(&format!("/v1/products/{product_id}")).await.expect(200);
    assert_eq!(product["availability"]["as_of"], Value::Null);

    let many: Vec<Value> = (0..501).map(|_| item(&new_id(), &warehouse, 1, "1", "0")).collect();
    let problem = sync
        .put(PATH, json!({ "items": many }))
        .await
        .expect_problem(422, "too_long");
    assert_eq!(problem["errors"][0]["pointer"], "/items");
    assert_eq!(
        sync.put(PATH, json!({ "items": [] })).await.expect(200),
        json!({ "items": [] })
    );
    crm.client
        .put(PATH, json!({ "items": [] }))
        .await
        .expect_problem(409, "not_owner");
}

#[actix_web::test]
async fn five_hundred_items_fit_and_leave_no_trail() {
    let crm = crm().await;
    let (sync, warehouse) = (crm.integration(), new_id());
    let before = crm.client.get("/v1/audit-log?limit=1").await.expect(200);
    let many: Vec<Value> = (0..500)
        .map(|_| item(&new_id(), &warehouse, 1, "99999999.999", "0"))
        .collect();
    let answer = sync.put(PATH, json!({ "items": many })).await.expect(200);
    assert_eq!(results(&answer), ["applied"; 500]);
    assert_eq!(crm.client.get("/v1/audit-log?limit=1").await.expect(200), before);
}
