//! Lots and serials: what comes names them, what goes leaves first expired, first out.

use super::{day, moves};
use crate::shop::{Shop, id, three};
use serde_json::{Value, json};
use uuid::Uuid;

async fn tracked(shop: &Shop, sku: &str, tracking: &str) -> Uuid {
    let body = json!({"sku": sku, "name": sku, "kind": "goods", "unit": "pcs", "tracking": tracking});
    id(&shop.erp.post("/v1/products", body).await.expect(201))
}

fn lots(shop: &Shop, product: Uuid, quantity: &str, lots: Value) -> Value {
    json!({"warehouse_id": shop.warehouse, "reason": "counted",
           "lines": [{"product_id": product, "quantity": quantity, "lots": lots}]})
}

/// (code, quantity) of what is on hand, by code.
async fn on_hand(shop: &Shop, product: Uuid) -> Vec<(String, String)> {
    let page = shop
        .erp
        .get(&format!("/v1/lots?product_id={product}&sort=code&in_stock=true"))
        .await
        .expect(200);
    let lots = page["items"].as_array().unwrap().iter();
    lots.map(|lot| {
        (
            lot["code"].as_str().unwrap().to_owned(),
            lot["on_hand"].as_str().unwrap().to_owned(),
        )
    })
    .collect()
}

fn pair(code: &str, quantity: &str) -> (String, String) {
    (code.to_owned(), quantity.to_owned())
}

#[tokio::test]
async fn what_expires_first_leaves_first_and_expired_lots_are_neither_promised_nor_delivered() {
    let shop = Shop::open().await;
    let product = tracked(&shop, "MILK", "lot").await;
    let parts = json!([
        {"lot": "LATE", "quantity": "5", "expires_on": day(30)},
        {"lot": "SOON", "quantity": "3", "expires_on": day(2)},
        {"lot": "GONE", "quantity": "4", "expires_on": day(-1)},
        {"lot": "EVER", "quantity": "2"},
    ]);
    let mut body = lots(&shop, product, "14", parts);
    body["lines"][0]["unit_cost"] = "1".into();
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201);
    // 14 are on hand, of which 4 have expired.
    assert_eq!(shop.availability(product).await, three("14", "0", "10"));

    let order = shop.confirmed(product, "12").await;
    assert_eq!(crate::shop::line(&order, 0), three("10", "2", "0"));
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": "6"}]);
    shop.erp.post(&path, json!({"lines": lines})).await.expect(201);
    assert_eq!(
        on_hand(&shop, product).await,
        [pair("EVER", "2"), pair("GONE", "4"), pair("LATE", "2")]
    );
    // What has expired is nobody's: it can be written off although all the rest is reserved.
    let gone = lots(&shop, product, "-4", json!([{"lot": "GONE", "quantity": "4"}]));
    let gone = shop.erp.post("/v1/stock-adjustments", gone).await.expect(201);
    assert_eq!(gone["lines"][0]["value"], "-4.00");
    let path_of = format!("/v1/stock-adjustments/{}", id(&gone));
    assert_eq!(
        shop.erp.get(&path_of).await.expect(200)["lines"][0]["lots"][0]["lot"],
        "GONE"
    );
    let good = lots(&shop, product, "-1", json!([{"lot": "LATE", "quantity": "1"}]));
    shop.erp
        .post("/v1/stock-adjustments", good)
        .await
        .expect_problem(409, "insufficient_stock");
    shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(on_hand(&shop, product).await, []);
    let values: Vec<String> = moves(&shop, product)
        .await
        .into_iter()
        .map(|(_, _, value)| value)
        .collect();
    assert_eq!(values, ["5", "3", "4", "2", "-3", "-3", "-4", "-2", "-2"]);
}

#[tokio::test]
async fn a_serial_number_is_one_piece_and_comes_once() {
    let shop = Shop::open().await;
    let product = tracked(&shop, "PHONE", "serial").await;
    let two = json!([{"lot": "S1", "quantity": "1"}, {"lot": "S2", "quantity": "1"}]);
    let came = lots(&shop, product, "2", two.clone());
    shop.erp.post("/v1/stock-adjustments", came.clone()).await.expect(201);
    shop.erp
        .post("/v1/stock-adjustments", came)
        .await
        .expect_problem(409, "serial_in_stock");
    let faulty = json!([{"lot": "S3", "quantity": "2"}, {"lot": "S3", "quantity": "1"}, {"quantity": "1"}]);
    let problem = shop
        .erp
        .post("/v1/stock-adjustments", lots(&shop, product, "5", faulty))
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        crate::given::faults(&problem),
        [
            ("/lines/0/lots/0/quantity", "serial_is_one_piece"),
            ("/lines/0/lots/1/lot", "duplicate"),
            ("/lines/0/lots/2/lot", "required"),
            ("/lines/0/lots", "lots_required"),
        ]
    );
    // It may come back once it has left.
    let away = lots(&shop, product, "-1", json!([{"lot": "S1", "quantity": "1"}]));
    shop.erp.post("/v1/stock-adjustments", away.clone()).await.expect(201);
    assert_eq!(on_hand(&shop, product).await, [pair("S2", "1")]);
    shop.erp
        .post("/v1/stock-adjustments", away)
        .await
        .expect_problem(409, "insufficient_stock");
    let back = lots(&shop, product, "1", json!([{"lot": "S1", "quantity": "1"}]));
    shop.erp.post("/v1/stock-adjustments", back).await.expect(201);
    assert_eq!(on_hand(&shop, product).await, [pair("S1", "1"), pair("S2", "1")]);
}

#[tokio::test]
async fn a_product_keeps_its_tracking_once_it_has_stock() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    // An order makes an empty level; the tracking may still change.
    let order = shop.confirmed(product, "3").await;
    let path = format!("/v1/products/{product}");
    shop.erp.patch(&path, json!({"tracking": "lot"})).await.expect(200);
    let plain =
        json!({"warehouse_id": shop.warehouse, "reason": "x", "lines": [{"product_id": product, "quantity": "3"}]});
    shop.erp
        .post("/v1/stock-adjustments", plain)
        .await
        .expect_problem(422, "lots_required");
    let came = lots(&shop, product, "4", json!([{"lot": "L1", "quantity": "4"}]));
    shop.erp.post("/v1/stock-adjustments", came).await.expect(201);
    shop.erp
        .patch(&path, json!({"tracking": "none"}))
        .await
        .expect_problem(409, "in_use");
    // The backorder was filled from the lot.
    let order = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    assert_eq!(crate::shop::line(&order, 0), three("3", "0", "0"));
    let unknown = lots(&shop, product, "-1", json!([{"lot": "L2", "quantity": "1"}]));
    shop.erp
        .post("/v1/stock-adjustments", unknown)
        .await
        .expect_problem(422, "unknown_lot");
}

#[tokio::test]
async fn the_database_itself_keeps_lots_and_stock_equal() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    let shop = Shop::open().await;
    let product = tracked(&shop, "MILK", "lot").await;
    let came = lots(&shop, product, "4", json!([{"lot": "L1", "quantity": "4"}]));
    shop.erp.post("/v1/stock-adjustments", came).await.expect(201);
    let mut conn = PgConnection::establish(&shop.service.database.url).unwrap();
    let insert =
        "INSERT INTO stock_moves (product_id, warehouse_id, quantity, moved_on, kind, document_id, recorded_at)
         SELECT product_id, warehouse_id, -1, moved_on, 'delivery', document_id, recorded_at FROM stock_moves";
    for (statement, constraint) in [
        (insert, "stock_levels_all_in_lots"),
        (
            "UPDATE stock_places SET quantity = 3",
            "stock_levels_on_hand_through_moves",
        ),
        (
            "UPDATE stock_levels SET tracked = false",
            "stock_levels_on_hand_through_moves",
        ),
        ("UPDATE stock_levels SET held = 1", "stock_levels_held_within_reserved"),
    ] {
        match conn.batch_execute(statement) {
            Err(diesel::result::Error::DatabaseError(_, info)) => {
                assert_eq!(info.constraint_name(), Some(constraint), "{statement}")
            }
            other => panic!("{statement}: {other:?}"),
        }
    }
}
