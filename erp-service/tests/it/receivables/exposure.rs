use super::days_ago;
use crate::given;
use crate::shop::{Shop, id};
use serde_json::json;

/// Limit 1,000; one order of 720, half of it invoiced, 100 on account: exposure 620. The next order of 380.00 passes,
/// 380.01 is held.
#[tokio::test]
async fn the_worked_example_of_credit() {
    let shop = Shop::open().await;
    shop.limit_credit("1000").await;
    let product = shop.stocked("A", "36").await;
    let order = shop.confirmed(product, "72").await;
    assert_eq!(shop.customer_now().await["exposure"], "720.00");
    shop.ship(&order).await;
    assert_eq!(shop.customer_now().await["exposure"], "720.00");
    let invoice = shop.invoice(&order).await;
    assert_eq!(invoice["total"]["gross"], "360.00");
    assert_eq!(shop.customer_now().await["exposure"], "720.00");
    shop.free("credit_note", "100", days_ago(0)).await;
    let customer = shop.customer_now().await;
    assert_eq!(
        (
            &customer["exposure"],
            &customer["exposure_parts"],
            &customer["open_balance"]
        ),
        (
            &json!("620.00"),
            &json!({"orders": "360.00", "invoices": "360.00", "credits": "-100.00", "advances": "0.00", "rates_missing": []}),
            &json!("260.00")
        )
    );
    let of = |price: &str| shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": price}]));
    let held = shop
        .erp
        .post("/v1/sales-orders?dry_run=true", of("380.01"))
        .await
        .expect(200);
    assert_eq!(
        (&held["status"], &held["holds"][0]["code"]),
        (&json!("on_hold"), &json!("credit"))
    );
    let passes = shop.erp.post("/v1/sales-orders", of("380.00")).await.expect(201);
    assert_eq!((&passes["status"], &passes["holds"]), (&json!("confirmed"), &json!([])));
    assert_eq!(shop.customer_now().await["exposure"], "1000.00");

    // At its limit, the order that counts ships: it is not counted twice.
    shop.adjust(product, "1").await;
    let line = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "1"}]});
    shop.erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), line)
        .await
        .expect(201);
}

#[tokio::test]
async fn the_crm_is_told_what_invoices_change() {
    let shop = Shop::open().await;
    let before = shop.customer_now().await;
    shop.free("invoice", "100", days_ago(40)).await;
    let after = shop.customer_now().await;
    assert_eq!(
        (&after["open_balance"], &after["overdue_days"], &after["revision"]),
        (&json!("100.00"), &json!(10), &before["revision"])
    );
    let events = given::events(&shop.erp, "customer.credit_changed").await;
    let (version, told) = *given::of(&events, &after).last().unwrap();
    assert_eq!(
        (version, &told["open_balance"], &told["overdue_days"]),
        (after["version"].as_i64().unwrap(), &json!("100.00"), &json!(10))
    );
}

#[tokio::test]
async fn an_overdue_invoice_stops_release_and_shipment_but_not_confirmation() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let path = format!("/v1/customers/{}", shop.customer);
    shop.erp
        .patch(&path, json!({"overdue_stop_days": 10}))
        .await
        .expect(200);
    shop.free("invoice", "100", days_ago(40)).await;
    let order = shop.confirmed(product, "1").await;
    assert_eq!(order["status"], "confirmed");
    // 10 days overdue are allowed.
    shop.ship(&order).await;
    shop.erp.patch(&path, json!({"overdue_stop_days": 9})).await.expect(200);
    let order = shop.confirmed(product, "1").await;
    let ship = format!("/v1/sales-orders/{}/deliveries", id(&order));
    let problem = shop
        .erp
        .post(&ship, json!({}))
        .await
        .expect_problem(409, "credit_exceeded");
    assert_eq!(problem["hold"], "credit_overdue");
    let order_path = format!("/v1/sales-orders/{}", id(&order));
    shop.erp
        .post(&format!("{order_path}/hold"), json!({"reason": "look at it"}))
        .await
        .expect(200);
    let released = shop
        .erp
        .post(&format!("{order_path}/release"), json!({"reason": "looked"}))
        .await
        .expect(200);
    assert_eq!(
        (&released["status"], &released["holds"][0]["code"]),
        (&json!("on_hold"), &json!("credit_overdue"))
    );
    let released = shop
        .erp
        .post(&format!("{order_path}/release"), json!({"reason": "they will pay"}))
        .await
        .expect(200);
    assert_eq!(released["status"], "confirmed");
    shop.erp.post(&ship, json!({})).await.expect(201);
    // The company's days count where the customer has none of its own.
    shop.erp
        .patch(&path, json!({"overdue_stop_days": null}))
        .await
        .expect(200);
    shop.erp
        .patch("/v1/company", json!({"overdue_stop_days": 0}))
        .await
        .expect(200);
    let order = shop.confirmed(product, "1").await;
    let ship = format!("/v1/sales-orders/{}/deliveries", id(&order));
    shop.erp
        .post(&ship, json!({}))
        .await
        .expect_problem(409, "credit_exceeded");
}

#[tokio::test]
async fn another_currency_counts_at_the_rate_of_the_day() {
    let shop = Shop::open().await;
    shop.limit_credit("1000").await;
    let product = shop.stocked("A", "5").await;
    let of = |price: &str| {
        json!({"customer_id": shop.customer, "currency": "EUR", "confirm": true,
            "lines": [{"product_id": product, "quantity": "1", "unit_price": price}]})
    };
    let held = shop.erp.post("/v1/sales-orders", of("1")).await.expect(201);
    assert_eq!(held["holds"][0]["code"], "credit_currency");
    let rate = json!({"currency": "USD", "reference": "EUR", "date": days_ago(0), "rate": "1.25"});
    shop.erp.post("/v1/exchange-rates", rate).await.expect(201);
    let over = shop.erp.post("/v1/sales-orders", of("800.01")).await.expect(201);
    assert_eq!(over["holds"][0]["code"], "credit");
    let passes = shop.erp.post("/v1/sales-orders", of("800")).await.expect(201);
    assert_eq!(passes["status"], "confirmed");
    assert_eq!(shop.customer_now().await["exposure"], "1000.00");
}

#[tokio::test]
async fn two_orders_do_not_pass_the_limit_together_while_invoices_are_posted() {
    let shop = Shop::open().await;
    shop.limit_credit("100").await;
    let product = shop.stocked("A", "10").await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (erp, order) = (
            shop.erp.clone(),
            shop.order(json!([{"product_id": product, "quantity": "4", "unit_price": "10"}])),
        );
        clients.spawn(async move {
            let placed = erp.post("/v1/sales-orders", order).await.expect(201);
            if placed["status"] == "confirmed" {
                let path = format!("/v1/sales-orders/{}", id(&placed));
                erp.post(&format!("{path}/deliveries"), json!({})).await.expect(201);
                erp.post(&format!("{path}/invoices"), json!({"post": true}))
                    .await
                    .expect(201);
            }
            placed["status"] == "confirmed"
        });
    }
    let passed = clients.join_all().await.into_iter().filter(|passed| *passed).count();
    assert_eq!(
        (passed, shop.customer_now().await["exposure"].clone()),
        (2, json!("80.00"))
    );
}
