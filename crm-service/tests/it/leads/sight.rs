use super::{act, items, labels, lead, qualified};
use crate::support::{crm, customer, id, timeline_kinds};
use serde_json::json;

#[actix_web::test]
async fn a_lead_is_seen_by_those_who_see_its_owner() {
    let crm = crm().await;
    let (north, south) = (crm.team("North", None).await, crm.team("South", None).await);
    let ann = crm.user("Ann", "sales", "own", Some(&north)).await;
    let bob = crm.user("Bob", "sales", "own", Some(&south)).await;
    let head = crm.user("Head", "sales", "team", Some(&north)).await;
    let mine = lead(&ann.client, json!({ "email": "maria@alfreds.example" })).await;
    assert_eq!((&mine["owner_id"], &mine["team_id"]), (&json!(ann.id), &json!(north)));
    let path = format!("/v1/leads/{}", id(&mine));
    head.client.get(&path).await.expect(200);
    bob.client.get(&path).await.expect_problem(404, "not_found");
    let etag = ann.client.get(&path).await.etag();
    bob.client
        .patch_matching(&path, &etag, json!({ "city": "Berlin" }))
        .await
        .expect_problem(404, "not_found");
    bob.client
        .get(&format!("{path}/touches"))
        .await
        .expect_problem(404, "not_found");
    for (verb, body) in [
        ("start", json!({})),
        ("qualify", json!({})),
        ("disqualify", json!({ "reason": "spam" })),
        ("reopen", json!({})),
        ("convert", json!({})),
        ("touches", json!({})),
        ("assign", json!({ "owner_id": bob.id })),
        ("auto-assign", json!({})),
    ] {
        act(&bob.client, &mine, verb, body)
            .await
            .expect_problem(404, "not_found");
    }
    for query in ["", "?q=alfreds", "?filter=email%20is%20not%20empty"] {
        let path = format!("/v1/leads{query}");
        assert_eq!(labels(&bob.client, &path).await.len(), 0, "{path}");
        assert_eq!(labels(&ann.client, &path).await.len(), 1, "{path}");
        assert_eq!(labels(&head.client, &path).await.len(), 1, "{path}");
    }
    // Who does not see a lead does not learn of it by its e-mail address.
    let theirs = json!({ "email": "maria@alfreds.example" });
    let theirs = bob.client.post("/v1/leads", theirs).await.expect(201);
    assert_ne!(theirs["id"], mine["id"]);
    // Activities hang on what is in sight.
    let task = json!({ "kind": "task", "title": "Call", "subject_type": "lead", "subject_id": id(&mine) });
    ann.client.post("/v1/activities", task.clone()).await.expect(201);
    assert_eq!(bob.client.post("/v1/activities", task).await.status, 422);
    // Who gets it sees it, and who gave it away does not.
    let given = act(&ann.client, &mine, "assign", json!({ "owner_id": bob.id }))
        .await
        .expect(200);
    assert_eq!((&given["owner_id"], &given["team_id"]), (&json!(bob.id), &json!(south)));
    bob.client.get(&path).await.expect(200);
    ann.client.get(&path).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn submissions_are_seen_with_their_leads_and_spam_by_those_who_see_all() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let body = json!({ "name": "Form", "allowed_origins": ["*"], "honeypot": "trap", "fields": [{ "name": "email" }] });
    let form = crm.client.post("/v1/lead-forms", body).await.expect(201);
    let send = format!("/v1/forms/{}/submissions", form["key"].as_str().unwrap());
    let visitor = crm.client.with_key("");
    let spam = visitor
        .post(&send, json!({ "email": "x@y.example", "trap": "1" }))
        .await
        .expect(202);
    let one = visitor.post(&send, json!({ "email": "a@b.example" })).await.expect(202);
    let other = visitor.post(&send, json!({ "email": "c@d.example" })).await.expect(202);
    let lead = items(&crm.client, "/v1/leads?q=a%40b").await.remove(0);
    act(&crm.client, &lead, "assign", json!({ "owner_id": ann.id }))
        .await
        .expect(200);
    let list = format!("/v1/lead-forms/{}/submissions", id(&form));
    assert_eq!(items(&crm.client, &list).await.len(), 3);
    let seen = items(&ann.client, &list).await;
    assert_eq!(seen.iter().map(id).collect::<Vec<_>>(), [id(&one)]);
    for hidden in [&spam, &other] {
        let path = format!("/v1/lead-submissions/{}", id(hidden));
        ann.client.get(&path).await.expect_problem(404, "not_found");
        crm.client.get(&path).await.expect(200);
    }
    ann.client
        .get(&format!("/v1/lead-submissions/{}", id(&one)))
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_lead_is_not_converted_to_what_is_out_of_sight_and_is_told_to_those_who_see_it() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    let of = customer(&crm.client, "Alfreds Futterkiste").await;
    let mine = qualified(&ann.client, json!({})).await;
    act(&ann.client, &mine, "convert", json!({ "customer_id": id(&of) }))
        .await
        .expect_problem(422, "unknown_customer");
    let body = json!({ "owner_id": bob.id });
    crm.client
        .post(&format!("/v1/customers/{}/assign", id(&of)), body)
        .await
        .expect(200);
    act(&crm.client, &mine, "convert", json!({ "customer_id": id(&of) }))
        .await
        .expect(200);
    let told = timeline_kinds(&bob.client, id(&of)).await;
    assert!(!told.iter().any(|kind| kind.starts_with("lead")), "{told:?}");
    let told = timeline_kinds(&crm.client, id(&of)).await;
    assert!(told.contains(&"lead_converted".to_owned()), "{told:?}");
}
