//! Payments across currencies. Exchange differences are realised when an item is settled: IAS 21 §28.

use super::books::{Books, lines};
use crate::given;
use serde_json::json;
use uuid::Uuid;

async fn rate(books: &Books, date: &str, rate: &str) {
    let body = json!({ "date": date, "reference": "EUR", "currency": "USD", "rate": rate });
    books.erp.post("/v1/exchange-rates", body).await.expect(201);
}

/// EUR 1,000 invoiced at 1.10.
async fn invoiced(books: &Books) -> Uuid {
    rate(books, "2026-03-01", "1.10").await;
    rate(books, "2026-03-10", "1.08").await;
    books
        .item("invoice", "A-1", "1000.00", json!({ "currency": "EUR" }))
        .await
}

/// The worked example: EUR 600 received at 1.08, bank 648, realised −12, 440 left on the control account.
#[tokio::test]
async fn euros_come_to_the_euro_account() {
    let books = Books::open().await;
    let item = invoiced(&books).await;
    let bank = books.bank_in("EUR").await;
    let payment = books
        .receive(
            "600.00",
            json!({ "currency": "EUR", "allocations": [{ "open_item_id": item }] }),
        )
        .await;
    assert_eq!(
        (
            &payment["bank_account_id"],
            &payment["base_amount"],
            &payment["allocations"][0]["exchange_difference"]
        ),
        (&bank["id"], &json!("648.00"), &json!("-12.00"))
    );
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1021", "648"), ("1100", "-660"), ("6300", "12")])
    );
    let left = books.erp.get(&format!("/v1/open-items/{item}")).await.expect(200);
    assert_eq!(
        (&left["open_amount"], &left["open_base_amount"]),
        (&json!("400.00"), &json!("440.00"))
    );
    books.assert_subledgers();

    // Bounced: the difference is taken back with the rest.
    let path = format!("{}/reverse", given::path("payments", &payment));
    books.erp.post(&path, json!({ "reason": "bounced" })).await.expect(200);
    assert_eq!(books.balances(), lines(&[("1100", "1100"), ("3020", "-1100")]));
}

#[tokio::test]
async fn an_invoice_in_euros_is_paid_in_dollars() {
    let books = Books::open().await;
    let item = invoiced(&books).await;
    // As much as 648 dollars are on that day: 600 euros.
    let payment = books
        .receive("648.00", json!({ "allocations": [{ "open_item_id": item }] }))
        .await;
    let allocation = &payment["allocations"][0];
    assert_eq!(
        (
            &allocation["cleared"],
            &allocation["paid"],
            &allocation["exchange_difference"],
            &payment["unallocated"]
        ),
        (&json!("600.00"), &json!("648.00"), &json!("-12.00"), &json!("0.00"))
    );
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "648"), ("1100", "-660"), ("6300", "12")])
    );
    // The bank's own rate: 400 euros came as 450 dollars.
    let rest = json!({ "allocations": [{ "open_item_id": item, "amount": "400.00", "paid": "450.00" }] });
    let payment = books.receive("450.00", rest).await;
    assert_eq!(payment["allocations"][0]["exchange_difference"], "10.00");
    assert_eq!(
        books.balances(),
        lines(&[("1020", "1098"), ("3020", "-1100"), ("4200", "-10"), ("6300", "12")])
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn money_on_account_keeps_the_value_of_its_day() {
    let books = Books::open().await;
    rate(&books, "2026-03-01", "1.10").await;
    rate(&books, "2026-03-08", "1.05").await;
    books.bank_in("EUR").await;
    let payment = books
        .receive("1000.00", json!({ "currency": "EUR", "date": "2026-03-02" }))
        .await;
    assert_eq!(
        (&payment["base_amount"], &payment["unallocated"]),
        (&json!("1100.00"), &json!("1000.00"))
    );
    let item = books
        .item(
            "invoice",
            "A-1",
            "1000.00",
            json!({ "currency": "EUR", "date": "2026-03-08", "document_date": "2026-03-08" }),
        )
        .await;
    let path = format!("{}/allocate", given::path("payments", &payment));
    let body = json!({ "date": "2026-03-09", "allocations": [{ "open_item_id": item }] });
    let after = books.erp.post(&path, body).await.expect(200);
    assert_eq!(after["allocations"][0]["exchange_difference"], "50.00");
    assert_eq!(
        books.balances(),
        lines(&[("1021", "1100"), ("3020", "-1050"), ("4200", "-50")])
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn without_a_rate_nothing_is_paid() {
    let books = Books::open().await;
    let item = invoiced(&books).await;
    let late = books.receipt(
        "648.00",
        json!({ "date": "2026-03-18", "allocations": [{ "open_item_id": item }] }),
    );
    books
        .erp
        .post("/v1/payments", late)
        .await
        .expect_problem(422, "rate_missing");
}
