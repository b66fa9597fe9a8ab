//! Returns: authorised, received at their delivery's cost, inspected, credited.

use super::{bought, deliver, execute, postings, shown_entry};
use crate::given::{self, faults};
use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

/// 10 @ 10 and 10 @ 12 came; 5 of them were delivered at 11.
async fn five_delivered(shop: &Shop) -> (Uuid, Value) {
    let product = shop.product("A").await;
    bought(shop, product, "10", "10").await;
    bought(shop, product, "10", "12").await;
    let order = shop.confirmed(product, "5").await;
    deliver(shop, &order, &["5"]).await;
    (product, order)
}

async fn authorised(shop: &Shop, order: &Value, quantity: &str) -> Value {
    let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": quantity}]);
    let body = json!({"order_id": order["id"], "reason": "damaged", "lines": lines});
    shop.erp.post("/v1/sales-returns", body).await.expect(201)
}

fn verb(record: &Value, verb: &str) -> String {
    format!("/v1/sales-returns/{}/{verb}", id(record))
}

async fn current(shop: &Shop, order: &Value) -> Value {
    shop.erp
        .get(&format!("/v1/sales-orders/{}", id(order)))
        .await
        .expect(200)
}

#[tokio::test]
async fn what_comes_back_enters_at_its_deliverys_cost() {
    let shop = Shop::open().await;
    let (product, order) = five_delivered(&shop).await;
    // The average has moved since: 15 worth 165 and 15 @ 14.
    bought(&shop, product, "15", "14").await;
    let returned = authorised(&shop, &order, "2").await;
    assert_eq!(
        (&returned["status"], &returned["allowed_actions"]),
        (&json!("authorised"), &json!(["receive", "cancel"]))
    );
    assert!(returned["number"].is_string());
    assert_eq!(postings(&shop, id(&returned)), []);
    let shown = shop
        .erp
        .post(&format!("{}?dry_run=true", verb(&returned, "receive")), json!({}))
        .await
        .expect(200);
    assert_eq!(
        shown_entry(&shown),
        [("1300", "22.00", "0.00"), ("5010", "0.00", "22.00")]
    );
    let received = shop.erp.post(&verb(&returned, "receive"), json!({})).await.expect(200);
    assert_eq!(
        (
            &received["status"],
            &received["lines"][0]["value"],
            &received["lines"][0]["uninvoiced_quantity"]
        ),
        (&json!("received"), &json!("22.00"), &json!("2"))
    );
    assert_eq!(
        postings(&shop, id(&returned)),
        [
            ("1300".to_owned(), "22".to_owned()),
            ("5010".to_owned(), "-22".to_owned())
        ]
    );
    // Nobody is promised it before it is inspected.
    assert_eq!(shop.availability(product).await, three("32", "2", "30"));
    let after = current(&shop, &order).await;
    assert_eq!(
        (
            &after["lines"][0]["returned_quantity"],
            &after["lines"][0]["to_invoice_quantity"],
            &after["uninvoiced"]
        ),
        (&json!("2"), &json!("3"), &json!("30.00"))
    );
    let lines = json!({"lines": [{"id": received["lines"][0]["id"], "restock": "2"}]});
    let done = shop.erp.post(&verb(&returned, "inspect"), lines).await.expect(200);
    // Nothing was invoiced, so nothing is to be credited.
    assert_eq!(
        (&done["status"], &done["lines"][0]["to_credit_quantity"]),
        (&json!("completed"), &json!("0"))
    );
    assert_eq!(shop.availability(product).await, three("32", "0", "32"));
    let events = given::events(&shop.erp, "return.changed").await;
    let versions: Vec<i64> = given::of(&events, &done).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn scrap_leaves_at_the_average_and_the_rest_fills_backorders() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    bought(&shop, product, "5", "11").await;
    let order = shop.confirmed(product, "5").await;
    deliver(&shop, &order, &["5"]).await;
    let waiting = shop.confirmed(product, "4").await;
    let returned = authorised(&shop, &order, "3").await;
    let received = shop.erp.post(&verb(&returned, "receive"), json!({})).await.expect(200);
    assert_eq!(line(&current(&shop, &waiting).await, 0), three("0", "4", "0"));
    let path = verb(&returned, "inspect");
    let some = json!({"lines": [{"id": received["lines"][0]["id"], "restock": "1"}]});
    shop.erp.post(&path, some).await.expect_problem(422, "not_all");
    let verdict = json!({"lines": [{"id": received["lines"][0]["id"], "restock": "2", "scrap": "1"}]});
    let done = shop.erp.post(&path, verdict.clone()).await.expect(200);
    assert_eq!(
        (
            &done["lines"][0]["restocked_quantity"],
            &done["lines"][0]["scrapped_quantity"]
        ),
        (&json!("2"), &json!("1"))
    );
    assert_eq!(line(&current(&shop, &waiting).await, 0), three("2", "2", "0"));
    assert_eq!(shop.availability(product).await, three("2", "2", "0"));
    let balances = [("1300", "22"), ("5010", "-33"), ("5040", "11")];
    let expected = balances.map(|(account, balance)| (account.to_owned(), balance.to_owned()));
    assert_eq!(postings(&shop, id(&returned)), expected);
    shop.erp
        .post(&path, verdict)
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn what_was_invoiced_is_to_be_credited_and_never_invoiced_again() {
    let shop = Shop::open().await;
    let (_, order) = five_delivered(&shop).await;
    execute(&shop, "UPDATE sales_order_lines SET invoiced_quantity = 4");
    // 5 delivered, 4 invoiced: of 3 that come back 1 was not.
    let returned = authorised(&shop, &order, "3").await;
    let received = shop.erp.post(&verb(&returned, "receive"), json!({})).await.expect(200);
    assert_eq!(
        (
            &received["lines"][0]["uninvoiced_quantity"],
            &received["lines"][0]["to_credit_quantity"]
        ),
        (&json!("1"), &json!("2"))
    );
    let after = current(&shop, &order).await;
    assert_eq!(
        (
            &after["lines"][0]["to_invoice_quantity"],
            &after["uninvoiced"],
            &after["invoicing"]
        ),
        (&json!("0"), &json!("0.00"), &json!("full"))
    );
    let verdict = json!({"lines": [{"id": received["lines"][0]["id"], "scrap": "3"}]});
    let inspected = shop.erp.post(&verb(&returned, "inspect"), verdict).await.expect(200);
    assert_eq!(
        (&inspected["status"], &inspected["allowed_actions"]),
        (&json!("inspected"), &json!(["credit"]))
    );
}

#[tokio::test]
async fn no_more_comes_back_than_was_delivered() {
    let shop = Shop::open().await;
    let (_, order) = five_delivered(&shop).await;
    let line_id = order["lines"][0]["id"].clone();
    let body = |quantity: &str| json!({"order_id": order["id"], "reason": "wrong", "lines": [{"line_id": line_id, "quantity": quantity}]});
    let problem = shop
        .erp
        .post("/v1/sales-returns", body("6"))
        .await
        .expect_problem(409, "exceeds_delivered");
    assert_eq!(
        problem["lines"],
        json!([{"line_id": line_id, "wanted": "6", "delivered": "5"}])
    );
    let first = authorised(&shop, &order, "4").await;
    // What is authorised is claimed, until it is cancelled or did not come.
    shop.erp
        .post("/v1/sales-returns", body("2"))
        .await
        .expect_problem(409, "exceeds_delivered");
    let more = json!({"lines": [{"id": first["lines"][0]["id"], "quantity": "5"}]});
    shop.erp
        .post(&verb(&first, "receive"), more)
        .await
        .expect_problem(422, "exceeds_authorised");
    let fewer = json!({"lines": [{"id": first["lines"][0]["id"], "quantity": "1"}]});
    let received = shop.erp.post(&verb(&first, "receive"), fewer).await.expect(200);
    assert_eq!(received["lines"][0]["value"], "11.00");
    let second = authorised(&shop, &order, "4").await;
    shop.erp.post(&verb(&second, "cancel"), json!({})).await.expect(200);
    let third = authorised(&shop, &order, "4").await;
    let all = shop.erp.post(&verb(&third, "receive"), json!({})).await.expect(200);
    assert_eq!(all["lines"][0]["value"], "44.00");
    assert_eq!(current(&shop, &order).await["lines"][0]["returned_quantity"], "5");
    let page = shop
        .erp
        .get(&format!("/v1/sales-returns?order_id={}&status=received", id(&order)))
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_return_takes_the_oldest_delivery_unless_it_names_one() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    bought(&shop, product, "2", "10").await;
    let order = shop.confirmed(product, "4").await;
    let first = deliver(&shop, &order, &["2"]).await;
    bought(&shop, product, "2", "14").await;
    let second = deliver(&shop, &order, &["2"]).await;
    let line_id = order["lines"][0]["id"].clone();
    let lines = json!([
        {"line_id": line_id, "delivery_id": second["id"], "quantity": "1"},
        {"line_id": line_id, "quantity": "3"}
    ]);
    let body = json!({"order_id": order["id"], "reason": "wrong", "lines": lines});
    let returned = shop.erp.post("/v1/sales-returns", body).await.expect(201);
    let parts: Vec<(&Value, &Value)> = returned["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["delivery_id"], &line["quantity"]))
        .collect();
    assert_eq!(
        parts,
        [
            (&second["id"], &json!("1")),
            (&first["id"], &json!("2")),
            (&second["id"], &json!("1"))
        ]
    );
    let received = shop.erp.post(&verb(&returned, "receive"), json!({})).await.expect(200);
    let values: Vec<&str> = received["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["14.00", "20.00", "14.00"]);
}

#[tokio::test]
async fn every_fault_of_a_return_is_named() {
    let shop = Shop::open().await;
    let (_, order) = five_delivered(&shop).await;
    let stranger = Uuid::now_v7();
    let body = json!({"order_id": stranger, "reason": "x", "lines": [{"line_id": stranger, "quantity": "1"}]});
    let problem = shop
        .erp
        .post("/v1/sales-returns", body)
        .await
        .expect_problem(422, "unknown_order");
    assert_eq!(faults(&problem), [("/order_id", "unknown_order")]);
    let lines = json!([
        {"line_id": stranger, "quantity": "0"},
        {"line_id": order["lines"][0]["id"], "delivery_id": stranger, "quantity": "1"}
    ]);
    let body = json!({"order_id": order["id"], "warehouse_id": stranger, "reason": "x", "lines": lines});
    let problem = shop
        .erp
        .post("/v1/sales-returns", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/lines/0/quantity", "out_of_range"),
            ("/lines/0/line_id", "unknown_line"),
            ("/lines/1/delivery_id", "unknown_delivery"),
            ("/warehouse_id", "unknown_warehouse"),
        ]
    );
    shop.erp
        .get(&format!("/v1/sales-returns/{stranger}"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn many_receipts_at_once_take_it_back_once() {
    let shop = Shop::open().await;
    let (product, order) = five_delivered(&shop).await;
    let returned = authorised(&shop, &order, "5").await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (erp, path) = (shop.erp.clone(), verb(&returned, "receive"));
        clients.spawn(async move { erp.post(&path, json!({})).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(
        replies.iter().all(|reply| reply.status == 200 || reply.status == 409),
        "{replies:#?}"
    );
    assert_eq!(shop.availability(product).await, three("20", "5", "15"));
}
