//! Availability goes in bulk: coalesced, and answered item by item.

use crate::fake::level;
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

fn items(bodies: &[Value]) -> Vec<&Value> {
    bodies
        .iter()
        .flat_map(|body| body["items"].as_array().unwrap())
        .collect()
}

#[tokio::test]
async fn a_thousand_moves_are_one_item_and_many_items_one_request() {
    let stage = Stage::start().await;
    let ids: Vec<Uuid> = (0..40).map(|_| Uuid::now_v7()).collect();
    let events = (1..=12).flat_map(|version| {
        ids.iter().map(move |id| {
            (
                "availability.changed",
                *id,
                version,
                level(*id, version, &format!("{version}.000")),
            )
        })
    });
    stage.erp.emit_all(events);
    stage
        .flow_is("availability-to-crm", "applied", |flow| flow["counts"]["applied"] == 40)
        .await;
    let sent = stage.crm.puts_to("/v1/availability");
    assert_eq!(sent.len(), 1);
    assert_eq!(items(&sent).len(), 40);
    assert!(
        items(&sent)
            .iter()
            .all(|item| item["source_version"] == 12 && item["on_hand"] == "12.000")
    );
    assert_eq!(sent[0].get("replace"), None);
    stage.stop().await;
}

#[tokio::test]
async fn a_bad_item_is_found_and_parked_alone() {
    let stage = Stage::start().await;
    let ids: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    stage.crm.answer_put(
        ids[13],
        422,
        json!({ "code": "invalid_input", "detail": "no" }),
        usize::MAX,
    );
    stage.erp.emit_all(
        ids.iter()
            .map(|id| ("availability.changed", *id, 1, level(*id, 1, "1.000"))),
    );
    stage
        .flow_is("availability-to-crm", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    stage
        .flow_is("availability-to-crm", "applied", |flow| flow["counts"]["applied"] == 19)
        .await;
    let letters = stage.open_dead_letters().await;
    assert_eq!(letters[0]["subject"], json!(ids[13]));
    assert_eq!(letters[0]["request"]["path"], "/v1/availability");
    assert_eq!(letters[0]["request"]["body"]["items"][0]["id"], json!(ids[13]));
    stage.stop().await;
}

#[tokio::test]
async fn an_item_that_the_answer_does_not_accept_is_parked() {
    let stage = Stage::start().await;
    let (good, bad) = (Uuid::now_v7(), Uuid::now_v7());
    let results = json!({ "items": [{ "id": good, "result": "unchanged" }, { "id": bad, "result": "refused" }] });
    stage.crm.answer_put("/v1/availability", 200, results, 1);
    stage
        .erp
        .emit_all([good, bad].map(|id| ("availability.changed", id, 1, level(id, 1, "1.000"))));
    stage
        .flow_is("availability-to-crm", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    assert_eq!(stage.flow("availability-to-crm").await["counts"]["applied"], 1);
    assert_eq!(stage.open_dead_letters().await[0]["subject"], json!(bad));
    stage.stop().await;
}

#[tokio::test]
async fn a_failed_item_is_retried_alone() {
    let stage = Stage::start().await;
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    stage
        .crm
        .answer_put(ids[2], 500, json!({ "code": "internal_error", "detail": "a bug" }), 4);
    stage.erp.emit_all(
        ids.iter()
            .map(|id| ("availability.changed", *id, 1, level(*id, 1, "1.000"))),
    );
    stage
        .flow_is("availability-to-crm", "applied", |flow| flow["counts"]["applied"] == 4)
        .await;
    eventually("no retry is left", async || {
        stage.flow("availability-to-crm").await["open_retries"] == 0
    })
    .await;
    let sent = stage.crm.puts_to("/v1/availability");
    let mut last: HashMap<&Value, usize> = HashMap::new();
    for (request, body) in sent.iter().enumerate() {
        for item in body["items"].as_array().unwrap() {
            last.insert(&item["id"], request);
        }
    }
    assert_eq!(last.len(), 4);
    assert_eq!(last[&json!(ids[2])], sent.len() - 1);
    assert_eq!(sent.last().unwrap()["items"].as_array().unwrap().len(), 1);
    stage.stop().await;
}
