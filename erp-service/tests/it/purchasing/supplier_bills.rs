use super::books::{COGS, EXPENSE, GRNI, PAYABLE, STOCK, VARIANCE, assert_consistent, balance, balances, books, stock};
use super::buying::{Buying, of};
use crate::given::{self, events, faults};
use crate::shop::id;
use serde_json::{Value, json};
use uuid::Uuid;

impl Buying {
    async fn received(&self, product: Uuid, ordered: &str, received: &str, price: &str) -> Value {
        let order = self.ordered(json!([of(product, ordered, price)])).await;
        let body = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": received}]});
        self.erp
            .post(&format!("/v1/purchase-orders/{}/receipts", id(&order)), body)
            .await
            .expect(201);
        order
    }

    async fn released(&self, bill: &Value) -> Value {
        let path = format!("/v1/supplier-bills/{}/release", id(bill));
        self.second
            .post(&path, json!({"reason": "agreed by telephone"}))
            .await
            .expect(200)
    }

    async fn deliver(&self, product: Uuid, quantity: &str) -> Value {
        let order = self.confirmed(product, quantity).await;
        let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
        self.erp.post(&path, json!({})).await.expect(201);
        order
    }

    /// A customer brings goods back, and they go to stock again.
    async fn brought_back(&self, order: &Value, quantity: &str) {
        let lines = json!([{"line_id": order["lines"][0]["id"], "quantity": quantity}]);
        let body = json!({"order_id": order["id"], "reason": "not wanted", "lines": lines});
        let returned = self.erp.post("/v1/sales-returns", body).await.expect(201);
        let path = format!("/v1/sales-returns/{}", id(&returned));
        self.erp.post(&format!("{path}/receive"), json!({})).await.expect(200);
        let verdict = json!({"lines": [{"id": returned["lines"][0]["id"], "restock": quantity}]});
        self.erp.post(&format!("{path}/inspect"), verdict).await.expect(200);
    }
}

#[tokio::test]
async fn stock_value_the_worked_example() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    buying.received(product, "10", "10", "10").await;
    let second = buying.received(product, "10", "10", "12").await;
    assert_eq!(stock(&buying.service), "220");
    let delivered = buying.deliver(product, "5").await;
    assert_eq!(
        (balance(&buying.service, COGS), stock(&buying.service)),
        ("55".to_owned(), "165".to_owned())
    );
    let held = buying.billed("B-13", &second, "10", "13").await;
    assert_eq!(
        (&held["status"], &held["findings"][0]["code"]),
        (&json!("match_held"), &json!("price_outside_tolerance"))
    );
    assert_eq!(stock(&buying.service), "165");
    let posted = buying.released(&held).await;
    let line = &posted["lines"][0];
    assert_eq!(
        (&line["price_difference"], &line["revalued"], &line["variance"]),
        (&json!("10.00"), &json!("10.00"), &json!("0.00"))
    );
    assert_eq!(stock(&buying.service), "175");
    buying.received(product, "15", "15", "14").await;
    assert_eq!(stock(&buying.service), "385");
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "385"), (COGS, "55"), (GRNI, "-310"), (PAYABLE, "-130")])
    );
    // 2 come back at the 11 of their delivery, not at today's 385 ÷ 30.
    buying.brought_back(&delivered, "2").await;
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "407"), (COGS, "33"), (GRNI, "-310"), (PAYABLE, "-130")])
    );
    let path = format!("/v1/availability?product_id={product}");
    let level = &buying.erp.get(&path).await.expect(200)["items"][0];
    assert_eq!((&level["on_hand"], &level["reserved"]), (&json!("32"), &json!("0")));
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn of_a_late_difference_only_what_is_left_revalues_stock() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    buying.received(product, "10", "10", "10").await;
    let second = buying.received(product, "10", "10", "12").await;
    buying.deliver(product, "16").await;
    assert_eq!(stock(&buying.service), "44");
    let held = buying.billed("B-13", &second, "10", "13").await;
    let posted = buying.released(&held).await;
    let line = &posted["lines"][0];
    assert_eq!((&line["revalued"], &line["variance"]), (&json!("4.00"), &json!("6.00")));
    assert_eq!(
        (stock(&buying.service), balance(&buying.service, VARIANCE)),
        ("48".to_owned(), "6".to_owned())
    );
    assert_consistent(&buying.service);
    // Taken back, the 4 leave stock again and the 6 leave the variance.
    let reverse = format!("/v1/supplier-bills/{}/reverse", id(&posted));
    buying
        .erp
        .post(&reverse, json!({"reason": "wrong price"}))
        .await
        .expect(200);
    assert_eq!(
        (stock(&buying.service), balance(&buying.service, VARIANCE)),
        ("44".to_owned(), "0".to_owned())
    );
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn three_way_match_the_worked_example() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    // All of it has left: the whole difference is variance.
    let order = buying.received(product, "100", "90", "10").await;
    buying.deliver(product, "90").await;
    let posted = buying.billed("B-1", &order, "90", "10.15").await;
    let line = &posted["lines"][0];
    assert_eq!(
        (&posted["status"], &line["price_difference"], &line["variance"]),
        (&json!("posted"), &json!("13.50"), &json!("13.50"))
    );
    assert_eq!(
        balances(&buying.service),
        books(&[(COGS, "900"), (VARIANCE, "13.5"), (PAYABLE, "-913.5")])
    );
    // 27 > 18.
    let order = buying.received(product, "100", "90", "10").await;
    let held = buying.billed("B-2", &order, "90", "10.30").await;
    assert_eq!(
        (&held["status"], &held["findings"][0]["code"]),
        (&json!("match_held"), &json!("price_outside_tolerance"))
    );
    assert_eq!(held["number"], Value::Null);
    // More than was received.
    let order = buying.received(product, "100", "90", "10").await;
    let held = buying.billed("B-3", &order, "100", "10").await;
    assert_eq!(
        (&held["status"], &held["findings"][0]["code"]),
        (&json!("match_held"), &json!("billed_exceeds_received"))
    );
    assert_eq!(balance(&buying.service, PAYABLE), "-913.5");
    assert_consistent(&buying.service);
    // The rest comes: posting again matches.
    buying
        .erp
        .post(&format!("/v1/purchase-orders/{}/receipts", id(&order)), json!({}))
        .await
        .expect(201);
    let posted = buying
        .erp
        .post(&format!("/v1/supplier-bills/{}/post", id(&held)), json!({}))
        .await
        .expect(200);
    assert_eq!((&posted["status"], &posted["findings"]), (&json!("posted"), &json!([])));
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn the_match_is_cumulative_and_what_was_released_does_not_count_again() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.received(product, "100", "100", "10").await;
    assert_eq!(buying.billed("1", &order, "50", "10.20").await["status"], "posted");
    assert_eq!(buying.billed("2", &order, "10", "10.21").await["status"], "match_held");
    assert_eq!(buying.billed("3", &order, "10", "10.20").await["status"], "posted");
    let held = buying.billed("4", &order, "10", "15").await;
    assert_eq!(held["status"], "match_held");
    buying.released(&held).await;
    assert_eq!(buying.billed("5", &order, "30", "10").await["status"], "posted");
    assert_eq!(
        buying.billed("6", &order, "0.001", "10").await["findings"][0]["code"],
        "billed_exceeds_received"
    );
    assert_eq!(buying.get_order(&order).await["lines"][0]["billed_quantity"], "100");
    assert_eq!(balance(&buying.service, GRNI), "0");
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn a_held_bill_is_released_by_somebody_else_with_a_reason() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.received(product, "10", "10", "10").await;
    let held = buying.billed("B-1", &order, "10", "11").await;
    let path = format!("/v1/supplier-bills/{}/release", id(&held));
    buying
        .erp
        .post(&path, json!({"reason": "I say so"}))
        .await
        .expect_problem(403, "maker_may_not_release");
    buying
        .second
        .post(&path, json!({}))
        .await
        .expect_problem(422, "required");
    let clerk = buying.erp.new_key("custom", &["bills:write", "bills:post"]).await;
    clerk
        .post(&path, json!({"reason": "x"}))
        .await
        .expect_problem(403, "forbidden");
    let posted = buying.released(&held).await;
    assert_eq!(
        (&posted["status"], &posted["release_reason"]),
        (&json!("posted"), &json!("agreed by telephone"))
    );
    assert!(posted["number"].as_str().unwrap().starts_with("BILL-"), "{posted:#}");
    assert_ne!(posted["released_by"], posted["created_by"]);
    let told = events(&buying.erp, "supplier_bill.changed").await;
    assert_eq!(
        given::of(&told, &posted)
            .iter()
            .map(|(version, _)| *version)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
}

#[tokio::test]
async fn the_suppliers_number_is_unique_until_the_bill_is_taken_back() {
    let buying = Buying::open().await;
    let line = json!([{"description": "Rent", "quantity": "1", "unit_price": "100"}]);
    let draft = buying.draft("R-1", line.clone()).await;
    let again = buying.bill_in("r-1", line.clone());
    buying
        .erp
        .post("/v1/supplier-bills", again.clone())
        .await
        .expect_problem(409, "duplicate");
    let path = format!("/v1/supplier-bills/{}", id(&draft));
    let posted = buying.erp.post(&format!("{path}/post"), json!({})).await.expect(200);
    assert_eq!(posted["status"], "posted");
    buying
        .erp
        .patch(&path, json!({"note": "x"}))
        .await
        .expect_problem(409, "illegal_transition");
    let reversed = buying
        .erp
        .post(&format!("{path}/reverse"), json!({"reason": "entered twice"}))
        .await
        .expect(200);
    assert_eq!(
        (&reversed["status"], &reversed["allowed_actions"]),
        (&json!("reversed"), &json!([]))
    );
    assert!(balances(&buying.service).is_empty());
    buying
        .erp
        .post(&format!("{path}/reverse"), json!({"reason": "again"}))
        .await
        .expect_problem(409, "illegal_transition");
    buying.erp.post("/v1/supplier-bills", again).await.expect(201);
}

#[tokio::test]
async fn expenses_are_billed_without_an_order_and_due_as_the_terms_say() {
    let buying = Buying::open().await;
    let terms = json!({"code": "THIRDS", "name": "In thirds", "instalments": [
        {"fraction": "0.3333", "days": 0}, {"fraction": "0.3333", "days": 30}, {"fraction": "0.3334", "days": 60}]});
    let terms = buying.erp.post("/v1/payment-terms", terms).await.expect(201);
    let mut bill = buying.bill_in(
        "R-1",
        json!([{"description": "Rent", "quantity": "1", "unit_price": "100"}]),
    );
    bill["payment_terms_id"] = terms["id"].clone();
    bill["gross"] = json!("99.99");
    let refused = buying
        .erp
        .post("/v1/supplier-bills", bill.clone())
        .await
        .expect_problem(422, "gross_differs");
    assert_eq!(faults(&refused), [("/gross", "gross_differs")]);
    bill["gross"] = json!("100.00");
    let draft = buying.erp.post("/v1/supplier-bills", bill).await.expect(201);
    let path = format!("/v1/supplier-bills/{}/post?dry_run=true", id(&draft));
    let shown = buying.erp.post(&path, json!({"date": "2026-03-02"})).await.expect(200);
    assert_eq!(shown["number"], Value::Null);
    let lines = shown["entries"][0]["lines"].as_array().unwrap().clone();
    let credits: Vec<&str> = lines
        .iter()
        .filter(|line| line["account"] == PAYABLE)
        .map(|line| line["credit"].as_str().unwrap())
        .collect();
    assert_eq!(credits, ["33.33", "33.33", "33.34"]);
    assert!(balances(&buying.service).is_empty());
    let path = format!("/v1/supplier-bills/{}/post", id(&draft));
    buying.erp.post(&path, json!({"date": "2026-03-02"})).await.expect(200);
    assert_eq!(balances(&buying.service), books(&[(EXPENSE, "100"), (PAYABLE, "-100")]));
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn what_is_billed_before_it_comes_waits_for_its_receipt() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.received(product, "10", "4", "10").await;
    let held = buying.billed("B-1", &order, "10", "10.10").await;
    let posted = buying.released(&held).await;
    assert_eq!(posted["lines"][0]["price_difference"], "0.40");
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "40.4"), (GRNI, "60.6"), (PAYABLE, "-101")])
    );
    assert_consistent(&buying.service);
    let path = format!("/v1/purchase-orders/{}/receipts", id(&order));
    let some = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "1"}]});
    buying.erp.post(&path, some).await.expect(201);
    assert_eq!(balance(&buying.service, GRNI), "50.5");
    assert_consistent(&buying.service);
    buying.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(balances(&buying.service), books(&[(STOCK, "101"), (PAYABLE, "-101")]));
    assert_consistent(&buying.service);
    let reverse = format!("/v1/supplier-bills/{}/reverse", id(&posted));
    buying
        .erp
        .post(&reverse, json!({"reason": "to be billed anew"}))
        .await
        .expect(200);
    assert_eq!(balance(&buying.service, PAYABLE), "0");
    assert_consistent(&buying.service);
    let again = buying.billed("B-2", &order, "10", "10").await;
    assert_eq!(again["status"], "posted");
    assert_consistent(&buying.service);
    assert_eq!(balance(&buying.service, GRNI), "0");
}

#[tokio::test]
async fn a_bill_in_another_currency_books_the_rate_apart_from_the_price() {
    let buying = Buying::open().await;
    for (date, rate) in [("2026-03-02", "1.10"), ("2026-03-20", "1.20")] {
        let body = json!({"reference": "EUR", "currency": "USD", "date": date, "rate": rate});
        buying.erp.post("/v1/exchange-rates", body).await.expect(201);
    }
    let product = buying.product("A").await;
    let body = json!({"supplier_id": buying.supplier, "currency": "EUR", "order_date": "2026-03-02", "submit": true, "lines": [of(product, "10", "10")]});
    let order = buying.erp.post("/v1/purchase-orders", body).await.expect(201);
    assert_eq!(order["approval"]["value"], "110.00");
    buying.approve(&order).await;
    let path = format!("/v1/purchase-orders/{}/receipts", id(&order));
    buying.erp.post(&path, json!({"date": "2026-03-03"})).await.expect(201);
    assert_eq!(balances(&buying.service), books(&[(STOCK, "110"), (GRNI, "-110")]));
    let line = json!({"order_line_id": order["lines"][0]["id"], "quantity": "10", "unit_price": "10.20"});
    let mut bill = buying.bill_in("E-1", json!([line]));
    bill["currency"] = json!("EUR");
    let draft = buying.erp.post("/v1/supplier-bills", bill).await.expect(201);
    let path = format!("/v1/supplier-bills/{}/post", id(&draft));
    buying
        .erp
        .post(&path, json!({"date": "2026-03-15"}))
        .await
        .expect_problem(422, "rate_missing");
    let posted = buying.erp.post(&path, json!({"date": "2026-03-20"})).await.expect(200);
    // 102.00 EUR at 1.20 are 122.40: 10.00 more by the rate, 2.40 by the price.
    let line = &posted["lines"][0];
    assert_eq!(
        (&line["price_difference"], &line["exchange_difference"]),
        (&json!("2.40"), &json!("10.00"))
    );
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "112.4"), ("6300", "10"), (PAYABLE, "-122.4")])
    );
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn two_bills_for_one_line_at_once_bill_it_once() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.received(product, "100", "100", "10").await;
    let mut clients = tokio::task::JoinSet::new();
    for index in 0..6 {
        let line = json!({"order_line_id": order["lines"][0]["id"], "quantity": "60", "unit_price": "10.10"});
        let draft = buying.draft(&format!("B-{index}"), json!([line])).await;
        let (erp, path) = (buying.erp.clone(), format!("/v1/supplier-bills/{}/post", id(&draft)));
        clients.spawn(async move { erp.post(&path, json!({})).await });
    }
    let bills: Vec<Value> = clients
        .join_all()
        .await
        .into_iter()
        .map(|reply| reply.expect(200))
        .collect();
    assert_eq!(
        bills.iter().filter(|bill| bill["status"] == "posted").count(),
        1,
        "{bills:#?}"
    );
    assert_eq!(bills.iter().filter(|bill| bill["status"] == "match_held").count(), 5);
    assert_eq!(buying.get_order(&order).await["lines"][0]["billed_quantity"], "60");
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn lines_of_other_orders_and_goods_without_one_are_refused() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let other = json!({"name": "Tokyo Traders", "currency": "USD"});
    let other = id(&buying.erp.post("/v1/suppliers", other).await.expect(201));
    let order = buying.received(product, "1", "1", "1").await;
    let mut bill = buying.bill_in("X", json!([
        {"order_line_id": order["lines"][0]["id"], "quantity": "1"}, {"product_id": product, "quantity": "1", "unit_price": "1"},
        {"quantity": "1", "unit_price": "1"}, {"order_line_id": Uuid::now_v7(), "quantity": "0", "unit_price": "1"}]));
    bill["supplier_id"] = json!(other);
    let problem = buying
        .erp
        .post("/v1/supplier-bills", bill)
        .await
        .expect_problem(422, "invalid_input");
    let found = faults(&problem);
    for fault in [
        ("/lines/0/order_line_id", "other_supplier"),
        ("/lines/1/order_line_id", "order_required"),
        ("/lines/2/order_line_id", "one_of"),
        ("/lines/3/order_line_id", "unknown_line"),
        ("/lines/3/quantity", "out_of_range"),
    ] {
        assert!(found.contains(&fault), "{problem:#}");
    }
}
