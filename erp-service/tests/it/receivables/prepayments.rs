use super::taxes::output_tax;
use super::{days_ago, entry, lines};
use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};
use uuid::Uuid;

/// An order of 1,000 net, delivered, and 30 % asked for in advance.
async fn asked(shop: &Shop) -> (Value, Value) {
    let product = shop.stocked("A", "100").await;
    let order = shop.confirmed(product, "100").await;
    let path = format!("/v1/sales-orders/{}/prepayments", id(&order));
    let prepayment = shop.erp.post(&path, json!({"fraction": "0.3"})).await.expect(201);
    (order, prepayment)
}

async fn bank(shop: &Shop) {
    let accounts = shop.erp.get("/v1/bank-accounts").await.expect(200);
    assert!(!accounts["items"].as_array().unwrap().is_empty());
}

fn money(shop: &Shop, prepayment: &Value, amount: &str) -> Value {
    json!({"direction": "in", "party_type": "customer", "party_id": shop.customer, "amount": amount, "prepayment_id": prepayment["id"]})
}

/// Order 1,000 + 19 %. A request posts nothing. 30 % received: Dr Bank 357 / Cr Advances 300, Tax 57. Final invoice: Dr
/// Receivable 833, Advances 300 / Cr Revenue 1,000, Tax 133.
#[tokio::test]
async fn the_worked_example_of_a_prepayment() {
    let shop = Shop::open().await;
    output_tax(&shop, "VAT", &[("0.19", "2000-01-01", None)]).await;
    bank(&shop).await;
    shop.limit_credit("5000").await;
    let (order, prepayment) = asked(&shop).await;
    assert_eq!(order["total"]["gross"], "1190.00");
    assert_eq!(
        (&prepayment["status"], &prepayment["gross"]),
        (&json!("requested"), &json!("357.00"))
    );
    assert!(prepayment["number"].as_str().unwrap().starts_with("PRE-"));
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["exposure"], &customer["open_balance"]),
        (&json!("1190.00"), &json!("0.00"))
    );

    let paid = shop
        .erp
        .post("/v1/payments?dry_run=true", money(&shop, &prepayment, "357"))
        .await
        .expect(200);
    assert_eq!(
        entry(&paid, 0),
        lines(&[("1020", "357", "0"), ("2150", "0", "300"), ("2100", "0", "57")])
    );
    shop.erp
        .post("/v1/payments", money(&shop, &prepayment, "357"))
        .await
        .expect(201);
    let path = given::path("prepayments", &prepayment);
    let received = shop.erp.get(&path).await.expect(200);
    assert_eq!(
        (
            &received["status"],
            &received["advances"][0]["open_gross"],
            &received["advances"][0]["taxes"][0]["tax"]
        ),
        (&json!("received"), &json!("357.00"), &json!("57.00"))
    );
    let again = shop.erp.post("/v1/payments", money(&shop, &prepayment, "1")).await;
    again.expect_problem(409, "nothing_to_receive");
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["exposure"], &customer["exposure_parts"]["advances"]),
        (&json!("833.00"), &json!("-357.00"))
    );
    assert_eq!(shop.order_now(&order).await["payment"], "partial");

    shop.ship(&order).await;
    let invoice = format!("/v1/sales-orders/{}/invoices", id(&order));
    let shown = shop
        .erp
        .post(&format!("{invoice}?dry_run=true"), json!({"post": true}))
        .await
        .expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[
            ("4010", "0", "1000"),
            ("2100", "0", "133"),
            ("2150", "300", "0"),
            ("1100", "833", "0")
        ])
    );
    let invoice = shop.invoice(&order).await;
    assert_eq!(
        (
            &invoice["total"],
            &invoice["payable"],
            &invoice["open_amount"],
            &invoice["advances"][0]["gross"]
        ),
        (
            &json!({"net": "1000.00", "tax": "190.00", "gross": "1190.00"}),
            &json!("833.00"),
            &json!("833.00"),
            &json!("357.00")
        )
    );
    let cleared = shop.erp.get(&path).await.expect(200);
    assert_eq!(cleared["advances"][0]["open_gross"], "0.00");
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["exposure"], &customer["open_balance"]),
        (&json!("833.00"), &json!("833.00"))
    );
    let tax = shop
        .erp
        .get(&format!("/v1/reports/tax?from={}&to={}", days_ago(1), days_ago(0)))
        .await
        .expect(200);
    assert_eq!(
        (&tax["rows"][0]["base"], &tax["output_tax"]),
        (&json!("1000.00"), &json!("190.00"))
    );

    // The whole invoice taken back: 833 are not owed any more, and 357 can be refunded.
    let credit = shop
        .erp
        .post(&format!("{}/cancel", given::path("invoices", &invoice)), json!({}))
        .await
        .expect(201);
    assert_eq!(
        (&credit["total"]["gross"], &credit["open_amount"]),
        (&json!("1190.00"), &json!("-357.00"))
    );
}

/// Cancelling reverses it and leaves a refundable credit.
#[tokio::test]
async fn a_cancelled_prepayment_leaves_a_credit() {
    let shop = Shop::open().await;
    output_tax(&shop, "VAT", &[("0.19", "2000-01-01", None)]).await;
    let (order, prepayment) = asked(&shop).await;
    shop.erp
        .post("/v1/payments", money(&shop, &prepayment, "357"))
        .await
        .expect(201);
    let path = format!("{}/cancel", given::path("prepayments", &prepayment));
    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[("2150", "300", "0"), ("2100", "57", "0"), ("1100", "0", "357")])
    );
    let cancelled = shop
        .erp
        .post(&path, json!({"reason": "They changed their mind"}))
        .await
        .expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["advances"][0]["open_gross"]),
        (&json!("cancelled"), &json!("0.00"))
    );
    shop.erp
        .post(&path, json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let customer = shop.customer_now().await;
    assert_eq!(
        (
            &customer["open_balance"],
            &customer["exposure_parts"]["advances"],
            &customer["exposure_parts"]["credits"]
        ),
        (&json!("-357.00"), &json!("0.00"), &json!("-357.00"))
    );
    assert_eq!(shop.order_now(&order).await["payment"], "none");
    let items = shop
        .erp
        .get(&format!("/v1/open-items?party_id={}", shop.customer))
        .await
        .expect(200);
    let credit = items["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["open_amount"] == "-357.00")
        .unwrap();
    let refund = json!({"direction": "out", "party_type": "customer", "party_id": shop.customer, "amount": "357",
        "allocations": [{"open_item_id": credit["id"]}]});
    shop.erp.post("/v1/payments", refund).await.expect(201);
    assert_eq!(shop.customer_now().await["open_balance"], "0.00");
}

#[tokio::test]
async fn advances_that_are_not_taxed_and_parts_of_them() {
    let shop = Shop::open().await;
    output_tax(&shop, "VAT", &[("0.19", "2000-01-01", None)]).await;
    shop.erp
        .patch("/v1/company", json!({"tax_on_advances": false}))
        .await
        .expect(200);
    let (order, prepayment) = asked(&shop).await;
    // 500 came: 357 for the prepayment, the rest stands on account.
    let shown = shop
        .erp
        .post("/v1/payments?dry_run=true", money(&shop, &prepayment, "500"))
        .await
        .expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[("1020", "500", "0"), ("1100", "0", "143"), ("2150", "0", "357")])
    );
    shop.erp
        .post("/v1/payments", money(&shop, &prepayment, "100"))
        .await
        .expect(201);
    let path = given::path("prepayments", &prepayment);
    assert_eq!(shop.erp.get(&path).await.expect(200)["status"], "partially_received");
    let second = shop
        .erp
        .post("/v1/payments", money(&shop, &prepayment, "257"))
        .await
        .expect(201);

    // 20 of 100 pieces: 238.00 gross, all of it covered by advances.
    let deliver = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "20"}]});
    shop.erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), deliver)
        .await
        .expect(201);
    let part = shop.invoice(&order).await;
    assert_eq!(
        (&part["total"]["gross"], &part["payable"], &part["status"]),
        (&json!("238.00"), &json!("0.00"), &json!("paid"))
    );
    assert_eq!(shop.customer_now().await["exposure_parts"]["advances"], "-119.00");
    // What an invoice has cleared cannot be taken back with its payment.
    let reverse = format!("/v1/payments/{}/reverse", id(&second));
    shop.erp
        .post(&reverse, json!({"reason": "bounced"}))
        .await
        .expect_problem(409, "exceeds_open");
    shop.ship(&order).await;
    let shown = format!("/v1/sales-orders/{}/invoices?dry_run=true", id(&order));
    let shown = shop.erp.post(&shown, json!({"post": true})).await.expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[
            ("4010", "0", "800"),
            ("2100", "0", "152"),
            ("2150", "119", "0"),
            ("1100", "833", "0")
        ])
    );
}

#[tokio::test]
async fn a_payment_that_bounced_never_came() {
    let shop = Shop::open().await;
    output_tax(&shop, "VAT", &[("0.19", "2000-01-01", None)]).await;
    let (order, prepayment) = asked(&shop).await;
    let payment = shop
        .erp
        .post("/v1/payments", money(&shop, &prepayment, "357"))
        .await
        .expect(201);
    let reverse = format!("/v1/payments/{}/reverse", id(&payment));
    let shown = shop
        .erp
        .post(&format!("{reverse}?dry_run=true"), json!({"reason": "bounced"}))
        .await
        .expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[("1020", "0", "357"), ("2150", "300", "0"), ("2100", "57", "0")])
    );
    shop.erp.post(&reverse, json!({"reason": "bounced"})).await.expect(200);
    let now = shop.erp.get(&given::path("prepayments", &prepayment)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["received"]),
        (&json!("requested"), &json!("0.00"))
    );
    assert_eq!(shop.order_now(&order).await["payment"], "none");
    shop.erp
        .post("/v1/payments", money(&shop, &prepayment, "357"))
        .await
        .expect(201);
}

/// Advances in foreign currency are never revalued (IFRIC 22): they are cleared at the rate of their day.
#[tokio::test]
async fn an_advance_in_another_currency_keeps_its_rate() {
    let shop = Shop::open().await;
    for (days, rate) in [(20, "1.10"), (1, "1.20")] {
        let rate = json!({"currency": "USD", "reference": "EUR", "date": days_ago(days), "rate": rate});
        shop.erp.post("/v1/exchange-rates", rate).await.expect(201);
    }
    let account = json!({"code": "1021", "name": "Euro bank", "kind": "asset", "currency": "EUR", "liquid": true});
    let account = shop.erp.post("/v1/accounts", account).await.expect(201);
    let account = json!({"name": "Euro", "currency": "EUR", "account_id": account["id"]});
    shop.erp.post("/v1/bank-accounts", account).await.expect(201);
    let product = shop.stocked("A", "100").await;
    let mut order = shop.order(json!([{"product_id": product, "quantity": "100", "unit_price": "10"}]));
    order["currency"] = json!("EUR");
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    let path = format!("/v1/sales-orders/{}/prepayments", id(&order));
    let prepayment = shop
        .erp
        .post(&path, json!({"amount": "300", "date": days_ago(20)}))
        .await
        .expect(201);
    let mut paid = money(&shop, &prepayment, "300");
    paid["currency"] = json!("EUR");
    paid["date"] = json!(days_ago(20));
    shop.erp.post("/v1/payments", paid).await.expect(201);
    shop.ship(&order).await;
    let path = format!("/v1/sales-orders/{}/invoices?dry_run=true", id(&order));
    let shown = shop.erp.post(&path, json!({"post": true})).await.expect(200);
    // 300 at 1.10 and 700 at 1.20.
    assert_eq!(
        entry(&shown, 0),
        lines(&[("4010", "0", "1170"), ("2150", "330", "0"), ("1100", "840", "0")])
    );
}

#[tokio::test]
async fn faults_of_a_request_are_named() {
    let shop = Shop::open().await;
    let (order, prepayment) = asked(&shop).await;
    let path = format!("/v1/sales-orders/{}/prepayments", id(&order));
    let wrong = json!({"fraction": "0.8", "due_on": "2020-01-01"});
    let problem = shop.erp.post(&path, wrong).await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/due_on", "out_of_range"), ("/fraction", "exceeds_order")]
    );
    shop.erp
        .post(&path, json!({}))
        .await
        .expect_problem(422, "invalid_input");
    let problem = shop.erp.post(&path, json!({"amount": "0.001"})).await;
    problem.expect_problem(422, "out_of_range");
    let missing = format!("/v1/sales-orders/{}/prepayments", Uuid::now_v7());
    shop.erp
        .post(&missing, json!({"fraction": "1"}))
        .await
        .expect_problem(404, "not_found");
    let mut supplier = money(&shop, &prepayment, "10");
    supplier["direction"] = json!("out");
    shop.erp
        .post("/v1/payments", supplier)
        .await
        .expect_problem(422, "wrong_direction");
    let unknown = money(&shop, &json!({"id": Uuid::now_v7()}), "10");
    shop.erp
        .post("/v1/payments", unknown)
        .await
        .expect_problem(422, "unknown_prepayment");
    let page = shop
        .erp
        .get(&format!("/v1/prepayments?order_id={}", id(&order)))
        .await
        .expect(200);
    assert_eq!(page["items"][0]["id"], prepayment["id"]);
}
