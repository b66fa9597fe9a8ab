use super::books::{Books, lines};
use crate::given;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_payment_clears_items_and_posts_one_entry() {
    let books = Books::open().await;
    let (first, second) = (
        books.invoice("A-1", "100.00").await,
        books.invoice("A-2", "50.00").await,
    );
    let allocations = json!([{ "open_item_id": first }, { "open_item_id": second, "amount": "20.00" }]);
    let payment = books
        .receive(
            "120.00",
            json!({ "allocations": allocations, "reference": "A-1 and A-2" }),
        )
        .await;
    assert_eq!(
        (&payment["number"], &payment["unallocated"], &payment["status"]),
        (&json!("PAY-2026-000001"), &json!("0.00"), &json!("posted"))
    );
    assert_eq!(payment["allocations"][0]["cleared"], "100.00");
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "120"), ("1100", "-120")])
    );
    assert_eq!(
        (books.open_amount(first).await, books.open_amount(second).await),
        ("0.00".into(), "30.00".into())
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn what_is_over_stays_on_account_and_is_allocated_later() {
    let books = Books::open().await;
    let first = books.invoice("A-1", "100.00").await;
    let payment = books
        .receive("160.00", json!({ "allocations": [{ "open_item_id": first }] }))
        .await;
    assert_eq!(
        (&payment["unallocated"], &payment["allowed_actions"]),
        (&json!("60.00"), &json!(["allocate", "unallocate", "reverse"]))
    );
    let own = payment["open_item_id"].clone();
    let second = books.invoice("A-2", "50.00").await;
    let path = format!("{}/allocate", given::path("payments", &payment));
    let body = json!({ "date": "2026-03-12", "allocations": [{ "open_item_id": second }] });
    let after = books.erp.post(&path, body.clone()).await.expect(200);
    assert_eq!(
        (&after["unallocated"], &after["open_item_id"], &after["version"]),
        (&json!("10.00"), &own, &json!(2))
    );
    assert_eq!(books.open_amount(second).await, "0.00");
    books.erp.post(&path, body).await.expect_problem(409, "exceeds_open");
    assert_eq!(
        books.balances(),
        lines(&[("1020", "160"), ("1100", "-10"), ("3020", "-150")])
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn a_document_is_named_instead_of_its_item() {
    let books = Books::open().await;
    let item = books.invoice("A-1", "100.00").await;
    let document = books.erp.get(&format!("/v1/open-items/{item}")).await.expect(200);
    let document = document["document_id"].as_str().unwrap();
    books
        .receive("40.00", json!({ "allocations": [{ "document_id": document }] }))
        .await;
    assert_eq!(books.open_amount(item).await, "60.00");
    let page = books
        .erp
        .get(&format!(
            "/v1/open-items?document_id={document}&side=receivable&overdue=true"
        ))
        .await
        .expect(200);
    assert_eq!(page["items"][0]["open_amount"], "60.00");
    assert!(page["items"][0]["overdue_days"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn every_fault_is_named() {
    let books = Books::open().await;
    let item = books.invoice("A-1", "100.00").await;
    let credit = books.item("credit_note", "C-1", "10.00", json!({})).await;
    let other = given::customer(&books.service, "Around the Horn").await;
    let foreign = books
        .item("invoice", "B-1", "10.00", json!({ "party_id": other["id"] }))
        .await;
    let later = books
        .item("invoice", "A-9", "10.00", json!({ "date": "2026-04-01" }))
        .await;
    let allocations = json!([
        { "open_item_id": credit }, { "open_item_id": foreign }, { "open_item_id": later }, { "open_item_id": item, "amount": "1.001" },
    ]);
    let body = books.receipt("10.00", json!({ "allocations": allocations }));
    let problem = books
        .erp
        .post("/v1/payments", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/allocations/0", "wrong_direction"),
            ("/allocations/1", "other_party"),
            ("/allocations/2", "date_before_item"),
            ("/allocations/3/amount", "out_of_range"),
        ]
    );
    let body = books.receipt(
        "-1",
        json!({ "party_id": Uuid::now_v7(), "bank_charges": "3",
        "allocations": [{ "open_item_id": Uuid::now_v7() }, {}, { "document_id": Uuid::now_v7() }] }),
    );
    let problem = books
        .erp
        .post("/v1/payments", body)
        .await
        .expect_problem(422, "invalid_input");
    let found: Vec<&str> = given::faults(&problem)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(
        found,
        [
            "/party_id",
            "/amount",
            "/bank_charges",
            "/allocations/0/open_item_id",
            "/allocations/1",
            "/allocations/2/document_id"
        ]
    );
    let more = books.receipt(
        "10.00",
        json!({ "allocations": [{ "open_item_id": item, "amount": "20.00" }] }),
    );
    books
        .erp
        .post("/v1/payments", more)
        .await
        .expect_problem(422, "exceeds_payment");
    let more = books.receipt(
        "200.00",
        json!({ "allocations": [{ "open_item_id": item, "amount": "100.01" }] }),
    );
    books
        .erp
        .post("/v1/payments", more)
        .await
        .expect_problem(409, "exceeds_open");
    let future = books.receipt("10.00", json!({ "date": "2999-01-01" }));
    books
        .erp
        .post("/v1/payments", future)
        .await
        .expect_problem(422, "future_date");
}

#[tokio::test]
async fn bank_charges_go_to_their_account() {
    let books = Books::open().await;
    let item = books.invoice("A-1", "100.00").await;
    let payment = books
        .receive(
            "100.00",
            json!({ "bank_charges": "1.50", "allocations": [{ "open_item_id": item }] }),
        )
        .await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "98.5"), ("1100", "-100"), ("6040", "1.5")])
    );
    let supplier = books.supplier().await;
    let bill = books
        .item("bill", "B-1", "80.00", json!({ "party_id": supplier }))
        .await;
    let body = json!({ "direction": "out", "party_type": "supplier", "party_id": supplier, "amount": "80.00", "bank_charges": "2.00",
        "date": "2026-03-10", "allocations": [{ "open_item_id": bill }] });
    let payment = books.erp.post("/v1/payments", body).await.expect(201);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-82"), ("2010", "80"), ("6040", "2")])
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn without_a_party_the_accounts_are_named() {
    let books = Books::open().await;
    let accounts = books.accounts();
    let postings = json!([{ "account_id": accounts["6010"], "amount": "30.00", "description": "Rent" }, { "account_id": accounts["6040"], "amount": "0.50" }]);
    let body = json!({ "direction": "out", "amount": "30.50", "date": "2026-03-10", "postings": postings, "cash_flow_category": "operating" });
    let shown = books
        .erp
        .post("/v1/payments?dry_run=true", body.clone())
        .await
        .expect(200);
    assert_eq!(
        (&shown["number"], &shown["entries"][0]["lines"][0]["account"]),
        (&Value::Null, &json!("1020"))
    );
    let payment = books.erp.post("/v1/payments", body).await.expect(201);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-30.5"), ("6010", "30"), ("6040", "0.5")])
    );
    let control = json!({ "direction": "out", "amount": "30.50", "postings": [{ "account_id": accounts["1100"], "amount": "30.50" }] });
    books
        .erp
        .post("/v1/payments", control)
        .await
        .expect_problem(422, "account_not_postable");
    let less = json!({ "direction": "out", "amount": "30.50", "postings": [{ "account_id": accounts["6010"], "amount": "30.00" }] });
    books
        .erp
        .post("/v1/payments", less)
        .await
        .expect_problem(422, "sum_differs");
}

#[tokio::test]
async fn refunds_clear_credits_and_nothing_more() {
    let books = Books::open().await;
    let credit = books.item("credit_note", "C-1", "25.00", json!({})).await;
    let refund = |amount: &str| {
        json!({ "direction": "out", "party_type": "customer", "party_id": books.customer, "amount": amount, "date": "2026-03-10",
            "allocations": [{ "open_item_id": credit }] })
    };
    books
        .erp
        .post("/v1/payments", refund("30.00"))
        .await
        .expect_problem(422, "refund_exceeds_credit");
    let payment = books.erp.post("/v1/payments", refund("20.00")).await.expect(201);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-20"), ("1100", "20")])
    );
    assert_eq!(books.open_amount(credit).await, "-5.00");
    books.assert_subledgers();
}

#[tokio::test]
async fn payments_are_listed_and_told() {
    let books = Books::open().await;
    let payment = books
        .receive("10.00", json!({ "reference": "Order 4711", "external_ref": "bank-1" }))
        .await;
    for path in [
        format!("/v1/payments?customer_id={}", books.customer),
        "/v1/payments?q=4711&direction=in&status=posted".to_owned(),
        "/v1/payments?date_from=2026-03-10&date_to=2026-03-10&sort=-date".to_owned(),
        "/v1/payments?external_ref=bank-1".to_owned(),
    ] {
        let page = books.erp.get(&path).await.expect(200);
        assert_eq!(page["items"][0]["id"], payment["id"], "{path}");
    }
    let again = books.receipt("10.00", json!({ "external_ref": "bank-1" }));
    books
        .erp
        .post("/v1/payments", again)
        .await
        .expect_problem(409, "duplicate");
    let events = given::events(&books.erp, "payment.changed").await;
    let told = given::of(&events, &payment);
    assert_eq!(
        (told.len(), told[0].0, &told[0].1["unallocated"]),
        (1, 1, &json!("10.00"))
    );
}
