//! The worked example "Promise and hold", and what becomes of a promise.

use super::{adjustment, day};
use crate::shop::{Shop, id, line, three};
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// On hand 10, reserved 4, a purchase order of 20 that comes in nine days with 5 pegged, lead time 14 days.
async fn first_of_june() -> (Shop, Uuid, Value) {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let supplier = json!({"name": "Exotic Liquids", "currency": "USD", "lead_time_days": 14});
    let supplier = id(&shop.erp.post("/v1/suppliers", supplier).await.expect(201));
    let price = json!({"product_id": product, "currency": "USD", "unit_price": "5"});
    let prices = format!("/v1/suppliers/{supplier}/prices");
    shop.erp.post(&prices, price).await.expect(201);
    let order = json!({"supplier_id": supplier, "submit": true,
        "lines": [{"product_id": product, "quantity": "20", "unit_price": "5", "expected_date": day(9)}]});
    let order = shop.erp.post("/v1/purchase-orders", order).await.expect(201);
    let second = shop.service.client.new_key("admin", &[]).await;
    let approve = format!("/v1/purchase-orders/{}/approve", id(&order));
    let order = second.post(&approve, json!({})).await.expect(200);
    let pegged = ask(&shop, product, "5", Some(60)).await;
    assert_eq!(parts(&pegged), [part("5", 9, "supply")]);
    let came = adjustment(&shop, product, "10", Some("5"));
    shop.erp.post("/v1/stock-adjustments", came).await.expect(201);
    shop.confirmed(product, "4").await;
    assert_eq!(shop.availability(product).await, three("10", "4", "6"));
    (shop, product, order)
}

async fn ask(shop: &Shop, product: Uuid, quantity: &str, minutes: Option<i64>) -> Value {
    let mut body = json!({"customer_id": shop.customer, "product_id": product, "quantity": quantity});
    if let Some(minutes) = minutes {
        body["hold_until"] = json!(Utc::now() + Duration::minutes(minutes));
    }
    let status = if minutes.is_some() { 201 } else { 200 };
    shop.erp.post("/v1/promises", body).await.expect(status)
}

fn parts(promise: &Value) -> Vec<(String, String, String)> {
    let text = |part: &Value, field: &str| part[field].as_str().unwrap_or("none").to_owned();
    let parts = promise["parts"].as_array().unwrap().iter();
    parts
        .map(|part| (text(part, "quantity"), text(part, "available_on"), text(part, "source")))
        .collect()
}

fn part(quantity: &str, in_days: i64, source: &str) -> (String, String, String) {
    (quantity.to_owned(), day(in_days).to_string(), source.to_owned())
}

#[tokio::test]
async fn the_worked_example() {
    let (shop, product, order) = first_of_june().await;
    let asked = ask(&shop, product, "12", None).await;
    assert_eq!(parts(&asked), [part("6", 0, "stock"), part("6", 9, "supply")]);
    assert_eq!((&asked["id"], &asked["status"]), (&Value::Null, &Value::Null));
    assert_eq!(asked["parts"][1]["supply"]["source_id"], order["id"]);
    assert_eq!(asked["parts"][1]["supply"]["source_number"], order["number"]);
    // A question holds nothing.
    assert_eq!(shop.availability(product).await, three("10", "4", "6"));

    let held = ask(&shop, product, "12", Some(60)).await;
    assert_eq!(parts(&held), [part("6", 0, "stock"), part("6", 9, "supply")]);
    assert_eq!(held["status"], "active");
    assert_eq!(shop.availability(product).await, three("10", "10", "0"));
    let again = ask(&shop, product, "12", None).await;
    assert_eq!(parts(&again), [part("9", 9, "supply"), part("3", 14, "lead_time")]);
}

fn order_with(shop: &Shop, product: Uuid, quantity: &str, promise: &Value) -> Value {
    let mut order = shop.order(json!([{"product_id": product, "quantity": quantity, "unit_price": "10"}]));
    order["promise_id"] = promise["id"].clone();
    order
}

#[tokio::test]
async fn an_order_that_names_a_promise_consumes_it_once() {
    let (shop, product, _) = first_of_june().await;
    let held = ask(&shop, product, "6", Some(60)).await;
    // Somebody else gets nothing of it.
    let other = shop.confirmed(product, "2").await;
    assert_eq!(line(&other, 0), three("0", "2", "0"));
    let order = order_with(&shop, product, "5", &held);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    assert_eq!(line(&order, 0), three("5", "0", "0"));
    // What it did not want goes to the one who waits.
    let other = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&other)))
        .await
        .expect(200);
    assert_eq!(line(&other, 0), three("1", "1", "0"));
    let path = format!("/v1/promises/{}", id(&held));
    let used = shop.erp.get(&path).await.expect(200);
    assert_eq!((&used["status"], &used["order_id"]), (&json!("consumed"), &order["id"]));
    assert_eq!(shop.availability(product).await, three("10", "10", "0"));
    let second = order_with(&shop, product, "1", &held);
    shop.erp
        .post("/v1/sales-orders", second)
        .await
        .expect_problem(409, "promise_consumed");
    let release = shop.erp.post(&format!("{path}/release"), json!({"reason": "x"})).await;
    release.expect_problem(409, "illegal_transition");
    let elsewhere = Uuid::now_v7();
    shop.new_customer(elsewhere).await;
    let mut stranger = order_with(&shop, product, "1", &held);
    stranger["customer_id"] = json!(elsewhere);
    shop.erp
        .post("/v1/sales-orders", stranger)
        .await
        .expect_problem(422, "unknown_promise");
}

/// Time passes: the clock of a promise is its row.
fn let_expire(shop: &Shop, promise: &Value) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    let mut conn = PgConnection::establish(&shop.service.database.url).unwrap();
    conn.batch_execute(&format!(
        "UPDATE promises SET expires_at = created_at WHERE id = '{}'",
        id(promise)
    ))
    .unwrap();
}

#[tokio::test]
async fn an_expired_promise_frees_its_stock_and_the_order_goes_on_without_it() {
    let (shop, product, _) = first_of_june().await;
    let held = ask(&shop, product, "12", Some(60)).await;
    let waiting = shop.confirmed(product, "2").await;
    assert_eq!(line(&waiting, 0), three("0", "2", "0"));
    let_expire(&shop, &held);
    // Nothing has run since, and nobody counts it any more.
    assert_eq!(shop.availability(product).await, three("10", "4", "6"));
    let path = format!("/v1/promises/{}", id(&held));
    assert_eq!(shop.erp.get(&path).await.expect(200)["status"], "expired");
    // The one who waited is served first, then the order that comes now.
    let order = order_with(&shop, product, "5", &held);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    assert_eq!(line(&order, 0), three("4", "1", "0"));
    let waiting = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&waiting)))
        .await
        .expect(200);
    assert_eq!(line(&waiting, 0), three("2", "0", "0"));
    assert_eq!(shop.availability(product).await, three("10", "10", "0"));
    // The peg is gone as well: 20 expected, 5 pegged, 1 waited for.
    let asked = ask(&shop, product, "20", None).await;
    assert_eq!(parts(&asked), [part("14", 9, "supply"), part("6", 14, "lead_time")]);
}

#[tokio::test]
async fn releasing_and_expiring_fill_backorders() {
    let (shop, product, _) = first_of_june().await;
    let (first, second) = (
        ask(&shop, product, "3", Some(60)).await,
        ask(&shop, product, "3", Some(60)).await,
    );
    let waiting = shop.confirmed(product, "6").await;
    let path = format!("/v1/promises/{}/release", id(&first));
    let released = shop
        .erp
        .post(&path, json!({"reason": "changed his mind"}))
        .await
        .expect(200);
    assert_eq!(
        (&released["status"], &released["reason"]),
        (&json!("released"), &json!("changed his mind"))
    );
    let order = format!("/v1/sales-orders/{}", id(&waiting));
    assert_eq!(line(&shop.erp.get(&order).await.expect(200), 0), three("3", "3", "0"));
    let_expire(&shop, &second);
    let done = shop.erp.post("/v1/expired-promises", json!({})).await.expect(200);
    assert_eq!((&done["freed"], &done["more"]), (&json!(1), &json!(false)));
    assert_eq!(line(&shop.erp.get(&order).await.expect(200), 0), three("6", "0", "0"));
}

#[tokio::test]
async fn every_fault_of_a_promise_is_named() {
    let shop = Shop::open().await;
    let body = json!({"customer_id": Uuid::now_v7(), "product_id": Uuid::now_v7(), "quantity": "0",
        "warehouse_id": Uuid::now_v7(), "hold_until": "2020-01-01T00:00:00Z"});
    let problem = shop
        .erp
        .post("/v1/promises", body)
        .await
        .expect_problem(422, "invalid_input");
    let faults = crate::given::faults(&problem);
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| *pointer).collect();
    assert_eq!(
        pointers,
        [
            "/customer_id",
            "/product_id",
            "/quantity",
            "/hold_until",
            "/warehouse_id"
        ]
    );
}

#[tokio::test]
async fn availability_by_date_adds_what_comes_and_takes_what_goes() {
    let (shop, product, _) = first_of_june().await;
    let mut later = shop.order(json!([{"product_id": product, "quantity": "8", "unit_price": "10"}]));
    later["requested_date"] = json!(day(5));
    shop.erp.post("/v1/sales-orders", later).await.expect(201);
    let path = format!(
        "/v1/availability/by-date?product_id={product}&warehouse_id={}",
        shop.warehouse
    );
    let report = shop.erp.get(&path).await.expect(200);
    let days: Vec<Vec<&str>> = report["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            ["date", "incoming", "outgoing", "on_hand", "reserved", "available"]
                .map(|field| row[field].as_str().unwrap())
                .to_vec()
        })
        .collect();
    let (today, fifth, ninth) = (day(0).to_string(), day(5).to_string(), day(9).to_string());
    // 4 go today; 6 of 8 are reserved for the fifth day; 20 come on the ninth.
    assert_eq!(
        days,
        [
            vec![today.as_str(), "0", "4", "6", "6", "0"],
            vec![fifth.as_str(), "0", "8", "-2", "0", "-2"],
            vec![ninth.as_str(), "20", "0", "18", "0", "18"],
        ]
    );
    let unknown = format!("/v1/availability/by-date?product_id={}", Uuid::now_v7());
    shop.erp.get(&unknown).await.expect_problem(400, "unknown_product");
}
