use crate::shop::{Shop, id, three};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn the_first_warehouse_is_the_default_until_another_is_set() {
    let shop = Shop::open().await;
    let first = shop
        .erp
        .get(&format!("/v1/warehouses/{}", shop.warehouse))
        .await
        .expect(200);
    assert_eq!(first["is_default"], true);
    let second = shop
        .erp
        .post("/v1/warehouses", json!({"code": "WEST", "name": "West"}))
        .await
        .expect(201);
    assert_eq!(second["is_default"], false);
    let path = format!("/v1/warehouses/{}", id(&second));
    shop.erp.patch(&path, json!({"is_default": true})).await.expect(200);
    let first = shop
        .erp
        .get(&format!("/v1/warehouses/{}", shop.warehouse))
        .await
        .expect(200);
    assert_eq!(first["is_default"], false);
    shop.erp
        .patch(&path, json!({"is_default": false}))
        .await
        .expect_problem(422, "default_warehouse_needed");
    shop.erp
        .post("/v1/warehouses", json!({"code": "WEST", "name": "Again"}))
        .await
        .expect_problem(409, "duplicate");
}

#[tokio::test]
async fn putting_a_warehouse_creates_repeats_and_changes() {
    let shop = Shop::open().await;
    let path = format!("/v1/warehouses/{}", Uuid::now_v7());
    let body = json!({"code": "EAST", "name": "East"});
    shop.erp.put(&path, body.clone()).await.expect(201);
    let again = shop.erp.put(&path, body).await.expect(200);
    assert_eq!(again["revision"], 1);
    shop.erp
        .put(&path, json!({"code": "EAST", "name": "Far East"}))
        .await
        .expect_problem(428, "precondition_required");
}

#[tokio::test]
async fn an_adjustment_changes_stock_and_appears_in_the_ledger() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "12.5").await;
    assert_eq!(shop.availability(product).await, three("12.5", "0", "12.5"));
    let adjustment = shop.adjust(product, "-2.5").await;
    assert_eq!(shop.availability(product).await, three("10", "0", "10"));
    let moves = shop
        .erp
        .get(&format!("/v1/stock-moves?document_id={}", id(&adjustment)))
        .await
        .expect(200);
    assert_eq!(moves["items"][0]["quantity"], "-2.5");
    assert_eq!(moves["items"][0]["kind"], "adjustment");
}

#[tokio::test]
async fn only_pairs_with_a_history_show_availability() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    shop.confirmed(product, "5").await;
    let page = shop
        .erp
        .get(&format!("/v1/availability?product_id={product}"))
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn stock_that_is_reserved_cannot_be_taken_away() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    shop.confirmed(product, "8").await;
    let body =
        json!({"warehouse_id": shop.warehouse, "reason": "lost", "lines": [{"product_id": product, "quantity": "-3"}]});
    let problem = shop
        .erp
        .post("/v1/stock-adjustments", body)
        .await
        .expect_problem(409, "insufficient_stock");
    assert_eq!(problem["products"][0]["available"], "2");
    assert_eq!(shop.availability(product).await, three("10", "8", "2"));
}

#[tokio::test]
async fn a_backdated_issue_may_not_make_a_later_day_negative() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let adjust = |date: &str, quantity: &str| json!({"warehouse_id": shop.warehouse, "reason": "x", "date": date, "lines": [{"product_id": product, "quantity": quantity}]});
    shop.erp
        .post("/v1/stock-adjustments", adjust("2026-01-10", "10"))
        .await
        .expect(201);
    shop.erp
        .post("/v1/stock-adjustments", adjust("2026-01-20", "-6"))
        .await
        .expect(201);
    shop.erp
        .post("/v1/stock-adjustments", adjust("2026-01-30", "5"))
        .await
        .expect(201);
    // 9 are on hand, but on the 20th only 4 were.
    let refused = shop.erp.post("/v1/stock-adjustments", adjust("2026-01-15", "-5")).await;
    refused.expect_problem(409, "insufficient_stock");
    shop.erp
        .post("/v1/stock-adjustments", adjust("2026-01-05", "-1"))
        .await
        .expect_problem(409, "insufficient_stock");
    shop.erp
        .post("/v1/stock-adjustments", adjust("2026-01-15", "-4"))
        .await
        .expect(201);
    shop.erp
        .post("/v1/stock-adjustments", adjust("2999-01-01", "1"))
        .await
        .expect_problem(422, "future_date");
}

#[tokio::test]
async fn every_fault_of_an_adjustment_is_named() {
    let shop = Shop::open().await;
    let body = json!({
        "warehouse_id": Uuid::now_v7(), "reason": "", "surprise": 1,
        "lines": [{"product_id": Uuid::now_v7(), "quantity": "1e5"}, {"quantity": 3}]
    });
    let problem = shop
        .erp
        .post("/v1/stock-adjustments", body)
        .await
        .expect_problem(422, "invalid_input");
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    for pointer in [
        "/reason",
        "/surprise",
        "/lines/0/quantity",
        "/lines/1/product_id",
        "/lines/1/quantity",
    ] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
}

#[tokio::test]
async fn the_database_itself_keeps_the_ledger() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let mut conn = PgConnection::establish(&shop.service.database.url).unwrap();
    for (statement, constraint) in [
        ("UPDATE stock_moves SET quantity = 1", "stock_moves_append_only"),
        ("DELETE FROM stock_moves", "stock_moves_append_only"),
        (
            "UPDATE stock_levels SET on_hand = 99",
            "stock_levels_on_hand_through_moves",
        ),
        (
            "UPDATE stock_levels SET reserved = 11",
            "stock_levels_reserved_within_on_hand",
        ),
        ("DELETE FROM stock_levels", "stock_levels_append_only"),
        ("DELETE FROM audit_log", "audit_log_append_only"),
    ] {
        match conn.batch_execute(statement) {
            Err(diesel::result::Error::DatabaseError(_, info)) => {
                assert_eq!(info.constraint_name(), Some(constraint), "{statement}")
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
    assert_eq!(shop.availability(product).await, three("10", "0", "10"));
}

#[tokio::test]
async fn stock_has_the_bounds_of_a_quantity() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "99999999").await;
    let body =
        json!({"warehouse_id": shop.warehouse, "reason": "more", "lines": [{"product_id": product, "quantity": "1"}]});
    shop.erp
        .post("/v1/stock-adjustments", body)
        .await
        .expect_problem(422, "out_of_range");
}
