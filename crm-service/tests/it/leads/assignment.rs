use super::{act, lead, now};
use crate::activities::faults;
use crate::sales::merge;
use crate::support::{crm, id};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService, User};
use std::collections::BTreeMap;

async fn rule(client: &Client, name: &str, members: &[&User], more: Value) -> Value {
    let members: Vec<&str> = members.iter().map(|user| user.id.as_str()).collect();
    let mut body = json!({ "name": name, "position": 10, "method": "round_robin", "members": members });
    merge(&mut body, &more);
    client.post("/v1/lead-assignment-rules", body).await.expect(201)
}

async fn people(crm: &TestService) -> [User; 3] {
    let team = crm.team("Sales", None).await;
    [
        crm.user("Ann", "sales", "own", Some(&team)).await,
        crm.user("Bob", "sales", "own", None).await,
        crm.user("Cid", "sales", "own", None).await,
    ]
}

async fn captured(client: &Client, number: usize, more: Value) -> Value {
    let mut body = json!({ "email": format!("somebody{number}@example.com"), "name": format!("Somebody {number}") });
    merge(&mut body, &more);
    client.post("/v1/leads", body).await.expect(201)
}

fn counted(leads: &[Value]) -> Vec<usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for lead in leads {
        *counts.entry(lead["owner_id"].as_str().unwrap()).or_default() += 1;
    }
    counts.into_values().collect()
}

#[actix_web::test]
async fn turns_are_fair_whoever_comes_at_once() {
    let crm = crm().await;
    let [ann, bob, cid] = people(&crm).await;
    let made = rule(&crm.client, "All", &[&ann, &bob, &cid], json!({})).await;
    let leads = join_all((0..30).map(|n| captured(&crm.client, n, json!({})))).await;
    assert_eq!(counted(&leads), [10, 10, 10]);
    assert!(leads.iter().all(|lead| lead["assigned_by"] == made["id"]));
    let first = leads.iter().find(|lead| lead["owner_id"] == json!(ann.id)).unwrap();
    assert!(first["team_id"].is_string(), "the owner's team");
    // Who gets a lead is told of it.
    let told = ann.client.get("/v1/me/notifications").await.expect(200);
    assert_eq!(told["items"].as_array().unwrap().len(), 10);
    assert_eq!(told["items"][0]["kind"], "lead_assigned");
    // Who has left has no turn.
    crm.client
        .post(&format!("/v1/users/{}/deactivate", bob.id), json!({}))
        .await
        .expect(200);
    let mut later = Vec::new();
    for n in 30..36 {
        later.push(captured(&crm.client, n, json!({})).await);
    }
    assert_eq!(counted(&later), [3, 3]);
}

#[actix_web::test]
async fn who_has_the_fewest_open_leads_gets_the_next() {
    let crm = crm().await;
    let [ann, bob, cid] = people(&crm).await;
    let members = [&ann, &bob, &cid];
    rule(&crm.client, "Load", &members, json!({ "method": "by_load" })).await;
    for n in 0..4 {
        captured(&crm.client, n, json!({ "owner_id": ann.id })).await;
    }
    captured(&crm.client, 4, json!({ "owner_id": bob.id })).await;
    let leads = join_all((5..12).map(|n| captured(&crm.client, n, json!({})))).await;
    let of = |user: &User| leads.iter().filter(|lead| lead["owner_id"] == json!(user.id)).count();
    assert_eq!((of(&ann), of(&bob), of(&cid)), (0, 3, 4));
    let closed = leads.iter().find(|lead| lead["owner_id"] == json!(cid.id)).unwrap();
    act(&crm.client, closed, "disqualify", json!({ "reason": "no_need" }))
        .await
        .expect(200);
    assert_eq!(
        captured(&crm.client, 20, json!({})).await["owner_id"],
        json!(cid.id),
        "closed ones are no load"
    );
}

#[actix_web::test]
async fn the_first_rule_that_fits_the_territory_decides() {
    let crm = crm().await;
    let [ann, bob, cid] = people(&crm).await;
    rule(
        &crm.client,
        "Berlin",
        &[&ann],
        json!({ "position": 1, "countries": ["DE"], "postal_prefixes": ["10", "1 2"] }),
    )
    .await;
    rule(
        &crm.client,
        "Germany",
        &[&bob],
        json!({ "position": 2, "countries": ["DE", "AT"] }),
    )
    .await;
    let rest = json!({ "position": 3, "regions": ["Bavaria", "TYROL"], "condition": "email is not empty" });
    rule(&crm.client, "Alps", &[&cid], rest).await;
    let off = rule(&crm.client, "Off", &[&ann], json!({ "position": 4, "active": false })).await;
    let cases = [
        (json!({ "country": "DE", "postal_code": "10 115" }), Some(&ann)),
        (json!({ "country": "DE", "postal_code": "12043" }), Some(&ann)),
        (json!({ "country": "DE", "postal_code": "20095" }), Some(&bob)),
        (json!({ "country": "DE" }), Some(&bob)),
        (json!({ "country": "CH", "region": " tyrol" }), Some(&cid)),
        (json!({ "country": "FR", "postal_code": "10115" }), None),
        (json!({}), None),
    ];
    for (number, (more, owner)) in cases.into_iter().enumerate() {
        let made = captured(&crm.client, number, more.clone()).await;
        assert_eq!(made["owner_id"], json!(owner.map(|user| &user.id)), "{more}");
    }
    // Who captures a lead keeps it; the rules can be asked later.
    let made = lead(&cid.client, json!({ "country": "DE" })).await;
    assert_eq!(made["owner_id"], json!(cid.id));
    let given = act(&crm.client, &made, "auto-assign", json!({})).await.expect(200);
    assert_eq!(given["owner_id"], json!(bob.id));
    // A lead of nobody is given away when somebody comes again.
    let nobodys = captured(&crm.client, 20, json!({})).await;
    crm.client
        .patch(
            &format!("/v1/lead-assignment-rules/{}", id(&off)),
            json!({ "active": true }),
        )
        .await
        .expect(200);
    act(&crm.client, &nobodys, "touches", json!({})).await.expect(200);
    assert_eq!(now(&crm.client, &nobodys).await["owner_id"], json!(ann.id));
}

#[actix_web::test]
async fn a_score_can_decide_whose_a_lead_becomes() {
    let crm = crm().await;
    let [ann, bob, _] = people(&crm).await;
    let score = json!({ "name": "Buyer", "condition": "job_title = \"Buyer\"", "points": 50 });
    crm.client.post("/v1/lead-scoring-rules", score).await.expect(201);
    rule(
        &crm.client,
        "Hot",
        &[&ann],
        json!({ "position": 1, "condition": "score >= 50" }),
    )
    .await;
    rule(&crm.client, "Others", &[&bob], json!({ "position": 2 })).await;
    let hot = captured(&crm.client, 1, json!({ "job_title": "Buyer" })).await;
    let cold = captured(&crm.client, 2, json!({})).await;
    assert_eq!((&hot["owner_id"], &cold["owner_id"]), (&json!(ann.id), &json!(bob.id)));
}

#[actix_web::test]
async fn a_faulty_rule_is_answered_with_all_its_faults() {
    let crm = crm().await;
    let [ann, ..] = people(&crm).await;
    let nobody = "00000000-0000-7000-8000-000000000001";
    let body = json!({ "name": "Bad", "position": 1, "method": "by_load", "members": [ann.id, ann.id, nobody], "condition": "size > 1" });
    let problem = crm
        .client
        .post("/v1/lead-assignment-rules", body)
        .await
        .expect_problem(422, "invalid_filter");
    let expected = [
        ("/condition", "unknown_field"),
        ("/members/1", "duplicate"),
        ("/members/2", "unknown_user"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
}
