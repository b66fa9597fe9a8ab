use super::support::{SALES, act, begun, deal, pipeline, stage};
use crate::support::{crm, customer, events, id};
use serde_json::{Value, json};

fn keys(version: &Value) -> Vec<&str> {
    let stages = version["stages"].as_array().expect("stages");
    stages.iter().map(|stage| stage["key"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_pipeline_is_there_from_the_beginning() {
    let crm = crm().await;
    let seeded = crm.client.get(&format!("/v1/pipelines/{SALES}")).await.expect(200);
    assert_eq!(
        (&seeded["name"], &seeded["is_default"]),
        (&json!("Sales"), &json!(true))
    );
    assert_eq!(
        keys(&seeded["published"]),
        ["new", "qualified", "proposal", "negotiation"]
    );
    assert_eq!(
        (&seeded["published"]["number"], &seeded["draft"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(seeded["allowed_actions"], json!(["draft"]));
    assert_eq!(seeded["published"]["stages"][0]["steps"][0]["evidence"], "logged_call");
    let of = customer(&crm.client, "Any").await;
    let body = json!({ "name": "Tea", "customer_id": id(&of) });
    let made = crm.client.post("/v1/deals", body).await.expect(201);
    assert_eq!(
        (
            &made["pipeline_id"],
            &made["stage"],
            &made["probability"],
            &made["currency"]
        ),
        (&json!(SALES), &json!("new"), &json!("0.1"), &json!("USD"))
    );
    assert_eq!(
        (&made["amount"], &made["weighted_amount"]),
        (&Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn every_fault_of_a_pipeline_is_named_at_once() {
    let crm = crm().await;
    let stages = json!([
        { "key": "a", "name": "A", "probability": "0.1", "next_stages": ["a", "z"],
          "steps": [{ "key": "s", "name": "S", "evidence": "field" },
                    { "key": "s", "name": "T", "evidence": "document", "field": "amount" }] },
        { "key": "a", "name": "A", "probability": "0.2" },
        { "key": "c", "name": "C", "probability": "0.3" },
    ]);
    let refused = crm
        .client
        .post("/v1/pipelines", json!({ "name": "Faulty", "stages": stages }))
        .await
        .expect_problem(422, "invalid_input");
    let mut faults: Vec<(&str, &str)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("/stages/0/next_stages/0", "same_stage"),
            ("/stages/0/next_stages/1", "unknown_stage"),
            ("/stages/0/steps/0/field", "required"),
            ("/stages/0/steps/1/field", "not_allowed"),
            ("/stages/0/steps/1/key", "duplicate"),
            ("/stages/1/key", "duplicate"),
            ("/stages/1/name", "duplicate"),
            ("/stages/2", "unreachable_stage"),
        ]
    );
    let pipelines = crm.client.get("/v1/pipelines").await.expect(200);
    assert_eq!(pipelines["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_deal_keeps_the_version_that_it_entered() {
    let crm = crm().await;
    let (of, pipeline, old) = begun(&crm, json!({ "amount": "100" })).await;
    let path = format!("/v1/pipelines/{}", id(&pipeline));
    crm.client
        .post(&format!("{path}/publish"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let next = json!({ "stages": [stage("a", "0.4", &["b"]), stage("b", "0.6", &["c"]), stage("c", "0.9", &[])] });
    let drafted = crm.client.post(&format!("{path}/draft"), next).await.expect(200);
    assert_eq!(
        (&drafted["draft"]["number"], &drafted["draft"]["state"]),
        (&json!(2), &json!("draft"))
    );
    let published = crm.client.post(&format!("{path}/publish"), json!({})).await.expect(200);
    assert_eq!(
        (&published["published"]["number"], &published["draft"]),
        (&json!(2), &Value::Null)
    );
    let versions = crm.client.get(&format!("{path}/versions")).await.expect(200);
    let states: Vec<&str> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["retired", "published"]);

    let new = deal(&crm.client, &of, &pipeline, json!({ "amount": "100" })).await;
    assert_eq!(
        (&new["pipeline_version"], &new["weighted_amount"]),
        (&json!(2), &json!("40.00"))
    );
    // The old one goes on by the old rules.
    let moved = act(&crm.client, &old, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    assert_eq!(
        (&moved["pipeline_version"], &moved["weighted_amount"]),
        (&json!(1), &json!("50.00"))
    );
    let followed = act(&crm.client, &old, "change-version", json!({})).await.expect(200);
    assert_eq!(
        (
            &followed["pipeline_version"],
            &followed["stage"],
            &followed["weighted_amount"]
        ),
        (&json!(2), &json!("b"), &json!("60.00"))
    );
    assert_eq!(
        followed["stage_entered_at"], moved["stage_entered_at"],
        "it has been there all along"
    );
    act(&crm.client, &old, "change-version", json!({}))
        .await
        .expect_problem(409, "version_current");
    assert!(events(&crm.client, "pipeline.changed", 3).await.len() >= 3);
}

#[actix_web::test]
async fn deals_of_older_versions_are_mapped_to_the_newer_stages() {
    let crm = crm().await;
    let (of, pipeline, first) = begun(&crm, json!({ "amount": "100" })).await;
    let second = deal(&crm.client, &of, &pipeline, json!({ "amount": "200" })).await;
    act(&crm.client, &second, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    let lost = deal(&crm.client, &of, &pipeline, json!({})).await;
    act(&crm.client, &lost, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    let path = format!("/v1/pipelines/{}", id(&pipeline));
    let next = json!({ "stages": [stage("x", "0.1", &["c"]), stage("c", "0.9", &[])] });
    crm.client.post(&format!("{path}/draft"), next).await.expect(200);
    crm.client.post(&format!("{path}/publish"), json!({})).await.expect(200);

    let refused = crm
        .client
        .post(
            &format!("{path}/remap-deals"),
            json!({ "stages": [{ "from": "a", "to": "nowhere" }] }),
        )
        .await
        .expect_problem(422, "invalid_input");
    let codes: Vec<&str> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown_stage", "stage_unmapped"], "{refused:#}");
    let stages = json!({ "stages": [{ "from": "a", "to": "x" }, { "from": "b", "to": "c" }] });
    let done = crm
        .client
        .post(&format!("{path}/remap-deals"), stages.clone())
        .await
        .expect(200);
    assert_eq!(
        (&done["moved"], &done["remaining"], &done["pipeline_version"]),
        (&json!(2), &json!(0), &json!(2))
    );
    let weighed = [(&first, "x", "10.00"), (&second, "c", "180.00")];
    for (deal, stage, weighted) in weighed {
        let now = super::support::now(&crm.client, deal).await;
        assert_eq!(
            (&now["stage"], &now["weighted_amount"], &now["pipeline_version"]),
            (&json!(stage), &json!(weighted), &json!(2))
        );
    }
    let closed = super::support::now(&crm.client, &lost).await;
    assert_eq!(closed["pipeline_version"], 1, "what is closed stays what it was");
    let stays = crm
        .client
        .get(&format!("/v1/deals/{}/stays", id(&first)))
        .await
        .expect(200);
    assert_eq!(
        (
            &stays["items"][0]["stage"],
            &stays["items"][0]["outcome"],
            &stays["items"][1]["stage"]
        ),
        (&json!("a"), &json!("remapped"), &json!("x"))
    );
    let again = crm
        .client
        .post(&format!("{path}/remap-deals"), stages)
        .await
        .expect(200);
    assert_eq!(again["moved"], 0);
}

#[actix_web::test]
async fn an_archived_pipeline_takes_no_new_deals_and_the_default_one_stays() {
    let crm = crm().await;
    let (of, pipeline, old) = begun(&crm, json!({})).await;
    let path = format!("/v1/pipelines/{}", id(&pipeline));
    crm.client.post(&format!("{path}/archive"), json!({})).await.expect(200);
    let body = json!({ "name": "Late", "customer_id": id(&of), "pipeline_id": id(&pipeline) });
    crm.client
        .post("/v1/deals", body.clone())
        .await
        .expect_problem(422, "unknown_pipeline");
    act(&crm.client, &old, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    crm.client
        .patch(&path, json!({ "is_default": true }))
        .await
        .expect_problem(409, "illegal_transition");
    crm.client.post(&format!("{path}/restore"), json!({})).await.expect(200);
    crm.client.patch(&path, json!({ "is_default": true })).await.expect(200);
    let seeded = crm.client.get(&format!("/v1/pipelines/{SALES}")).await.expect(200);
    assert_eq!(seeded["is_default"], false);
    crm.client
        .post(&format!("{path}/archive"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    crm.client.post("/v1/deals", body).await.expect(201);
}

#[actix_web::test]
async fn names_are_unique_and_a_stage_that_was_published_stays() {
    let crm = crm().await;
    let made = pipeline(&crm.client, "Plain").await;
    let twin = json!({ "name": "Plain", "stages": [stage("a", "0.1", &[])] });
    crm.client
        .post("/v1/pipelines", twin)
        .await
        .expect_problem(409, "duplicate");
    let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&crm.database.url).unwrap();
    let change = format!(
        "UPDATE pipeline_stages SET probability = 1 WHERE pipeline_id = '{}'",
        id(&made)
    );
    let refused = diesel::connection::SimpleConnection::batch_execute(&mut conn, &change).unwrap_err();
    assert!(refused.to_string().contains("published"), "{refused}");
}

#[actix_web::test]
async fn loss_reasons_are_data() {
    let crm = crm().await;
    let made = crm
        .client
        .post(
            "/v1/loss-reasons",
            json!({ "code": "delivery", "name": "Delivered too late" }),
        )
        .await
        .expect(201);
    crm.client
        .post("/v1/loss-reasons", json!({ "code": "delivery", "name": "Twin" }))
        .await
        .expect_problem(409, "duplicate");
    let (_, _, deal) = begun(&crm, json!({})).await;
    let path = format!("/v1/loss-reasons/{}", id(&made));
    crm.client.patch(&path, json!({ "active": false })).await.expect(200);
    act(&crm.client, &deal, "lose", json!({ "reason": "delivery" }))
        .await
        .expect_problem(422, "unknown_reason");
    crm.client.patch(&path, json!({ "active": true })).await.expect(200);
    let lost = act(&crm.client, &deal, "lose", json!({ "reason": "delivery" }))
        .await
        .expect(200);
    assert_eq!(lost["loss_reason"], "delivery");
    let all = crm.client.get("/v1/loss-reasons?limit=500").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 8);
}
