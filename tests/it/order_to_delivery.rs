//! An order entered in the CRM is reserved in the ERP, shipped there, and its status comes back.

use serde_json::json;
use tests::Stack;

#[tokio::test]
async fn a_sales_client_orders_and_the_back_office_ships() {
    let stack = Stack::start().await;
    let (tea, cups) = (stack.product("TEA", "10").await, stack.product("CUPS", "2").await);
    let list = stack
        .erp
        .post("/v1/price-lists", json!({"name": "Base", "currency": "USD"}))
        .await
        .expect(201);
    let prices = format!("/v1/price-lists/{}/prices", tests::id(&list));
    stack
        .erp
        .post(&prices, json!({"product_id": tea, "unit_price": "9.80"}))
        .await
        .expect(201);
    tests::eventually("the price in the CRM", async || {
        let product = stack.crm.get(&format!("/v1/products/{tea}")).await.expect(200);
        (product["prices"][0]["unit_price"] == "9.8").then_some(())
    })
    .await;

    let customer = stack.customer("Ana Trujillo Emparedados y helados").await;
    let lines = json!([{"product_id": tea, "quantity": "4"}, {"product_id": cups, "quantity": "3", "unit_price": "2.50", "discount": "0.1"}]);
    let body = json!({"customer_id": customer, "currency": "USD", "external_ref": "PO-7", "lines": lines});
    let order = tests::id(&stack.crm.post("/v1/orders", body).await.expect(201));
    let submitted = stack
        .crm
        .post(&format!("/v1/orders/{order}/submit"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        submitted["lines"][0]["unit_price"], "9.8",
        "the tier price of the order date"
    );

    let accepted = stack.order_in_crm(order, "accepted").await;
    let fulfilment = &accepted["fulfilment"];
    assert!(
        fulfilment["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("SO-")),
        "{accepted:#}"
    );
    assert_eq!(
        (
            &fulfilment["lines"][0]["reserved_quantity"],
            &fulfilment["lines"][0]["backordered_quantity"]
        ),
        (&json!("4"), &json!("0"))
    );
    assert_eq!(
        (
            &fulfilment["lines"][1]["reserved_quantity"],
            &fulfilment["lines"][1]["backordered_quantity"]
        ),
        (&json!("2"), &json!("1"))
    );
    assert_eq!(
        accepted["total"],
        json!({"net": "45.95", "tax": "0.00", "gross": "45.95"})
    );
    stack.availability_in_crm(tea, "6").await;

    // The back office sees the same order by the same id, with the same lines, and ships it.
    let in_erp = stack.erp.get(&format!("/v1/sales-orders/{order}")).await.expect(200);
    assert_eq!(
        (&in_erp["total"], &in_erp["external_ref"]),
        (&accepted["total"], &json!("PO-7"))
    );
    assert_eq!(in_erp["lines"][1]["id"], accepted["lines"][1]["id"]);
    stack
        .erp
        .post(&format!("/v1/sales-orders/{order}/deliveries"), json!({}))
        .await
        .expect(201);
    let partly = stack.order_in_crm(order, "partially_delivered").await;
    assert_eq!(partly["fulfilment"]["lines"][1]["delivered_quantity"], "2");

    // A receipt fills the backorder; the rest ships.
    stack.adjust(cups, "5").await;
    stack
        .erp
        .post(&format!("/v1/sales-orders/{order}/deliveries"), json!({}))
        .await
        .expect(201);
    let delivered = stack.order_in_crm(order, "delivered").await;
    assert_eq!(delivered["fulfilment"]["deliveries"].as_array().map(Vec::len), Some(2));
    stack.availability_in_crm(cups, "4").await;

    let timeline = stack
        .crm
        .get(&format!("/v1/customers/{customer}/timeline"))
        .await
        .expect(200);
    let kinds: Vec<&str> = timeline["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["kind"].as_str())
        .collect();
    for kind in [
        "customer_created",
        "order_submitted",
        "order_accepted",
        "order_delivered",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    stack.no_dead_letter().await;
}
