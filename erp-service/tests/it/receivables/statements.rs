//! Statements of customers, with figures by hand.

use crate::given;
use crate::payments::books::Books;
use serde_json::{Value, json};

/// 10 × 100.00 + 19 % = 1,190.00 of 5 March, 2 % in 10 days, due on 4 April.
async fn invoiced(books: &Books) -> Value {
    let code = json!({ "code": "VAT", "name": "VAT", "kind": "output", "rates": [{ "rate": "0.19", "valid_from": "2000-01-01" }] });
    books.erp.post("/v1/tax-codes", code).await.expect(201);
    let rule = json!({ "direction": "sale", "codes": ["VAT"] });
    books.erp.post("/v1/tax-rules", rule).await.expect(201);
    let terms =
        json!({ "code": "2-10", "name": "2 % in 10 days", "net_days": 30, "discount_days": 10, "discount": "0.02" });
    let terms = books.erp.post("/v1/payment-terms", terms).await.expect(201);
    let body = json!({ "customer_id": books.customer, "currency": "USD", "date": "2026-03-05", "post": true, "payment_terms_id": terms["id"],
        "lines": [{ "description": "Goods", "quantity": "10", "unit_price": "100" }] });
    books.erp.post("/v1/invoices", body).await.expect(201)
}

async fn statement(books: &Books, query: &str) -> Value {
    let path = format!("/v1/customers/{}/statement?{query}", books.customer);
    books.erp.get(&path).await.expect(200)
}

/// (date, type, debit, credit, balance) of the lines.
fn told(statement: &Value) -> Vec<[String; 5]> {
    let lines = statement["lines"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines
        .iter()
        .map(|line| ["date", "document_type", "debit", "credit", "balance"].map(|field| text(&line[field])))
        .collect()
}

#[tokio::test]
async fn every_document_stands_with_the_balance_after_it() {
    let books = Books::open().await;
    let old = books.invoice("OLD-1", "100.00").await;
    let invoice = invoiced(&books).await;
    let of_invoice = json!([{ "document_id": invoice["id"] }]);
    books
        .receive("583.10", json!({ "date": "2026-03-10", "allocations": of_invoice }))
        .await;
    let credit = format!("{}/credit-notes", given::path("invoices", &invoice));
    let two = json!({ "date": "2026-03-20", "lines": [{ "line_id": invoice["lines"][0]["id"], "quantity": "2" }] });
    let credit = books.erp.post(&credit, two).await.expect(201);
    let on_account = books.receive("50.00", json!({ "date": "2026-04-02" })).await;
    let allocate = format!("{}/allocate", given::path("payments", &on_account));
    let body = json!({ "date": "2026-04-03", "allocations": [{ "open_item_id": old }] });
    books.erp.post(&allocate, body).await.expect(200);
    let rest = json!({ "date": "2026-04-10", "allocations": [{ "open_item_id": old, "write_off": "0.40" }] });
    books.receive("49.60", rest).await;
    let twice = books.receive("20.00", json!({ "date": "2026-04-14" })).await;
    let refund = json!({ "direction": "out", "party_type": "customer", "party_id": books.customer, "amount": "20.00",
        "date": "2026-04-15", "allocations": [{ "open_item_id": twice["open_item_id"] }] });
    books.erp.post("/v1/payments", refund).await.expect(201);

    let april = statement(&books, "from=2026-03-02&to=2026-04-30").await;
    let expected = [
        ["2026-03-05", "invoice", "1190.00", "0.00", "1290.00"],
        ["2026-03-10", "payment", "0.00", "595.00", "695.00"],
        ["2026-03-20", "credit_note", "0.00", "238.00", "457.00"],
        ["2026-04-02", "payment", "0.00", "50.00", "407.00"],
        ["2026-04-10", "payment", "0.00", "50.00", "357.00"],
        ["2026-04-14", "payment", "0.00", "20.00", "337.00"],
        ["2026-04-15", "refund", "20.00", "0.00", "357.00"],
    ];
    assert_eq!(told(&april), expected.map(|line| line.map(str::to_owned)));
    let figures = ["opening_balance", "debit", "credit", "closing_balance"].map(|field| april[field].clone());
    assert_eq!(
        figures,
        ["100.00", "1210.00", "953.00", "357.00"].map(|figure| json!(figure))
    );
    let lines = &april["lines"];
    assert_eq!(
        (&lines[0]["due_on"], &lines[1]["discount"], &lines[4]["written_off"]),
        (&json!("2026-04-04"), &json!("11.90"), &json!("0.40"))
    );
    assert_eq!(lines[2]["link"], json!(given::path("invoices", &credit)));
    for line in lines.as_array().unwrap() {
        for link in ["link", "entry_link"] {
            books.erp.get(line[link].as_str().unwrap()).await.expect(200);
        }
    }
    // Due on 4 April, so 26 days late on the 30th.
    let item = &april["open_items"][0];
    assert_eq!(
        (&item["document_id"], &item["open_amount"], &item["days_overdue"]),
        (&invoice["id"], &json!("357.00"), &json!(26))
    );
    assert_eq!(
        (&april["ageing"]["overdue_1_30"], &april["ageing"]["total"]),
        (&json!("357.00"), &json!("357.00"))
    );

    // As it was at the end of March, whatever has come since.
    let march = statement(&books, "from=2026-03-10&to=2026-03-31").await;
    assert_eq!(
        (&march["opening_balance"], &march["closing_balance"], told(&march).len()),
        (&json!("1290.00"), &json!("457.00"), 2)
    );
    let open: Vec<_> = march["open_items"].as_array().unwrap().iter().collect();
    assert_eq!(
        open.iter().map(|item| item["open_amount"].clone()).collect::<Vec<_>>(),
        [json!("100.00"), json!("357.00")]
    );
    assert_eq!(march["ageing"]["not_due"], "457.00");

    // A bad debt; and then nothing is open any more.
    let path = format!("/v1/open-items/{}/write-off", item["open_item_id"].as_str().unwrap());
    let lost = json!({ "kind": "bad_debt", "reason": "insolvency", "date": "2026-06-30" });
    books.erp.post(&path, lost).await.expect(201);
    let june = statement(&books, "from=2026-05-01&to=2026-06-30").await;
    assert_eq!(
        told(&june),
        [["2026-06-30", "bad_debt", "0.00", "357.00", "0.00"].map(str::to_owned)]
    );
    assert_eq!(june["open_items"], json!([]));
    let always = statement(&books, "from=2026-01-01&to=2026-06-30").await;
    assert_eq!(always["opening_balance"], "0.00");
    assert_eq!(always["lines"][0]["document_type"], "opening_item");
    let before = statement(&books, "from=2026-01-01&to=2026-02-28").await;
    assert_eq!((&before["closing_balance"], told(&before).len()), (&json!("0.00"), 0));

    let path = format!(
        "/v1/customers/{}/statement?from=2026-03-02&to=2026-04-30&format=csv",
        books.customer
    );
    let csv = books.erp.get(&path).await.expect(200);
    let csv: Vec<&str> = csv.as_str().unwrap().lines().collect();
    assert_eq!(csv.len(), 8, "{csv:#?}");
    assert!(
        csv[0].starts_with("date,document_type,") && csv[2].contains("595.00"),
        "{csv:#?}"
    );
}

#[tokio::test]
async fn each_currency_is_a_statement_and_together_they_are_the_control_account() {
    let books = Books::open().await;
    for (date, rate) in [("2026-03-01", "1.10"), ("2026-03-10", "1.08")] {
        let rate = json!({ "date": date, "reference": "EUR", "currency": "USD", "rate": rate });
        books.erp.post("/v1/exchange-rates", rate).await.expect(201);
    }
    books.invoice("OLD-1", "100.00").await;
    let only = statement(&books, "from=2026-03-01&to=2026-03-31").await;
    assert_eq!(
        (&only["currency"], &only["currencies"]),
        (&json!("USD"), &json!(["USD"]))
    );
    let body = json!({ "customer_id": books.customer, "currency": "EUR", "date": "2026-03-01", "post": true,
        "lines": [{ "description": "Goods", "quantity": "1", "unit_price": "1000" }] });
    let invoice = books.erp.post("/v1/invoices", body).await.expect(201);
    books.bank_in("EUR").await;
    let part = json!({ "currency": "EUR", "allocations": [{ "document_id": invoice["id"] }] });
    let payment = books.receive("600.00", part).await;
    let euros = statement(&books, "from=2026-03-01&to=2026-03-31&currency=EUR").await;
    assert_eq!(
        told(&euros),
        [
            ["2026-03-01", "invoice", "1000.00", "0.00", "1000.00"],
            ["2026-03-10", "payment", "0.00", "600.00", "400.00"]
        ]
        .map(|line| line.map(str::to_owned))
    );
    assert_eq!(
        (
            &euros["lines"][1]["exchange_difference"],
            &euros["closing_base_balance"]
        ),
        (&json!("-12.00"), &json!("440.00"))
    );
    let both = statement(&books, "from=2026-03-01&to=2026-03-31").await;
    assert_eq!(
        (&both["currency"], &both["currencies"], &both["closing_base_balance"]),
        (&json!("USD"), &json!(["EUR", "USD"]), &json!("100.00"))
    );
    let ageing = format!(
        "/v1/reports/receivable-ageing?date=2026-03-31&party_id={}",
        books.customer
    );
    let ageing = books.erp.get(&ageing).await.expect(200);
    assert_eq!(ageing["totals"]["total"], "540.00");
    // The payment bounces: the line that takes it back says so.
    let path = format!("{}/reverse", given::path("payments", &payment));
    let bounced = json!({ "reason": "bounced", "date": "2026-03-12" });
    books.erp.post(&path, bounced).await.expect(200);
    let euros = statement(&books, "from=2026-03-11&to=2026-03-31&currency=EUR").await;
    assert_eq!(
        told(&euros),
        [["2026-03-12", "payment", "600.00", "0.00", "1000.00"].map(str::to_owned)]
    );
    assert_eq!(
        (
            &euros["lines"][0]["reversal"],
            &euros["opening_base_balance"],
            &euros["closing_base_balance"]
        ),
        (&json!(true), &json!("440.00"), &json!("1100.00"))
    );
    let path = format!(
        "/v1/customers/{}/statement?from=2026-04-01&to=2026-03-01",
        books.customer
    );
    books.erp.get(&path).await.expect_problem(400, "invalid_parameter");
}
