//! The order of arrival does not matter, applying twice does no harm, and nothing echoes.

use serde_json::json;
use tests::{Stack, eventually};

#[tokio::test]
async fn an_order_that_arrives_before_its_customer_is_applied_all_the_same() {
    let stack = Stack::start().await;
    let product = stack.product("TEA", "10").await;
    stack
        .sync
        .post("/v1/flows/customers-to-erp/pause", json!({}))
        .await
        .expect(200);
    let customer = stack.customer("Bottom-Dollar Markets").await;
    let order = stack.submit(customer, product, "2").await;
    stack.order_in_crm(order, "accepted").await;
    let in_erp = stack.erp.get(&format!("/v1/customers/{customer}")).await.expect(200);
    assert_eq!(in_erp["name"], "Bottom-Dollar Markets");
    stack
        .sync
        .post("/v1/flows/customers-to-erp/resume", json!({}))
        .await
        .expect(200);
    stack.quiet().await;
    stack.no_dead_letter().await;
}

#[tokio::test]
async fn versions_that_arrive_backwards_end_in_the_newest() {
    let stack = Stack::start().await;
    let customer = stack.customer("B's Beverages").await;
    let path = format!("/v1/customers/{customer}");
    for name in ["First", "Second", "Third"] {
        stack.crm.patch(&path, json!({ "name": name })).await.expect(200);
    }
    let newest = eventually("the newest name", async || {
        let reply = stack.erp.get(&path).await;
        (reply.body["name"] == "Third").then_some(reply.body)
    })
    .await;
    // Older versions, applied by hand after the newest, change nothing.
    let events = stack.crm.get("/v1/events?types=customer.changed").await.expect(200);
    let integration = stack.erp_service.integration();
    let mut versions: Vec<_> = events["events"].as_array().into_iter().flatten().cloned().collect();
    versions.reverse();
    assert_eq!(versions.len(), 4);
    for event in versions {
        let mut body = json!({
            "source_version": event["subjectversion"], "as_of": event["time"], "name": event["data"]["name"],
            "kind": "company", "status": "active", "legal_entities": [], "contacts": [], "addresses": []
        });
        body["name"] = event["data"]["name"].clone();
        integration.put(&path, body).await.expect(200);
        let now = stack.erp.get(&path).await.expect(200);
        assert_eq!((&now["name"], &now["revision"]), (&json!("Third"), &newest["revision"]));
    }
}

#[tokio::test]
async fn nothing_echoes_and_applying_everything_twice_changes_nothing() {
    let mut stack = Stack::start().await;
    let product = stack.product("TEA", "10").await;
    let customer = stack.customer("Cactus Comidas para llevar").await;
    let order = stack.submit(customer, product, "2").await;
    stack.order_in_crm(order, "accepted").await;
    stack
        .erp
        .post(&format!("/v1/sales-orders/{order}/deliveries"), json!({}))
        .await
        .expect(201);
    stack.order_in_crm(order, "delivered").await;
    stack.quiet().await;
    let state = async |stack: &Stack| {
        (
            stack.newest_event(&stack.erp).await,
            stack.newest_event(&stack.crm).await,
            stack.erp.get(&format!("/v1/sales-orders/{order}")).await.body,
            stack.crm.get(&format!("/v1/orders/{order}")).await.body,
            stack.erp.get(&format!("/v1/customers/{customer}")).await.body,
            stack
                .erp
                .get(&format!("/v1/availability?product_id={product}"))
                .await
                .body,
        )
    };
    let before = state(&stack).await;
    // A sync without memory reads both feeds from the beginning: every message a second time.
    stack.stop_sync().await;
    stack.sync_database = service_kit::testing::TestDatabase::of(&integration_sync::SERVICE);
    stack.start_sync().await;
    eventually("every flow to have read its feed again", async || {
        let flows = stack.sync.get("/v1/flows").await.expect(200);
        let read = |name: &str| {
            let flow = flows["items"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|flow| flow["name"] == name);
            flow.and_then(|flow| flow["counts"]["read"].as_i64()).unwrap_or(0)
        };
        let all = [
            "customers-to-erp",
            "orders-to-erp",
            "catalogue-to-crm",
            "availability-to-crm",
            "fulfilment-to-crm",
            "credit-to-crm",
        ];
        all.iter().all(|name| read(name) > 0).then_some(())
    })
    .await;
    stack.quiet().await;
    let after = state(&stack).await;
    assert_eq!(before, after);
    stack.no_dead_letter().await;
}
