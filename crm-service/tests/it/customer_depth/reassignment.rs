//! Many customers given to somebody at once.

use crate::activities::{activity, customer_of};
use crate::deals::support::{deal, in_days, pipeline};
use crate::sales::new_id;
use crate::support::{events, id, timeline_kinds};
use crate::visibility::{Company, company};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Two customers of Ana, each with an open deal of hers and one of Nils', a won deal, and tasks of both.
struct Book {
    customers: Vec<Value>,
    anas: Vec<Value>,
    nils: Vec<Value>,
    tasks: Vec<Value>,
}

async fn book(c: &Company) -> Book {
    let client = &c.crm.client;
    let plain = pipeline(client, "Plain").await;
    let mut book = Book {
        customers: Vec::new(),
        anas: Vec::new(),
        nils: Vec::new(),
        tasks: Vec::new(),
    };
    for name in ["Alpha trading", "Omega foods"] {
        let of = customer_of(&c.crm, name, &c.ana.id).await;
        book.anas
            .push(deal(client, &of, &plain, json!({ "owner_id": c.ana.id })).await);
        book.nils
            .push(deal(client, &of, &plain, json!({ "owner_id": c.nils.id })).await);
        let won = deal(client, &of, &plain, json!({ "owner_id": c.ana.id, "amount": "1" })).await;
        client
            .post(&format!("/v1/deals/{}/win", id(&won)), json!({}))
            .await
            .expect(200);
        for owner in [&c.ana.id, &c.nils.id] {
            let task = json!({
                "kind": "task", "title": name, "due_on": in_days(3), "subject_type": "customer", "subject_id": of["id"], "owner_id": owner,
            });
            book.tasks.push(activity(client, task).await);
        }
        book.customers.push(of);
    }
    book
}

fn set(ids: &Value) -> BTreeSet<String> {
    ids.as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

fn of(records: &[&Value]) -> BTreeSet<String> {
    records.iter().map(|record| id(record).to_owned()).collect()
}

#[actix_web::test]
async fn customers_change_hands_with_what_belonged_to_their_owner() {
    let c = company().await;
    let b = book(&c).await;
    let body = json!({
        "customer_ids": [b.customers[0]["id"], b.customers[1]["id"]], "owner_id": c.sofia.id, "deals": "of_owner", "activities": "of_owner",
    });
    // Nothing happens yet, but everything is told.
    let tried = c
        .crm
        .client
        .post("/v1/customers/reassign?dry_run=true", body.clone())
        .await
        .expect(200);
    assert_eq!(c.how_many("/v1/customers").await, [2, 0, 0, 2, 2]);
    let done = c
        .crm
        .client
        .post("/v1/customers/reassign", body.clone())
        .await
        .expect(200);
    assert_eq!(tried, done);
    assert_eq!(
        (&done["owner_id"], &done["team_id"], &done["unchanged"]),
        (&json!(c.sofia.id), &json!(c.south), &json!([]))
    );
    assert_eq!(set(&done["customers"]), of(&[&b.customers[0], &b.customers[1]]));
    assert_eq!(set(&done["deals"]), of(&[&b.anas[0], &b.anas[1]]));
    assert_eq!(set(&done["activities"]), of(&[&b.tasks[0], &b.tasks[2]]));
    // Sight follows: what was done stays with who did it.
    assert_eq!(c.how_many("/v1/customers").await, [0, 0, 2, 0, 2]);
    assert_eq!(c.how_many("/v1/deals?state=open").await, [0, 2, 2, 2, 4]);
    assert_eq!(c.how_many("/v1/deals?state=won").await, [2, 0, 0, 2, 2]);
    assert_eq!(c.how_many("/v1/activities").await, [0, 2, 2, 2, 4]);
    let notified = c.sofia.client.get("/v1/me/notifications").await.expect(200);
    assert_eq!(notified["items"].as_array().unwrap().len(), 2);
    // Each has its event, its audit row and its line.
    let customer = c
        .crm
        .client
        .get(&format!("/v1/customers/{}", id(&b.customers[0])))
        .await;
    assert_eq!(customer.etag(), "\"2\"");
    let changed = events(&c.crm.client, "customer.changed", 4).await;
    let told: Vec<&Value> = changed
        .iter()
        .filter(|event| event["data"]["owner_id"] == json!(c.sofia.id))
        .collect();
    assert_eq!(told.len(), 2);
    let log = c
        .crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&b.anas[0])))
        .await
        .expect(200);
    assert_eq!(log["items"][0]["changes"]["owner_id"]["to"], json!(c.sofia.id));
    let kinds = timeline_kinds(&c.sofia.client, id(&b.customers[0])).await;
    assert!(
        kinds.contains(&"customer_assigned".to_owned()) && kinds.contains(&"deal_assigned".to_owned()),
        "{kinds:?}"
    );
    // Again: it is so already.
    let again = c.crm.client.post("/v1/customers/reassign", body).await.expect(200);
    assert_eq!(
        (
            &again["customers"],
            &again["deals"],
            again["unchanged"].as_array().unwrap().len()
        ),
        (&json!([]), &json!([]), 2)
    );
}

#[actix_web::test]
async fn a_filter_finds_whom_and_the_rest_may_go_along_or_stay() {
    let c = company().await;
    let b = book(&c).await;
    let by_filter = |deals: &str| json!({ "filter": "name contains 'alpha'", "owner_id": c.otto.id, "deals": deals });
    let done = c
        .crm
        .client
        .post("/v1/customers/reassign", by_filter("none"))
        .await
        .expect(200);
    assert_eq!(
        (set(&done["customers"]), &done["deals"]),
        (of(&[&b.customers[0]]), &json!([]))
    );
    let done = c
        .crm
        .client
        .post("/v1/customers/reassign", by_filter("all"))
        .await
        .expect(200);
    assert_eq!(set(&done["deals"]), of(&[&b.anas[0], &b.nils[0]]));
    // Lea sees the north: a customer of Otto's is not there, and what she does not see stays.
    let body = json!({ "filter": "name is not empty", "owner_id": c.nils.id, "deals": "all", "activities": "all" });
    let done = c.lea.client.post("/v1/customers/reassign", body).await.expect(200);
    assert_eq!(set(&done["customers"]), of(&[&b.customers[1]]));
    assert_eq!(set(&done["deals"]), of(&[&b.anas[1]]));
    assert_eq!(set(&done["activities"]), of(&[&b.tasks[2]]));
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_and_nothing_happens() {
    let c = company().await;
    let b = book(&c).await;
    let sofias = customer_of(&c.crm, "Southern", &c.sofia.id).await;
    let body = json!({
        "customer_ids": [b.customers[0]["id"], new_id(), sofias["id"], b.customers[0]["id"]], "owner_id": new_id(), "team_id": new_id(),
    });
    let refused = c
        .ana
        .client
        .post("/v1/customers/reassign", body)
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
            ("/owner_id", "unknown_user"),
            ("/team_id", "unknown_team"),
            ("/customer_ids/1", "unknown_customer"),
            ("/customer_ids/2", "unknown_customer"),
            ("/customer_ids/3", "duplicate"),
        ]
    );
    assert_eq!(c.how_many("/v1/customers").await, [2, 0, 1, 2, 3]);
    for (body, code) in [
        (json!({ "owner_id": c.nils.id }), "required"),
        (
            json!({ "owner_id": c.nils.id, "filter": "grade = 'A'", "customer_ids": [new_id()] }),
            "ambiguous",
        ),
        (
            json!({ "owner_id": c.nils.id, "filter": "grad = 'A'" }),
            "invalid_filter",
        ),
    ] {
        c.ana
            .client
            .post("/v1/customers/reassign", body)
            .await
            .expect_problem(422, code);
    }
    crate::deals::support::sql(
        &c.crm,
        "INSERT INTO customers (id, name, kind, status, version, revision, created_at, updated_at)
         SELECT gen_random_uuid(), 'Many ' || n, 'company', 'active', 1, 1, now(), now() FROM generate_series(1, 1001) n",
    );
    let many = json!({ "owner_id": c.nils.id, "filter": "name contains 'Many '" });
    c.crm
        .client
        .post("/v1/customers/reassign", many)
        .await
        .expect_problem(422, "too_many");
    let thousand = json!({ "owner_id": c.nils.id, "filter": "name contains 'Many ' and name != 'Many 7'" });
    let done = c.crm.client.post("/v1/customers/reassign", thousand).await.expect(200);
    assert_eq!(done["customers"].as_array().unwrap().len(), 1000);
    // What goes along needs its own permission.
    let key = c.crm.client.new_key("custom", &["customers:write"]).await;
    let body = json!({ "owner_id": c.nils.id, "filter": "grade = 'A'", "deals": "all" });
    let refused = key
        .post("/v1/customers/reassign", body)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "deals:write");
}

#[actix_web::test]
async fn thirty_two_give_the_same_customers_away() {
    let c = company().await;
    let b = book(&c).await;
    let ids: Vec<&Value> = b.customers.iter().map(|customer| &customer["id"]).collect();
    let reversed: Vec<&Value> = ids.iter().rev().copied().collect();
    let replies = join_all((0..32).map(|n| {
        let to = [&c.nils.id, &c.sofia.id][n % 2];
        let ids = if n % 4 < 2 { &ids } else { &reversed };
        let body = json!({ "customer_ids": ids, "owner_id": to, "deals": "of_owner", "activities": "all" });
        let client = c.crm.client.clone();
        async move { client.post("/v1/customers/reassign", body).await }
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    // The customers and their owner's deals are together whoever was last.
    let mut owners = BTreeSet::new();
    for record in b
        .customers
        .iter()
        .map(|r| format!("/v1/customers/{}", id(r)))
        .chain(b.anas.iter().map(|r| format!("/v1/deals/{}", id(r))))
    {
        owners.insert(
            c.crm.client.get(&record).await.expect(200)["owner_id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(owners.len(), 1, "{owners:?}");
}

#[actix_web::test]
async fn undecided_quotes_go_along() {
    let c = company().await;
    let client = &c.crm.client;
    let of = customer_of(&c.crm, "Alpha trading", &c.ana.id).await;
    let mut quotes = Vec::new();
    for owner in [&c.ana.id, &c.nils.id] {
        let body = json!({ "title": "Tea", "customer_id": of["id"], "currency": "EUR", "valid_until": in_days(30), "owner_id": owner });
        quotes.push(client.post("/v1/quotes", body).await.expect(201));
    }
    let body = json!({ "customer_ids": [of["id"]], "owner_id": c.sofia.id, "quotes": "of_owner" });
    let done = client.post("/v1/customers/reassign", body).await.expect(200);
    assert_eq!(done["quotes"], json!([quotes[0]["id"]]));
    let path = format!("/v1/quotes/{}", id(&quotes[0]));
    c.ana.client.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(c.sofia.client.get(&path).await.expect(200)["version"], 2);
    let kinds = timeline_kinds(&c.sofia.client, id(&of)).await;
    assert!(kinds.contains(&"quote_assigned".to_owned()), "{kinds:?}");
    let key = client.new_key("custom", &["customers:write"]).await;
    let body = json!({ "customer_ids": [of["id"]], "owner_id": c.nils.id, "quotes": "all" });
    let refused = key
        .post("/v1/customers/reassign", body)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "quotes:write");
}
