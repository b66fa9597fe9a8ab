//! An order of the CRM is delivered, invoiced and paid in the ERP, and the customer's card in the CRM shows all of it.

use serde_json::{Value, json};
use tests::{Stack, eventually, id};
use uuid::Uuid;

/// Waits until the order shows how far it is invoiced and paid.
async fn order_is(stack: &Stack, order: Uuid, invoicing: &str, payment: &str) -> Value {
    eventually(
        &format!("order {order} invoiced {invoicing}, paid {payment}"),
        async || {
            let body = stack.crm.get(&format!("/v1/orders/{order}")).await.expect(200);
            let fulfilment = &body["fulfilment"];
            (fulfilment["invoicing"] == invoicing && fulfilment["payment"] == payment).then_some(body)
        },
    )
    .await
}

#[tokio::test]
async fn an_order_becomes_an_invoice_and_the_invoice_money() {
    let stack = Stack::start().await;
    let tea = stack.product("TEA", "10").await;
    let customer = stack.customer("Ernst Handel").await;
    let order = stack.submit(customer, tea, "4").await;
    stack.order_in_crm(order, "accepted").await;
    let of_order = format!("/v1/sales-orders/{order}");
    let deliveries = format!("{of_order}/deliveries");
    stack.erp.post(&deliveries, json!({})).await.expect(201);
    let posted = json!({ "post": true });
    let invoice = stack
        .erp
        .post(&format!("{of_order}/invoices"), posted)
        .await
        .expect(201);
    assert_eq!(invoice["total"]["gross"], "40.00", "4 at 10.00, no tax set up");

    let order_in_crm = order_is(&stack, order, "full", "none").await;
    assert_eq!(order_in_crm["fulfilment"]["lines"][0]["invoiced_quantity"], "4");
    let card = format!("/v1/customers/{customer}");
    let shown = eventually("the invoice on the customer's card", async || {
        let page = stack.crm.get(&format!("{card}/invoices")).await.expect(200);
        page["items"].get(0).cloned()
    })
    .await;
    for field in ["id", "number", "status", "total", "open_amount", "order_id", "date"] {
        assert_eq!(shown[field], invoice[field], "{field}");
    }
    assert_eq!(shown["due_on"], invoice["instalments"][0]["due_on"]);
    eventually("the open balance on the card", async || {
        let body = stack.crm.get(&card).await.expect(200);
        (body["credit"]["open_balance"] == "40.00").then_some(())
    })
    .await;

    let payment = json!({
        "direction": "in", "party_type": "customer", "party_id": customer, "currency": "USD", "amount": "40.00",
        "reference": invoice["number"], "allocations": [{ "document_id": invoice["id"] }],
    });
    let payment = stack.erp.post("/v1/payments", payment).await.expect(201);

    let paid = eventually("the invoice paid on the card", async || {
        let body = stack
            .crm
            .get(&format!("/v1/invoices/{}", id(&invoice)))
            .await
            .expect(200);
        (body["status"] == "paid").then_some(body)
    })
    .await;
    assert_eq!((&paid["open_amount"], &paid["due_on"]), (&json!("0.00"), &Value::Null));
    order_is(&stack, order, "full", "full").await;
    let received = eventually("the payment on the card", async || {
        let page = stack.crm.get(&format!("{card}/payments")).await.expect(200);
        page["items"].get(0).cloned()
    })
    .await;
    assert_eq!(
        (
            &received["number"],
            &received["amount"],
            &received["allocations"][0]["document_id"]
        ),
        (&payment["number"], &json!("40.00"), &invoice["id"])
    );
    eventually("nothing open on the card", async || {
        let credit = stack.crm.get(&card).await.expect(200)["credit"].clone();
        (credit["open_balance"] == "0.00" && credit["exposure"] == "0.00").then_some(())
    })
    .await;
    let timeline = stack.crm.get(&format!("{card}/timeline")).await.expect(200);
    let kinds: Vec<&str> = timeline["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["kind"].as_str())
        .collect();
    for kind in [
        "invoice_posted",
        "invoice_paid",
        "payment_received",
        "order_invoiced",
        "order_paid",
    ] {
        assert_eq!(
            kinds.iter().filter(|told| **told == kind).count(),
            1,
            "{kind} in {kinds:?}"
        );
    }
    stack.no_dead_letter().await;
}
