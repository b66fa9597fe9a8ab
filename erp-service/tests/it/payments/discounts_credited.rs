//! Credit notes on what was paid with a cash discount: the customer is credited what was paid for these goods
//! (Weygandt, Kimmel, Kieso, Accounting Principles, chapter 5: the discount is on the invoice price less returns).

use super::books::{Books, lines};
use super::invoices::{paid, two_percent};
use crate::given;
use serde_json::{Value, json};

/// An invoice of 1 March over so many pieces at this price + 19 %, with 2 % in 10 days.
async fn invoiced(books: &Books, quantity: &str, price: &str) -> Value {
    let code = json!({ "code": "VAT", "name": "VAT", "kind": "output", "rates": [{ "rate": "0.19", "valid_from": "2000-01-01" }] });
    books.erp.post("/v1/tax-codes", code).await.expect(201);
    let rule = json!({ "direction": "sale", "codes": ["VAT"] });
    books.erp.post("/v1/tax-rules", rule).await.expect(201);
    let terms = books.erp.post("/v1/payment-terms", two_percent()).await.expect(201);
    let body = json!({ "customer_id": books.customer, "currency": "USD", "date": "2026-03-01", "post": true, "payment_terms_id": terms["id"],
        "lines": [{ "description": "Goods", "quantity": quantity, "unit_price": price }] });
    books.erp.post("/v1/invoices", body).await.expect(201)
}

async fn credited(books: &Books, invoice: &Value, quantity: &str) -> Value {
    let path = format!("{}/credit-notes", given::path("invoices", invoice));
    let body =
        json!({ "date": "2026-03-20", "lines": [{ "line_id": invoice["lines"][0]["id"], "quantity": quantity }] });
    books.erp.post(&path, body).await.expect(201)
}

/// 10 × 100.00 + 19 % = 1,190.00, paid with 1,166.20 (discount 20.00 and 3.80 of tax). Half of it comes back: 595.00 less
/// 11.90, of which 1.90 is tax.
#[tokio::test]
async fn the_discount_goes_back_with_its_tax() {
    let books = Books::open().await;
    let invoice = invoiced(&books, "10", "100").await;
    paid(&books, &invoice, "1166.20", "2026-03-11").await;
    let credit = credited(&books, &invoice, "5").await;
    assert_eq!(
        books.lines(&credit["entry_id"]),
        lines(&[("1100", "-583.10"), ("2100", "93.10"), ("4010", "500"), ("6100", "-10")])
    );
    assert_eq!(
        (
            &credit["total"],
            &credit["discount_taken_back"],
            &credit["payable"],
            &credit["open_amount"],
            &credit["status"]
        ),
        (
            &json!({ "net": "500.00", "tax": "95.00", "gross": "595.00" }),
            &json!("11.90"),
            &json!("583.10"),
            &json!("-583.10"),
            &json!("posted")
        )
    );
    // The tax report: 1,000.00 − 20.00 − 500.00 + 10.00 taxed with 93.10.
    let report = books
        .erp
        .get("/v1/reports/tax?from=2026-03-01&to=2026-03-31")
        .await
        .expect(200);
    assert_eq!(
        (&report["rows"][0]["base"], &report["rows"][0]["tax"]),
        (&json!("490.00"), &json!("93.10"))
    );
    // With the other half nothing is left but the money, which is owed back.
    credited(&books, &invoice, "5").await;
    assert_eq!(books.balances(), lines(&[("1020", "1166.20"), ("1100", "-1166.20")]));
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["credited"]),
        (&json!("credited"), &json!("1190.00"))
    );
    // The refund of the first one settles it.
    let refund = json!({ "direction": "out", "party_type": "customer", "party_id": books.customer, "amount": "583.10", "date": "2026-03-21",
        "allocations": [{ "document_id": credit["id"] }] });
    books.erp.post("/v1/payments", refund).await.expect(201);
    let now = books.erp.get(&given::path("invoices", &credit)).await.expect(200);
    assert_eq!((&now["status"], &now["open_amount"]), (&json!("paid"), &json!("0.00")));
    books.assert_subledgers();
}

/// Tax kept: the whole 11.90 goes back to the discounts given.
#[tokio::test]
async fn a_discount_that_left_the_tax_alone_goes_back_without_it() {
    let books = Books::open().await;
    let keep = json!({ "discount_tax": "keep" });
    books.erp.patch("/v1/company", keep).await.expect(200);
    let invoice = invoiced(&books, "10", "100").await;
    paid(&books, &invoice, "1166.20", "2026-03-11").await;
    // What counts is how it was posted, not what the setting is by now.
    let adjust = json!({ "discount_tax": "adjust" });
    books.erp.patch("/v1/company", adjust).await.expect(200);
    let credit = credited(&books, &invoice, "5").await;
    assert_eq!(
        books.lines(&credit["entry_id"]),
        lines(&[("1100", "-583.10"), ("2100", "95"), ("4010", "500"), ("6100", "-11.90")])
    );
    books.assert_subledgers();
}

/// 583.10 in time pays 595.00 of 1,190.00. The first half that comes back was not paid: it clears 595.00 and takes nothing
/// back. The second one was: 583.10.
#[tokio::test]
async fn what_was_not_paid_has_no_discount_to_take_back() {
    let books = Books::open().await;
    let invoice = invoiced(&books, "10", "100").await;
    paid(&books, &invoice, "583.10", "2026-03-11").await;
    let first = credited(&books, &invoice, "5").await;
    assert_eq!(
        books.lines(&first["entry_id"]),
        lines(&[("1100", "-595"), ("2100", "95"), ("4010", "500")])
    );
    assert_eq!(
        (&first["discount_taken_back"], &first["status"]),
        (&json!("0.00"), &json!("paid"))
    );
    let second = credited(&books, &invoice, "5").await;
    assert_eq!(
        (&second["discount_taken_back"], &second["open_amount"]),
        (&json!("11.90"), &json!("-583.10"))
    );
    assert_eq!(books.balances(), lines(&[("1020", "583.10"), ("1100", "-583.10")]));
    books.assert_subledgers();
}

/// 3 × 333.33 + 190.00 = 1,189.99, paid with 1,166.19 (discount 23.80, of it 3.80 tax). Piece by piece 396.66, 396.66 and 396.67
/// less 7.93, 7.93 and 7.94: 388.73 each time, and all of what was paid.
#[tokio::test]
async fn the_last_credit_takes_the_rest_of_the_discount() {
    let books = Books::open().await;
    let invoice = invoiced(&books, "3", "333.33").await;
    assert_eq!(invoice["total"]["gross"], "1189.99");
    let payment = paid(&books, &invoice, "1166.19", "2026-03-11").await;
    assert_eq!(payment["allocations"][0]["discount"], "23.80");
    let mut taken = Vec::new();
    for _ in 0..3 {
        let credit = credited(&books, &invoice, "1").await;
        let text = |field: &str| credit[field].as_str().unwrap_or_default().to_owned();
        taken.push((text("discount_taken_back"), text("open_amount")));
    }
    let expected = [("7.93", "-388.73"), ("7.93", "-388.73"), ("7.94", "-388.73")];
    assert_eq!(taken, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(books.balances(), lines(&[("1020", "1166.19"), ("1100", "-1166.19")]));
    books.assert_subledgers();
}

/// A payment that bounced took its discount back itself.
#[tokio::test]
async fn a_discount_that_is_gone_is_not_taken_back_again() {
    let books = Books::open().await;
    let invoice = invoiced(&books, "10", "100").await;
    let payment = paid(&books, &invoice, "1166.20", "2026-03-11").await;
    let path = format!("{}/reverse", given::path("payments", &payment));
    let bounced = json!({ "reason": "bounced", "date": "2026-03-15" });
    books.erp.post(&path, bounced).await.expect(200);
    let credit = credited(&books, &invoice, "5").await;
    assert_eq!(
        (&credit["discount_taken_back"], &credit["total"]["gross"]),
        (&json!("0.00"), &json!("595.00"))
    );
    let now = books.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(now["open_amount"], "595.00");
    books.assert_subledgers();
}
