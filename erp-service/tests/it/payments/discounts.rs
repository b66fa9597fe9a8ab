//! Cash discounts and write-offs: IFRS 15 §50 (variable consideration) and the company's settings.

use super::books::{Books, lines};
use serde_json::json;

fn terms() -> serde_json::Value {
    json!({ "discount": "0.02", "discount_until": "2026-03-15" })
}

#[tokio::test]
async fn in_time_a_payment_clears_more_than_it_is() {
    let books = Books::open().await;
    books
        .erp
        .patch("/v1/company", json!({ "discount_tax": "keep" }))
        .await
        .expect(200);
    let item = books.item("invoice", "A-1", "1190.00", terms()).await;
    let payment = books
        .receive(
            "583.10",
            json!({ "date": "2026-03-15", "allocations": [{ "open_item_id": item }] }),
        )
        .await;
    let allocation = &payment["allocations"][0];
    assert_eq!(
        (&allocation["cleared"], &allocation["discount"]),
        (&json!("595.00"), &json!("11.90"))
    );
    assert_eq!(books.open_amount(item).await, "595.00");
    // A day late the difference stays open.
    let late = books
        .receive(
            "583.10",
            json!({ "date": "2026-03-16", "allocations": [{ "open_item_id": item }] }),
        )
        .await;
    assert_eq!(late["allocations"][0]["discount"], "0.00");
    assert_eq!(books.open_amount(item).await, "11.90");
    books.assert_subledgers();
}

#[tokio::test]
async fn tax_stays_or_goes_with_the_discount() {
    let books = Books::open().await;
    books
        .erp
        .patch("/v1/company", json!({ "discount_tax": "keep" }))
        .await
        .expect(200);
    let item = books.item("invoice", "A-1", "1190.00", terms()).await;
    let payment = books
        .receive("1166.20", json!({ "allocations": [{ "open_item_id": item }] }))
        .await;
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "1166.20"), ("1100", "-1190"), ("6100", "23.80")])
    );
}

#[tokio::test]
async fn a_discount_can_be_waived_but_not_invented() {
    let books = Books::open().await;
    let item = books.item("invoice", "A-1", "1000.00", terms()).await;
    let ask = |discount: &str, date: &str| {
        books.receipt("100.00", json!({ "date": date, "allocations": [{ "open_item_id": item, "amount": "100.00", "discount": discount }] }))
    };
    books
        .erp
        .post("/v1/payments", ask("2.05", "2026-03-15"))
        .await
        .expect_problem(422, "discount_exceeded");
    books
        .erp
        .post("/v1/payments", ask("2.00", "2026-03-16"))
        .await
        .expect_problem(422, "no_discount");
    let waived = books.erp.post("/v1/payments", ask("0", "2026-03-15")).await.expect(201);
    assert_eq!(waived["allocations"][0]["cleared"], "100.00");
    // Paying all that is open takes no discount.
    let all = books
        .receive("900.00", json!({ "allocations": [{ "open_item_id": item }] }))
        .await;
    assert_eq!(
        (&all["allocations"][0]["discount"], &all["unallocated"]),
        (&json!("0.00"), &json!("0.00"))
    );
}

#[tokio::test]
async fn two_invoices_share_a_payment_that_counts_on_their_discounts() {
    let books = Books::open().await;
    let first = books.item("invoice", "A-1", "1190.00", terms()).await;
    let second = books.item("invoice", "A-2", "595.00", terms()).await;
    let allocations = json!([{ "open_item_id": first }, { "open_item_id": second }]);
    let payment = books.receive("1749.30", json!({ "allocations": allocations })).await;
    assert_eq!(
        (
            books.open_amount(first).await,
            books.open_amount(second).await,
            &payment["unallocated"]
        ),
        ("0.00".to_owned(), "0.00".to_owned(), &json!("0.00"))
    );
}

#[tokio::test]
async fn a_suppliers_discount_is_income() {
    let books = Books::open().await;
    let supplier = books.supplier().await;
    let mut more = terms();
    more["party_id"] = json!(supplier);
    let bill = books.item("bill", "B-1", "500.00", more).await;
    let body = json!({ "direction": "out", "party_type": "supplier", "party_id": supplier, "amount": "490.00", "date": "2026-03-10",
        "allocations": [{ "open_item_id": bill }] });
    let payment = books.erp.post("/v1/payments", body).await.expect(201);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-490"), ("2010", "500"), ("4100", "-10")])
    );
    books.assert_subledgers();
}

/// A rest that is not worth collecting, within the company's limit (materiality, IAS 1 §31): 0.40 of 100.00.
#[tokio::test]
async fn a_small_difference_is_written_off_within_the_limit() {
    let books = Books::open().await;
    books
        .erp
        .patch("/v1/company", json!({ "write_off_limit": "0.50" }))
        .await
        .expect(200);
    let item = books.invoice("A-1", "100.00").await;
    let ask = |paid: &str, off: &str| {
        books.receipt(
            paid,
            json!({ "allocations": [{ "open_item_id": item, "write_off": off }] }),
        )
    };
    books
        .erp
        .post("/v1/payments", ask("99.49", "0.51"))
        .await
        .expect_problem(422, "write_off_limit");
    let cashier = books.erp.new_key("custom", &["payments:post", "payments:read"]).await;
    let refused = cashier
        .post("/v1/payments", ask("99.60", "0.40"))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "receivables:write_off");
    let payment = books.erp.post("/v1/payments", ask("99.60", "0.40")).await.expect(201);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "99.60"), ("1100", "-100"), ("6210", "0.40")])
    );
    assert_eq!(books.open_amount(item).await, "0.00");
    books.assert_subledgers();
}
