use super::{activity, customer_of, faults, titles};
use crate::support::{crm, id, timeline_kinds};
use serde_json::{Value, json};

#[actix_web::test]
async fn an_activity_follows_its_own_owner() {
    let crm = crm().await;
    let north = crm.team("North", None).await;
    let west = crm.team("West", Some(&north)).await;
    let south = crm.team("South", None).await;
    let boss = crm.user("Boss", "sales", "team", Some(&north)).await;
    let ann = crm.user("Ann", "sales", "own", Some(&west)).await;
    let bob = crm.user("Bob", "sales", "own", Some(&west)).await;
    let other = crm.user("Other", "sales", "team", Some(&south)).await;
    let of = customer_of(&crm, "Ernst Handel", &ann.id).await;
    let body = json!({ "kind": "call", "title": "Secret", "direction": "out", "state": "done", "outcome": "reached",
                       "subject_type": "customer", "subject_id": of["id"] });
    let call = activity(&ann.client, body).await;
    assert_eq!((&call["owner_id"], &call["team_id"]), (&json!(ann.id), &json!(west)));
    let path = format!("/v1/activities/{}", id(&call));
    for (who, sees) in [(&boss, true), (&ann, true), (&bob, false), (&other, false)] {
        let reply = who.client.get(&path).await;
        assert_eq!(reply.status.as_u16(), if sees { 200 } else { 404 });
        let searched = titles(&who.client, "/v1/activities?q=secret").await;
        assert_eq!(searched.len(), usize::from(sees));
        for narrowed in [
            "",
            &format!("?owner_id={}", ann.id),
            &format!("?customer_id={}", id(&of)),
            &format!("?team_id={west}"),
        ] {
            let listed = titles(&who.client, &format!("/v1/activities{narrowed}")).await;
            assert_eq!(listed.len(), usize::from(sees), "{narrowed}");
        }
    }
    for verb in ["complete", "cancel", "reopen"] {
        bob.client
            .post(&format!("{path}/{verb}"), json!({}))
            .await
            .expect_problem(404, "not_found");
    }
    let stolen = json!({ "owner_id": bob.id });
    bob.client
        .post(&format!("{path}/assign"), stolen.clone())
        .await
        .expect_problem(404, "not_found");
    bob.client
        .patch_matching(&path, "*", json!({ "title": "x" }))
        .await
        .expect_problem(404, "not_found");
    // What is assigned is seen by the new owner, who is told; the old one sees it no more.
    let given = boss.client.post(&format!("{path}/assign"), stolen).await.expect(200);
    assert_eq!((&given["owner_id"], &given["team_id"]), (&json!(bob.id), &json!(west)));
    assert_eq!(ann.client.get(&path).await.status, 404);
    bob.client.get(&path).await.expect(200);
    assert!(timeline_kinds(&crm.client, id(&of)).await.contains(&"call".to_owned()));
}

#[actix_web::test]
async fn what_somebody_does_not_see_they_hang_nothing_on() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    let of = customer_of(&crm, "Ernst Handel", &ann.id).await;
    let body = json!({ "kind": "note", "title": "x", "body": "x", "subject_type": "customer", "subject_id": of["id"] });
    let refused = bob
        .client
        .post("/v1/activities", body.clone())
        .await
        .expect_problem(422, "unknown_subject");
    assert_eq!(faults(&refused)[0].0, "/subject_id");
    ann.client.post("/v1/activities", body.clone()).await.expect(201);
    let mine = activity(&bob.client, json!({ "kind": "note", "title": "x", "body": "x" })).await;
    let patch = json!({ "subject_type": "customer", "subject_id": of["id"] });
    let path = format!("/v1/activities/{}", id(&mine));
    bob.client
        .patch(&path, patch)
        .await
        .expect_problem(422, "unknown_subject");
    // A key has no user: what it makes for a customer goes to the customer's owner.
    let made = activity(&crm.client, body).await;
    assert_eq!(made["owner_id"], json!(ann.id));
    let nobodys = activity(&crm.client, json!({ "kind": "note", "title": "x", "body": "x" })).await;
    assert_eq!(nobodys["owner_id"], Value::Null);
    assert_eq!(
        bob.client.get(&format!("/v1/activities/{}", id(&nobodys))).await.status,
        404
    );
}
