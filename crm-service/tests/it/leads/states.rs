use super::{act, lead, qualified};
use crate::support::{crm, id};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_lead_is_worked_on_until_it_is_clear_what_becomes_of_it() {
    let crm = crm().await;
    let made = lead(&crm.client, json!({})).await;
    assert_eq!(
        made["allowed_actions"],
        json!(["edit", "touch", "start", "qualify", "disqualify", "assign"])
    );
    let convert = act(&crm.client, &made, "convert", json!({})).await;
    let problem = convert.expect_problem(409, "illegal_transition");
    assert_eq!(problem["state"], "new");
    for (verb, state) in [("start", "working"), ("qualify", "qualified"), ("reopen", "working")] {
        let turned = act(&crm.client, &made, verb, json!({})).await.expect(200);
        assert_eq!(turned["state"], state);
    }
    act(&crm.client, &made, "start", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    act(&crm.client, &made, "disqualify", json!({ "reason": "bored" }))
        .await
        .expect_problem(422, "unknown_value");
    let gone = act(
        &crm.client,
        &made,
        "disqualify",
        json!({ "reason": "no_budget", "note": "Next year" }),
    )
    .await
    .expect(200);
    assert_eq!(
        [
            &gone["state"],
            &gone["disqualified_reason"],
            &gone["disqualified_note"],
            &gone["allowed_actions"]
        ],
        [
            &json!("disqualified"),
            &json!("no_budget"),
            &json!("Next year"),
            &json!(["reopen", "assign"])
        ]
    );
    let path = format!("/v1/leads/{}", id(&made));
    let edit = crm.client.patch(&path, json!({ "city": "Berlin" })).await;
    edit.expect_problem(409, "illegal_transition");
    let back = act(&crm.client, &made, "reopen", json!({})).await.expect(200);
    assert_eq!(
        (&back["state"], &back["disqualified_reason"]),
        (&json!("working"), &Value::Null)
    );
}

#[actix_web::test]
async fn an_activity_hangs_on_a_lead_and_concerns_the_customer_that_it_becomes() {
    let crm = crm().await;
    let made = qualified(&crm.client, json!({})).await;
    let body = json!({ "kind": "task", "title": "Call back", "subject_type": "lead", "subject_id": id(&made) });
    let task = crm.client.post("/v1/activities", body.clone()).await.expect(201);
    assert_eq!(task["customer_id"], Value::Null);
    let converted = act(&crm.client, &made, "convert", json!({})).await.expect(200);
    let path = format!("/v1/activities/{}", id(&task));
    assert_eq!(
        crm.client.get(&path).await.expect(200)["customer_id"],
        converted["customer_id"]
    );
    let later = crm.client.post("/v1/activities", body).await.expect(201);
    assert_eq!(later["customer_id"], converted["customer_id"]);
}
