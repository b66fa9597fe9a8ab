//! A change request of the CRM races the delivery of the same order in the ERP: whichever is first,
//! one answer, nothing delivered beyond what is ordered, and both sides say the same.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tests::{Stack, eventually};

fn number(value: &Value) -> Decimal {
    value.as_str().expect("a decimal").parse().expect("a decimal")
}

#[tokio::test]
async fn a_request_for_less_that_races_a_delivery_ends_in_one_truth() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "1000").await;
    let customer = stack.customer("Suprêmes délices").await;
    let (mut granted, mut refused) = (0, 0);
    for round in 0..12 {
        let order = stack.submit(customer, product, "10").await;
        let accepted = stack.order_in_crm(order, "accepted").await;
        let line = &accepted["lines"][0]["id"];
        let request =
            json!({ "requests": [{ "kind": "quantity", "line_id": line, "quantity": "3", "reason": "too many" }] });
        let (changes, deliveries) = (
            format!("/v1/orders/{order}/change-requests"),
            format!("/v1/sales-orders/{order}/deliveries"),
        );
        // In turn the request has a head start until the ERP has answered it, or none, or comes too late.
        let (asked, delivery) = match round % 3 {
            0 => {
                let asked = stack.crm.post(&changes, request).await;
                answered(&stack, order).await;
                (asked, stack.erp.post(&deliveries, json!({})).await)
            }
            1 => tokio::join!(
                stack.crm.post(&changes, request),
                stack.erp.post(&deliveries, json!({}))
            ),
            _ => {
                let delivery = stack.erp.post(&deliveries, json!({})).await;
                (stack.crm.post(&changes, request).await, delivery)
            }
        };
        delivery.expect(201);
        // Where the CRM knows of the delivery already, it refuses by itself.
        let answer = match asked.status == 200 {
            true => answered(&stack, order).await,
            false => {
                let problem = asked.expect_problem(409, "illegal_transition");
                json!({ "state": "refused", "answer": problem["detail"] })
            }
        };
        let there = stack.erp.get(&format!("/v1/sales-orders/{order}")).await.expect(200);
        let (ordered, delivered) = (
            number(&there["lines"][0]["quantity"]),
            number(&there["lines"][0]["delivered_quantity"]),
        );
        assert_eq!(ordered, delivered, "round {round}: all that is ordered is delivered");
        match answer["state"].as_str() {
            Some("granted") => {
                granted += 1;
                assert_eq!(delivered, Decimal::from(3), "round {round}");
            }
            Some("refused") => {
                refused += 1;
                assert_eq!(delivered, Decimal::from(10), "round {round}");
                assert!(answer["answer"].is_string(), "it says why: {answer}");
            }
            _ => panic!("round {round}: {answer}"),
        }
        let here = stack.order_in_crm(order, "delivered").await;
        assert_eq!(number(&here["fulfilment"]["lines"][0]["delivered_quantity"]), delivered);
    }
    assert!(granted >= 4 && refused >= 4, "{granted} granted, {refused} refused");
    stack.no_dead_letter().await;
}

/// The request, once the CRM shows the ERP's answer to it.
async fn answered(stack: &Stack, order: uuid::Uuid) -> Value {
    eventually("the request to be answered", async || {
        let body = stack.crm.get(&format!("/v1/orders/{order}")).await.expect(200);
        let request = body["change_requests"][0].clone();
        (request["state"] != "requested").then_some(request)
    })
    .await
}
