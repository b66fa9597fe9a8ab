//! An order of the back office appears in the CRM, read-only.

use serde_json::json;
use tests::{Stack, eventually, id};

#[tokio::test]
async fn an_order_of_the_back_office_shows_in_the_crm() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "10").await;
    let customer = stack.customer("Bon app'").await;
    eventually("the customer in the ERP", async || {
        (stack.erp.get(&format!("/v1/customers/{customer}")).await.status == 200).then_some(())
    })
    .await;
    let lines = json!([{"product_id": product, "quantity": "3", "unit_price": "2.50"}]);
    let body = json!({"customer_id": customer, "currency": "USD", "confirm": true, "lines": lines});
    let order = id(&stack.erp.post("/v1/sales-orders", body).await.expect(201));
    let shown = eventually("the order in the CRM", async || {
        let reply = stack.crm.get(&format!("/v1/orders/{order}")).await;
        (reply.status == 200).then_some(reply.body)
    })
    .await;
    assert_eq!(
        (&shown["origin"], &shown["status"], &shown["total"]["net"]),
        (&json!("erp"), &json!("accepted"), &json!("7.50"))
    );
    let problem = stack
        .crm
        .post(&format!("/v1/orders/{order}/cancel"), json!({}))
        .await
        .expect_problem(409, "not_owner");
    assert_eq!(problem["owner"], "erp");
    stack.quiet().await;
    stack.no_dead_letter().await;
}
