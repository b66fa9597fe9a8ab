//! What leaves takes its value along: Dr Cost of goods sold, Cr Stock.

use super::{bought, postings, shown_entry};
use crate::shop::{Shop, id};
use serde_json::{Value, json};

#[tokio::test]
async fn a_delivery_posts_its_cost_at_the_moving_average() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    // 10 @ 10 and 10 @ 12; deliver 5: cost 55.
    bought(&shop, product, "10", "10").await;
    bought(&shop, product, "10", "12").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(shown["number"], Value::Null);
    assert_eq!(
        shown_entry(&shown),
        [("5010", "55.00", "0.00"), ("1300", "0.00", "55.00")]
    );
    let posted = shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(posted["lines"][0]["value"], "55.00");
    assert_eq!(
        postings(&shop, id(&posted)),
        [
            ("1300".to_owned(), "-55".to_owned()),
            ("5010".to_owned(), "55".to_owned())
        ]
    );
}

#[tokio::test]
async fn lines_of_one_product_share_what_it_took_along() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    // 3 units worth 10.00.
    bought(&shop, product, "3", "3.3333").await;
    let line = json!({"product_id": product, "quantity": "1", "unit_price": "10"});
    let order = shop.order(json!([line, line, line]));
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let posted = shop.erp.post(&path, json!({})).await.expect(201);
    let values: Vec<&str> = posted["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["3.33", "3.34", "3.33"]);
    let stored = shop
        .erp
        .get(&format!("/v1/deliveries/{}", id(&posted)))
        .await
        .expect(200);
    assert_eq!(stored["lines"], posted["lines"]);
}
