//! Transfers in two steps, goods in locations, scrap.

use super::{adjustment, day, move_of, moves};
use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

async fn second_warehouse(shop: &Shop) -> Uuid {
    let body = json!({"code": "WEST", "name": "West"});
    id(&shop.erp.post("/v1/warehouses", body).await.expect(201))
}

async fn level(shop: &Shop, product: Uuid, warehouse: &Value) -> (String, String, String) {
    let warehouse = warehouse.as_str().unwrap();
    let path = format!("/v1/availability?product_id={product}&warehouse_id={warehouse}");
    let page = shop.erp.get(&path).await.expect(200);
    let text = |field: &str| page["items"][0][field].as_str().unwrap_or("none").to_owned();
    (text("on_hand"), text("reserved"), text("available"))
}

async fn valuation(shop: &Shop) -> (String, String) {
    let report = shop.erp.get("/v1/reports/stock-valuation").await.expect(200);
    let text = |field: &str| report[field].as_str().unwrap().to_owned();
    (text("total"), text("ledger"))
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[tokio::test]
async fn goods_travel_at_the_average_and_a_lost_rest_is_written_off() {
    let shop = Shop::open().await;
    let west = second_warehouse(&shop).await;
    let product = shop.product("A").await;
    shop.erp
        .post("/v1/stock-adjustments", adjustment(&shop, product, "10", Some("10")))
        .await
        .expect(201);
    shop.erp
        .post("/v1/stock-adjustments", adjustment(&shop, product, "10", Some("12")))
        .await
        .expect(201);
    let body = json!({"from_warehouse_id": shop.warehouse, "to_warehouse_id": west, "expected_on": day(3),
        "lines": [{"product_id": product, "quantity": "8"}]});
    let shown = shop
        .erp
        .post("/v1/transfers?dry_run=true", body.clone())
        .await
        .expect(200);
    let lines = shown["entries"][0]["lines"].as_array().unwrap();
    assert_eq!(
        (&lines[0]["account"], &lines[0]["debit"]),
        (&json!("1310"), &json!("88.00"))
    );
    assert_eq!(
        (&lines[1]["account"], &lines[1]["credit"]),
        (&json!("1300"), &json!("88.00"))
    );

    let transfer = shop.erp.post("/v1/transfers", body).await.expect(201);
    assert_eq!(
        (&transfer["status"], &transfer["lines"][0]["value"]),
        (&json!("in_transit"), &json!("88.00"))
    );
    assert!(
        transfer["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("TR-"))
    );
    let transit = &transfer["transit_warehouse_id"];
    assert_eq!(level(&shop, product, transit).await, three("8", "0", "8"));
    assert_eq!(
        level(&shop, product, &json!(shop.warehouse)).await,
        three("12", "0", "12")
    );
    assert_eq!(valuation(&shop).await, pair("220.00", "220.00"));

    // An order waits there, and a promise there rests on what is under way.
    let mut order = shop.order(json!([{"product_id": product, "quantity": "2", "unit_price": "20"}]));
    order["warehouse_id"] = json!(west);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    let ask = json!({"customer_id": shop.customer, "product_id": product, "quantity": "7", "warehouse_id": west});
    let promise = shop.erp.post("/v1/promises", ask).await.expect(200);
    assert_eq!(
        (
            &promise["parts"][0]["quantity"],
            &promise["parts"][0]["available_on"],
            &promise["parts"][0]["supply"]["source_type"]
        ),
        (&json!("6"), &json!(day(3)), &json!("transfer"))
    );
    assert_eq!(promise["unpromised_quantity"], "1");

    let path = format!("/v1/transfers/{}", id(&transfer));
    let line_id = &transfer["lines"][0]["id"];
    let too_much = json!({"lines": [{"line_id": line_id, "quantity": "9"}]});
    shop.erp
        .post(&format!("{path}/receive"), too_much)
        .await
        .expect_problem(422, "exceeds_open");
    let early = json!({"date": day(-1)});
    shop.erp
        .post(&format!("{path}/receive"), early)
        .await
        .expect_problem(422, "date_before_original");
    let part = json!({"lines": [{"line_id": line_id, "quantity": "5"}]});
    let received = shop.erp.post(&format!("{path}/receive"), part).await.expect(200);
    assert_eq!(
        (&received["status"], &received["lines"][0]["received_quantity"]),
        (&json!("in_transit"), &json!("5"))
    );
    assert_eq!(level(&shop, product, &json!(west)).await, three("5", "2", "3"));
    let order = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    assert_eq!(line(&order, 0), three("2", "0", "0"));
    assert_eq!(valuation(&shop).await, pair("220.00", "220.00"));

    let closed = shop
        .erp
        .post(&format!("{path}/close"), json!({"reason": "fell off"}))
        .await
        .expect(200);
    assert_eq!(
        (
            &closed["status"],
            &closed["lines"][0]["written_off_quantity"],
            &closed["allowed_actions"]
        ),
        (&json!("closed"), &json!("3"), &json!([]))
    );
    assert_eq!(valuation(&shop).await, pair("187.00", "187.00"));
    shop.erp
        .post(&format!("{path}/receive"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        moves(&shop, product).await,
        [
            move_of("adjustment", "10", "100"),
            move_of("adjustment", "10", "120"),
            move_of("transfer", "-8", "-88"),
            move_of("transfer", "8", "88"),
            move_of("transfer", "-5", "-55"),
            move_of("transfer", "5", "55"),
            move_of("scrap", "-3", "-33"),
        ]
    );
}

#[tokio::test]
async fn a_transfer_takes_its_own_lots_along() {
    let shop = Shop::open().await;
    let west = second_warehouse(&shop).await;
    let body = json!({"sku": "MILK", "name": "Milk", "kind": "goods", "unit": "pcs", "tracking": "lot"});
    let product = id(&shop.erp.post("/v1/products", body).await.expect(201));
    let came = json!({"warehouse_id": shop.warehouse, "reason": "x", "lines": [{"product_id": product, "quantity": "6",
        "lots": [{"lot": "L1", "quantity": "3", "expires_on": day(5)}, {"lot": "L2", "quantity": "3", "expires_on": day(9)}]}]});
    shop.erp.post("/v1/stock-adjustments", came).await.expect(201);
    let ship = |lot: &str| {
        json!({"from_warehouse_id": shop.warehouse, "to_warehouse_id": west,
        "lines": [{"product_id": product, "quantity": "2", "lots": [{"lot": lot, "quantity": "2"}]}]})
    };
    shop.erp.post("/v1/transfers", ship("L1")).await.expect(201);
    let late = shop.erp.post("/v1/transfers", ship("L2")).await.expect(201);
    let path = format!("/v1/transfers/{}/receive", id(&late));
    shop.erp.post(&path, json!({})).await.expect(200);
    let places = shop
        .erp
        .get(&format!("/v1/stock-places?warehouse_id={west}"))
        .await
        .expect(200);
    assert_eq!(places["items"].as_array().unwrap().len(), 1);
    let lot = places["items"][0]["lot_id"].as_str().unwrap();
    let lot = shop.erp.get(&format!("/v1/lots/{lot}")).await.expect(200);
    assert_eq!((&lot["code"], &lot["on_hand"]), (&json!("L2"), &json!("3")));
}

#[tokio::test]
async fn goods_are_put_away_and_taken_from_where_they_lie() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    shop.erp
        .post("/v1/stock-adjustments", adjustment(&shop, product, "10", Some("2")))
        .await
        .expect(201);
    let mut bins = Vec::new();
    for code in ["B1", "B2"] {
        let body = json!({"warehouse_id": shop.warehouse, "code": code, "name": code});
        bins.push(shop.erp.post("/v1/locations", body).await.expect(201)["id"].clone());
    }
    let relocate = |quantity: &str, from: &Value, to: &Value| {
        json!({"warehouse_id": shop.warehouse, "lines": [
        {"product_id": product, "quantity": quantity, "from_location_id": from, "to_location_id": to}]})
    };
    shop.erp
        .post("/v1/relocations", relocate("8", &Value::Null, &bins[0]))
        .await
        .expect(200);
    shop.erp
        .post("/v1/relocations", relocate("3", &bins[0], &bins[1]))
        .await
        .expect(200);
    shop.erp
        .post("/v1/relocations", relocate("6", &bins[0], &bins[1]))
        .await
        .expect_problem(409, "insufficient_stock");
    let places = async || {
        let page = shop
            .erp
            .get(&format!("/v1/stock-places?product_id={product}"))
            .await
            .expect(200);
        let quantity_in = |bin: &Value| {
            let place = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|place| place["location_id"] == *bin);
            place.map_or("none".to_owned(), |place| {
                place["quantity"].as_str().unwrap().to_owned()
            })
        };
        (quantity_in(&bins[0]), quantity_in(&bins[1]))
    };
    assert_eq!(places().await, pair("5", "3"));
    assert_eq!(shop.availability(product).await, three("10", "0", "10"));
    assert_eq!(valuation(&shop).await, pair("20.00", "20.00"));
    // What was not put away goes first, then the bins in their order.
    let order = shop.confirmed(product, "4").await;
    shop.erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), json!({}))
        .await
        .expect(201);
    assert_eq!(places().await, pair("3", "3"));
    let scrap = json!({"warehouse_id": shop.warehouse, "reason": "broken",
        "lines": [{"product_id": product, "quantity": "3", "lots": [{"location_id": bins[1], "quantity": "3"}]}]});
    let scrap = shop.erp.post("/v1/scraps", scrap).await.expect(201);
    assert_eq!(
        (&scrap["kind"], &scrap["lines"][0]["value"]),
        (&json!("scrap"), &json!("-6.00"))
    );
    assert!(
        scrap["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("SCR-"))
    );
    assert_eq!(places().await, pair("3", "none"));
    assert_eq!(valuation(&shop).await, pair("6.00", "6.00"));
    let listed = shop.erp.get("/v1/stock-adjustments?kind=scrap").await.expect(200);
    assert_eq!(listed["items"][0]["id"], scrap["id"]);
}
