use super::support::{act, begun, deal, now, sql, stage};
use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_deal_goes_only_where_its_stage_leads() {
    let crm = crm().await;
    let (of, _, deal) = begun(&crm, json!({ "amount": "1000" })).await;
    assert_eq!(deal["next_stages"], json!(["b"]));
    let refused = act(&crm.client, &deal, "move", json!({ "stage": "c" }))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&refused["state"], &refused["stage"], &refused["next_stages"]),
        (&json!("open"), &json!("a"), &json!(["b"]))
    );
    assert!(refused["allowed_actions"].as_array().unwrap().contains(&json!("move")));
    act(&crm.client, &deal, "move", json!({ "stage": "nowhere" }))
        .await
        .expect_problem(422, "unknown_stage");
    act(&crm.client, &deal, "move", json!({ "stage": "a" }))
        .await
        .expect_problem(409, "illegal_transition");
    let moved = act(&crm.client, &deal, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    assert_eq!(
        (
            &moved["stage"],
            &moved["probability"],
            &moved["weighted_amount"],
            &moved["version"]
        ),
        (&json!("b"), &json!("0.5"), &json!("500.00"), &json!(2))
    );
    act(&crm.client, &deal, "move", json!({ "stage": "a" }))
        .await
        .expect(200);
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        ["deal_moved", "deal_moved", "deal_opened", "customer_created"]
    );
    let told = events(&crm.client, "deal.changed", 3).await;
    assert_eq!(told[2]["data"]["stage"], "a");
    assert_eq!(told[2]["data"], now(&crm.client, &deal).await, "the whole record");
    let stale = crm
        .client
        .send(
            crm.client
                .request(reqwest::Method::POST, &format!("/v1/deals/{}/move", id(&deal)))
                .header("If-Match", "\"1\"")
                .json(&json!({ "stage": "b" })),
        )
        .await;
    stale.expect_problem(412, "stale");
}

#[actix_web::test]
async fn every_entry_has_its_exit_or_the_deal_is_still_there() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({})).await;
    for stage in ["b", "a", "b"] {
        act(&crm.client, &deal, "move", json!({ "stage": stage }))
            .await
            .expect(200);
    }
    act(&crm.client, &deal, "lose", json!({ "reason": "timing" }))
        .await
        .expect(200);
    act(&crm.client, &deal, "reopen", json!({})).await.expect(200);
    let path = format!("/v1/deals/{}/stays", id(&deal));
    let stays = crm.client.get(&path).await.expect(200)["items"].clone();
    let stays = stays.as_array().unwrap();
    let seen: Vec<(&str, Option<&str>)> = stays
        .iter()
        .map(|stay| (stay["stage"].as_str().unwrap(), stay["outcome"].as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("a", Some("moved")),
            ("b", Some("moved")),
            ("a", Some("moved")),
            ("b", Some("lost")),
            ("b", None),
        ]
    );
    for pair in stays.windows(2) {
        assert!(pair[0]["left_at"].as_str() <= pair[1]["entered_at"].as_str());
    }
    assert_eq!(stays[0]["left_at"], stays[1]["entered_at"]);
    assert_eq!(stays[4]["left_at"], Value::Null);
    crm.client
        .get(&format!("/v1/deals/{}/stays", uuid::Uuid::now_v7()))
        .await
        .expect_problem(404, "not_found");
    // The database itself keeps it: neither a second open stay nor a closed deal in a stage.
    use diesel::connection::SimpleConnection;
    let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&crm.database.url).unwrap();
    for wrong in [
        "INSERT INTO deal_stays (id, deal_id, stage_id, entered_at)
             SELECT gen_random_uuid(), id, stage_id, now() FROM deals",
        "UPDATE deal_stays SET left_at = now(), outcome = 'moved' WHERE left_at IS NULL",
        "UPDATE deals SET state = 'won', closed_on = current_date",
    ] {
        conn.batch_execute(wrong).unwrap_err();
    }
}

#[actix_web::test]
async fn steps_are_not_skipped_and_all_that_are_missing_are_named() {
    let crm = crm().await;
    let step = |key: &str, evidence: &str, more: Value| {
        let mut step = json!({ "key": key, "name": format!("Step {key}"), "evidence": evidence });
        crate::sales::merge(&mut step, &more);
        step
    };
    let mut first = stage("first", "0.1", &["second", "third"]);
    first["steps"] = json!([
        step("call", "logged_call", json!({})),
        step("nice", "document", json!({ "optional": true })),
        step("dated", "field", json!({ "field": "expected_close_on" })),
    ]);
    let mut second = stage("second", "0.5", &["first", "third"]);
    second["steps"] = json!([step("worth", "field", json!({ "field": "amount" }))]);
    let mut third = stage("third", "0.9", &["second"]);
    third["steps"] = json!([step("signed", "document", json!({}))]);
    let body = json!({ "name": "Strict", "publish": true, "stages": [first, second, third] });
    let strict = crm.client.post("/v1/pipelines", body).await.expect(201);
    let of = customer(&crm.client, "Strict").await;
    let deal = deal(&crm.client, &of, &strict, json!({})).await;
    let missing = |problem: &Value| -> Vec<String> {
        let steps = problem["missing"].as_array().expect("the missing steps");
        steps
            .iter()
            .map(|step| format!("{}/{}", step["stage"].as_str().unwrap(), step["step"].as_str().unwrap()))
            .collect()
    };
    let refused = act(&crm.client, &deal, "move", json!({ "stage": "second" }))
        .await
        .expect_problem(409, "steps_missing");
    assert_eq!(missing(&refused), ["first/call", "first/dated"]);
    let refused = act(&crm.client, &deal, "move", json!({ "stage": "third" }))
        .await
        .expect_problem(409, "steps_missing");
    assert_eq!(missing(&refused), ["first/call", "first/dated", "second/worth"]);
    let refused = act(&crm.client, &deal, "win", json!({}))
        .await
        .expect_problem(409, "steps_missing");
    assert_eq!(
        missing(&refused),
        ["first/call", "first/dated", "second/worth", "third/signed"]
    );
    // Losing asks for none of these.
    let path = format!("/v1/deals/{}", id(&deal));
    crm.client
        .patch(
            &path,
            json!({ "expected_close_on": super::support::in_days(30), "amount": "10" }),
        )
        .await
        .expect(200);
    let refused = act(&crm.client, &deal, "move", json!({ "stage": "third" }))
        .await
        .expect_problem(409, "steps_missing");
    assert_eq!(
        missing(&refused),
        ["first/call"],
        "filled fields are done by themselves"
    );
    let shown = now(&crm.client, &deal).await;
    let done: Vec<(&str, bool)> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["key"].as_str().unwrap(), step["done"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        done,
        [
            ("call", false),
            ("nice", false),
            ("dated", true),
            ("worth", true),
            ("signed", false)
        ]
    );
    act(&crm.client, &deal, "lose", json!({ "reason": "other" }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_deal_ages_in_its_stage() {
    let crm = crm().await;
    let mut first = stage("a", "0.3", &["b"]);
    first["ageing_days"] = json!(5);
    let body = json!({ "name": "Ageing", "publish": true, "stages": [first, stage("b", "0.5", &[])] });
    let ageing = crm.client.post("/v1/pipelines", body).await.expect(201);
    let of = customer(&crm.client, "Slow").await;
    let fresh = deal(&crm.client, &of, &ageing, json!({ "name": "Fresh" })).await;
    let old = deal(&crm.client, &of, &ageing, json!({ "name": "Old" })).await;
    sql(
        &crm,
        &format!(
            "UPDATE deals SET ages_at = ages_at - interval '6 days' WHERE id = '{}'",
            id(&old)
        ),
    );
    let aged = crm.client.get("/v1/deals?aged=true").await.expect(200);
    assert_eq!(super::support::ids(&aged), [id(&old)]);
    let others = crm.client.get("/v1/deals?aged=false").await.expect(200);
    assert_eq!(super::support::ids(&others), [id(&fresh)]);
    let moved = act(&crm.client, &old, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    assert_eq!(moved["ages_at"], Value::Null);
    let aged = crm.client.get("/v1/deals?aged=true").await.expect(200);
    assert_eq!(super::support::ids(&aged), [""; 0]);
}
