//! What goes wrong: a side is down, a record fails, a record is refused.

use crate::fake::customer;
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

fn path(id: Uuid) -> String {
    format!("/v1/customers/{id}")
}

fn emit(stage: &Stage, id: Uuid, version: i64) {
    stage
        .crm
        .emit("customer.changed", id, version, customer(id, version, "Acme"));
}

fn sent_versions(stage: &Stage, id: Uuid) -> Vec<i64> {
    stage
        .erp
        .puts_to(&path(id))
        .iter()
        .map(|body| body["source_version"].as_i64().unwrap())
        .collect()
}

async fn waits_for_the_target_and_then_applies_all(stage: &Stage, ids: &[Uuid]) {
    stage
        .flow_is("customers-to-erp", "waits", |flow| {
            flow["state"] == "waiting_for_target"
        })
        .await;
    let waiting = stage.flow("customers-to-erp").await;
    assert!(waiting["last_error"].is_string());
    assert_eq!(
        (&waiting["open_retries"], &waiting["open_dead_letters"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(waiting["counts"]["applied"], 0);
    assert_eq!(ids.len(), 3);
}

async fn all_applied(stage: &Stage, ids: &[Uuid]) {
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 3)
        .await;
    let flow = stage.flow("customers-to-erp").await;
    assert_eq!((&flow["state"], &flow["last_error"]), (&json!("running"), &Value::Null));
    for id in ids {
        assert_eq!(sent_versions(stage, *id), [1]);
    }
    assert!(stage.open_dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_target_that_says_503_is_waited_for_and_nothing_is_lost() {
    let stage = Stage::start().await;
    let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    stage.erp.set_down(true);
    ids.iter().for_each(|id| emit(&stage, *id, 1));
    waits_for_the_target_and_then_applies_all(&stage, &ids).await;
    stage.erp.set_down(false);
    all_applied(&stage, &ids).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_target_that_nobody_listens_for_is_waited_for_and_nothing_is_lost() {
    let mut stage = Stage::start().await;
    let ids = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    stage.erp.vanish().await;
    ids.iter().for_each(|id| emit(&stage, *id, 1));
    waits_for_the_target_and_then_applies_all(&stage, &ids).await;
    stage.erp.come_back();
    all_applied(&stage, &ids).await;
    stage.stop().await;
}

#[tokio::test]
async fn a_key_that_is_refused_parks_nothing() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.erp.refuse_key(true);
    emit(&stage, id, 1);
    stage
        .flow_is("customers-to-erp", "waits", |flow| {
            flow["state"] == "waiting_for_target"
        })
        .await;
    stage
        .flow_is("credit-to-crm", "waits", |flow| flow["state"] == "waiting_for_source")
        .await;
    assert!(stage.open_dead_letters().await.is_empty());
    stage.erp.refuse_key(false);
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    stage.settled().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_source_that_is_down_is_waited_for() {
    let mut stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.crm.vanish().await;
    stage
        .flow_is("customers-to-erp", "waits", |flow| {
            flow["state"] == "waiting_for_source"
        })
        .await;
    stage.crm.come_back();
    emit(&stage, id, 1);
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    assert_eq!(stage.flow("customers-to-erp").await["state"], "running");
    stage.stop().await;
}

#[tokio::test]
async fn a_record_that_fails_while_the_target_is_healthy_holds_nobody_back() {
    let stage = Stage::start().await;
    let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
    stage.erp.answer_put(
        bad,
        500,
        json!({ "code": "internal_error", "detail": "a bug" }),
        usize::MAX,
    );
    emit(&stage, bad, 1);
    emit(&stage, good, 1);
    stage
        .flow_is("customers-to-erp", "one retry", |flow| flow["open_retries"] == 1)
        .await;
    eventually("the other is applied", async || sent_versions(&stage, good) == [1]).await;
    // A newer version takes the place of the stored one; an older one does not.
    emit(&stage, bad, 3);
    eventually("the newer version is tried", async || {
        sent_versions(&stage, bad).contains(&3)
    })
    .await;
    emit(&stage, bad, 2);
    let read = |flow: &Value| flow["counts"]["read"] == 4 && flow["open_retries"] == 1;
    stage.flow_is("customers-to-erp", "all read", read).await;
    assert!(!sent_versions(&stage, bad).contains(&2));
    stage.erp.forget_rules();
    stage
        .flow_is("customers-to-erp", "no retry left", |flow| flow["open_retries"] == 0)
        .await;
    assert_eq!(sent_versions(&stage, bad).last(), Some(&3));
    assert!(stage.open_dead_letters().await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_refused_record_is_parked_and_a_later_version_resolves_it() {
    let stage = Stage::start().await;
    let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
    let refusal = json!({ "code": "invalid_input", "detail": "the name is too long", "status": 422 });
    stage.erp.answer_put(bad, 422, refusal.clone(), 2);
    emit(&stage, bad, 1);
    emit(&stage, good, 1);
    stage
        .flow_is("customers-to-erp", "one dead letter", |flow| {
            flow["open_dead_letters"] == 1
        })
        .await;
    eventually("the other is applied", async || sent_versions(&stage, good) == [1]).await;
    let letters = stage.open_dead_letters().await;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!(
        (&letter["flow"], &letter["subject_type"]),
        (&json!("customers-to-erp"), &json!("customer"))
    );
    assert_eq!((&letter["subject"], &letter["version"]), (&json!(bad), &json!(1)));
    assert_eq!(letter["request"]["path"], json!(path(bad)));
    assert_eq!(letter["request"]["body"]["name"], "Acme");
    assert_eq!(letter["answer"]["status"], 422);
    assert_eq!(
        serde_json::from_str::<Value>(letter["answer"]["body"].as_str().unwrap()).unwrap(),
        refusal
    );
    assert!(letter["reason"].as_str().unwrap().contains("the name is too long"));

    // The next version is refused too: still one dead letter, of that version.
    emit(&stage, bad, 2);
    stage
        .flow_is("customers-to-erp", "refused again", |flow| flow["counts"]["dead"] == 2)
        .await;
    let letters = stage.open_dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (&letters[0]["id"], &letters[0]["version"], &letters[0]["attempts"]),
        (&letter["id"], &json!(2), &json!(2))
    );

    emit(&stage, bad, 3);
    stage
        .flow_is("customers-to-erp", "resolved", |flow| flow["open_dead_letters"] == 0)
        .await;
    let resolved = stage
        .client
        .get(&format!("/v1/dead-letters/{}", letter["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(resolved["state"], "resolved");
    assert!(resolved["resolution"].as_str().unwrap().contains("version 3"));
    stage.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_understood_is_parked() {
    let stage = Stage::start().await;
    let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
    stage.crm.emit("customer.changed", bad, 1, json!({ "id": bad }));
    emit(&stage, good, 1);
    stage
        .flow_is("customers-to-erp", "one dead letter", |flow| {
            flow["open_dead_letters"] == 1
        })
        .await;
    eventually("the other is applied", async || sent_versions(&stage, good) == [1]).await;
    let letters = stage.open_dead_letters().await;
    assert_eq!(
        (&letters[0]["subject"], &letters[0]["request"]),
        (&json!(bad), &Value::Null)
    );
    assert!(letters[0]["reason"].as_str().unwrap().contains("name"));
    stage.stop().await;
}
