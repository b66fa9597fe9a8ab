//! What purchasing expects is what a quote in the CRM can promise, also while the ERP is down.

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};
use tests::{Stack, eventually, id};
use uuid::Uuid;

fn in_days(days: u64) -> NaiveDate {
    Utc::now().date_naive() + Days::new(days)
}

/// An order at a supplier that is binding.
async fn purchase(stack: &Stack, product: Uuid, quantity: &str, on: NaiveDate) -> Value {
    let supplier = json!({ "name": format!("Supplier of {quantity}"), "currency": "USD" });
    let supplier = id(&stack.erp.post("/v1/suppliers", supplier).await.expect(201));
    let body = json!({ "supplier_id": supplier, "submit": true,
        "lines": [{ "product_id": product, "quantity": quantity, "unit_price": "5", "expected_date": on }] });
    let order = stack.erp.post("/v1/purchase-orders", body).await.expect(201);
    let second = stack.erp.new_key("admin", &[]).await;
    let approve = format!("/v1/purchase-orders/{}/approve", id(&order));
    second.post(&approve, json!({})).await.expect(200)
}

async fn incoming(stack: &Stack, product: Uuid, days: &[(NaiveDate, &str)]) {
    let days = days
        .iter()
        .map(|(day, quantity)| json!({ "expected_on": day, "quantity": quantity }));
    let wanted: Value = days.collect();
    eventually(&format!("{wanted} incoming in the CRM"), async || {
        let shown = stack.crm.get(&format!("/v1/products/{product}")).await;
        (shown.status == 200 && shown.body["availability"]["incoming"] == wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_purchase_order_gives_the_lines_of_a_quote_their_dates() {
    let mut stack = Stack::start().await;
    let tea = stack.product("TEA", "6").await;
    stack.availability_in_crm(tea, "6").await;
    let customer = stack.customer("Rancho grande").await;
    let body = json!({ "title": "Tea", "customer_id": customer,
        "lines": [{ "product_id": tea, "quantity": "12", "unit_price": "10" }] });
    let quote = stack.crm.post("/v1/quotes", body).await.expect(201);
    let path = format!("/v1/quotes/{}", id(&quote));
    let expected =
        async |stack: &Stack| stack.crm.get(&path).await.expect(200)["availability"][0]["expected_on"].clone();
    assert_eq!(expected(&stack).await, Value::Null);

    let bought = purchase(&stack, tea, "20", in_days(9)).await;
    incoming(&stack, tea, &[(in_days(9), "20")]).await;
    assert_eq!(expected(&stack).await, json!(in_days(9)));
    // Somebody orders 21: 15 of what comes are theirs, and the quote has to wait for more.
    let order = stack.submit(customer, tea, "21").await;
    stack.order_in_crm(order, "accepted").await;
    incoming(&stack, tea, &[(in_days(9), "5")]).await;
    assert_eq!(expected(&stack).await, Value::Null);
    purchase(&stack, tea, "10", in_days(20)).await;
    incoming(&stack, tea, &[(in_days(9), "5"), (in_days(20), "10")]).await;
    assert_eq!(expected(&stack).await, json!(in_days(20)));
    // The goods arrive: those who wait get theirs, the rest is free.
    let receipts = format!("/v1/purchase-orders/{}/receipts", id(&bought));
    stack.erp.post(&receipts, json!({})).await.expect(201);
    stack.availability_in_crm(tea, "5").await;
    incoming(&stack, tea, &[(in_days(20), "10")]).await;
    assert_eq!(expected(&stack).await, json!(in_days(20)));

    // A replica that lost it, as one from before there was any: the resync brings it back.
    stack.quiet().await;
    let mut forgotten =
        stack.crm.get(&format!("/v1/products/{tea}")).await.expect(200)["availability"]["warehouses"][0].take();
    let level = stack
        .erp
        .get(&format!("/v1/availability?product_id={tea}"))
        .await
        .expect(200)["items"][0]
        .take();
    forgotten = json!({ "id": level["id"], "product_id": tea, "warehouse_id": forgotten["warehouse_id"],
        "on_hand": forgotten["on_hand"], "reserved": forgotten["reserved"], "source_version": level["version"],
        "as_of": forgotten["as_of"] });
    let integration = stack.crm_service.integration();
    let body = json!({ "items": [forgotten], "replace": true });
    integration.put("/v1/availability", body).await.expect(200);
    incoming(&stack, tea, &[]).await;
    stack
        .sync
        .post("/v1/flows/availability-to-crm/resync", json!({}))
        .await
        .expect(200);
    incoming(&stack, tea, &[(in_days(20), "10")]).await;

    // Quoting goes on while the ERP is down.
    stack.erp_service.running.handle().stop(false).await;
    assert_eq!(expected(&stack).await, json!(in_days(20)));
    stack.no_dead_letter().await;
    stack.stop_sync().await;
}
