//! Dead letters over the API: list, show, retry, discard.

use crate::fake::customer;
use crate::stage::Stage;
use serde_json::{Value, json};
use uuid::Uuid;

/// A stage with one dead letter, and its id.
async fn with_a_dead_letter(customer_id: Uuid) -> (Stage, String) {
    let stage = Stage::start().await;
    let refusal = json!({ "code": "invalid_input", "detail": "the name is too long" });
    stage.erp.answer_put(customer_id, 422, refusal, usize::MAX);
    stage.crm.emit(
        "customer.changed",
        customer_id,
        1,
        customer(customer_id, 1, "as refused"),
    );
    stage
        .flow_is("customers-to-erp", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    let id = stage.open_dead_letters().await[0]["id"].as_str().unwrap().to_owned();
    (stage, format!("/v1/dead-letters/{id}"))
}

#[tokio::test]
async fn a_list_filters_by_state_flow_and_record() {
    let id = Uuid::now_v7();
    let (stage, _) = with_a_dead_letter(id).await;
    let count = async |query: &str| {
        let page = stage.client.get(&format!("/v1/dead-letters?{query}")).await.expect(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 1);
    assert_eq!(count("state=open&flow=customers-to-erp").await, 1);
    assert_eq!(count(&format!("subject={id}")).await, 1);
    assert_eq!(count("state=discarded").await, 0);
    assert_eq!(count("flow=orders-to-erp").await, 0);
    assert_eq!(count(&format!("subject={}", Uuid::now_v7())).await, 0);
    stage
        .client
        .get("/v1/dead-letters?state=lost")
        .await
        .expect_problem(400, "invalid_parameter");
    stage.stop().await;
}

#[tokio::test]
async fn a_retry_sends_what_the_owner_shows_now_and_resolves() {
    let id = Uuid::now_v7();
    let (stage, letter) = with_a_dead_letter(id).await;
    stage.erp.forget_rules();
    stage
        .crm
        .set_record(&format!("/v1/customers/{id}"), customer(id, 6, "corrected"));
    let dry = stage
        .client
        .post(&format!("{letter}/retry?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(dry["state"], "open");
    assert_eq!(stage.erp.puts().len(), 1, "a dry run sends nothing");
    let stale = stage.client.request(reqwest::Method::POST, &format!("{letter}/retry"));
    let stale = stage.client.send(stale.header("If-Match", "\"7\"")).await;
    stale.expect_problem(412, "stale");
    assert_eq!(stage.erp.puts().len(), 1, "a stale retry sends nothing");
    let resolved = stage
        .client
        .post_with_key(&format!("{letter}/retry"), "once", json!({}))
        .await
        .expect(200);
    assert_eq!(resolved["state"], "resolved");
    assert!(resolved["closed_at"].is_string() && resolved["resolution"].as_str().unwrap().contains("retry"));
    let sent = stage.erp.puts();
    assert_eq!(sent.len(), 2);
    assert_eq!(
        (&sent[1].body["name"], &sent[1].body["source_version"]),
        (&json!("corrected"), &json!(6))
    );
    assert!(stage.open_dead_letters().await.is_empty());
    let replayed = stage
        .client
        .post_with_key(&format!("{letter}/retry"), "once", json!({}))
        .await
        .expect(200);
    assert_eq!(replayed, resolved);
    stage
        .client
        .post(&format!("{letter}/retry"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(stage.erp.puts().len(), 2);
    let audit = stage
        .client
        .get("/v1/audit-log?subject_type=dead_letter")
        .await
        .expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    stage.stop().await;
}

#[tokio::test]
async fn a_retry_without_an_owner_sends_what_was_stored() {
    let id = Uuid::now_v7();
    let (stage, letter) = with_a_dead_letter(id).await;
    stage.erp.forget_rules();
    let resolved = stage
        .client
        .post(&format!("{letter}/retry"), json!({}))
        .await
        .expect(200);
    assert_eq!(resolved["state"], "resolved");
    assert_eq!(stage.erp.puts()[0].body, stage.erp.puts()[1].body);
    stage.stop().await;
}

#[tokio::test]
async fn a_retry_that_is_refused_stays_open_with_the_new_answer() {
    let id = Uuid::now_v7();
    let (stage, letter) = with_a_dead_letter(id).await;
    stage.erp.forget_rules();
    stage
        .erp
        .answer_put(id, 409, json!({ "code": "possible_duplicate", "detail": "twice" }), 1);
    let open = stage
        .client
        .post(&format!("{letter}/retry"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&open["state"], &open["attempts"], &open["answer"]["status"]),
        (&json!("open"), &json!(2), &json!(409))
    );
    assert!(open["reason"].as_str().unwrap().contains("possible_duplicate"));

    stage.erp.set_down(true);
    let open = stage
        .client
        .post(&format!("{letter}/retry"), json!({}))
        .await
        .expect(200);
    assert_eq!((&open["state"], &open["answer"]), (&json!("open"), &Value::Null));
    stage.stop().await;
}

#[tokio::test]
async fn a_discarded_one_needs_a_reason_and_is_final() {
    let id = Uuid::now_v7();
    let (stage, letter) = with_a_dead_letter(id).await;
    stage
        .client
        .post(&format!("{letter}/discard"), json!({}))
        .await
        .expect_problem(422, "required");
    stage
        .client
        .post(&format!("{letter}/discard"), json!({ "reason": "" }))
        .await
        .expect_problem(422, "too_short");
    let done = stage
        .client
        .post(&format!("{letter}/discard"), json!({ "reason": "a test customer" }))
        .await
        .expect(200);
    assert_eq!(
        (&done["state"], &done["resolution"]),
        (&json!("discarded"), &json!("a test customer"))
    );
    for verb in ["discard", "retry"] {
        let body = if verb == "discard" {
            json!({ "reason": "again" })
        } else {
            json!({})
        };
        stage
            .client
            .post(&format!("{letter}/{verb}"), body)
            .await
            .expect_problem(409, "illegal_transition");
    }
    // A later version that is refused is a new dead letter.
    stage.crm.emit("customer.changed", id, 2, customer(id, 2, "later"));
    stage
        .flow_is("customers-to-erp", "parked", |flow| flow["counts"]["dead"] == 2)
        .await;
    let open = stage.open_dead_letters().await;
    assert_eq!(open.len(), 1);
    assert_ne!(format!("/v1/dead-letters/{}", open[0]["id"].as_str().unwrap()), letter);
    stage.stop().await;
}

#[tokio::test]
async fn operators_manage_and_viewers_only_read() {
    let (stage, letter) = with_a_dead_letter(Uuid::now_v7()).await;
    let (operator, viewer) = (
        stage.client.new_key("operator", &[]).await,
        stage.client.new_key("viewer", &[]).await,
    );
    viewer.get(&letter).await.expect(200);
    viewer.get("/v1/flows").await.expect(200);
    viewer
        .post(&format!("{letter}/retry"), json!({}))
        .await
        .expect_problem(403, "forbidden");
    viewer
        .post("/v1/flows/orders-to-erp/pause", json!({}))
        .await
        .expect_problem(403, "forbidden");
    operator
        .post(&format!("{letter}/discard"), json!({ "reason": "why not" }))
        .await
        .expect(200);
    operator
        .post("/v1/flows/orders-to-erp/pause", json!({}))
        .await
        .expect(200);
    operator.get("/v1/api-keys").await.expect_problem(403, "forbidden");
    stage.stop().await;
}
