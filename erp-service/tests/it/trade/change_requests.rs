//! What the CRM asks to change of an order: granted or refused, each once.

use super::deliver;
use crate::shop::{Shop, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

struct Submitted {
    path: String,
    body: Value,
    order: Value,
}

/// An order of the CRM: 10 of one product and 2 of another, of which there are 10 each.
async fn submitted(shop: &Shop) -> (Uuid, Submitted) {
    let (first, second) = (shop.stocked("A", "10").await, shop.stocked("B", "10").await);
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let body = json!({
        "source_version": 1, "customer_id": shop.customer, "currency": "USD", "order_date": "2026-01-05",
        "lines": [
            {"id": Uuid::now_v7(), "product_id": first, "quantity": "10", "unit_price": "9.50"},
            {"id": Uuid::now_v7(), "product_id": second, "quantity": "2", "unit_price": "1"}
        ]
    });
    let order = shop.sync.put(&path, body.clone()).await.expect(201);
    (first, Submitted { path, body, order })
}

impl Submitted {
    /// Asks for more; all requests that were ever made travel each time.
    async fn ask(&mut self, shop: &Shop, requests: &[Value]) -> Value {
        let version = self.body["source_version"].as_i64().unwrap() + 1;
        self.body["source_version"] = json!(version);
        if self.body["change_requests"].is_null() {
            self.body["change_requests"] = json!([]);
        }
        for request in requests {
            let mut request = request.clone();
            request["id"] = json!(Uuid::now_v7());
            request["requested_at"] = json!("2026-01-06T10:00:00Z");
            self.body["change_requests"].as_array_mut().unwrap().push(request);
        }
        shop.sync.put(&self.path, self.body.clone()).await.expect(200)
    }

    fn line(&self, index: usize) -> Value {
        self.order["lines"][index]["id"].clone()
    }
}

fn answers(order: &Value) -> Vec<(&str, &str)> {
    let requests = order["change_requests"].as_array().unwrap().iter();
    requests
        .map(|request| {
            (
                request["state"].as_str().unwrap(),
                request["answer"].as_str().unwrap_or(""),
            )
        })
        .collect()
}

#[tokio::test]
async fn each_request_is_answered_by_itself_and_once() {
    let shop = Shop::open().await;
    let (product, mut sent) = submitted(&shop).await;
    deliver(&shop, &sent.order, &["4"]).await;
    let (first, second) = (sent.line(0), sent.line(1));
    let requests = [
        json!({"kind": "quantity", "line_id": first, "quantity": "3"}),
        json!({"kind": "quantity", "line_id": first, "quantity": "6", "reason": "fewer guests"}),
        json!({"kind": "date", "requested_date": "2026-02-01"}),
        json!({"kind": "address", "shipping_address": {"street": "Obere Str. 57", "city": "Berlin", "country": "DE"}}),
        json!({"kind": "cancel"}),
        json!({"kind": "cancel", "line_id": second}),
    ];
    let order = sent.ask(&shop, &requests).await;
    let states: Vec<&str> = answers(&order).iter().map(|(state, _)| *state).collect();
    assert_eq!(
        states,
        ["refused", "granted", "granted", "granted", "refused", "granted"]
    );
    assert_eq!(answers(&order)[0].1, "a quantity does not go below what is delivered");
    assert_eq!(answers(&order)[4].1, "cannot cancel while it is partially_delivered");
    assert_eq!(line(&order, 0), three("2", "0", "4"));
    assert_eq!(
        (
            order["lines"].as_array().unwrap().len(),
            &order["requested_date"],
            &order["shipping_address"]["city"],
            &order["total"]["net"]
        ),
        (1, &json!("2026-02-01"), &json!("Berlin"), &json!("57.00"))
    );
    assert_eq!(shop.availability(product).await, three("6", "2", "4"));
    // The same message again changes nothing, and a newer one without news neither.
    let again = shop.sync.put(&sent.path, sent.body.clone()).await.expect(200);
    assert_eq!(again, order);
    let newer = sent.ask(&shop, &[]).await;
    assert_eq!(
        (&newer["version"], &newer["change_requests"]),
        (&order["version"], &order["change_requests"])
    );
    let more = sent
        .ask(&shop, &[json!({"kind": "quantity", "line_id": first, "quantity": "9"})])
        .await;
    assert_eq!((line(&more, 0), answers(&more).len()), (three("5", "0", "4"), 7));
}

#[tokio::test]
async fn stock_moves_between_lines_of_one_answer() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let body = json!({
        "source_version": 1, "customer_id": shop.customer, "currency": "USD", "order_date": "2026-01-05",
        "lines": [
            {"id": first, "product_id": product, "quantity": "8", "unit_price": "1"},
            {"id": second, "product_id": product, "quantity": "2", "unit_price": "1"}
        ]
    });
    let order = shop.sync.put(&path, body.clone()).await.expect(201);
    let mut sent = Submitted { path, body, order };
    let requests = [
        json!({"kind": "quantity", "line_id": second, "quantity": "5"}),
        json!({"kind": "quantity", "line_id": first, "quantity": "4"}),
    ];
    let order = sent.ask(&shop, &requests).await;
    assert_eq!(
        (line(&order, 0), line(&order, 1)),
        (three("4", "0", "0"), three("5", "0", "0"))
    );
    assert_eq!(shop.availability(product).await, three("10", "9", "1"));
}

#[tokio::test]
async fn an_increase_beyond_the_limit_is_refused_and_a_cancellation_frees_all() {
    let shop = Shop::open().await;
    let (product, mut sent) = submitted(&shop).await;
    shop.limit_credit("100").await;
    let first = sent.line(0);
    let refused = sent
        .ask(
            &shop,
            &[json!({"kind": "quantity", "line_id": first, "quantity": "11"})],
        )
        .await;
    assert_eq!(answers(&refused)[0].0, "refused");
    assert!(answers(&refused)[0].1.contains("100"), "{refused:#}");
    assert_eq!(refused["total"]["net"], "97.00");
    let second = sent.line(1);
    let gone = sent
        .ask(
            &shop,
            &[json!({"kind": "cancel", "line_id": second}), json!({"kind": "cancel"})],
        )
        .await;
    assert_eq!(
        (&gone["status"], answers(&gone)[1].0, answers(&gone)[2].0),
        (&json!("cancelled"), "granted", "granted")
    );
    assert_eq!(shop.availability(product).await, three("10", "0", "10"));
    let late = sent
        .ask(&shop, &[json!({"kind": "date", "requested_date": "2026-03-01"})])
        .await;
    assert_eq!(answers(&late)[3], ("refused", "cannot amend while it is cancelled"));
}

#[tokio::test]
async fn requests_that_overtake_their_order_are_answered_with_it() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let line_id = Uuid::now_v7();
    let body = json!({
        "source_version": 2, "customer_id": shop.customer, "currency": "USD", "order_date": "2026-01-05",
        "lines": [{"id": line_id, "product_id": product, "quantity": "8", "unit_price": "1"}],
        "change_requests": [{
            "id": Uuid::now_v7(), "requested_at": "2026-01-06T10:00:00Z", "kind": "quantity", "line_id": line_id, "quantity": "3"
        }]
    });
    let order = shop.sync.put(&path, body).await.expect(201);
    assert_eq!(
        (answers(&order), line(&order, 0)),
        (vec![("granted", "")], three("3", "0", "0"))
    );
}
