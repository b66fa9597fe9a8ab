//! A rejected order says why; one over the credit limit waits for the back office.

use serde_json::json;
use tests::Stack;
use uuid::Uuid;

#[tokio::test]
async fn a_rejected_order_says_why_line_by_line_and_is_copied() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "10").await;
    let customer = stack.customer("Around the Horn").await;
    let lines = json!([
        {"product_id": product, "quantity": "1", "unit_price": "1"},
        {"product_id": Uuid::now_v7(), "quantity": "1", "unit_price": "1"}
    ]);
    let body = json!({"customer_id": customer, "currency": "USD", "lines": lines});
    let order = tests::id(&stack.crm.post("/v1/orders", body).await.expect(201));
    stack
        .crm
        .post(&format!("/v1/orders/{order}/submit"), json!({}))
        .await
        .expect(200);
    let rejected = stack.order_in_crm(order, "rejected").await;
    assert_eq!(rejected["rejection"][0]["code"], "unknown_product");
    assert_eq!(rejected["rejection"][0]["line"], rejected["lines"][1]["id"]);
    let copy = stack
        .crm
        .post(&format!("/v1/orders/{order}/copy"), json!({}))
        .await
        .expect(201);
    assert_eq!(
        (&copy["status"], copy["lines"].as_array().map(Vec::len)),
        (&json!("draft"), Some(2))
    );
    stack.availability_in_crm(product, "10").await;
    stack.no_dead_letter().await;
}

#[tokio::test]
async fn an_order_over_the_limit_is_on_hold_until_released() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "100").await;
    let customer = stack.customer("Berglunds snabbköp").await;
    let path = format!("/v1/customers/{customer}");
    tests::eventually("the customer in the ERP", async || {
        (stack.erp.get(&path).await.status == 200).then_some(())
    })
    .await;
    stack.erp.patch(&path, json!({"credit_limit": "100"})).await.expect(200);
    tests::eventually("the limit in the CRM", async || {
        (stack.crm.get(&path).await.body["credit"]["credit_limit"] == "100.00").then_some(())
    })
    .await;
    let order = stack.submit(customer, product, "11").await;
    let held = stack.order_in_crm(order, "on_hold").await;
    assert_eq!(held["fulfilment"]["holds"][0]["code"], "credit");
    assert_eq!(held["fulfilment"]["lines"][0]["reserved_quantity"], "0");
    stack
        .erp
        .post(
            &format!("/v1/sales-orders/{order}/release"),
            json!({"reason": "prepaid"}),
        )
        .await
        .expect(200);
    let accepted = stack.order_in_crm(order, "accepted").await;
    assert_eq!(accepted["fulfilment"]["lines"][0]["reserved_quantity"], "11");
    stack.no_dead_letter().await;
}
