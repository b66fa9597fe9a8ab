//! Grades that are proposed from what customers bought.

use super::segments::ordered;
use crate::deals::support::{in_days, today};
use crate::sales::new_id;
use crate::support::{crm, customer, events, id, timeline_kinds};
use crate::visibility::company;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// From 400 and three orders on A, from 200 and two B, from one order on C.
async fn configured(crm: &TestService) {
    let settings = json!({
        "period_days": 100, "a_revenue": "400", "a_orders": 3, "b_revenue": "200", "b_orders": 2,
        "c_revenue": "0", "c_orders": 1,
    });
    let request = crm
        .client
        .request(reqwest::Method::PUT, "/v1/grade-settings")
        .header("If-Match", "\"1\"");
    crm.client.send(request.json(&settings)).await.expect(200);
}

async fn run(client: &Client) -> Value {
    client.post("/v1/grade-runs", json!({})).await.expect(201)
}

async fn proposals(client: &Client, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/grade-proposals?{query}")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// Somebody who may approve but did not make the run.
async fn checker(crm: &TestService) -> Client {
    crm.client.new_key("admin", &[]).await
}

async fn decide(client: &Client, proposal: &Value, verb: &str, body: Value) -> service_kit::testing::Reply {
    client
        .post(&format!("/v1/grade-proposals/{}/{verb}", id(proposal)), body)
        .await
}

#[actix_web::test]
async fn grades_are_proposed_from_revenue_and_frequency() {
    let crm = crm().await;
    configured(&crm).await;
    let named = |name: &str, grade: Value| json!({ "name": name, "kind": "company", "grade": grade });
    let make = |body: Value| {
        let client = crm.client.clone();
        async move { client.post("/v1/customers", body).await.expect(201) }
    };
    let often = make(named("Often", json!(null))).await;
    let twice = make(named("Twice", json!("A"))).await;
    let same = make(named("Same", json!("C"))).await;
    let gone = make(named("Gone", json!("B"))).await;
    let unknown = make(named("Unknown currency", json!(null))).await;
    let _nothing = make(named("Nothing known", json!(null))).await;
    // 137.90 USD each: three of 413.70, two of 275.80, one.
    for _ in 0..3 {
        ordered(&crm, &often, "USD", 5).await;
    }
    ordered(&crm, &twice, "USD", 99).await;
    ordered(&crm, &twice, "USD", 0).await;
    ordered(&crm, &same, "USD", 20).await;
    // Before the hundred days, which begin 99 days ago.
    ordered(&crm, &gone, "USD", 100).await;
    ordered(&crm, &unknown, "CHF", 3).await;
    let made = run(&crm.client).await;
    assert_eq!(
        (
            &made["proposals"],
            &made["unvalued"],
            &made["currency"],
            &made["as_of"],
            &made["settings"]["a_orders"]
        ),
        (&json!(3), &json!(1), &json!("USD"), &json!(today()), &json!(3))
    );
    let mut found: Vec<(String, Value, Value, Value, Value)> = Vec::new();
    for proposal in proposals(&crm.client, "state=proposed").await {
        let of = crm
            .client
            .get(&format!("/v1/customers/{}", proposal["customer_id"].as_str().unwrap()))
            .await
            .expect(200);
        let field = |name: &str| proposal[name].clone();
        let inputs = proposal["inputs"].clone();
        found.push((
            of["name"].as_str().unwrap().to_owned(),
            field("from_grade"),
            field("to_grade"),
            inputs["revenue"]
                .as_str()
                .unwrap()
                .trim_end_matches('0')
                .trim_end_matches('.')
                .into(),
            inputs["orders"].clone(),
        ));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = |name: &str, from: Value, to: &str, revenue: &str, orders: i64| {
        (name.to_owned(), from, json!(to), json!(revenue), json!(orders))
    };
    assert_eq!(
        found,
        [
            expected("Gone", json!("B"), "D", "", 0),
            expected("Often", json!(null), "A", "413.7", 3),
            expected("Twice", json!("A"), "B", "275.8", 2),
        ]
    );
    // The next run supersedes what nobody decided.
    run(&crm.client).await;
    assert_eq!(proposals(&crm.client, "state=superseded").await.len(), 3);
    assert_eq!(proposals(&crm.client, "state=proposed").await.len(), 3);
}

#[actix_web::test]
async fn an_approved_grade_is_the_customers_and_travels() {
    let crm = crm().await;
    configured(&crm).await;
    let of = customer(&crm.client, "Ernst Handel").await;
    ordered(&crm, &of, "USD", 5).await;
    run(&crm.client).await;
    let proposal = proposals(&crm.client, "").await.remove(0);
    assert_eq!(proposal["allowed_actions"], json!(["approve", "reject"]));
    // Not by who made the run.
    decide(&crm.client, &proposal, "approve", json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    let checker = checker(&crm).await;
    decide(
        &checker,
        &proposal,
        "approve",
        json!({ "effective_from": in_days(400) }),
    )
    .await
    .expect_problem(422, "out_of_range");
    let approved = decide(&checker, &proposal, "approve", json!({ "effective_from": in_days(7) }))
        .await
        .expect(200);
    assert_eq!(
        (
            &approved["state"],
            &approved["effective_from"],
            &approved["allowed_actions"]
        ),
        (&json!("approved"), &json!(in_days(7)), &json!([]))
    );
    let now = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!(
        (&now["grade"], &now["grade_effective_from"], &now["version"]),
        (&json!("C"), &json!(in_days(7)), &json!(2))
    );
    let told = events(&crm.client, "customer.changed", 2).await;
    assert_eq!(
        (&told[1]["data"]["grade"], &told[1]["data"]["version"]),
        (&json!("C"), &json!(2))
    );
    assert_eq!(
        events(&crm.client, "grade_proposal.decided", 1).await[0]["data"]["state"],
        "approved"
    );
    assert_eq!(timeline_kinds(&crm.client, id(&of)).await[0], "grade_approved");
    let refused = decide(&checker, &proposal, "reject", json!({ "reason": "no" }))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&refused["state"], &refused["allowed_actions"]),
        (&json!("approved"), &json!([]))
    );
}

#[actix_web::test]
async fn a_proposal_is_rejected_or_out_of_date() {
    let crm = crm().await;
    configured(&crm).await;
    let (one, two) = (customer(&crm.client, "One").await, customer(&crm.client, "Two").await);
    ordered(&crm, &one, "USD", 5).await;
    ordered(&crm, &two, "USD", 5).await;
    run(&crm.client).await;
    let checker = checker(&crm).await;
    let first = proposals(&crm.client, &format!("customer_id={}", id(&one)))
        .await
        .remove(0);
    let rejected = decide(&checker, &first, "reject", json!({ "reason": "Insolvent" }))
        .await
        .expect(200);
    assert_eq!(
        (&rejected["state"], &rejected["reason"]),
        (&json!("rejected"), &json!("Insolvent"))
    );
    let now = crm.client.get(&format!("/v1/customers/{}", id(&one))).await.expect(200);
    assert_eq!((&now["grade"], &now["revision"]), (&json!(null), &json!(1)));
    let second = proposals(&crm.client, &format!("customer_id={}", id(&two)))
        .await
        .remove(0);
    crm.client
        .patch(&format!("/v1/customers/{}", id(&two)), json!({ "grade": "B" }))
        .await
        .expect(200);
    let refused = decide(&checker, &second, "approve", json!({}))
        .await
        .expect_problem(409, "grade_changed");
    assert_eq!((&refused["grade"], &refused["from_grade"]), (&json!("B"), &json!(null)));
    decide(&checker, &json!({ "id": new_id() }), "approve", json!({}))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn thirty_two_decide_once() {
    let crm = crm().await;
    configured(&crm).await;
    let of = customer(&crm.client, "Ernst Handel").await;
    ordered(&crm, &of, "USD", 5).await;
    run(&crm.client).await;
    let proposal = proposals(&crm.client, "").await.remove(0);
    let checker = checker(&crm).await;
    let replies = join_all((0..32).map(|n| match n % 2 {
        0 => decide(&checker, &proposal, "approve", json!({})),
        _ => decide(&checker, &proposal, "reject", json!({ "reason": "no" })),
    }))
    .await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    let lost = replies
        .iter()
        .filter(|reply| reply.body["code"] == "illegal_transition")
        .count();
    assert_eq!((won, lost), (1, 31));
    let state = proposals(&crm.client, "").await.remove(0)["state"].clone();
    let now = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!(now["grade"] == "C", state == "approved", "{now} {state}");
}

#[actix_web::test]
async fn runs_at_once_leave_one_proposal() {
    let crm = crm().await;
    configured(&crm).await;
    let of = customer(&crm.client, "Ernst Handel").await;
    ordered(&crm, &of, "USD", 5).await;
    join_all((0..32).map(|_| run(&crm.client))).await;
    assert_eq!(proposals(&crm.client, "state=proposed").await.len(), 1);
    assert_eq!(proposals(&crm.client, "state=superseded").await.len(), 31);
}

#[actix_web::test]
async fn proposals_show_with_their_customers_and_their_inputs_to_who_sees_everything() {
    let c = company().await;
    configured(&c.crm).await;
    let of = c
        .ana
        .client
        .post("/v1/customers", json!({ "name": "Hers", "kind": "company" }))
        .await
        .expect(201);
    ordered(&c.crm, &of, "USD", 5).await;
    let refused = c
        .lea
        .client
        .post("/v1/grade-runs", json!({}))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_sight"], "all");
    run(&c.otto.client).await;
    let proposal = proposals(&c.otto.client, "").await.remove(0);
    assert_eq!(proposal["inputs"]["orders"], 1);
    let path = format!("/v1/grade-proposals/{}", id(&proposal));
    assert_eq!(c.who_gets(&path).await, [true, false, false, true, true]);
    assert_eq!(c.how_many("/v1/grade-proposals").await, [1, 0, 0, 1, 1]);
    assert_eq!(c.ana.client.get(&path).await.expect(200)["inputs"], json!(null));
    // Sales propose; somebody else approves.
    decide(&c.ana.client, &proposal, "approve", json!({}))
        .await
        .expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn thresholds_descend() {
    let crm = crm().await;
    let settings = crm.client.get("/v1/grade-settings").await;
    assert_eq!(settings.etag(), "\"1\"");
    let faulty = json!({
        "period_days": 365, "a_revenue": "10", "a_orders": 1, "b_revenue": "20", "b_orders": 2, "c_revenue": "-1", "c_orders": 3,
    });
    let put = |etag: &str| {
        crm.client
            .request(reqwest::Method::PUT, "/v1/grade-settings")
            .header("If-Match", etag)
    };
    let refused = crm
        .client
        .send(put("\"1\"").json(&faulty))
        .await
        .expect_problem(422, "invalid_input");
    let faults = refused["errors"].as_array().unwrap();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/c_revenue", "/b_revenue", "/b_orders", "/c_orders"]);
    crm.client
        .send(put("\"9\"").json(&faulty))
        .await
        .expect_problem(412, "stale");
}
