use super::support::{act, deal, now, pipeline, stage};
use crate::sales::new_id;
use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::TestService;

async fn asked(crm: &TestService, evidence: &str) -> Value {
    let mut first = stage("first", "0.1", &["second"]);
    first["steps"] = json!([{ "key": "proof", "name": "Proof", "evidence": evidence, "on_loss": true }]);
    let body = json!({ "name": "Proved", "publish": true, "stages": [first, stage("second", "0.5", &[])] });
    let pipeline = crm.client.post("/v1/pipelines", body).await.expect(201);
    let of = customer(&crm.client, "Proved").await;
    deal(&crm.client, &of, &pipeline, json!({})).await
}

/// A call about a deal.
async fn call(crm: &TestService, deal: &str, state: &str) -> String {
    let mut body = json!({
        "kind": "call", "title": "First call", "direction": "out", "state": state, "subject_type": "deal",
        "subject_id": deal,
    });
    if state == "done" {
        body["outcome"] = json!("reached");
    }
    let made = crm.client.post("/v1/activities", body).await.expect(201);
    id(&made).to_owned()
}

#[actix_web::test]
async fn a_call_of_the_deal_proves_a_step_and_no_other() {
    let crm = crm().await;
    let deal = asked(&crm, "logged_call").await;
    let (made, open) = (call(&crm, id(&deal), "done").await, call(&crm, id(&deal), "open").await);
    let of = customer(&crm.client, "Elsewhere").await;
    let pipeline = pipeline(&crm.client, "Elsewhere").await;
    let other = super::support::deal(&crm.client, &of, &pipeline, json!({})).await;
    let elsewhere = call(&crm, id(&other), "done").await;
    let complete = |evidence: Option<String>| {
        let path = format!("/v1/deals/{}/steps/proof/complete", id(&deal));
        let (client, body) = (crm.client.clone(), json!({ "evidence_id": evidence }));
        async move { client.post(&path, body).await }
    };
    complete(None).await.expect_problem(422, "required");
    for wrong in [open, elsewhere, new_id()] {
        complete(Some(wrong)).await.expect_problem(422, "unknown_evidence");
    }
    act(&crm.client, &deal, "lose", json!({ "reason": "price" }))
        .await
        .expect_problem(409, "steps_missing");
    let done = complete(Some(made.clone())).await.expect(200);
    let step = &done["steps"][0];
    assert_eq!(
        (&step["done"], &step["evidence_id"], &step["completed_by"]),
        (&json!(true), &json!(made), &json!("bootstrap"))
    );
    assert!(step["completed_at"].is_string());
    let again = complete(Some(made)).await.expect(200);
    assert_eq!(again["revision"], done["revision"], "a repeat changes nothing");
    act(&crm.client, &deal, "move", json!({ "stage": "second" }))
        .await
        .expect(200);
    let path = format!("/v1/deals/{}/steps/nothing/complete", id(&deal));
    crm.client.post(&path, json!({})).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn a_step_is_completed_by_the_move_that_needs_it() {
    let crm = crm().await;
    let deal = asked(&crm, "logged_call").await;
    let made = call(&crm, id(&deal), "done").await;
    let faulty = json!({ "stage": "nowhere", "evidence": [{ "step": "proof" }, { "step": "other" }] });
    let refused = act(&crm.client, &deal, "move", faulty)
        .await
        .expect_problem(422, "invalid_input");
    let pointers: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/stage", "/evidence/0/evidence_id", "/evidence/1/step"]);
    assert_eq!(now(&crm.client, &deal).await, deal);
    let evidence = json!({ "stage": "second", "evidence": [{ "step": "proof", "evidence_id": made }] });
    let moved = act(&crm.client, &deal, "move", evidence).await.expect(200);
    assert_eq!(
        (&moved["stage"], &moved["steps"][0]["done"]),
        (&json!("second"), &json!(true))
    );
}
