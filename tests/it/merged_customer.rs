//! A customer turns out to be another one while its order is under way: one debtor on both sides.

use serde_json::json;
use tests::{Stack, eventually, id};
use uuid::Uuid;

/// An order that is delivered and invoiced, so that the customer owes its amount.
async fn owes(stack: &Stack, customer: Uuid, product: Uuid, quantity: &str) {
    let order = stack.submit(customer, product, quantity).await;
    stack.order_in_crm(order, "accepted").await;
    let path = format!("/v1/sales-orders/{order}");
    stack
        .erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect(201);
    stack
        .erp
        .post(&format!("{path}/invoices"), json!({ "post": true }))
        .await
        .expect(201);
}

/// A owes 500 and submits 300 during the merge, B owes 200, limit 1,000: accepted once, exposure
/// 1,000; 0.01 more is held.
#[tokio::test]
async fn an_order_that_is_submitted_during_the_merge_is_accepted_once() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "1000").await;
    for round in 0..4 {
        let (a, b) = (
            stack.customer(&format!("Antonio Moreno {round}")).await,
            stack.customer(&format!("Moreno Taquería {round}")).await,
        );
        owes(&stack, a, product, "50").await;
        owes(&stack, b, product, "20").await;
        let terms = json!({ "credit_limit": "1000" });
        stack.erp.patch(&format!("/v1/customers/{b}"), terms).await.expect(200);

        let lines = json!([{ "product_id": product, "quantity": "30", "unit_price": "10" }]);
        let draft = json!({ "customer_id": a, "currency": "USD", "lines": lines });
        let order = id(&stack.crm.post("/v1/orders", draft).await.expect(201));
        let (submit, merge) = (format!("/v1/orders/{order}/submit"), format!("/v1/customers/{a}/merge"));
        let (submitted, merged) = match round % 2 {
            0 => tokio::join!(
                stack.crm.post(&submit, json!({})),
                stack.crm.post(&merge, json!({ "into": b }))
            ),
            _ => {
                let merged = stack.crm.post(&merge, json!({ "into": b })).await;
                (stack.crm.post(&submit, json!({})).await, merged)
            }
        };
        submitted.expect(200);
        merged.expect(200);

        stack.order_in_crm(order, "accepted").await;
        let card = format!("/v1/customers/{b}/card");
        eventually("what both owe on the card of one", async || {
            let shown = stack.crm.get(&card).await.expect(200);
            let unpaid = shown["unpaid_invoices"]["count"] == 2;
            (unpaid && shown["credit"]["open_balance"] == "700.00").then_some(())
        })
        .await;
        let debtor = stack.erp.get(&format!("/v1/customers/{b}")).await.expect(200);
        assert_eq!(
            debtor["exposure"], "1000.00",
            "round {round}: {}",
            debtor["exposure_parts"]
        );
        let orders = stack.crm.get(&format!("/v1/orders?customer_id={b}")).await.expect(200);
        assert_eq!(
            orders["items"].as_array().map(Vec::len),
            Some(3),
            "nothing twice, nothing lost"
        );
        assert_eq!(
            stack.crm.get(&format!("/v1/customers/{a}")).await.expect(200)["id"],
            json!(b)
        );

        let one_cent = json!([{ "product_id": product, "quantity": "1", "unit_price": "0.01" }]);
        let draft = json!({ "customer_id": b, "currency": "USD", "submit": true, "lines": one_cent });
        let more = id(&stack.crm.post("/v1/orders", draft).await.expect(201));
        let held = stack.order_in_crm(more, "on_hold").await;
        assert_eq!(held["fulfilment"]["holds"][0]["code"], "credit");
    }
    stack.no_dead_letter().await;
}
