//! Segments are put together in the CRM; the back office finds customers and orders by them.

use serde_json::{Value, json};
use tests::{Stack, eventually, id};
use uuid::Uuid;

async fn ids(client: &service_kit::testing::Client, path: &str) -> Vec<Uuid> {
    let page = client.get(path).await.expect(200);
    page["items"].as_array().into_iter().flatten().map(id).collect()
}

/// Waits until the ERP shows exactly these customers in a segment.
async fn in_erp(stack: &Stack, segment: Uuid, mut expected: Vec<Uuid>) {
    expected.sort_unstable();
    let path = format!("/v1/customers?segment_id={segment}&limit=200");
    eventually("the members of the segment in the ERP", async || {
        let mut now = ids(&stack.erp, &path).await;
        now.sort_unstable();
        (now == expected).then_some(())
    })
    .await;
}

async fn made(stack: &Stack, body: Value) -> Uuid {
    id(&stack.crm.post("/v1/segments", body).await.expect(201))
}

#[tokio::test]
async fn the_back_office_filters_by_the_segments_of_the_crm() {
    let mut stack = Stack::start().await;
    let product = stack.product("TEA", "100").await;
    let (a, b) = (stack.customer("Alfreds").await, stack.customer("Berglunds").await);
    let fair = made(&stack, json!({ "name": "Fair", "kind": "static" })).await;
    let add = format!("/v1/segments/{fair}/members/add");
    stack.crm.post(&add, json!({ "customer_ids": [a] })).await.expect(200);
    let rule = json!({ "name": "All companies", "kind": "rule", "rule": "kind = \"company\"" });
    let companies = made(&stack, rule).await;
    let refresh = format!("/v1/segments/{companies}/refresh");
    stack.crm.post(&refresh, json!({})).await.expect(200);
    in_erp(&stack, fair, vec![a]).await;
    in_erp(&stack, companies, vec![a, b]).await;
    let of_a = ids(&stack.erp, &format!("/v1/segments?customer_id={a}&sort=name")).await;
    assert_eq!(of_a, [companies, fair]);

    let (of_member, other) = (stack.submit(a, product, "1").await, stack.submit(b, product, "1").await);
    for order in [of_member, other] {
        stack.order_in_crm(order, "accepted").await;
    }
    let orders = format!("/v1/sales-orders?segment_id={fair}");
    assert_eq!(ids(&stack.erp, &orders).await, [of_member]);
    let refused = stack
        .erp
        .post("/v1/segments", json!({ "name": "Mine", "kind": "static" }))
        .await;
    assert_eq!(refused.expect_problem(409, "not_owner")["owner"], "crm");

    // A becomes part of B while the sync is away: B is in what A was put into by hand, and has A's order.
    stack.stop_sync().await;
    let merge = format!("/v1/customers/{a}/merge");
    stack.crm.post(&merge, json!({ "into": b })).await.expect(200);
    stack.start_sync().await;
    in_erp(&stack, fair, vec![b]).await;
    in_erp(&stack, companies, vec![b]).await;
    let mut both = vec![of_member, other];
    both.sort_unstable();
    eventually("the orders of both", async || {
        let mut now = ids(&stack.erp, &orders).await;
        now.sort_unstable();
        (now == both).then_some(())
    })
    .await;
    let remove = format!("/v1/segments/{fair}/members/remove");
    stack
        .crm
        .post(&remove, json!({ "customer_ids": [b] }))
        .await
        .expect(200);
    in_erp(&stack, fair, vec![]).await;

    // A sync without memory sends everything again, and nothing is different.
    stack.stop_sync().await;
    stack.sync_database = service_kit::testing::TestDatabase::of(&integration_sync::SERVICE);
    stack.start_sync().await;
    stack.quiet().await;
    in_erp(&stack, fair, vec![]).await;
    in_erp(&stack, companies, vec![b]).await;
    let history = format!("/v1/segments/{companies}/members?history=true");
    assert_eq!(ids(&stack.erp, &history).await.len(), 2);
    stack.no_dead_letter().await;
}
