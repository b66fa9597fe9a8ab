use super::{days_ago, entry, lines};
use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn what_is_delivered_is_invoiced_once() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    let none = shop.erp.post(&path, json!({"post": true})).await;
    none.expect_problem(409, "nothing_to_invoice");
    shop.ship(&order).await;

    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({"post": true}))
        .await
        .expect(200);
    assert_eq!((&shown["number"], &shown["status"]), (&Value::Null, &json!("posted")));
    assert_eq!(entry(&shown, 0), lines(&[("4010", "0", "30"), ("1100", "30", "0")]));

    let invoice = shop.invoice(&order).await;
    assert!(invoice["number"].as_str().unwrap().starts_with("INV-"));
    assert!(invoice["number"].as_str().unwrap().ends_with("-000001"));
    assert_eq!(
        (
            &invoice["status"],
            &invoice["total"]["gross"],
            &invoice["open_amount"],
            &invoice["party"]["name"]
        ),
        (
            &json!("posted"),
            &json!("30.00"),
            &json!("30.00"),
            &json!("Alfreds Futterkiste")
        )
    );
    let due = days_ago(0) + chrono::Days::new(30);
    assert_eq!(
        (
            &invoice["instalments"][0]["due_on"],
            &invoice["instalments"][0]["open_amount"]
        ),
        (&json!(due), &json!("30.00"))
    );
    let now = shop.order_now(&order).await;
    assert_eq!(
        (
            &now["invoicing"],
            &now["uninvoiced"],
            &now["lines"][0]["invoiced_quantity"]
        ),
        (&json!("partial"), &json!("20.00"), &json!("3"))
    );
    let again = shop.erp.post(&path, json!({"post": true})).await;
    again.expect_problem(409, "nothing_to_invoice");

    shop.adjust(product, "2").await;
    let delivery = shop.ship(&order).await;
    let by_delivery = format!("/v1/deliveries/{}/invoice", id(&delivery));
    let draft = shop.erp.post(&by_delivery, json!({})).await.expect(201);
    assert_eq!(
        (
            &draft["status"],
            &draft["number"],
            &draft["lines"][0]["quantity"],
            &draft["lines"][0]["delivery_id"]
        ),
        (&json!("draft"), &Value::Null, &json!("2"), &delivery["id"])
    );
    // What a draft holds is not offered to another one.
    let held = shop.erp.post(&path, json!({})).await;
    held.expect_problem(409, "nothing_to_invoice");
    let posted = shop
        .erp
        .post(&format!("/v1/invoices/{}/post", id(&draft)), json!({}))
        .await
        .expect(200);
    assert!(posted["number"].as_str().unwrap().ends_with("-000002"));
    assert_eq!(shop.order_now(&order).await["invoicing"], "full");
    let again = shop
        .erp
        .post(&format!("/v1/invoices/{}/post", id(&draft)), json!({}))
        .await;
    again.expect_problem(409, "illegal_transition");
    let events = given::events(&shop.erp, "invoice.changed").await;
    assert_eq!(given::of(&events, &posted).len(), 1);
}

#[tokio::test]
async fn freight_is_invoiced_once_and_what_is_ordered_where_the_policy_says_so() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let mut order =
        shop.order(json!([{"product_id": product, "quantity": "3", "unit_price": "0.335", "discount": "0.1"}]));
    order["invoicing_policy"] = json!("ordered");
    order["charges"] = json!([{"kind": "freight", "description": "Freight", "amount": "32.38"}]);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    let line = &order["lines"][0]["id"];
    // 0.335 × 0.9 = 0.3015: one costs 0.30, three cost 0.90.
    let one = json!({"post": true, "lines": [{"line_id": line, "quantity": "1"}]});
    let first = shop.erp.post(&path, one.clone()).await.expect(201);
    assert_eq!(
        (
            &first["lines"][0]["amount"],
            &first["lines"][1]["amount"],
            &first["total"]["gross"]
        ),
        (&json!("0.30"), &json!("32.38"), &json!("32.68"))
    );
    let entry_id = first["entry_id"].as_str().unwrap();
    assert!(entry_id.parse::<Uuid>().is_ok());
    let more = json!({"post": true, "lines": [{"line_id": line, "quantity": "2.001"}]});
    let problem = shop
        .erp
        .post(&path, more)
        .await
        .expect_problem(409, "exceeds_invoiceable");
    assert_eq!(
        problem["lines"],
        json!([{"line_id": line, "wanted": "2.001", "open": "2"}])
    );
    let rest = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({"post": true}))
        .await
        .expect(200);
    assert_eq!(entry(&rest, 0), lines(&[("4010", "0", "0.6"), ("1100", "0.6", "0")]));
    let rest = shop.invoice(&order).await;
    assert_eq!(
        (&rest["total"]["gross"], rest["lines"].as_array().unwrap().len()),
        (&json!("0.60"), 1)
    );
    let now = shop.order_now(&order).await;
    assert_eq!(
        (&now["invoicing"], &now["uninvoiced"]),
        (&json!("full"), &json!("0.00"))
    );
}

#[tokio::test]
async fn free_lines_name_every_fault_and_drafts_change() {
    let shop = Shop::open().await;
    let body = json!({"customer_id": shop.customer, "currency": "USD", "lines": [
        {"quantity": "0", "unit_price": "1"},
        {"product_id": Uuid::now_v7(), "account_id": Uuid::now_v7(), "quantity": "1", "unit_price": "1", "department_id": Uuid::now_v7()}]});
    let problem = shop
        .erp
        .post("/v1/invoices", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/lines/0/description", "required"),
            ("/lines/0/quantity", "out_of_range"),
            ("/lines/1/product_id", "unknown_product"),
            ("/lines/1/account_id", "unknown_account"),
            ("/lines/1/department_id", "unknown_dimension"),
        ]
    );
    let body = json!({"customer_id": shop.customer, "currency": "USD", "external_ref": "x-1",
        "lines": [{"description": "Advice", "quantity": "2", "unit_price": "50", "discount": "0.1"}]});
    let draft = shop.erp.post("/v1/invoices", body.clone()).await.expect(201);
    assert_eq!(
        (&draft["status"], &draft["total"]["gross"]),
        (&json!("draft"), &json!("90.00"))
    );
    shop.erp
        .post("/v1/invoices", body)
        .await
        .expect_problem(409, "duplicate");
    let path = given::path("invoices", &draft);
    let patch = json!({"notes": "With thanks", "date": days_ago(3), "lines": [{"description": "Advice", "quantity": "1", "unit_price": "50"}]});
    let changed = shop.erp.patch(&path, patch).await.expect(200);
    assert_eq!(
        (&changed["total"]["gross"], &changed["date"]),
        (&json!("50.00"), &json!(days_ago(3)))
    );
    let tomorrow = json!({"date": days_ago(0) + chrono::Days::new(1)});
    shop.erp.patch(&path, tomorrow).await.expect_problem(422, "future_date");
    shop.erp.delete(&path).await.expect(204);
    shop.erp.get(&path).await.expect_problem(404, "not_found");

    let posted = shop.free("invoice", "12.50", days_ago(2)).await;
    let path = given::path("invoices", &posted);
    shop.erp.delete(&path).await.expect_problem(409, "illegal_transition");
    shop.erp
        .patch(&path, json!({"notes": "x"}))
        .await
        .expect_problem(409, "illegal_transition");
    // Invoice numbers ascend in date.
    let earlier = json!({"customer_id": shop.customer, "currency": "USD", "date": days_ago(3), "post": true,
        "lines": [{"description": "Late", "quantity": "1", "unit_price": "1"}]});
    let refused = shop.erp.post("/v1/invoices", earlier).await;
    refused.expect_problem(422, "date_before_last");
    let page = shop
        .erp
        .get("/v1/invoices?status=posted&open=true&sort=-date")
        .await
        .expect(200);
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["items"][0]["id"]),
        (1, &posted["id"])
    );
}

#[tokio::test]
async fn an_invoice_in_another_currency_is_valued_line_by_line() {
    let shop = Shop::open().await;
    let rate = json!({"currency": "USD", "reference": "EUR", "date": days_ago(2), "rate": "1.1005"});
    shop.erp.post("/v1/exchange-rates", rate).await.expect(201);
    let body = |currency: &str| {
        json!({"customer_id": shop.customer, "currency": currency, "post": true, "lines": [
            {"description": "One", "quantity": "1", "unit_price": "0.10"},
            {"description": "Two", "quantity": "1", "unit_price": "0.10"}]})
    };
    // 0.10 × 1.1005 = 0.11005 → 0.11 for each line: together 0.22, as the control line.
    let shown = shop
        .erp
        .post("/v1/invoices?dry_run=true", body("EUR"))
        .await
        .expect(200);
    assert_eq!(entry(&shown, 0), lines(&[("4010", "0", "0.22"), ("1100", "0.22", "0")]));
    let invoice = shop.erp.post("/v1/invoices", body("EUR")).await.expect(201);
    assert_eq!(
        (
            &invoice["exchange_rate"],
            &invoice["base_gross"],
            &invoice["open_amount"]
        ),
        (&json!("1.1005"), &json!("0.22"), &json!("0.20"))
    );
    let none = shop.erp.post("/v1/invoices", body("CHF")).await;
    none.expect_problem(422, "rate_missing");
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["open_balance"], &customer["exposure_parts"]["invoices"]),
        (&json!("0.22"), &json!("0.22"))
    );
}

#[tokio::test]
async fn instalments_are_due_one_by_one() {
    let shop = Shop::open().await;
    let thirds = json!({"code": "THIRDS", "name": "In three", "instalments": [
        {"fraction": "0.3333", "days": 0}, {"fraction": "0.3333", "days": 30}, {"fraction": "0.3334", "days": 60}]});
    let terms = shop.erp.post("/v1/payment-terms", thirds).await.expect(201);
    let body = json!({"customer_id": shop.customer, "currency": "USD", "payment_terms_id": terms["id"], "date": "2026-01-31", "post": true,
        "lines": [{"description": "Something", "quantity": "1", "unit_price": "100"}]});
    let invoice = shop.erp.post("/v1/invoices", body).await.expect(201);
    let dues: Vec<_> = invoice["instalments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|due| (due["due_on"].clone(), due["amount"].clone()))
        .collect();
    assert_eq!(
        dues,
        [
            (json!("2026-01-31"), json!("33.33")),
            (json!("2026-03-02"), json!("33.33")),
            (json!("2026-04-01"), json!("33.34")),
        ]
    );
}

#[tokio::test]
async fn a_create_invoice_run_everything_that_may_be() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "9").await;
    let delivered = shop.confirmed(product, "2").await;
    let other = shop.confirmed(product, "3").await;
    shop.confirmed(product, "1").await;
    shop.ship(&delivered).await;
    shop.ship(&other).await;
    let shown = shop
        .erp
        .post("/v1/invoice-runs?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!(
        (
            shown["invoices"].as_array().unwrap().len(),
            shown["entries"].as_array().unwrap().len()
        ),
        (2, 2)
    );
    let first = shop.erp.post("/v1/invoice-runs", json!({"limit": 1})).await.expect(200);
    assert_eq!(
        (first["invoices"].as_array().unwrap().len(), &first["more"]),
        (1, &json!(true))
    );
    let second = shop
        .erp
        .post("/v1/invoice-runs", json!({"limit": 10}))
        .await
        .expect(200);
    assert_eq!(
        (second["invoices"].as_array().unwrap().len(), &second["more"]),
        (1, &json!(false))
    );
    let third = shop.erp.post("/v1/invoice-runs", json!({})).await.expect(200);
    assert_eq!(third["invoices"], json!([]));
}

#[tokio::test]
async fn an_order_is_invoiced_once_by_many_clients() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "5").await;
    shop.ship(&order).await;
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (erp, path) = (shop.erp.clone(), path.clone());
        clients.spawn(async move { erp.post(&path, json!({"post": true})).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(
        replies.iter().all(|reply| reply.status == 201 || reply.status == 409),
        "{replies:#?}"
    );
    assert_eq!(shop.customer_now().await["open_balance"], "50.00");
}
