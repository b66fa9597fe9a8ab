//! Many leads given to somebody at once.

use super::{act, items, lead, now};
use crate::activities::{activity, faults};
use crate::sales::{merge, new_id};
use crate::support::{events, id};
use crate::visibility::{Company, company};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Leads of Ana with a task of hers and one of Nils' each; the last is converted.
async fn book(c: &Company) -> (Vec<Value>, Vec<Value>) {
    let (mut leads, mut tasks) = (Vec::new(), Vec::new());
    for n in 0..3 {
        let more = json!({ "name": format!("Lead {n}"), "company": null, "email": format!("lead{n}@example.com"), "owner_id": c.ana.id });
        let made = lead(&c.crm.client, more).await;
        for owner in [&c.ana.id, &c.nils.id] {
            let task = json!({ "kind": "task", "title": "Call", "subject_type": "lead", "subject_id": made["id"], "owner_id": owner });
            tasks.push(activity(&c.crm.client, task).await);
        }
        leads.push(made);
    }
    act(&c.crm.client, &leads[2], "qualify", json!({})).await.expect(200);
    act(&c.crm.client, &leads[2], "convert", json!({ "without_deal": true }))
        .await
        .expect(200);
    (leads, tasks)
}

#[actix_web::test]
async fn leads_change_hands_with_what_is_to_be_done() {
    let c = company().await;
    let (leads, tasks) = book(&c).await;
    let client = &c.crm.client;
    let body =
        json!({ "lead_ids": [leads[0]["id"], leads[1]["id"]], "owner_id": c.sofia.id, "activities": "of_owner" });
    let tried = client
        .post("/v1/leads/reassign?dry_run=true", body.clone())
        .await
        .expect(200);
    assert_eq!(now(client, &leads[0]).await["owner_id"], json!(c.ana.id));
    let done = client.post("/v1/leads/reassign", body.clone()).await.expect(200);
    assert_eq!(tried, done);
    assert_eq!(
        [
            &done["owner_id"],
            &done["team_id"],
            &done["leads"],
            &done["unchanged"],
            &done["activities"]
        ],
        [
            &json!(c.sofia.id),
            &json!(c.south),
            &json!([leads[0]["id"], leads[1]["id"]]),
            &json!([]),
            &json!([tasks[0]["id"], tasks[2]["id"]])
        ]
    );
    // Sight follows.
    c.ana
        .client
        .get(&format!("/v1/leads/{}", id(&leads[0])))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(items(&c.sofia.client, "/v1/leads").await.len(), 2);
    assert_eq!(items(&c.sofia.client, "/v1/activities").await.len(), 2);
    let told = items(&c.sofia.client, "/v1/me/notifications").await;
    let of_leads = told.iter().filter(|one| one["kind"] == "lead_assigned").count();
    assert_eq!((told.len(), of_leads), (4, 2));
    let changed = events(client, "lead.changed", 7).await;
    let given = changed
        .iter()
        .filter(|event| event["data"]["owner_id"] == json!(c.sofia.id))
        .count();
    assert_eq!(given, 2);
    let log = client
        .get(&format!("/v1/audit-log?subject={}", id(&leads[0])))
        .await
        .expect(200);
    assert_eq!(log["items"][0]["changes"]["owner_id"]["to"], json!(c.sofia.id));
    let again = client.post("/v1/leads/reassign", body).await.expect(200);
    assert_eq!((&again["leads"], &again["activities"]), (&json!([]), &json!([])));
    assert_eq!(again["unchanged"], done["leads"]);
}

#[actix_web::test]
async fn a_filter_finds_leads_in_sight_and_what_is_wrong_is_all_told() {
    let c = company().await;
    let (leads, _) = book(&c).await;
    lead(
        &c.crm.client,
        json!({ "name": "Lead of the south", "owner_id": c.sofia.id }),
    )
    .await;
    let by = json!({ "filter": "name contains \"lead\"", "owner_id": c.nils.id });
    let done = c.lea.client.post("/v1/leads/reassign", by.clone()).await.expect(200);
    assert_eq!(
        done["leads"],
        json!([leads[0]["id"], leads[1]["id"]]),
        "neither the converted one nor Sofia's"
    );
    let body = json!({ "lead_ids": [leads[0]["id"], new_id(), leads[2]["id"], leads[0]["id"]], "owner_id": new_id() });
    let refused = c
        .crm
        .client
        .post("/v1/leads/reassign", body)
        .await
        .expect_problem(422, "invalid_input");
    let told: Vec<(String, String)> = faults(&refused);
    let told: Vec<(&str, &str)> = told.iter().map(|(at, code)| (at.as_str(), code.as_str())).collect();
    assert_eq!(
        told,
        [
            ("/lead_ids/1", "unknown_lead"),
            ("/lead_ids/2", "illegal_transition"),
            ("/lead_ids/3", "duplicate"),
            ("/owner_id", "unknown_user"),
        ]
    );
    for (more, code) in [
        (json!({ "filter": null }), "required"),
        (json!({ "lead_ids": [new_id()] }), "ambiguous"),
        (json!({ "filter": "colour = 'red'" }), "invalid_filter"),
    ] {
        let mut body = by.clone();
        merge(&mut body, &more);
        c.crm
            .client
            .post("/v1/leads/reassign", body)
            .await
            .expect_problem(422, code);
    }
    let key = c.crm.client.new_key("custom", &["leads:write"]).await;
    let mut body = by;
    body["activities"] = json!("all");
    let refused = key
        .post("/v1/leads/reassign", body)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "activities:write");
}

#[actix_web::test]
async fn thirty_two_give_the_same_leads_away() {
    let c = company().await;
    let (leads, _) = book(&c).await;
    let replies = join_all((0..32).map(|n| {
        let mut ids = vec![&leads[0]["id"], &leads[1]["id"]];
        if n % 4 < 2 {
            ids.reverse();
        }
        let to = [&c.nils.id, &c.sofia.id][n % 2];
        let body = json!({ "lead_ids": ids, "owner_id": to, "activities": "all" });
        let client = c.crm.client.clone();
        async move { client.post("/v1/leads/reassign", body).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let [one, two] = [now(&c.crm.client, &leads[0]).await, now(&c.crm.client, &leads[1]).await];
    assert_eq!(one["owner_id"], two["owner_id"], "together, whoever was last");
    let with = items(&c.crm.client, &format!("/v1/activities?subject_id={}", id(&one))).await;
    assert!(with.iter().all(|task| task["owner_id"] == one["owner_id"]), "{with:?}");
}
