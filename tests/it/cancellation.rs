//! A cancellation after submission is a request that the ERP grants or refuses.

use serde_json::json;
use tests::{Stack, eventually};
use uuid::Uuid;

async fn request(stack: &Stack, order: Uuid) {
    stack
        .crm
        .post(
            &format!("/v1/orders/{order}/cancel"),
            json!({"reason": "ordered twice"}),
        )
        .await
        .expect(200);
}

#[tokio::test]
async fn granted_before_shipping_refused_after() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "10").await;
    let customer = stack.customer("Blauer See Delikatessen").await;

    let early = stack.submit(customer, product, "3").await;
    stack.order_in_crm(early, "accepted").await;
    request(&stack, early).await;
    let cancelled = stack.order_in_crm(early, "cancelled").await;
    assert_eq!(cancelled["cancellation"]["state"], "granted");
    stack.availability_in_crm(product, "10").await;

    let late = stack.submit(customer, product, "3").await;
    stack.order_in_crm(late, "accepted").await;
    stack
        .erp
        .post(&format!("/v1/sales-orders/{late}/deliveries"), json!({}))
        .await
        .expect(201);
    // The CRM does not know of the delivery yet, or does: the ERP's answer wins either way.
    let reply = stack
        .crm
        .post(&format!("/v1/orders/{late}/cancel"), json!({"reason": "too late"}))
        .await;
    if reply.status == 200 {
        let answered = eventually("the refusal", async || {
            let order = stack.crm.get(&format!("/v1/orders/{late}")).await.expect(200);
            (order["cancellation"]["state"] == "refused").then_some(order)
        })
        .await;
        assert_eq!(answered["status"], "delivered");
    } else {
        reply.expect_problem(409, "illegal_transition");
    }
    stack.no_dead_letter().await;
}

#[tokio::test]
async fn a_request_that_races_the_acceptance_ends_in_one_answer() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "100").await;
    let customer = stack.customer("Bólido Comidas preparadas").await;
    for _ in 0..10 {
        let order = stack.submit(customer, product, "1").await;
        request(&stack, order).await;
        let cancelled = stack.order_in_crm(order, "cancelled").await;
        assert_eq!(cancelled["cancellation"]["state"], "granted");
    }
    stack.availability_in_crm(product, "100").await;
    stack.no_dead_letter().await;
}
