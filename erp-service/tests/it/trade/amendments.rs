//! Amending a confirmed order.

use super::{deliver, execute};
use crate::given::faults;
use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

/// 10 @ 9.50 of a product of which there are 10.
async fn ten(shop: &Shop) -> (Uuid, Value) {
    let product = shop.stocked("P", "10").await;
    let lines = json!([{"product_id": product, "quantity": "10", "unit_price": "9.50"}]);
    let order = shop.erp.post("/v1/sales-orders", shop.order(lines)).await.expect(201);
    (product, order)
}

fn path(order: &Value) -> String {
    format!("/v1/sales-orders/{}/amend", id(order))
}

fn change(order: &Value, mut fields: Value) -> Value {
    fields["line_id"] = order["lines"][0]["id"].clone();
    json!({ "lines": [fields] })
}

#[tokio::test]
async fn the_worked_example() {
    let shop = Shop::open().await;
    let (product, order) = ten(&shop).await;
    // 4 delivered and invoiced.
    deliver(&shop, &order, &["4"]).await;
    execute(&shop, "UPDATE sales_order_lines SET invoiced_quantity = 4");
    let amend = path(&order);
    let problem = shop
        .erp
        .post(&amend, change(&order, json!({"quantity": "3"})))
        .await
        .expect_problem(409, "below_delivered");
    assert_eq!(
        problem["lines"],
        json!([{"line_id": order["lines"][0]["id"], "wanted": "3", "delivered": "4", "code": "below_delivered"}])
    );
    let amended = shop
        .erp
        .post(&amend, change(&order, json!({"quantity": "6"})))
        .await
        .expect(200);
    assert_eq!(line(&amended, 0), three("2", "0", "4"));
    assert_eq!(shop.availability(product).await, three("6", "2", "4"));
    // 6 × 9.50, of which 2 are still to be invoiced.
    assert_eq!(
        (&amended["total"]["gross"], &amended["uninvoiced"]),
        (&json!("57.00"), &json!("19.00"))
    );
    assert_eq!(amended["status"], "partially_delivered");
    shop.erp
        .post(&amend, change(&order, json!({"unit_price": "9.00"})))
        .await
        .expect_problem(409, "price_frozen");
    // To what is delivered: nothing is left to deliver.
    let done = shop
        .erp
        .post(&amend, change(&order, json!({"quantity": "4"})))
        .await
        .expect(200);
    assert_eq!(
        (&done["status"], line(&done, 0)),
        (&json!("delivered"), three("0", "0", "4"))
    );
    // And more again opens it.
    let more = shop
        .erp
        .post(&amend, change(&order, json!({"quantity": "5"})))
        .await
        .expect(200);
    assert_eq!(
        (&more["status"], line(&more, 0)),
        (&json!("partially_delivered"), three("1", "0", "4"))
    );
}

#[tokio::test]
async fn what_becomes_free_fills_backorders_and_more_is_backordered() {
    let shop = Shop::open().await;
    let (product, order) = ten(&shop).await;
    let waiting = shop.confirmed(product, "3").await;
    assert_eq!(line(&waiting, 0), three("0", "3", "0"));
    let less = change(&order, json!({"quantity": "8"}));
    let amended = shop.erp.post(&path(&order), less).await.expect(200);
    assert_eq!(line(&amended, 0), three("8", "0", "0"));
    let filled = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&waiting)))
        .await
        .expect(200);
    assert_eq!(line(&filled, 0), three("2", "1", "0"));
    assert_eq!(shop.availability(product).await, three("10", "10", "0"));
    let more = change(&order, json!({"quantity": "9"}));
    let amended = shop.erp.post(&path(&order), more).await.expect(200);
    assert_eq!(line(&amended, 0), three("8", "1", "0"));
    // Less again takes it from what waits.
    let less = change(&order, json!({"quantity": "8.5"}));
    let amended = shop.erp.post(&path(&order), less).await.expect(200);
    assert_eq!(line(&amended, 0), three("8", "0.5", "0"));
}

#[tokio::test]
async fn what_one_line_gives_up_another_takes() {
    let shop = Shop::open().await;
    let (product, order) = ten(&shop).await;
    let mut body = change(&order, json!({"quantity": "7"}));
    body["add"] = json!([{"product_id": product, "quantity": "2", "unit_price": "9"}]);
    let amended = shop.erp.post(&path(&order), body).await.expect(200);
    assert_eq!(line(&amended, 0), three("7", "0", "0"));
    assert_eq!(line(&amended, 1), three("2", "0", "0"));
    assert_eq!(amended["total"]["net"], "84.50");
    assert_eq!(shop.availability(product).await, three("10", "9", "1"));
    let second = amended["lines"][1]["id"].clone();
    let gone = json!({"remove": [second], "requested_date": "2999-01-01", "priority": 3});
    let amended = shop.erp.post(&path(&order), gone).await.expect(200);
    assert_eq!(
        (
            amended["lines"].as_array().unwrap().len(),
            &amended["requested_date"],
            &amended["priority"]
        ),
        (1, &json!("2999-01-01"), &json!(3))
    );
    assert_eq!(shop.availability(product).await, three("10", "7", "3"));
}

#[tokio::test]
async fn agreed_prices_stay_unless_asked_for_new_ones() {
    let shop = Shop::open().await;
    let (product, order) = ten(&shop).await;
    let list = shop
        .erp
        .post("/v1/price-lists", json!({"name": "Base", "currency": "USD"}))
        .await
        .expect(201);
    let price = json!({"product_id": product, "unit_price": "8.25"});
    shop.erp
        .post(&format!("/v1/price-lists/{}/prices", id(&list)), price)
        .await
        .expect(201);
    let more = change(&order, json!({"quantity": "5"}));
    let kept = shop.erp.post(&path(&order), more).await.expect(200);
    assert_eq!(
        (&kept["lines"][0]["unit_price"], &kept["total"]["net"]),
        (&json!("9.5"), &json!("47.50"))
    );
    let repriced = shop.erp.post(&path(&order), json!({"reprice": true})).await.expect(200);
    assert_eq!(
        (&repriced["lines"][0]["unit_price"], &repriced["total"]["net"]),
        (&json!("8.25"), &json!("41.25"))
    );
    let agreed = change(&order, json!({"unit_price": "8", "discount": "0.5"}));
    let agreed = shop.erp.post(&path(&order), agreed).await.expect(200);
    assert_eq!(
        (&agreed["lines"][0]["price_differs"], &agreed["total"]["net"]),
        (&json!(true), &json!("20.00"))
    );
}

#[tokio::test]
async fn only_the_increase_is_checked_for_credit() {
    let shop = Shop::open().await;
    let (_, order) = ten(&shop).await;
    // The order itself is over the limit already.
    shop.limit_credit("90").await;
    let less = change(&order, json!({"quantity": "9"}));
    shop.erp.post(&path(&order), less).await.expect(200);
    // 85.50 + 4.75 = 90.25.
    let more = change(&order, json!({"quantity": "9.5"}));
    let before = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    shop.erp
        .post(&path(&order), more.clone())
        .await
        .expect_problem(409, "credit_exceeded");
    let after = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    assert_eq!(before, after);
    shop.limit_credit("90.25").await;
    shop.erp.post(&path(&order), more).await.expect(200);
}

#[tokio::test]
async fn every_fault_is_named_and_a_draft_is_edited_instead() {
    let shop = Shop::open().await;
    let (_, order) = ten(&shop).await;
    let stranger = Uuid::now_v7();
    let body = json!({
        "lines": [{"line_id": stranger, "quantity": "0"}],
        "remove": [stranger],
        "requested_date": "1999-01-01",
        "add": [{"product_id": stranger, "quantity": "0"}]
    });
    let problem = shop
        .erp
        .post(&path(&order), body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/lines/0/line_id", "unknown_line"),
            ("/lines/0/quantity", "out_of_range"),
            ("/remove/0", "unknown_line"),
            ("/add/0/quantity", "out_of_range"),
            ("/requested_date", "out_of_range"),
        ]
    );
    let last = json!({"remove": [order["lines"][0]["id"]]});
    shop.erp
        .post(&path(&order), last)
        .await
        .expect_problem(422, "out_of_range");
    let unknown = json!({"add": [{"product_id": stranger, "quantity": "1", "unit_price": "1"}]});
    let problem = shop
        .erp
        .post(&path(&order), unknown)
        .await
        .expect_problem(422, "unknown_product");
    assert_eq!(faults(&problem), [("/add/0/product_id", "unknown_product")]);
    let mut draft = shop.order(json!([{"product_id": order["lines"][0]["product_id"], "quantity": "1"}]));
    draft["confirm"] = json!(false);
    let draft = shop.erp.post("/v1/sales-orders", draft).await.expect(201);
    shop.erp
        .post(&path(&draft), json!({"priority": 1}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn many_amendments_and_deliveries_at_once_keep_the_books() {
    let shop = Shop::open().await;
    let (product, order) = ten(&shop).await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..16u32 {
        let (erp, amend, order) = (shop.erp.clone(), path(&order), order.clone());
        clients.spawn(async move {
            match number % 4 {
                0 => {
                    let lines = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "1"}]});
                    erp.post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), lines)
                        .await
                }
                _ => {
                    let quantity = (number % 7 + 1).to_string();
                    erp.post(&amend, change(&order, json!({ "quantity": quantity }))).await
                }
            }
        });
    }
    // Whoever finds the order changed too often is told to come again.
    for reply in clients.join_all().await {
        assert!(matches!(reply.status.as_u16(), 200 | 201 | 409 | 503), "{reply:#?}");
    }
    let after = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&order)))
        .await
        .expect(200);
    let number = |field: &str| after["lines"][0][field].as_str().unwrap().parse::<f64>().unwrap();
    let open = number("reserved_quantity") + number("backordered_quantity") + number("delivered_quantity");
    assert_eq!(open, number("quantity"));
    let (on_hand, reserved, _) = shop.availability(product).await;
    assert_eq!(reserved, after["lines"][0]["reserved_quantity"].as_str().unwrap());
    assert_eq!(on_hand.parse::<f64>().unwrap(), 10.0 - number("delivered_quantity"));
}
