//! The way of changes when all is well: cursor, newest version, pause, stop.

use crate::fake::{customer, order, sales_order};
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

fn path(id: Uuid) -> String {
    format!("/v1/customers/{id}")
}

#[tokio::test]
async fn the_cursor_is_saved_only_after_the_apply() {
    let stage = Stage::start().await;
    let (id, before) = (Uuid::now_v7(), stage.flow("customers-to-erp").await);
    stage.erp.hold_puts(true);
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    eventually("the request is under way", async || {
        stage.erp.puts_to(&path(id)).len() == 1
    })
    .await;
    let meanwhile = stage.flow("customers-to-erp").await;
    assert_eq!(
        (&meanwhile["cursor"], &meanwhile["counts"]),
        (&before["cursor"], &before["counts"])
    );
    stage.erp.hold_puts(false);
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    let after = stage.flow("customers-to-erp").await;
    assert_ne!(after["cursor"], before["cursor"]);
    assert!(after["lag"]["committed_to_read_ms"].is_i64() && after["lag"]["read_to_applied_ms"].is_i64());
    assert!(after["last_event_at"].is_string() && after["lease"]["owner"].is_string());
    assert_eq!(stage.erp.puts_to(&path(id)).len(), 1, "sent once");
    stage.stop().await;
}

#[tokio::test]
async fn a_batch_collapses_to_the_newest_version_whatever_its_order() {
    let stage = Stage::start().await;
    let (first, id) = (Uuid::now_v7(), Uuid::now_v7());
    let event = |id, version| {
        (
            "customer.changed",
            id,
            version,
            customer(id, version, &format!("version {version}")),
        )
    };
    stage
        .crm
        .emit_all([event(id, 3), event(first, 1), event(id, 5), event(id, 4)]);
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 2)
        .await;
    let sent = stage.erp.puts_to(&path(id));
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (&sent[0]["source_version"], &sent[0]["name"]),
        (&json!(5), &json!("version 5"))
    );
    assert_eq!(sent[0].get("replace"), None);
    let counts = &stage.flow("customers-to-erp").await["counts"];
    assert_eq!((&counts["read"], &counts["superseded"]), (&json!(4), &json!(2)));
    stage.stop().await;
}

#[tokio::test]
async fn versions_of_a_record_arrive_in_their_order() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    for version in 1..=30 {
        stage
            .crm
            .emit("customer.changed", id, version, customer(id, version, "Acme"));
        tokio::task::yield_now().await;
    }
    let versions = || -> Vec<i64> {
        stage
            .erp
            .puts_to(&path(id))
            .iter()
            .map(|body| body["source_version"].as_i64().unwrap())
            .collect()
    };
    eventually("the last version arrives", async || versions().last() == Some(&30)).await;
    assert!(versions().is_sorted(), "{:?}", versions());
    stage.stop().await;
}

#[tokio::test]
async fn a_paused_flow_does_not_move_and_goes_on_where_it_stopped() {
    let stage = Stage::start().await;
    let paused = stage
        .client
        .post("/v1/flows/orders-to-erp/pause", json!({}))
        .await
        .expect(200);
    assert_eq!(paused["state"], "paused");
    let (buyer, id) = (Uuid::now_v7(), Uuid::now_v7());
    stage.crm.emit("order.submitted", id, 1, order(id, 1, buyer));
    stage.crm.emit("customer.changed", buyer, 1, customer(buyer, 1, "Acme"));
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    let still = stage.flow("orders-to-erp").await;
    assert_eq!(
        (&still["state"], &still["cursor"], &still["counts"]),
        (&json!("paused"), &paused["cursor"], &paused["counts"])
    );
    assert!(stage.erp.puts_to(&format!("/v1/sales-orders/{id}")).is_empty());

    let again = stage
        .client
        .post("/v1/flows/orders-to-erp/pause", json!({}))
        .await
        .expect(200);
    assert_eq!(again["revision"], paused["revision"], "pausing twice changes nothing");
    let resumed = stage
        .client
        .post("/v1/flows/orders-to-erp/resume", json!({}))
        .await
        .expect(200);
    assert_ne!(resumed["state"], "paused");
    eventually("the order arrives", async || {
        stage.erp.puts_to(&format!("/v1/sales-orders/{id}")).len() == 1
    })
    .await;
    let audit = stage.client.get("/v1/audit-log?subject_type=flow").await.expect(200);
    let operations: Vec<&Value> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["operation"])
        .collect();
    assert_eq!(
        operations,
        [
            "POST /v1/flows/orders-to-erp/resume",
            "POST /v1/flows/orders-to-erp/pause"
        ]
    );
    stage.stop().await;
}

#[tokio::test]
async fn pausing_interrupts_what_is_under_way() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.erp.hold_puts(true);
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    eventually("the request is under way", async || {
        stage.erp.puts_to(&path(id)).len() == 1
    })
    .await;
    stage
        .client
        .post("/v1/flows/customers-to-erp/pause", json!({}))
        .await
        .expect(200);
    stage.erp.hold_puts(false);
    assert_eq!(stage.flow("customers-to-erp").await["counts"]["applied"], 0);
    stage
        .client
        .post("/v1/flows/customers-to-erp/resume", json!({}))
        .await
        .expect(200);
    stage
        .flow_is("customers-to-erp", "applied again", |flow| {
            flow["counts"]["applied"] == 1
        })
        .await;
    stage.stop().await;
}

#[tokio::test]
async fn drafts_stay_where_they_are() {
    let stage = Stage::start().await;
    let (draft, back_office, confirmed) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let with = |mut record: Value, fields: Value| {
        record
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        record
    };
    let event = |id, data| ("sales_order.changed", id, 1, data);
    stage.erp.emit_all([
        event(draft, with(sales_order(draft, 1, "draft"), json!({ "origin": "erp" }))),
        event(
            back_office,
            with(sales_order(back_office, 1, "confirmed"), json!({ "origin": "erp" })),
        ),
        event(confirmed, sales_order(confirmed, 1, "confirmed")),
    ]);
    stage
        .flow_is("fulfilment-to-crm", "read", |flow| flow["counts"]["read"] == 3)
        .await;
    assert!(stage.crm.puts_to(&format!("/v1/orders/{draft}/fulfilment")).is_empty());
    for id in [back_office, confirmed] {
        let sent = stage.crm.puts_to(&format!("/v1/orders/{id}/fulfilment"));
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0]["order"]["id"], json!(id));
    }
    assert_eq!(stage.flow("fulfilment-to-crm").await["counts"]["skipped"], 1);
    stage.stop().await;
}

#[tokio::test]
async fn stopping_takes_no_time_even_while_everything_waits() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.erp.hold_puts(true);
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    eventually("the request is under way", async || {
        stage.erp.puts_to(&path(id)).len() == 1
    })
    .await;
    let started = Instant::now();
    stage.stop().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_new_process_goes_on_where_the_old_one_was() {
    let mut stage = Stage::start().await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    stage
        .crm
        .emit("customer.changed", first, 1, customer(first, 1, "first"));
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    stage.sync.take().unwrap().stop().await;
    stage
        .crm
        .emit("customer.changed", second, 1, customer(second, 1, "second"));
    let stage = stage.with_sync().await;
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 2)
        .await;
    assert_eq!(stage.erp.puts_to(&path(first)).len(), 1, "not sent again");
    assert_eq!(stage.erp.puts_to(&path(second)).len(), 1);
    stage.stop().await;
}

#[tokio::test]
async fn a_flood_of_many_batches_arrives_whole_and_once() {
    let stage = Stage::start().await;
    let (buyer, many) = (Uuid::now_v7(), 1_777);
    let ids: Vec<Uuid> = (0..many).map(|_| Uuid::now_v7()).collect();
    stage
        .crm
        .emit_all(ids.iter().map(|id| ("order.submitted", *id, 1, order(*id, 1, buyer))));
    stage
        .flow_is("orders-to-erp", "applied", |flow| flow["counts"]["applied"] == many)
        .await;
    let mut sent: Vec<String> = stage.erp.puts().into_iter().map(|put| put.path).collect();
    let mut wanted: Vec<String> = ids.iter().map(|id| format!("/v1/sales-orders/{id}")).collect();
    sent.sort();
    wanted.sort();
    assert_eq!(sent, wanted);
    stage.stop().await;
}
