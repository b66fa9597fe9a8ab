//! Payments of invoices: cash discount with tax, instalments, bad debts with tax, and what invoices and orders are told.

use super::books::{Books, lines};
use crate::given;
use serde_json::{Value, json};

/// An invoice of 1,000.00 + 19 % of 1 March on these terms.
async fn invoiced(books: &Books, terms: Value) -> Value {
    let code = json!({ "code": "VAT", "name": "VAT", "kind": "output", "rates": [{ "rate": "0.19", "valid_from": "2000-01-01" }] });
    books.erp.post("/v1/tax-codes", code).await.expect(201);
    books
        .erp
        .post("/v1/tax-rules", json!({ "direction": "sale", "codes": ["VAT"] }))
        .await
        .expect(201);
    let terms = books.erp.post("/v1/payment-terms", terms).await.expect(201);
    let body = json!({ "customer_id": books.customer, "currency": "USD", "date": "2026-03-01", "post": true, "payment_terms_id": terms["id"],
        "lines": [{ "description": "Goods", "quantity": "1", "unit_price": "1000" }] });
    let invoice = books.erp.post("/v1/invoices", body).await.expect(201);
    assert_eq!(invoice["total"]["gross"], "1190.00");
    invoice
}

pub fn two_percent() -> Value {
    json!({ "code": "2-10", "name": "2 % within 10 days", "net_days": 30, "discount_days": 10, "discount": "0.02" })
}

pub async fn paid(books: &Books, invoice: &Value, amount: &str, date: &str) -> Value {
    books
        .receive(
            amount,
            json!({ "date": date, "allocations": [{ "document_id": invoice["id"] }] }),
        )
        .await
}

/// The worked example: Dr Bank 1,166.20, Discount 20.00, Tax 3.80 / Cr Receivable 1,190.00.
#[tokio::test]
async fn a_cash_discount_takes_its_tax_with_it() {
    let books = Books::open().await;
    let invoice = invoiced(&books, two_percent()).await;
    let payment = paid(&books, &invoice, "1166.20", "2026-03-11").await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[
            ("1020", "1166.20"),
            ("1100", "-1190.00"),
            ("2100", "3.80"),
            ("6100", "20.00")
        ])
    );
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!((&now["status"], &now["open_amount"]), (&json!("paid"), &json!("0.00")));
    books.assert_subledgers();
}

/// The worked example, tax kept: Discount 23.80.
#[tokio::test]
async fn a_cash_discount_may_leave_the_tax_alone() {
    let books = Books::open().await;
    books
        .erp
        .patch("/v1/company", json!({ "discount_tax": "keep" }))
        .await
        .expect(200);
    let invoice = invoiced(&books, two_percent()).await;
    let payment = paid(&books, &invoice, "1166.20", "2026-03-11").await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "1166.20"), ("1100", "-1190.00"), ("6100", "23.80")])
    );
}

/// The worked example: 583.10 in time clears 595.00; a day late the difference stays open.
#[tokio::test]
async fn a_part_in_time_clears_in_proportion() {
    let books = Books::open().await;
    let invoice = invoiced(&books, two_percent()).await;
    let payment = paid(&books, &invoice, "583.10", "2026-03-11").await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[
            ("1020", "583.10"),
            ("1100", "-595.00"),
            ("2100", "1.90"),
            ("6100", "10.00")
        ])
    );
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["open_amount"]),
        (&json!("partially_paid"), &json!("595.00"))
    );
    let late = paid(&books, &invoice, "583.10", "2026-03-12").await;
    assert_eq!(
        books.lines(&late["journal_entry_id"]),
        lines(&[("1020", "583.10"), ("1100", "-583.10")])
    );
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(now["open_amount"], "11.90");

    // The first bounces: its discount and the tax of it come back.
    let path = format!("{}/reverse", given::path("payments", &payment));
    books.erp.post(&path, json!({ "reason": "bounced" })).await.expect(200);
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(now["open_amount"], "606.90");
    assert_eq!(
        books.balances(),
        lines(&[
            ("1020", "583.10"),
            ("1100", "606.90"),
            ("2100", "-190.00"),
            ("4010", "-1000.00")
        ])
    );
    books.assert_subledgers();
}

/// Instalments: each is an item of its own, paid by due date (IFRS 9 §5.4: a receivable is measured by its contractual cash flows).
/// 30 % at once, 70 % after 60 days: 357.00 and 833.00.
#[tokio::test]
async fn instalments_are_paid_by_due_date() {
    let books = Books::open().await;
    let terms = json!({ "code": "30-70", "name": "30 % now, 70 % in 60 days",
        "instalments": [{ "fraction": "0.3", "days": 0 }, { "fraction": "0.7", "days": 60 }] });
    let invoice = invoiced(&books, terms).await;
    let path = format!(
        "/v1/open-items?document_id={}&sort=due_on",
        invoice["id"].as_str().unwrap()
    );
    let items = books.erp.get(&path).await.expect(200);
    assert_eq!(
        (&items["items"][0]["amount"], &items["items"][1]["amount"]),
        (&json!("357.00"), &json!("833.00"))
    );
    let payment = paid(&books, &invoice, "400.00", "2026-03-10").await;
    let cleared: Vec<&Value> = payment["allocations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["cleared"])
        .collect();
    assert_eq!(cleared, [&json!("357.00"), &json!("43.00")]);
    let items = books.erp.get(&path).await.expect(200);
    assert_eq!(
        (
            items["items"].as_array().unwrap().len(),
            &items["items"][0]["open_amount"]
        ),
        (1, &json!("790.00"))
    );
    books.assert_subledgers();
}

/// A bad debt with its tax claimed back (Directive 2006/112/EC, article 90): of 1,190.00, 1,000.00 is lost and 190.00 of tax.
#[tokio::test]
async fn a_bad_debt_takes_its_tax_back_where_the_country_says_so() {
    let books = Books::open().await;
    books
        .erp
        .patch("/v1/company", json!({ "bad_debt_tax": "adjust" }))
        .await
        .expect(200);
    let invoice = invoiced(&books, two_percent()).await;
    paid(&books, &invoice, "595.00", "2026-03-20").await;
    let item = books
        .erp
        .get(&format!(
            "/v1/open-items?document_id={}",
            invoice["id"].as_str().unwrap()
        ))
        .await
        .expect(200);
    let path = format!("/v1/open-items/{}/write-off", item["items"][0]["id"].as_str().unwrap());
    let body = json!({ "kind": "bad_debt", "reason": "insolvency", "date": "2026-06-30" });
    let clearing = books.erp.post(&path, body).await.expect(201);
    assert_eq!(
        books.lines(&clearing["journal_entry_id"]),
        lines(&[("1100", "-595.00"), ("2100", "95.00"), ("6200", "500.00")])
    );
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(now["open_amount"], "0.00");
    books.assert_subledgers();
}

/// The worked example, foreign currency, with an invoice.
#[tokio::test]
async fn a_part_of_an_invoice_in_euros_realises_its_share() {
    let books = Books::open().await;
    for (date, rate) in [("2026-03-01", "1.10"), ("2026-03-10", "1.08")] {
        let body = json!({ "date": date, "reference": "EUR", "currency": "USD", "rate": rate });
        books.erp.post("/v1/exchange-rates", body).await.expect(201);
    }
    let body = json!({ "customer_id": books.customer, "currency": "EUR", "date": "2026-03-01", "post": true,
        "lines": [{ "description": "Goods", "quantity": "1", "unit_price": "1000" }] });
    let invoice = books.erp.post("/v1/invoices", body).await.expect(201);
    books.bank_in("EUR").await;
    let payment = books
        .receive(
            "600.00",
            json!({ "currency": "EUR", "allocations": [{ "document_id": invoice["id"] }] }),
        )
        .await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1021", "648.00"), ("1100", "-660.00"), ("6300", "12.00")])
    );
    assert_eq!(
        books.balances(),
        lines(&[
            ("1021", "648.00"),
            ("1100", "440.00"),
            ("4010", "-1100.00"),
            ("6300", "12.00")
        ])
    );
    let events = given::events(&books.erp, "invoice.changed").await;
    let told = given::of(&events, &invoice);
    assert_eq!(
        told.last().map(|(_, data)| &data["open_amount"]),
        Some(&json!("400.00"))
    );
}
