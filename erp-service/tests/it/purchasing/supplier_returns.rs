use super::books::{GRNI, INPUT_TAX, PAYABLE, STOCK, VARIANCE, assert_consistent, balance, balances, books, stock};
use super::buying::{Buying, of};
use crate::given::faults;
use crate::shop::{id, three};
use serde_json::{Value, json};
use uuid::Uuid;

impl Buying {
    /// A receipt of an order of one line.
    async fn receipt(&self, product: Uuid, quantity: &str, price: &str) -> (Value, Value) {
        let order = self.ordered(json!([of(product, quantity, price)])).await;
        let path = format!("/v1/purchase-orders/{}/receipts", id(&order));
        let receipt = self.erp.post(&path, json!({})).await.expect(201);
        (order, receipt)
    }

    fn return_in(&self, receipt: &Value, quantity: &str) -> Value {
        json!({"receipt_id": receipt["id"], "reason": "broken", "lines": [{"line_id": receipt["lines"][0]["id"], "quantity": quantity}]})
    }

    async fn returned(&self, receipt: &Value, quantity: &str) -> Value {
        self.erp
            .post("/v1/supplier-returns", self.return_in(receipt, quantity))
            .await
            .expect(201)
    }

    fn credit_in(&self, number: &str, lines: Value) -> Value {
        json!({"supplier_id": self.supplier, "supplier_number": number, "credit_date": "2026-03-10", "lines": lines})
    }
}

#[tokio::test]
async fn what_is_not_billed_yet_reduces_what_can_be_billed() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let (order, receipt) = buying.receipt(product, "10", "10").await;
    let made = buying.returned(&receipt, "2").await;
    assert!(made["number"].as_str().unwrap().starts_with("SRT-"), "{made:#}");
    let line = &made["lines"][0];
    assert_eq!(
        (&line["value"], &line["unbilled_quantity"], &line["expected_credit"]),
        (&json!("20.00"), &json!("2"), &json!("0.00"))
    );
    assert_eq!(balances(&buying.service), books(&[(STOCK, "80"), (GRNI, "-80")]));
    let held = buying.billed("B-1", &order, "10", "10").await;
    assert_eq!(held["findings"][0]["code"], "billed_exceeds_received");
    let posted = buying.billed("B-2", &order, "8", "10").await;
    assert_eq!(posted["status"], "posted");
    assert_eq!(balance(&buying.service, GRNI), "0");
    assert_consistent(&buying.service);
    let credit = buying.credit_in("C-1", json!([{"return_line_id": line["id"], "quantity": "2"}]));
    buying
        .erp
        .post("/v1/supplier-credit-notes", credit)
        .await
        .expect_problem(409, "exceeds_returned");
}

#[tokio::test]
async fn what_was_billed_is_credited_and_clears_its_bill_first() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let (order, receipt) = buying.receipt(product, "10", "10").await;
    let bill = buying.billed("B-1", &order, "10", "10.10").await;
    assert_eq!(bill["status"], "posted");
    let made = buying.returned(&receipt, "2").await;
    // At the average of 10.10; the supplier has to credit what it billed.
    let line = &made["lines"][0];
    assert_eq!(
        (&line["value"], &line["expected_credit"]),
        (&json!("20.20"), &json!("20.20"))
    );
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "80.8"), (GRNI, "20.2"), (PAYABLE, "-101")])
    );
    assert_consistent(&buying.service);
    let reverse = format!("/v1/supplier-bills/{}/reverse", id(&bill));
    buying
        .erp
        .post(&reverse, json!({"reason": "x"}))
        .await
        .expect_problem(409, "returned_since");

    let credit = buying.credit_in("C-1", json!([{"return_line_id": line["id"], "quantity": "2"}]));
    let shown = buying
        .erp
        .post("/v1/supplier-credit-notes?dry_run=true", credit.clone())
        .await
        .expect(200);
    assert_eq!(
        (&shown["number"], &shown["total"]["gross"]),
        (&Value::Null, &json!("20.20"))
    );
    assert_consistent(&buying.service);
    let note = buying
        .erp
        .post("/v1/supplier-credit-notes", credit.clone())
        .await
        .expect(201);
    assert!(note["number"].as_str().unwrap().starts_with("SCN-"), "{note:#}");
    assert_eq!(balances(&buying.service), books(&[(STOCK, "80.8"), (PAYABLE, "-80.8")]));
    assert_eq!(
        buying.open_items(),
        [
            ("supplier_bill".to_owned(), "80.8".to_owned()),
            ("supplier_credit_note".to_owned(), "0".to_owned())
        ]
    );
    assert_consistent(&buying.service);
    buying
        .erp
        .post("/v1/supplier-credit-notes", credit)
        .await
        .expect_problem(409, "exceeds_returned");
    let again = buying.credit_in(
        "c-1",
        json!([{"description": "Bonus", "quantity": "1", "unit_price": "5"}]),
    );
    buying
        .erp
        .post("/v1/supplier-credit-notes", again)
        .await
        .expect_problem(409, "duplicate");
}

#[tokio::test]
async fn more_credit_than_is_owed_stays_open() {
    let buying = Buying::open().await;
    let line = json!([{"description": "Rent", "quantity": "1", "unit_price": "100"}]);
    let draft =
        json!({"supplier_id": buying.supplier, "supplier_number": "R-1", "bill_date": "2026-03-01", "lines": line});
    let bill = buying.erp.post("/v1/supplier-bills", draft).await.expect(201);
    let mut credit = buying.credit_in(
        "C-1",
        json!([{"description": "Rent, too much", "quantity": "1", "unit_price": "130"}]),
    );
    credit["bill_id"] = bill["id"].clone();
    let refused = buying
        .erp
        .post("/v1/supplier-credit-notes", credit.clone())
        .await
        .expect_problem(422, "unknown_bill");
    assert_eq!(faults(&refused), [("/bill_id", "unknown_bill")]);
    buying
        .erp
        .post(&format!("/v1/supplier-bills/{}/post", id(&bill)), json!({}))
        .await
        .expect(200);
    let note = buying.erp.post("/v1/supplier-credit-notes", credit).await.expect(201);
    assert_eq!(note["bill_id"], bill["id"]);
    assert_eq!(
        buying.open_items(),
        [
            ("supplier_bill".to_owned(), "0".to_owned()),
            ("supplier_credit_note".to_owned(), "-30".to_owned())
        ]
    );
    assert_eq!(balances(&buying.service), books(&[(PAYABLE, "30"), ("6030", "-30")]));
    assert_consistent(&buying.service);
    // What was set off cannot be taken back before that is undone.
    let reverse = format!("/v1/supplier-bills/{}/reverse", id(&bill));
    buying
        .erp
        .post(&reverse, json!({"reason": "x"}))
        .await
        .expect_problem(409, "exceeds_open");
}

#[tokio::test]
async fn the_difference_to_the_average_is_variance() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let (_, first) = buying.receipt(product, "10", "10").await;
    buying.receipt(product, "10", "14").await;
    assert_eq!(stock(&buying.service), "240");
    buying.returned(&first, "2").await;
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "216"), (GRNI, "-220"), (VARIANCE, "4")])
    );
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn a_replacement_is_delivered_again() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let (order, receipt) = buying.receipt(product, "10", "10").await;
    let mut back = buying.return_in(&receipt, "3");
    back["replacement"] = json!(true);
    buying.erp.post("/v1/supplier-returns", back).await.expect(201);
    let open = buying.get_order(&order).await;
    assert_eq!(
        (&open["status"], &open["lines"][0]["open_quantity"]),
        (&json!("partially_received"), &json!("3"))
    );
    let path = format!("/v1/purchase-orders/{}/receipts", id(&order));
    let again = buying.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(
        (&again["lines"][0]["quantity"], &again["order"]["status"]),
        (&json!("3"), &json!("received"))
    );
    let posted = buying.billed("B-1", &order, "10", "10").await;
    assert_eq!(posted["status"], "posted");
    assert_eq!(balances(&buying.service), books(&[(STOCK, "100"), (PAYABLE, "-100")]));
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn neither_reserved_nor_returned_goods_go_back() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let (_, receipt) = buying.receipt(product, "10", "10").await;
    buying.confirmed(product, "8").await;
    let refused = buying
        .erp
        .post("/v1/supplier-returns", buying.return_in(&receipt, "3"))
        .await
        .expect_problem(409, "insufficient_stock");
    assert_eq!(refused["products"][0]["available"], "2");
    buying.returned(&receipt, "2").await;
    let refused = buying
        .erp
        .post("/v1/supplier-returns", buying.return_in(&receipt, "9"))
        .await
        .expect_problem(409, "exceeds_received");
    assert_eq!(refused["lines"][0]["kept"], "8");
    assert_eq!(buying.availability(product).await, three("8", "8", "0"));
    let mut clients = tokio::task::JoinSet::new();
    let (_, other) = buying.receipt(product, "5", "10").await;
    for _ in 0..6 {
        let (erp, body) = (buying.erp.clone(), buying.return_in(&other, "3"));
        clients.spawn(async move { erp.post("/v1/supplier-returns", body).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 201).count(),
        1,
        "{replies:#?}"
    );
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn bills_and_credits_bear_the_tax_of_the_bills_day() {
    let buying = Buying::open().await;
    let code = json!({"code": "IN19", "name": "Input tax", "kind": "input", "rates": [
        {"rate": "0.19", "valid_from": "2026-01-01", "valid_to": "2026-03-05"}, {"rate": "0.16", "valid_from": "2026-03-06"}]});
    buying.erp.post("/v1/tax-codes", code).await.expect(201);
    buying
        .erp
        .post("/v1/tax-rules", json!({"direction": "purchase", "codes": ["IN19"]}))
        .await
        .expect(201);
    let product = buying.product("A").await;
    let (order, receipt) = buying.receipt(product, "10", "10").await;
    let bill = buying.billed("B-1", &order, "10", "10").await;
    assert_eq!(
        (&bill["total"]["tax"], &bill["total"]["gross"]),
        (&json!("19.00"), &json!("119.00"))
    );
    assert_eq!(
        (balance(&buying.service, INPUT_TAX), balance(&buying.service, PAYABLE)),
        ("19".to_owned(), "-119".to_owned())
    );
    let back = buying.returned(&receipt, "5").await;
    let mut credit = buying.credit_in(
        "C-1",
        json!([{"return_line_id": back["lines"][0]["id"], "quantity": "5"}]),
    );
    credit["bill_id"] = bill["id"].clone();
    credit["gross"] = json!("59.50");
    let note = buying.erp.post("/v1/supplier-credit-notes", credit).await.expect(201);
    assert_eq!(note["total"]["tax"], "9.50");
    assert_eq!(
        balances(&buying.service),
        books(&[(STOCK, "50"), (INPUT_TAX, "9.5"), (PAYABLE, "-59.5")])
    );
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn reverse_charge_is_owed_to_the_tax_office_and_not_to_the_supplier() {
    let buying = Buying::open().await;
    let code = json!({"code": "RC20", "name": "Reverse charge", "kind": "input", "reverse_charge": true, "rates": [{"rate": "0.2", "valid_from": "2026-01-01"}]});
    buying.erp.post("/v1/tax-codes", code).await.expect(201);
    buying
        .erp
        .post("/v1/tax-rules", json!({"direction": "purchase", "codes": ["RC20"]}))
        .await
        .expect(201);
    let draft = json!({"supplier_id": buying.supplier, "supplier_number": "R-1", "bill_date": "2026-03-01",
        "lines": [{"description": "Consulting", "quantity": "1", "unit_price": "100"}]});
    let bill = buying.erp.post("/v1/supplier-bills", draft).await.expect(201);
    assert_eq!(
        (&bill["total"]["gross"], &bill["taxes"][0]["tax"]),
        (&json!("100.00"), &json!("20.00"))
    );
    buying
        .erp
        .post(&format!("/v1/supplier-bills/{}/post", id(&bill)), json!({}))
        .await
        .expect(200);
    assert_eq!(
        balances(&buying.service),
        books(&[(INPUT_TAX, "20"), (PAYABLE, "-100"), ("2100", "-20"), ("6030", "100")])
    );
    assert_consistent(&buying.service);
}
