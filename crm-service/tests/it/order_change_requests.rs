//! Asking the ERP to change an order that was submitted.

use crate::sales::{order_now, report, submitted, tell};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};

fn path(order: &Value) -> String {
    format!("/v1/orders/{}/change-requests", id(order))
}

fn faults(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect()
}

#[actix_web::test]
async fn requests_are_kept_told_and_answered_one_by_one() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Changes its mind").await;
    let sent = submitted(&crm.client, &of).await;
    let line = sent["lines"][0]["id"].clone();
    let body = json!({"requests": [
        {"kind": "quantity", "line_id": line, "quantity": "4", "reason": "too many"},
        {"kind": "date", "requested_date": "2999-01-01"},
        {"kind": "address", "shipping_address": {"street": "Obere Str. 57", "city": "Berlin", "country": "DE"}}
    ]});
    let asked = crm.client.post(&path(&sent), body).await.expect(200);
    assert_eq!(
        asked["version"].as_i64(),
        sent["version"].as_i64().map(|version| version + 1)
    );
    // The content stays as it was submitted.
    assert_eq!(
        (&asked["lines"], &asked["requested_date"]),
        (&sent["lines"], &sent["requested_date"])
    );
    let requests = asked["change_requests"].as_array().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request["state"] == "requested"));
    let mut told = report(&asked, 1, "confirmed");
    let answer = |index: usize, state: &str, answer: Value| {
        let mut one = requests[index].clone();
        one["state"] = json!(state);
        one["answer"] = answer;
        one["answered_at"] = json!("2026-01-16T10:00:00Z");
        one
    };
    told["order"]["change_requests"] = json!([
        answer(0, "refused", json!("a quantity does not go below what is delivered")),
        answer(1, "granted", Value::Null)
    ]);
    told["order"]["requested_date"] = json!("2999-01-01");
    let now = tell(&sync, &told).await.expect(200);
    let states: Vec<&str> = now["change_requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["refused", "granted", "requested"]);
    assert_eq!(
        (
            &now["change_requests"][0]["answer"],
            &now["fulfilment"]["requested_date"]
        ),
        (
            &json!("a quantity does not go below what is delivered"),
            &json!("2999-01-01")
        )
    );
    assert_eq!(now["version"], asked["version"], "an answer is no change of ours");
    assert_eq!(order_now(&crm.client, &sent).await, now);
}

#[actix_web::test]
async fn every_fault_is_named_and_a_draft_is_edited_instead() {
    let crm = crm().await;
    let of = customer(&crm.client, "Faulty").await;
    let sent = submitted(&crm.client, &of).await;
    let stranger = crate::sales::new_id();
    let body = json!({"requests": [
        {"kind": "quantity"},
        {"kind": "cancel", "line_id": stranger},
        {"kind": "date", "requested_date": "1999-01-01", "quantity": "1"},
        {"kind": "address"},
        {"kind": "quantity", "line_id": sent["lines"][0]["id"], "quantity": "0"}
    ]});
    let problem = crm
        .client
        .post(&path(&sent), body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/requests/0/line_id", "missing"),
            ("/requests/0/quantity", "missing"),
            ("/requests/1/line_id", "unknown_line"),
            ("/requests/2/quantity", "not_applicable"),
            ("/requests/2/requested_date", "out_of_range"),
            ("/requests/3/shipping_address", "not_applicable"),
            ("/requests/4/quantity", "out_of_range"),
        ]
    );
    assert_eq!(order_now(&crm.client, &sent).await, sent);
    let draft = crate::sales::placed(&crm.client, crate::sales::order(&of)).await;
    crm.client
        .post(&path(&draft), json!({"requests": [{"kind": "date"}]}))
        .await
        .expect_problem(409, "illegal_transition");
}
