//! Segments travel alone, who is in them in bulk.

use crate::fake::{customer, membership, segment};
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

const MEMBERS: &str = "/v1/segment-memberships";

fn items(bodies: &[Value]) -> Vec<&Value> {
    let items = bodies.iter().flat_map(|body| body["items"].as_array());
    items.flatten().collect()
}

#[tokio::test]
async fn what_a_rule_lets_in_is_few_requests_and_the_newest_of_each_counts() {
    let stage = Stage::start().await;
    let (of, ids) = (Uuid::now_v7(), (0..600).map(|_| Uuid::now_v7()).collect::<Vec<_>>());
    let told = |version| {
        ids.iter().map(move |id| {
            (
                "segment.membership_changed",
                *id,
                version,
                membership(*id, version, of, *id),
            )
        })
    };
    stage.crm.emit_all(told(1).chain(told(2)));
    stage
        .flow_is("segment-members-to-erp", "applied", |flow| {
            flow["counts"]["applied"].as_i64() >= Some(600)
        })
        .await;
    stage.settled().await;
    let sent = stage.erp.puts_to(MEMBERS);
    assert!(sent.len() <= 4, "{} requests", sent.len());
    assert!(sent.iter().all(|body| body["items"].as_array().unwrap().len() <= 500));
    for id in &ids {
        let sent = items(&sent);
        let last = sent.iter().rfind(|item| item["id"] == json!(id)).unwrap();
        assert_eq!(last["source_version"], 2);
        assert!(last["left_at"].is_string());
    }
    stage.stop().await;
}

#[tokio::test]
async fn the_segment_and_the_customers_that_are_missing_are_brought_first() {
    let stage = Stage::start().await;
    let (of, one, other, id) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    stage
        .crm
        .set_record(&format!("/v1/segments/{of}"), segment(of, 3, "Regulars"));
    for buyer in [one, other] {
        stage
            .crm
            .set_record(&format!("/v1/customers/{buyer}"), customer(buyer, 4, "Acme"));
    }
    let missing = json!([
        { "type": "segment", "id": of }, { "type": "customer", "id": one }, { "type": "customer", "id": other },
    ]);
    let problem = json!({ "code": "reference_missing", "detail": "not known", "status": 409, "missing": missing });
    stage.erp.answer_put(MEMBERS, 409, problem, 1);
    stage
        .crm
        .emit("segment.membership_changed", id, 1, membership(id, 1, of, one));
    stage
        .flow_is("segment-members-to-erp", "applied", |flow| {
            flow["counts"]["applied"] == 1
        })
        .await;
    let paths: Vec<String> = stage.erp.puts().into_iter().map(|put| put.path).collect();
    let expected = [
        MEMBERS.to_owned(),
        format!("/v1/segments/{of}"),
        format!("/v1/customers/{one}"),
        format!("/v1/customers/{other}"),
        MEMBERS.to_owned(),
    ];
    assert_eq!(paths, expected);
    assert_eq!(stage.erp.puts()[1].body["source_version"], 3);
    assert!(stage.open_dead_letters().await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_resync_sends_all_segments_and_memberships_again() {
    let stage = Stage::start().await;
    let (of, ids) = (Uuid::now_v7(), (0..5).map(|_| Uuid::now_v7()).collect::<Vec<_>>());
    stage.crm.set_list("/v1/segments", vec![segment(of, 2, "Regulars")]);
    stage
        .crm
        .set_list(MEMBERS, ids.iter().map(|id| membership(*id, 1, of, *id)).collect());
    for flow in ["segments-to-erp", "segment-members-to-erp"] {
        let path = format!("/v1/flows/{flow}/resync");
        stage.client.post(&path, json!({})).await.expect(200);
    }
    eventually("all of it was sent", async || {
        items(&stage.erp.puts_to(MEMBERS)).len() == 5
    })
    .await;
    stage.settled().await;
    assert!(stage.erp.puts_to(MEMBERS).iter().all(|body| body["replace"] == true));
    let sent = stage.erp.puts_to(&format!("/v1/segments/{of}"));
    assert_eq!(
        (sent.len(), &sent[0]["replace"], &sent[0]["rule"]),
        (1, &json!(true), &json!("orders.count(90 days) >= 3"))
    );
    stage.stop().await;
}
