//! The tax of an order: an estimate by the rates of the order date.

use crate::given::faults;
use crate::shop::{Shop, id};
use serde_json::{Value, json};

async fn taxed(shop: &Shop, rates: Value) {
    let code = json!({"code": "VAT", "name": "Value added tax", "kind": "output", "rates": rates});
    shop.erp.post("/v1/tax-codes", code).await.expect(201);
    let rule = json!({"direction": "sale", "codes": ["VAT"]});
    shop.erp.post("/v1/tax-rules", rule).await.expect(201);
}

fn total(order: &Value) -> [&str; 3] {
    let text = |field: &str| order["total"][field].as_str().unwrap();
    [text("net"), text("tax"), text("gross")]
}

#[tokio::test]
async fn tax_is_rounded_once_for_code_and_rate() {
    let shop = Shop::open().await;
    taxed(&shop, json!([{"rate": "0.2", "valid_from": "2020-01-01"}])).await;
    let product = shop.stocked("P", "10").await;
    // 3 × 0.33 at 20 % is 0.20; line by line it would be 0.21.
    let line = json!({"product_id": product, "quantity": "1", "unit_price": "0.33"});
    let order = shop.order(json!([line, line, line]));
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    assert_eq!(total(&order), ["0.99", "0.20", "1.19"]);
    assert_eq!(order["uninvoiced"], "1.19");
    assert_eq!(
        (
            &order["lines"][0]["taxes"][0]["code"],
            &order["lines"][0]["taxes"][0]["rate"]
        ),
        (&json!("VAT"), &json!("0.2"))
    );
    let stored = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    assert_eq!(stored, order);
}

#[tokio::test]
async fn charges_are_taxed_and_inclusive_prices_keep_their_gross() {
    let shop = Shop::open().await;
    taxed(&shop, json!([{"rate": "0.19", "valid_from": "2020-01-01"}])).await;
    let product = shop.stocked("P", "10").await;
    let mut order = shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "100"}]));
    order["charges"] = json!([{"kind": "freight", "description": "Parcel", "amount": "10"}]);
    let net = shop.erp.post("/v1/sales-orders", order.clone()).await.expect(201);
    assert_eq!(total(&net), ["110.00", "20.90", "130.90"]);
    order["prices_include_tax"] = json!(true);
    order["lines"][0]["unit_price"] = json!("119");
    order["charges"][0]["amount"] = json!("11.90");
    let gross = shop.erp.post("/v1/sales-orders", order.clone()).await.expect(201);
    assert_eq!(total(&gross), ["110.00", "20.90", "130.90"]);
    assert_eq!(gross["uninvoiced"], "130.90");
    order["charges"][0]["amount"] = json!("0.001");
    let problem = shop
        .erp
        .post("/v1/sales-orders", order)
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(faults(&problem), [("/charges/0/amount", "out_of_range")]);
}

#[tokio::test]
async fn the_rate_is_that_of_the_order_date_and_a_missing_one_is_told() {
    let shop = Shop::open().await;
    let rates = json!([
        {"rate": "0.19", "valid_from": "2026-01-01", "valid_to": "2026-06-30"},
        {"rate": "0.16", "valid_from": "2026-07-01"}
    ]);
    taxed(&shop, rates).await;
    let product = shop.stocked("P", "10").await;
    let mut order = shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "100"}]));
    for (date, gross) in [("2026-06-30", "119.00"), ("2026-07-01", "116.00")] {
        order["order_date"] = json!(date);
        let order = shop.erp.post("/v1/sales-orders", order.clone()).await.expect(201);
        assert_eq!(order["total"]["gross"], gross);
    }
    order["order_date"] = json!("2025-12-31");
    let problem = shop
        .erp
        .post("/v1/sales-orders", order.clone())
        .await
        .expect_problem(422, "tax_rate_missing");
    assert_eq!(faults(&problem), [("/order_date", "tax_rate_missing")]);
    // A draft need not be complete.
    order["confirm"] = json!(false);
    shop.erp.post("/v1/sales-orders", order).await.expect(201);
}

#[tokio::test]
async fn an_amendment_keeps_the_taxes() {
    let shop = Shop::open().await;
    taxed(&shop, json!([{"rate": "0.2", "valid_from": "2020-01-01"}])).await;
    let product = shop.stocked("P", "10").await;
    let order = shop.confirmed(product, "10").await;
    let amend = format!("/v1/sales-orders/{}/amend", id(&order));
    let body = json!({
        "lines": [{"line_id": order["lines"][0]["id"], "quantity": "5"}],
        "add": [{"product_id": product, "quantity": "1", "unit_price": "10"}]
    });
    let amended = shop.erp.post(&amend, body).await.expect(200);
    assert_eq!(total(&amended), ["60.00", "12.00", "72.00"]);
}
