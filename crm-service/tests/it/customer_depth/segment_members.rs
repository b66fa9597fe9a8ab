//! Static segments, and the states of all.

use crate::sales::new_id;
use crate::support::{crm, customer, events, id};
use crate::visibility::company;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

async fn made(client: &Client, name: &str) -> Value {
    client
        .post("/v1/segments", json!({ "name": name, "kind": "static" }))
        .await
        .expect(201)
}

async fn act(client: &Client, segment: &Value, verb: &str, body: Value) -> Reply {
    client.post(&format!("/v1/segments/{}/{verb}", id(segment)), body).await
}

#[actix_web::test]
async fn customers_are_put_in_and_taken_out() {
    let crm = crm().await;
    let client = &crm.client;
    let (a, b) = (customer(client, "A").await, customer(client, "B").await);
    let fair = made(client, "Fair").await;
    let both = json!({ "customer_ids": [a["id"], b["id"]] });
    let now = act(client, &fair, "members/add", both.clone()).await.expect(200);
    assert_eq!(now["members"], 2);
    assert_eq!(act(client, &fair, "members/add", both).await.expect(200)["members"], 2);
    let now = act(client, &fair, "members/remove", json!({ "customer_ids": [a["id"]] }))
        .await
        .expect(200);
    assert_eq!(now["members"], 1);
    let path = format!("/v1/segments/{}/members", id(&fair));
    let all = client
        .get(&format!("{path}?history=true&sort=-entered_at"))
        .await
        .expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let in_it = client.get(&path).await.expect(200);
    assert_eq!(
        (
            &in_it["items"][0]["customer_name"],
            &in_it["items"][0]["added_by"],
            &in_it["items"][0]["rule_version"]
        ),
        (&json!("B"), &json!("bootstrap"), &json!(null))
    );
    let faulty = json!({ "customer_ids": [b["id"], new_id(), b["id"]] });
    let refused = act(client, &fair, "members/add", faulty)
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<(&str, &str)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [
            ("/customer_ids/1", "unknown_customer"),
            ("/customer_ids/2", "duplicate")
        ]
    );
    client
        .post("/v1/segments", json!({ "name": "FAIR", "kind": "static" }))
        .await
        .expect_problem(409, "duplicate");
}

#[actix_web::test]
async fn what_a_segment_allows_depends_on_what_it_is() {
    let crm = crm().await;
    let client = &crm.client;
    let fair = made(client, "Fair").await;
    assert_eq!(fair["allowed_actions"], json!(["edit", "add", "remove", "archive"]));
    let refused = act(client, &fair, "refresh", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&refused["state"], &refused["allowed_actions"]),
        (&json!("static"), &fair["allowed_actions"])
    );
    let archived = act(client, &fair, "archive", json!({})).await.expect(200);
    assert_eq!(archived["allowed_actions"], json!(["restore"]));
    let some = json!({ "customer_ids": [new_id()] });
    let refused = act(client, &fair, "members/add", some)
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(refused["state"], "archived");
    act(client, &fair, "restore", json!({})).await.expect(200);
    let path = format!("/v1/segments/{}", id(&fair));
    client
        .patch(&path, json!({ "rule": "grade = 'A'" }))
        .await
        .expect_problem(422, "not_allowed");
    let renamed = client
        .patch(&path, json!({ "name": "Fair 2026", "description": "Who came" }))
        .await
        .expect(200);
    assert_eq!(
        (&renamed["name"], &renamed["revision"]),
        (&json!("Fair 2026"), &json!(4))
    );
    client
        .patch_matching(&path, "\"3.0.0.0\"", json!({ "name": "Old" }))
        .await
        .expect_problem(412, "stale");
}

#[actix_web::test]
async fn thirty_two_put_a_customer_in_once() {
    let crm = crm().await;
    let a = customer(&crm.client, "A").await;
    let fair = made(&crm.client, "Fair").await;
    let replies =
        join_all((0..32).map(|_| act(&crm.client, &fair, "members/add", json!({ "customer_ids": [a["id"]] })))).await;
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 200 && reply.body["members"] == 1)
    );
    let path = format!("/v1/segments/{}/members?history=true", id(&fair));
    assert_eq!(
        crm.client.get(&path).await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn a_customer_out_of_sight_is_not_there_to_put_in() {
    let c = company().await;
    let hers = c
        .ana
        .client
        .post("/v1/customers", json!({ "name": "Hers", "kind": "company" }))
        .await
        .expect(201);
    let fair = made(&c.sofia.client, "Fair").await;
    let body = json!({ "customer_ids": [hers["id"]] });
    act(&c.sofia.client, &fair, "members/add", body.clone())
        .await
        .expect_problem(422, "unknown_customer");
    act(&c.ana.client, &fair, "members/add", body.clone()).await.expect(200);
    act(&c.sofia.client, &fair, "members/remove", body)
        .await
        .expect_problem(422, "unknown_customer");
    let path = format!("/v1/segments/{}/members", id(&fair));
    assert_eq!(c.how_many(&path).await, [1, 0, 0, 1, 1]);
}

#[actix_web::test]
async fn a_merged_customer_leaves_and_its_survivor_is_in_what_was_put_together_by_hand() {
    let crm = crm().await;
    let client = &crm.client;
    let (gone, kept) = (
        customer(client, "Blue Teapot").await,
        customer(client, "Green Kettle").await,
    );
    let (fair, both) = (made(client, "Fair").await, made(client, "Both").await);
    let ids = |customers: &[&Value]| json!({ "customer_ids": customers.iter().map(|c| &c["id"]).collect::<Vec<_>>() });
    act(client, &fair, "members/add", ids(&[&gone])).await.expect(200);
    act(client, &both, "members/add", ids(&[&gone, &kept]))
        .await
        .expect(200);
    let rule = super::segments::by_rule(client, "By name", "name = 'Blue Teapot'").await;
    super::segments::refreshed(client, &rule).await;
    let path = format!("/v1/customers/{}/merge", id(&gone));
    client.post(&path, json!({ "into": kept["id"] })).await.expect(200);
    let members = |segment: Value, history: &'static str| {
        let client = client.clone();
        async move {
            let path = format!("/v1/segments/{}/members?history={history}", id(&segment));
            let page = client.get(&path).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|m| m["customer_name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(members(fair, "false").await, ["Green Kettle"]);
    assert_eq!(members(both.clone(), "false").await, ["Green Kettle"]);
    assert_eq!(members(both, "true").await.len(), 2, "that it was in stays known");
    assert_eq!(members(rule.clone(), "false").await, [""; 0]);
    assert_eq!(super::segments::refreshed(client, &rule).await["members"], 0);
    // It is not there to be put in any more.
    let other = made(client, "Other").await;
    act(client, &other, "members/add", ids(&[&gone]))
        .await
        .expect_problem(422, "unknown_customer");
    let card = client
        .get(&format!("/v1/customers/{}/card", id(&kept)))
        .await
        .expect(200);
    let named: Vec<&str> = card["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["Both", "Fair"]);
}

/// The newest of what was told of each membership: segment, customer, whether it is in.
async fn told(client: &Client, count: usize) -> Vec<(Value, Value, bool)> {
    let mut newest: std::collections::BTreeMap<String, Value> = Default::default();
    for event in events(client, "segment.membership_changed", count).await {
        let data = &event["data"];
        assert_eq!(
            (&event["subject"], &event["subjectversion"]),
            (&data["id"], &data["version"])
        );
        let known = newest.entry(id(data).to_owned()).or_default();
        assert!(
            known["version"].as_i64() < data["version"].as_i64(),
            "each version once"
        );
        *known = data.clone();
    }
    let listed = client.get("/v1/segment-memberships?limit=200").await.expect(200);
    let listed = listed["items"].as_array().unwrap().iter();
    let listed: std::collections::BTreeMap<String, Value> = listed.map(|m| (id(m).to_owned(), m.clone())).collect();
    assert_eq!(newest, listed, "the list and the events tell the same");
    let mut told: Vec<_> = newest.into_values().collect();
    told.sort_by_key(|m| m["entered_at"].as_str().map(str::to_owned));
    let shown = |m: Value| {
        (
            m["segment_id"].clone(),
            m["customer_id"].clone(),
            m["left_at"].is_null(),
        )
    };
    told.into_iter().map(shown).collect()
}

#[actix_web::test]
async fn every_membership_is_told_by_itself_also_when_a_merge_moves_it() {
    let crm = crm().await;
    let client = &crm.client;
    let (gone, kept) = (
        customer(client, "Blue Teapot").await,
        customer(client, "Green Kettle").await,
    );
    let fair = made(client, "Fair").await;
    assert_eq!(fair["version"], 1);
    let one = json!({ "customer_ids": [gone["id"]] });
    act(client, &fair, "members/add", one.clone()).await.expect(200);
    // What is so already, is not told.
    act(client, &fair, "members/add", one).await.expect(200);
    let rule = super::segments::by_rule(client, "By name", "name = 'Blue Teapot' or name = 'Green Kettle'").await;
    super::segments::refreshed(client, &rule).await;
    let (g, k, fair_id, rule_id) = (&gone["id"], &kept["id"], &fair["id"], &rule["id"]);
    let mut now = told(client, 3).await;
    now.sort_by_key(|m| format!("{m:?}"));
    let mut expected = vec![
        (fair_id.clone(), g.clone(), true),
        (rule_id.clone(), g.clone(), true),
        (rule_id.clone(), k.clone(), true),
    ];
    expected.sort_by_key(|m| format!("{m:?}"));
    assert_eq!(now, expected);
    let path = format!("/v1/customers/{}/merge", id(&gone));
    client.post(&path, json!({ "into": k })).await.expect(200);
    let now = told(client, 5).await;
    assert_eq!(now.len(), 3);
    assert!(now.iter().all(|(_, customer, _)| customer == k));
    let of_fair: Vec<bool> = now.iter().filter(|m| m.0 == *fair_id).map(|m| m.2).collect();
    let mut of_rule: Vec<bool> = now.iter().filter(|m| m.0 == *rule_id).map(|m| m.2).collect();
    of_rule.sort_unstable();
    assert_eq!((of_fair, of_rule), (vec![true], vec![false, true]));
    let both = json!({ "customer_ids": [k] });
    act(client, &fair, "members/remove", both).await.expect(200);
    assert!(told(client, 6).await.iter().any(|m| m.0 == *fair_id && !m.2));
    let open = client.get("/v1/segment-memberships?open=true").await.expect(200);
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
}
