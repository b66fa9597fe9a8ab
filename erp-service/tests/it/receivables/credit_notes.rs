use super::{days_ago, entry, lines};
use crate::given;
use crate::shop::{Shop, id};
use serde_json::json;

#[tokio::test]
async fn parts_are_credited_and_the_last_one_takes_the_remainder() {
    let shop = Shop::open().await;
    // 3 × 0.335 × 0.9 = 0.9045 → 0.90
    let body = json!({"customer_id": shop.customer, "currency": "USD", "post": true, "lines": [
        {"description": "Pens", "quantity": "3", "unit_price": "0.335", "discount": "0.1"},
        {"description": "Ink", "quantity": "1", "unit_price": "10"}]});
    let invoice = shop.erp.post("/v1/invoices", body).await.expect(201);
    let path = format!("{}/credit-notes", given::path("invoices", &invoice));
    let (pens, ink) = (&invoice["lines"][0]["id"], &invoice["lines"][1]["id"]);
    let one =
        json!({"reason": "Broken", "lines": [{"line_id": pens, "quantity": "1"}, {"line_id": ink, "amount": "2.50"}]});
    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), one.clone())
        .await
        .expect(200);
    assert_eq!(entry(&shown, 0), lines(&[("4010", "2.8", "0"), ("1100", "0", "2.8")]));
    let first = shop.erp.post(&path, one).await.expect(201);
    assert!(first["number"].as_str().unwrap().starts_with("CN-"));
    assert_eq!(
        (
            &first["kind"],
            &first["status"],
            &first["total"]["gross"],
            &first["credited_invoice_id"]
        ),
        (&json!("credit_note"), &json!("paid"), &json!("2.80"), &invoice["id"])
    );
    let now = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (
            &now["status"],
            &now["open_amount"],
            &now["credited"],
            &now["lines"][1]["credited_amount"]
        ),
        (&json!("partially_paid"), &json!("8.10"), &json!("2.80"), &json!("2.50"))
    );
    assert_eq!(
        (&now["allocations"][0]["document_id"], &now["allocations"][0]["amount"]),
        (&first["id"], &json!("2.80"))
    );
    let more = json!({"lines": [{"line_id": pens, "quantity": "2.5"}, {"line_id": ink, "amount": "7.51"}]});
    let problem = shop.erp.post(&path, more).await.expect_problem(422, "exceeds_credited");
    assert_eq!(
        given::faults(&problem),
        [
            ("/lines/0/quantity", "exceeds_credited"),
            ("/lines/1/amount", "exceeds_credited")
        ]
    );
    let rest = shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(
        (&rest["total"]["gross"], &rest["lines"][0]["amount"]),
        (&json!("8.10"), &json!("0.60"))
    );
    let now = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["open_amount"]),
        (&json!("credited"), &json!("0.00"))
    );
    shop.erp
        .post(&path, json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(shop.customer_now().await["open_balance"], "0.00");
    let events = given::events(&shop.erp, "invoice.changed").await;
    let told: Vec<_> = given::of(&events, &invoice)
        .into_iter()
        .map(|(_, data)| data["open_amount"].clone())
        .collect();
    assert_eq!(told, [json!("10.90"), json!("8.10"), json!("0.00")]);
}

#[tokio::test]
async fn a_cancelled_invoice_is_credited_and_nothing_becomes_invoiceable_again() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "5").await;
    shop.ship(&order).await;
    let invoice = shop.invoice(&order).await;
    let cancel = format!("{}/cancel", given::path("invoices", &invoice));
    let early = json!({"date": days_ago(400)});
    shop.erp
        .post(&cancel, early)
        .await
        .expect_problem(422, "date_before_original");
    let credit = shop
        .erp
        .post(&cancel, json!({"reason": "Wrong customer"}))
        .await
        .expect(201);
    assert_eq!(
        (&credit["total"]["gross"], &credit["reason"]),
        (&json!("50.00"), &json!("Wrong customer"))
    );
    shop.erp
        .post(&cancel, json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    shop.erp
        .post(&path, json!({"post": true}))
        .await
        .expect_problem(409, "nothing_to_invoice");
    let now = shop.order_now(&order).await;
    assert_eq!(
        (&now["invoicing"], &now["lines"][0]["invoiced_quantity"]),
        (&json!("full"), &json!("5"))
    );
    let notes = shop
        .erp
        .get(&format!("/v1/invoices?credited_invoice_id={}", id(&invoice)))
        .await
        .expect(200);
    assert_eq!(notes["items"][0]["id"], credit["id"]);
}

#[tokio::test]
async fn a_credit_in_another_currency_goes_back_at_the_rate_of_its_invoice() {
    let shop = Shop::open().await;
    for (days, rate) in [(9, "1.10"), (1, "1.30")] {
        let rate = json!({"currency": "USD", "reference": "EUR", "date": days_ago(days), "rate": rate});
        shop.erp.post("/v1/exchange-rates", rate).await.expect(201);
    }
    let body = json!({"customer_id": shop.customer, "currency": "EUR", "date": days_ago(8), "post": true,
        "lines": [{"description": "Something", "quantity": "3", "unit_price": "33.33"}]});
    let invoice = shop.erp.post("/v1/invoices", body).await.expect(201);
    // 99.99 × 1.10 = 109.989
    assert_eq!(
        (&invoice["total"]["gross"], &invoice["base_gross"]),
        (&json!("99.99"), &json!("109.99"))
    );
    let path = format!("{}/credit-notes?dry_run=true", given::path("invoices", &invoice));
    let one = json!({"lines": [{"line_id": invoice["lines"][0]["id"], "quantity": "1"}]});
    let shown = shop.erp.post(&path, one).await.expect(200);
    // 33.33 × 1.10 = 36.663; a third of the item's 109.99 is 36.66 as well.
    assert_eq!(
        entry(&shown, 0),
        lines(&[("4010", "36.66", "0"), ("1100", "0", "36.66")])
    );
    let all = shop.erp.post(&path, json!({})).await.expect(200);
    assert_eq!(
        entry(&all, 0),
        lines(&[("4010", "109.99", "0"), ("1100", "0", "109.99")])
    );
    assert_eq!(all["exchange_rate"], "1.1");
}

#[tokio::test]
async fn a_credit_note_of_its_own_is_an_open_credit() {
    let shop = Shop::open().await;
    let credit = shop.free("credit_note", "100", days_ago(0)).await;
    assert_eq!(
        (
            &credit["status"],
            &credit["open_amount"],
            &credit["total"]["gross"],
            &credit["instalments"][0]["amount"]
        ),
        (&json!("posted"), &json!("-100.00"), &json!("100.00"), &json!("-100.00"))
    );
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["exposure"], &customer["open_balance"]),
        (&json!("-100.00"), &json!("-100.00"))
    );
}
