//! Sending everything again: at the first start, when the feed is gone, when an operator asks.

use crate::fake::{HANGS, customer, level, order, sales_order};
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

fn with(mut record: Value, fields: Value) -> Value {
    record
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    record
}

#[tokio::test]
async fn the_first_start_brings_over_what_was_there_before() {
    let stage = Stage::prepare().await;
    let ids: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
    stage
        .crm
        .set_list("/v1/customers", ids.iter().map(|id| customer(*id, 3, "Acme")).collect());
    stage.erp.set_list(
        "/v1/availability",
        ids.iter().map(|id| level(*id, 2, "5.000")).collect(),
    );
    let stage = stage.with_sync().await;
    stage.settled().await;
    for id in &ids {
        let sent = stage.erp.puts_to(&format!("/v1/customers/{id}"));
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0]["source_version"], 3);
        assert_eq!(sent[0].get("replace"), None, "both sides may be full already");
    }
    let levels = stage.crm.puts_to("/v1/availability");
    assert!(levels.iter().all(|body| body.get("replace").is_none()));
    let items: usize = levels.iter().map(|body| body["items"].as_array().unwrap().len()).sum();
    assert_eq!(items, 5);
    let flow = stage.flow("customers-to-erp").await;
    assert_eq!(
        (&flow["counts"]["read"], &flow["counts"]["applied"]),
        (&json!(5), &json!(5))
    );
    assert!(flow["resync_finished_at"].is_string() && flow["cursor"].is_string());
    stage.stop().await;
}

#[tokio::test]
async fn only_submitted_orders_of_the_crm_are_sent_again() {
    let stage = Stage::start().await;
    let (buyer, draft, submitted, foreign) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    stage.crm.set_list(
        "/v1/orders",
        vec![
            with(
                order(draft, 1, buyer),
                json!({ "status": "draft", "submitted_at": null }),
            ),
            with(
                order(submitted, 2, buyer),
                json!({ "cancellation": { "state": "refused", "reason": "changed my mind" } }),
            ),
            with(order(foreign, 1, buyer), json!({ "origin": "erp" })),
        ],
    );
    let asked = stage
        .client
        .post("/v1/flows/orders-to-erp/resync", json!({}))
        .await
        .expect(200);
    assert!(asked["resync"]["requested_at"].is_string());
    stage
        .flow_is("orders-to-erp", "resynced", |flow| flow["resync"].is_null())
        .await;
    let sent = stage.erp.puts();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].path, format!("/v1/sales-orders/{submitted}"));
    assert_eq!(sent[0].body["replace"], true);
    assert_eq!(sent[0].body["cancellation_request"]["reason"], "changed my mind");
    assert!(
        stage
            .crm
            .gets()
            .iter()
            .any(|get| get.starts_with("/v1/orders?origin=crm&limit=500"))
    );
    let audit = stage.client.get("/v1/audit-log?subject_type=flow").await.expect(200);
    assert_eq!(audit["items"][0]["operation"], "POST /v1/flows/orders-to-erp/resync");
    stage.stop().await;
}

#[tokio::test]
async fn what_changes_during_a_resync_is_followed_afterwards() {
    let stage = Stage::start().await;
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    stage.crm.set_list("/v1/customers", vec![customer(old, 1, "old")]);
    stage.erp.hold_puts(true);
    stage
        .client
        .post("/v1/flows/customers-to-erp/resync", json!({}))
        .await
        .expect(200);
    eventually("the resync is under way", async || {
        stage.erp.puts_to(&format!("/v1/customers/{old}")).len() == 1
    })
    .await;
    stage.crm.emit("customer.changed", new, 1, customer(new, 1, "new"));
    stage.erp.hold_puts(false);
    eventually("the new one arrives", async || {
        stage.erp.puts_to(&format!("/v1/customers/{new}")).len() == 1
    })
    .await;
    stage.settled().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_restored_source_is_sent_again_and_sent_to_again() {
    let stage = Stage::start().await;
    let (buyer, id) = (Uuid::now_v7(), Uuid::now_v7());
    stage.crm.set_list("/v1/customers", vec![customer(buyer, 2, "Acme")]);
    stage.crm.set_list("/v1/orders", vec![order(id, 1, buyer)]);
    stage
        .erp
        .set_list("/v1/sales-orders", vec![sales_order(id, 3, "confirmed")]);
    stage.erp.restore();
    // Out of the ERP ...
    let fulfilment = format!("/v1/orders/{id}/fulfilment");
    eventually("the order comes back", async || {
        !stage.crm.puts_to(&fulfilment).is_empty()
    })
    .await;
    assert_eq!(stage.crm.puts_to(&fulfilment)[0]["replace"], true);
    // ... and into it, because it has forgotten what it was told; and that first.
    let into: Vec<Value> = stage.erp.puts().into_iter().map(|put| put.body).collect();
    assert_eq!(into.len(), 2, "{into:?}");
    assert!(into.iter().all(|body| body["replace"] == true));
    stage.settled().await;
    // All flows out of the ERP notice; what goes into it is sent again once.
    for flow in [
        "currencies-to-crm",
        "catalogue-to-crm",
        "availability-to-crm",
        "fulfilment-to-crm",
        "credit-to-crm",
        "documents-to-crm",
    ] {
        stage
            .flow_is(flow, "resynced", |flow| {
                flow["resync"].is_null() && flow["state"] == "running"
            })
            .await;
    }
    stage.settled().await;
    assert_eq!(stage.erp.puts().len(), 2);
    assert_eq!(stage.crm.puts_to(&fulfilment).len(), 1);

    // A second restore is another one.
    stage.erp.restore();
    eventually("it is sent again", async || stage.crm.puts_to(&fulfilment).len() == 2).await;
    assert_eq!(stage.erp.puts().len(), 4);
    stage.settled().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_resync_that_is_interrupted_goes_on_from_its_page() {
    let mut stage = Stage::start().await;
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    stage
        .crm
        .set_list("/v1/customers", ids.iter().map(|id| customer(*id, 1, "Acme")).collect());
    // The second page hangs.
    stage.erp.answer_put(ids[3], HANGS, json!({}), usize::MAX);
    stage
        .client
        .post("/v1/flows/customers-to-erp/resync", json!({}))
        .await
        .expect(200);
    eventually("the second page is under way", async || {
        !stage.erp.puts_to(&format!("/v1/customers/{}", ids[3])).is_empty()
    })
    .await;
    let under_way = stage.flow("customers-to-erp").await;
    assert_eq!(
        (&under_way["state"], &under_way["resync"]["pushed"]),
        (&json!("resyncing"), &json!(2))
    );
    stage.sync.take().unwrap().stop().await;
    stage.erp.forget_rules();
    let stage = stage.with_sync().await;
    stage.settled().await;
    for id in &ids {
        assert!(!stage.erp.puts_to(&format!("/v1/customers/{id}")).is_empty());
    }
    assert_eq!(
        stage.erp.puts_to(&format!("/v1/customers/{}", ids[0])).len(),
        1,
        "the first page went once"
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_retry_from_a_resync_still_replaces_when_a_newer_event_takes_its_place() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.crm.set_list("/v1/customers", vec![customer(id, 4, "restored")]);
    stage.erp.answer_put(
        id,
        500,
        json!({ "code": "internal_error", "detail": "a bug" }),
        usize::MAX,
    );
    stage
        .client
        .post("/v1/flows/customers-to-erp/resync", json!({}))
        .await
        .expect(200);
    stage
        .flow_is("customers-to-erp", "one retry", |flow| {
            flow["open_retries"] == 1 && flow["resync"].is_null()
        })
        .await;
    stage.erp.forget_rules();
    stage.erp.forget_puts();
    stage.crm.emit("customer.changed", id, 5, customer(id, 5, "changed"));
    let applied = async || {
        stage
            .erp
            .puts_to(&format!("/v1/customers/{id}"))
            .iter()
            .any(|b| b["source_version"] == 5)
    };
    eventually("the event is applied", applied).await;
    let sent = stage.erp.puts_to(&format!("/v1/customers/{id}"));
    // Unless the retry itself was quicker, the newer version replaces.
    let last = sent.last().unwrap();
    assert!(sent.len() == 2 || last["replace"] == true, "{sent:?}");
    stage
        .flow_is("customers-to-erp", "no retry left", |flow| flow["open_retries"] == 0)
        .await;
    stage.stop().await;
}
