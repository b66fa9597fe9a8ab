//! Lots on deliveries: as named, else first expired, first out.

use crate::shop::{Shop, id};
use serde_json::{Value, json};
use uuid::Uuid;

/// A product in two lots of 5 each; the later one came first.
async fn in_lots(shop: &Shop) -> Uuid {
    let body = json!({"sku": "L", "name": "Lots", "kind": "goods", "unit": "pcs", "tracking": "lot"});
    let product = id(&shop.erp.post("/v1/products", body).await.expect(201));
    let lots = json!([
        {"lot": "LATE", "quantity": "5", "expires_on": "2999-12-31"},
        {"lot": "SOON", "quantity": "5", "expires_on": "2999-01-31"}
    ]);
    let line = json!({"product_id": product, "quantity": "10", "unit_cost": "2", "lots": lots});
    let body = json!({"warehouse_id": shop.warehouse, "reason": "opening stock", "lines": [line]});
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201);
    product
}

async fn lot(shop: &Shop, code: &str) -> Value {
    let page = shop.erp.get("/v1/lots").await.expect(200);
    let lots = page["items"].as_array().unwrap();
    lots.iter().find(|lot| lot["code"] == code).unwrap()["id"].clone()
}

#[tokio::test]
async fn what_is_named_leaves_and_the_rest_first_expired_first_out() {
    let shop = Shop::open().await;
    let product = in_lots(&shop).await;
    let line = json!({"product_id": product, "quantity": "3", "unit_price": "10"});
    let order = shop.order(json!([line, line]));
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let (late, soon) = (lot(&shop, "LATE").await, lot(&shop, "SOON").await);
    let lines = json!({"lines": [
        {"line_id": order["lines"][0]["id"], "quantity": "3"},
        {"line_id": order["lines"][1]["id"], "quantity": "3", "lots": [{"lot": "LATE", "quantity": "2"}]}
    ]});
    let posted = shop.erp.post(&path, lines).await.expect(201);
    let part = |lot: &Value, quantity: &str| json!({"lot_id": lot, "location_id": null, "quantity": quantity});
    assert_eq!(posted["lines"][0]["lots"], json!([part(&soon, "3")]));
    assert_eq!(posted["lines"][1]["lots"], json!([part(&late, "2"), part(&soon, "1")]));
    let stored = shop
        .erp
        .get(&format!("/v1/deliveries/{}", id(&posted)))
        .await
        .expect(200);
    assert_eq!(stored["lines"], posted["lines"]);
}

#[tokio::test]
async fn an_unknown_lot_and_more_than_the_line_are_refused() {
    let shop = Shop::open().await;
    let product = in_lots(&shop).await;
    let order = shop.confirmed(product, "3").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let line = order["lines"][0]["id"].clone();
    let unknown = json!({"lines": [{"line_id": line, "quantity": "1", "lots": [{"lot": "NONE", "quantity": "1"}]}]});
    let problem = shop.erp.post(&path, unknown).await.expect_problem(422, "unknown_lot");
    assert_eq!(problem["errors"][0]["pointer"], "/lines/0/lots/0/lot");
    let more = json!({"lines": [{"line_id": line, "quantity": "1", "lots": [{"lot": "LATE", "quantity": "2"}]}]});
    shop.erp.post(&path, more).await.expect_problem(422, "exceeds_line");
}
