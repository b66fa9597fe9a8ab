use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn without_lines_all_that_is_reserved_ships() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let created = shop.erp.post(&path, json!({})).await;
    let location = created.headers["location"].to_str().unwrap().to_owned();
    let posted = created.expect(201);
    assert_eq!(posted["lines"][0]["quantity"], "3");
    assert_eq!(
        (&posted["order"]["status"], line(&posted["order"], 0)),
        (&json!("partially_delivered"), three("0", "2", "3"))
    );
    assert_eq!(shop.availability(product).await, three("0", "0", "0"));
    let delivery = shop.erp.get(&location).await.expect(200);
    assert_eq!(
        (&delivery["number"], &delivery["order_number"]),
        (&posted["number"], &order["number"])
    );
    shop.erp
        .post(&path, json!({}))
        .await
        .expect_problem(409, "nothing_reserved");
    shop.adjust(product, "2").await;
    let rest = shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(rest["order"]["status"], "delivered");
    assert_eq!(rest["order"]["deliveries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn more_than_reserved_is_refused_with_the_lines() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "5").await;
    let (path, line_id) = (
        format!("/v1/sales-orders/{}/deliveries", id(&order)),
        order["lines"][0]["id"].clone(),
    );
    let asked = json!({"lines": [{"line_id": line_id, "quantity": "4"}]});
    let problem = shop
        .erp
        .post(&path, asked)
        .await
        .expect_problem(409, "exceeds_reserved");
    assert_eq!(
        problem["lines"],
        json!([{"line_id": line_id, "wanted": "4", "reserved": "3"}])
    );
    assert_eq!(shop.availability(product).await, three("3", "3", "0"));
    let faults =
        json!({"lines": [{"line_id": Uuid::now_v7(), "quantity": "1"}, {"line_id": line_id, "quantity": "0"}]});
    let problem = shop.erp.post(&path, faults).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_date_is_kept_and_checked() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let stock = json!({"warehouse_id": shop.warehouse, "reason": "opening", "date": "2026-01-02", "lines": [{"product_id": product, "quantity": "9"}]});
    shop.erp.post("/v1/stock-adjustments", stock).await.expect(201);
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    shop.erp
        .post(&path, json!({"date": "2999-01-01"}))
        .await
        .expect_problem(422, "future_date");
    shop.erp
        .post(&path, json!({"date": "2026-01-01"}))
        .await
        .expect_problem(409, "insufficient_stock");
    shop.erp
        .post(&path, json!({"date": "2026-02-30"}))
        .await
        .expect_problem(422, "bad_format");
    let posted = shop.erp.post(&path, json!({"date": "2026-01-03"})).await.expect(201);
    assert_eq!(posted["date"], "2026-01-03");
    let moves = shop
        .erp
        .get(&format!("/v1/stock-moves?document_id={}", id(&posted)))
        .await
        .expect(200);
    assert_eq!(
        (&moves["items"][0]["moved_on"], &moves["items"][0]["quantity"]),
        (&json!("2026-01-03"), &json!("-5"))
    );
}

#[tokio::test]
async fn a_repeat_with_its_key_ships_once() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "9").await;
    let order = shop.confirmed(product, "5").await;
    let (path, body) = (
        format!("/v1/sales-orders/{}/deliveries", id(&order)),
        json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "2"}]}),
    );
    let first = shop.erp.post_with_key(&path, "ship-1", body.clone()).await.expect(201);
    let again = shop.erp.post_with_key(&path, "ship-1", body).await.expect(201);
    assert_eq!(first, again);
    assert_eq!(shop.availability(product).await, three("7", "3", "4"));
}

#[tokio::test]
async fn a_dry_run_ships_nothing() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "9").await;
    let order = shop.confirmed(product, "5").await;
    let shown = shop
        .erp
        .post(
            &format!("/v1/sales-orders/{}/deliveries?dry_run=true", id(&order)),
            json!({}),
        )
        .await
        .expect(200);
    assert_eq!(
        (&shown["number"], &shown["order"]["status"]),
        (&Value::Null, &json!("delivered"))
    );
    assert_eq!(shop.availability(product).await, three("9", "5", "4"));
}

#[tokio::test]
async fn many_deliveries_of_one_order_at_once_ship_it_once() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (erp, path) = (shop.erp.clone(), path.clone());
        clients.spawn(async move { erp.post(&path, json!({})).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(
        replies.iter().all(|reply| reply.status == 201 || reply.status == 409),
        "{replies:#?}"
    );
    assert_eq!(shop.availability(product).await, three("0", "0", "0"));
}

#[tokio::test]
async fn deliveries_are_listed_by_order_and_date() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "5").await;
    let posted = shop
        .erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), json!({}))
        .await
        .expect(201);
    for path in [
        format!("/v1/sales-orders/{}/deliveries", id(&order)),
        format!("/v1/deliveries?order_id={}&sort=-date", id(&order)),
        format!("/v1/deliveries?customer_id={}", shop.customer),
    ] {
        let page = shop.erp.get(&path).await.expect(200);
        assert_eq!(page["items"][0]["id"], posted["id"], "{path}");
    }
    shop.erp
        .get(&format!("/v1/sales-orders/{}/deliveries", Uuid::now_v7()))
        .await
        .expect_problem(404, "not_found");
}
