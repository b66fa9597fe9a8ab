//! Who is told that a quote waits for approval, and what was decided.

use super::support::{act, quote, sold};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn notified(client: &Client, of: &Value) -> Vec<String> {
    let page = client.get("/v1/me/notifications").await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .filter(|item| item["subject"] == of["id"] && item["subject_type"] == "quote")
        .map(|item| item["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn those_who_may_decide_are_told_and_then_those_who_asked() {
    let crm = crm().await;
    let (north, south) = (crm.team("North", None).await, crm.team("South", None).await);
    let below = crm.team("Fjords", Some(&north)).await;
    let rep = crm.user("Nancy", "sales", "own", Some(&below)).await;
    let colleague = crm.user("Anne", "sales", "all", Some(&below)).await;
    let boss = crm.user("Steven", "sales_manager", "team", Some(&north)).await;
    let other = crm.user("Laura", "sales_manager", "team", Some(&south)).await;
    let above = crm.user("Andrew", "sales_manager", "all", None).await;
    let narrow = crm.user("Michael", "sales_manager", "all", None).await;
    let gone = crm.user("Robert", "sales_manager", "all", None).await;
    let limit = json!({ "user_id": narrow.id, "max_discount": "0.15" });
    crm.client.post("/v1/discount-limits", limit).await.expect(201);

    let of = customer(&rep.client, "Discounted").await;
    let tea = sold(&crm, "TEA", "10").await;
    let lines = json!([{ "product_id": tea, "quantity": "10", "discount": "0.2" }]);
    let draft = quote(&rep.client, &of, json!({ "lines": lines })).await;
    // Who worked on it does not decide on it.
    let path = format!("/v1/quotes/{}", id(&draft));
    above
        .client
        .patch_matching(&path, "*", json!({ "terms": "Net 14" }))
        .await
        .expect(200);
    crm.client
        .post(&format!("/v1/users/{}/deactivate", gone.id), json!({}))
        .await
        .expect(200);
    act(&rep.client, &draft, "request-approval", json!({}))
        .await
        .expect(200);
    assert_eq!(notified(&boss.client, &draft).await, ["quote_approval_requested"]);
    // Out of sight; a maker; too narrow a limit; not allowed to; asked for it.
    for silent in [&other, &above, &narrow, &colleague, &rep] {
        assert_eq!(notified(&silent.client, &draft).await, Vec::<String>::new());
    }
    let reason = json!({ "reason": "Too much" });
    act(&boss.client, &draft, "reject", reason).await.expect(200);
    assert_eq!(notified(&rep.client, &draft).await, ["quote_rejected"]);
    // Asked again, decided again: told again, newest first.
    act(&rep.client, &draft, "request-approval", json!({}))
        .await
        .expect(200);
    act(&boss.client, &draft, "approve", json!({})).await.expect(200);
    assert_eq!(
        notified(&rep.client, &draft).await,
        ["quote_approved", "quote_rejected"]
    );
    let requested = "quote_approval_requested";
    assert_eq!(notified(&boss.client, &draft).await, [requested, requested]);
    assert_eq!(notified(&other.client, &draft).await, Vec::<String>::new());
}

#[actix_web::test]
async fn an_approval_that_is_only_tried_tells_nobody() {
    let crm = crm().await;
    let (rep, manager) = super::support::people(&crm).await;
    let of = customer(&rep, "Tried").await;
    let tea = sold(&crm, "TEA", "10").await;
    let lines = json!([{ "product_id": tea, "quantity": "1", "discount": "0.2" }]);
    let draft = quote(&rep, &of, json!({ "lines": lines })).await;
    act(&rep, &draft, "request-approval?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!(notified(&manager, &draft).await, Vec::<String>::new());
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    // Taken back is not decided.
    act(&rep, &draft, "withdraw", json!({})).await.expect(200);
    assert_eq!(notified(&rep, &draft).await, Vec::<String>::new());
}
