//! What is expected and can still be promised: it stands with the availability and goes out with it.

use super::day;
use crate::given;
use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

struct Buyer {
    shop: Shop,
    supplier: Uuid,
    second: Client,
}

async fn buyer() -> Buyer {
    let shop = Shop::open().await;
    let supplier = json!({"name": "Exotic Liquids", "currency": "USD", "lead_time_days": 14});
    let supplier = id(&shop.erp.post("/v1/suppliers", supplier).await.expect(201));
    let second = shop.erp.new_key("admin", &[]).await;
    Buyer { shop, supplier, second }
}

impl Buyer {
    /// A binding order at the supplier.
    async fn ordered(&self, product: Uuid, quantity: &str, in_days: i64) -> Value {
        let body = json!({"supplier_id": self.supplier, "submit": true,
            "lines": [{"product_id": product, "quantity": quantity, "unit_price": "5", "expected_date": day(in_days)}]});
        let order = self.shop.erp.post("/v1/purchase-orders", body).await.expect(201);
        let approve = format!("/v1/purchase-orders/{}/approve", id(&order));
        self.second.post(&approve, json!({})).await.expect(200)
    }

    async fn level(&self, product: Uuid) -> Value {
        let path = format!("/v1/availability?product_id={product}");
        let page = self.shop.erp.get(&path).await.expect(200);
        page["items"][0].clone()
    }

    async fn incoming(&self, product: Uuid) -> Vec<(String, String)> {
        days(&self.level(product).await)
    }

    /// The newest event of a product's level says what the list says.
    async fn is_told(&self, product: Uuid) {
        let level = self.level(product).await;
        let events = given::events(&self.shop.erp, "availability.changed").await;
        let told = given::of(&events, &level);
        let (version, newest) = told.iter().max_by_key(|(version, _)| *version).expect("an event");
        assert_eq!(level["version"], *version);
        assert_eq!(days(newest), days(&level));
        let mut versions: Vec<i64> = told.iter().map(|(version, _)| *version).collect();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), told.len(), "each change has a version of its own");
    }
}

fn days(level: &Value) -> Vec<(String, String)> {
    let text = |day: &Value, field: &str| day[field].as_str().expect("a text").to_owned();
    let days = level["incoming"].as_array().expect("incoming").iter();
    days.map(|day| (text(day, "expected_on"), text(day, "quantity")))
        .collect()
}

fn on(in_days: i64, quantity: &str) -> (String, String) {
    (day(in_days).to_string(), quantity.to_owned())
}

#[tokio::test]
async fn orders_at_suppliers_are_summed_by_day_and_follow_their_changes() {
    let buyer = buyer().await;
    let product = buyer.shop.product("A").await;
    let first = buyer.ordered(product, "10", 5).await;
    buyer.ordered(product, "4", 5).await;
    let late = buyer.ordered(product, "7.5", 9).await;
    assert_eq!(buyer.incoming(product).await, [on(5, "14"), on(9, "7.5")]);
    assert_eq!(buyer.shop.availability(product).await, three("0", "0", "0"));
    buyer.is_told(product).await;

    // Another day, another quantity; then nothing of it.
    let path = format!("/v1/purchase-orders/{}", id(&late));
    let line = json!({"id": late["lines"][0]["id"], "product_id": product, "quantity": "6", "expected_date": day(2)});
    buyer.shop.erp.patch(&path, json!({"lines": [line]})).await.expect(200);
    assert_eq!(buyer.incoming(product).await, [on(2, "6"), on(5, "14")]);
    buyer
        .shop
        .erp
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect(200);
    assert_eq!(buyer.incoming(product).await, [on(5, "14")]);
    buyer.is_told(product).await;

    // What has come is in stock.
    let receipts = format!("/v1/purchase-orders/{}/receipts", id(&first));
    let part = json!({"lines": [{"line_id": first["lines"][0]["id"], "quantity": "3"}]});
    buyer.shop.erp.post(&receipts, part).await.expect(201);
    assert_eq!(buyer.incoming(product).await, [on(5, "11")]);
    buyer.shop.erp.post(&receipts, json!({})).await.expect(201);
    assert_eq!(buyer.incoming(product).await, [on(5, "4")]);
    assert_eq!(buyer.shop.availability(product).await, three("10", "0", "10"));
    buyer.is_told(product).await;
}

#[tokio::test]
async fn what_orders_wait_for_cannot_be_promised_to_others() {
    let buyer = buyer().await;
    let product = buyer.shop.stocked("A", "2").await;
    let order = buyer.ordered(product, "10", 5).await;
    buyer.ordered(product, "10", 9).await;
    // Reserving what is there changes nothing of what is to come.
    buyer.shop.confirmed(product, "1").await;
    assert_eq!(buyer.incoming(product).await, [on(5, "10"), on(9, "10")]);
    let waiting = buyer.shop.confirmed(product, "13").await;
    assert_eq!(line(&waiting, 0), three("1", "12", "0"));
    assert_eq!(buyer.incoming(product).await, [on(9, "8")]);
    buyer.is_told(product).await;
    // What comes goes to the one who waits; the rest of them waits for the other order.
    let receipts = format!("/v1/purchase-orders/{}/receipts", id(&order));
    buyer.shop.erp.post(&receipts, json!({})).await.expect(201);
    assert_eq!(buyer.shop.availability(product).await, three("12", "12", "0"));
    assert_eq!(buyer.incoming(product).await, [on(9, "8")]);
    // It waits no longer: all of the second order can be promised.
    let cancel = format!("/v1/sales-orders/{}/cancel", id(&waiting));
    buyer
        .shop
        .erp
        .post(&cancel, json!({"reason": "bought elsewhere"}))
        .await
        .expect(200);
    assert_eq!(buyer.incoming(product).await, [on(9, "10")]);
    assert_eq!(buyer.shop.availability(product).await, three("12", "1", "11"));
    buyer.is_told(product).await;
}

#[tokio::test]
async fn what_a_promise_has_pegged_comes_back_when_it_is_released() {
    let buyer = buyer().await;
    let product = buyer.shop.product("A").await;
    buyer.ordered(product, "20", 9).await;
    let until = chrono::Utc::now() + chrono::Duration::hours(1);
    let body = json!({"customer_id": buyer.shop.customer, "product_id": product, "quantity": "5", "hold_until": until});
    let promise = buyer.shop.erp.post("/v1/promises", body.clone()).await.expect(201);
    assert_eq!(buyer.incoming(product).await, [on(9, "15")]);
    // The same that another promise would be told.
    let mut asked = body;
    asked["hold_until"] = Value::Null;
    asked["quantity"] = json!("16");
    let asked = buyer.shop.erp.post("/v1/promises", asked).await.expect(200);
    assert_eq!(asked["parts"][0]["quantity"], "15");
    assert_eq!(asked["parts"][0]["available_on"], json!(day(9)));
    let release = format!("/v1/promises/{}/release", id(&promise));
    buyer
        .shop
        .erp
        .post(&release, json!({"reason": "no answer"}))
        .await
        .expect(200);
    assert_eq!(buyer.incoming(product).await, [on(9, "20")]);
    buyer.is_told(product).await;
}

#[tokio::test]
async fn many_days_are_bounded_and_nothing_is_lost() {
    let buyer = buyer().await;
    let product = buyer.shop.product("A").await;
    let lines: Vec<Value> = (1..=70)
        .map(
            |in_days| json!({"product_id": product, "quantity": "1", "unit_price": "5", "expected_date": day(in_days)}),
        )
        .collect();
    let body = json!({"supplier_id": buyer.supplier, "submit": true, "lines": lines});
    let order = buyer.shop.erp.post("/v1/purchase-orders", body).await.expect(201);
    let approve = format!("/v1/purchase-orders/{}/approve", id(&order));
    buyer.second.post(&approve, json!({})).await.expect(200);
    let incoming = buyer.incoming(product).await;
    assert_eq!(incoming.len(), 60);
    assert_eq!((&incoming[58], &incoming[59]), (&on(59, "1"), &on(70, "11")));
}

#[tokio::test]
async fn orders_that_come_short_at_once_are_all_counted() {
    let buyer = buyer().await;
    let product = buyer.shop.product("A").await;
    buyer.ordered(product, "100", 5).await;
    let orders = (0..32).map(|_| buyer.shop.confirmed(product, "2"));
    futures_util::future::join_all(orders).await;
    assert_eq!(buyer.incoming(product).await, [on(5, "36")]);
    buyer.is_told(product).await;
}
