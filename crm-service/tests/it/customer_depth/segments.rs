//! Rules: what they find, their faults, their versions.

use crate::activities::activity;
use crate::deals::support::{euro, in_days, sql};
use crate::sales;
use crate::support::{crm, customer, events, id};
use crate::visibility::company;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

pub async fn by_rule(client: &Client, name: &str, rule: &str) -> Value {
    let body = json!({ "name": name, "kind": "rule", "rule": rule });
    client.post("/v1/segments", body).await.expect(201)
}

pub async fn refreshed(client: &Client, segment: &Value) -> Value {
    client
        .post(&format!("/v1/segments/{}/refresh", id(segment)), json!({}))
        .await
        .expect(200)
}

/// Names of the customers that fulfil a rule, in order.
pub async fn found(client: &Client, rule: &str) -> Vec<String> {
    let shown = client
        .post("/v1/segments/preview", json!({ "rule": rule }))
        .await
        .expect(200);
    let customers = shown["customers"].as_array().unwrap();
    let names: Vec<String> = customers
        .iter()
        .map(|c| c["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown["count"], names.len());
    names
}

/// An order of 137.90, some days ago, that the ERP has accepted.
pub async fn ordered(crm: &TestService, of: &Value, currency: &str, days_ago: i64) -> Value {
    let mut order = sales::order(of);
    order["submit"] = json!(true);
    order["currency"] = json!(currency);
    let placed = sales::placed(&crm.client, order).await;
    sql(
        crm,
        &format!(
            "UPDATE orders SET order_date = '{}' WHERE id = '{}'",
            in_days(-days_ago),
            id(&placed)
        ),
    );
    placed
}

#[actix_web::test]
async fn rules_look_at_orders_and_activities() {
    let crm = crm().await;
    let client = &crm.client;
    let (often, once, never) = (
        customer(client, "Often").await,
        customer(client, "Once").await,
        customer(client, "Never").await,
    );
    // 137.90 USD each; a euro was 1.25 USD ten days ago, and nobody knows of a hundred days ago.
    euro(&crm, "1.25", in_days(-10)).await;
    ordered(&crm, &often, "USD", 200).await;
    ordered(&crm, &often, "EUR", 10).await;
    ordered(&crm, &once, "EUR", 100).await;
    sales::placed(client, sales::order(&never)).await;
    let note = |of: &Value, days: i64| {
        json!({
            "kind": "note", "title": "x", "body": "x", "subject_type": "customer", "subject_id": of["id"],
            "done_at": format!("{}T10:00:00Z", in_days(-days)),
        })
    };
    activity(client, note(&often, 40)).await;
    activity(client, note(&often, 20)).await;
    activity(client, note(&never, 5)).await;
    for (rule, names) in [
        ("orders.count = 2", &["Often"][..]),
        ("orders.count(90 days) = 1", &["Often"]),
        // A draft is no order yet.
        ("orders.count = 0", &["Never"]),
        // 137.90 + 137.90 × 1.25 = 137.90 + 172.375 = 310.275
        ("orders.revenue = 310.275", &["Often"]),
        ("orders.revenue(90d) = 172.375", &["Often"]),
        ("orders.revenue = 0", &["Never"]),
        // What is not known is matched by `is empty` and by nothing else.
        ("orders.revenue is empty", &["Once"]),
        ("not orders.revenue > 1000", &["Never", "Often"]),
        ("last_order_on < today-90d", &["Once"]),
        ("last_order_on >= today - 10 days", &["Often"]),
        ("last_order_on is empty", &["Never"]),
        ("not last_order_on < today-90d", &["Often"]),
        ("first_order_on < today-150d", &["Often"]),
        ("last_activity_on > today-10d", &["Never"]),
        ("last_activity_on is empty", &["Once"]),
        ("activities.count = 2", &["Often"]),
        ("activities.count(30 days) > 0", &["Never", "Often"]),
        (
            "activities.count(30 days) > 0 and orders.count > 0 or name = 'Once'",
            &["Often", "Once"],
        ),
        ("deals.open = 0 and name != \"Once\"", &["Never", "Often"]),
    ] {
        assert_eq!(found(client, rule).await, names, "{rule}");
    }
}

#[actix_web::test]
async fn every_fault_of_a_rule_is_told_with_its_place() {
    let crm = crm().await;
    let rule = r#"grad = "A" and orders.count("x") > 1 or last_order_on < "soon" and custom.region = 1 and ("#;
    for (path, body) in [
        ("/v1/segments/preview", json!({ "rule": rule })),
        (
            "/v1/segments",
            json!({ "name": "Faulty", "kind": "rule", "rule": rule }),
        ),
    ] {
        let refused = crm.client.post(path, body).await.expect_problem(422, "invalid_filter");
        assert!(refused["positions"].as_array().unwrap().len() >= 2, "{refused:#}");
        assert_eq!(refused["errors"][0]["pointer"], "/rule");
    }
    let rule = r#"grad = "A" and last_order_on < "soon" and custom.region = 1"#;
    let refused = crm
        .client
        .post("/v1/segments/preview", json!({ "rule": rule }))
        .await
        .expect_problem(422, "invalid_filter");
    let told: Vec<(i64, &str)> = refused["positions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["position"].as_i64().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(1, "unknown_field"), (32, "wrong_type"), (43, "unknown_field")]);
    assert_eq!(crm.client.get("/v1/segments").await.expect(200)["items"], json!([]));
    for (body, code) in [
        (
            json!({ "name": "Static", "kind": "static", "rule": "grade = 'A'" }),
            "not_allowed",
        ),
        (json!({ "name": "Rule", "kind": "rule" }), "required"),
    ] {
        crm.client.post("/v1/segments", body).await.expect_problem(422, code);
    }
}

#[actix_web::test]
async fn a_rule_has_versions_and_its_members_dates() {
    let crm = crm().await;
    let client = &crm.client;
    let graded = |name: &str, grade: &str| json!({ "name": name, "kind": "company", "grade": grade });
    let a = client.post("/v1/customers", graded("A", "A")).await.expect(201);
    let b = client.post("/v1/customers", graded("B", "B")).await.expect(201);
    let segment = by_rule(client, "Best", "grade = 'A'").await;
    assert_eq!(
        (
            &segment["rule_version"],
            &segment["members"],
            &segment["refreshing"],
            &segment["refreshed_at"]
        ),
        (&json!(1), &json!(0), &json!(true), &json!(null))
    );
    // The background task finds them.
    crm.running
        .kit
        .run_round(&crm_service::segments::refresh::REFRESH)
        .await
        .unwrap();
    let path = format!("/v1/segments/{}", id(&segment));
    let now = client.get(&path).await.expect(200);
    assert_eq!(
        (&now["members"], &now["refreshing"], now["refreshed_at"].is_string()),
        (&json!(1), &json!(false), true)
    );
    assert_eq!(
        names(client, &format!("/v1/customers?segment_id={}", id(&segment))).await,
        ["A"]
    );

    // The next version takes B as well; A stays since it entered.
    let next = client
        .patch(&path, json!({ "rule": "grade in ('A', 'B')" }))
        .await
        .expect(200);
    assert_eq!((&next["rule_version"], &next["members"]), (&json!(2), &json!(1)));
    let now = refreshed(client, &segment).await;
    assert_eq!(now["members"], 2);
    let members = client.get(&format!("{path}/members")).await.expect(200)["items"].clone();
    let told: Vec<(&str, i64, i64)> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            let version = |field: &str| m[field].as_i64().unwrap();
            (
                m["customer_name"].as_str().unwrap(),
                version("entered_version"),
                version("rule_version"),
            )
        })
        .collect();
    assert_eq!(told, [("A", 1, 2), ("B", 2, 2)]);
    let rules = client.get(&format!("{path}/rules")).await.expect(200);
    assert_eq!(
        (&rules["versions"][0]["rule"], &rules["versions"][1]["rule"]),
        (&json!("grade in ('A', 'B')"), &json!("grade = 'A'"))
    );

    // A loses its grade and leaves; who was in before can still be told.
    let both_in = chrono::Utc::now();
    client
        .patch(&format!("/v1/customers/{}", id(&a)), json!({ "grade": "D" }))
        .await
        .expect(200);
    assert_eq!(refreshed(client, &segment).await["members"], 1);
    let count = |query: String| {
        let (client, path) = (client.clone(), path.clone());
        async move {
            client.get(&format!("{path}/members?{query}")).await.expect(200)["items"]
                .as_array()
                .unwrap()
                .len()
        }
    };
    assert_eq!(
        count(format!("at={}", both_in.format("%Y-%m-%dT%H:%M:%S%.6fZ"))).await,
        2
    );
    assert_eq!(
        (count(String::new()).await, count("history=true".to_owned()).await),
        (1, 2)
    );
    let left = client
        .get(&format!("{path}/members?history=true&customer_id={}", id(&a)))
        .await
        .expect(200);
    assert_eq!(
        (
            &left["items"][0]["left_version"],
            left["items"][0]["left_at"].is_string()
        ),
        (&json!(2), true)
    );
    // And enters again with a date of its own.
    client
        .patch(&format!("/v1/customers/{}", id(&a)), json!({ "grade": "B" }))
        .await
        .expect(200);
    refreshed(client, &segment).await;
    assert_eq!(count(format!("history=true&customer_id={}", id(&a))).await, 2);
    let changes = events(client, "segment.members_changed", 4).await;
    let told: Vec<(&Value, &Value)> = changes
        .iter()
        .map(|e| (&e["data"]["entered"], &e["data"]["left"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(1), &json!(0)),
            (&json!(1), &json!(0)),
            (&json!(0), &json!(1)),
            (&json!(1), &json!(0))
        ]
    );
    let _ = b;
}

async fn names(client: &Client, path: &str) -> Vec<String> {
    let page = client.get(path).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn why_somebody_is_in_is_told_by_condition() {
    let crm = crm().await;
    let client = &crm.client;
    let of = client
        .post(
            "/v1/customers",
            json!({ "name": "Tea & Co", "kind": "company", "grade": "A" }),
        )
        .await
        .expect(201);
    ordered(&crm, &of, "USD", 3).await;
    let segment = by_rule(
        client,
        "Good",
        "(grade = 'A' or email is not empty) and orders.count >= 1",
    )
    .await;
    refreshed(client, &segment).await;
    let path = format!("/v1/segments/{}/members/{}/why", id(&segment), id(&of));
    let why = client.get(&path).await.expect(200);
    assert_eq!(
        (&why["member"], &why["matches_now"], &why["rule_version"]),
        (&json!(true), &json!(true), &json!(1))
    );
    assert_eq!(
        why["conditions"],
        json!([
            { "condition": "grade = 'A'", "met": true, "value": "A", "seen": "A", "withheld": false },
            { "condition": "email is not empty", "met": false, "value": null, "seen": null, "withheld": false },
            { "condition": "orders.count >= 1", "met": true, "value": "1", "seen": "1", "withheld": false },
        ])
    );
    // It still says what it saw when it let the customer in.
    client
        .patch(&format!("/v1/customers/{}", id(&of)), json!({ "grade": "C" }))
        .await
        .expect(200);
    let why = client.get(&path).await.expect(200);
    assert_eq!((&why["member"], &why["matches_now"]), (&json!(true), &json!(false)));
    assert_eq!(
        why["conditions"][0],
        json!({ "condition": "grade = 'A'", "met": false, "value": "C", "seen": "A", "withheld": false })
    );
    refreshed(client, &segment).await;
    let why = client.get(&path).await.expect(200);
    assert_eq!(
        (&why["member"], &why["conditions"][0]["seen"]),
        (&json!(false), &json!(null))
    );
}

#[actix_web::test]
async fn a_rule_tells_nobody_what_they_do_not_see() {
    let c = company().await;
    let crm = &c.crm;
    let of = c
        .ana
        .client
        .post("/v1/customers", json!({ "name": "Hers", "kind": "company" }))
        .await
        .expect(201);
    let placed = ordered(crm, &of, "USD", 3).await;
    sql(
        crm,
        &format!(
            "UPDATE orders SET owner_id = '{}', team_id = '{}' WHERE id = '{}'",
            c.sofia.id,
            c.south,
            id(&placed)
        ),
    );
    // Whoever tries a rule counts what they see.
    assert_eq!(found(&c.otto.client, "orders.count = 1").await, ["Hers"]);
    assert_eq!(found(&c.ana.client, "orders.count = 1").await, [""; 0]);
    assert_eq!(found(&c.ana.client, "orders.count = 0").await, ["Hers"]);
    assert_eq!(found(&c.sofia.client, "name = 'Hers'").await, [""; 0]);
    // A rule that is kept counts everything: Ana may not write it, nor learn by it.
    let body = json!({ "name": "Buyers", "kind": "rule", "rule": "orders.count = 1" });
    let refused = c
        .ana
        .client
        .post("/v1/segments", body)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_sight"], "all");
    let segment = by_rule(&c.otto.client, "Buyers", "orders.count = 1 and name = 'Hers'").await;
    refreshed(&c.otto.client, &segment).await;
    let path = format!("/v1/segments/{}/members/{}/why", id(&segment), id(&of));
    let why = c.ana.client.get(&path).await.expect(200);
    assert_eq!(why["matches_now"], json!(null));
    assert_eq!(
        why["conditions"][0],
        json!({ "condition": "orders.count = 1", "met": null, "value": null, "seen": null, "withheld": true })
    );
    assert_eq!(why["conditions"][1]["value"], "Hers");
    c.sofia.client.get(&path).await.expect_problem(404, "not_found");
    // Members show and count as far as the customers are in sight.
    let members = format!("/v1/segments/{}/members", id(&segment));
    assert_eq!(c.how_many(&members).await, [1, 0, 0, 1, 1]);
    assert_eq!(
        c.how_many(&format!("/v1/customers?segment_id={}", id(&segment))).await,
        [1, 0, 0, 1, 1]
    );
    for (user, count) in [(&c.ana, 1), (&c.sofia, 0), (&c.otto, 1)] {
        let shown = user
            .client
            .get(&format!("/v1/segments/{}", id(&segment)))
            .await
            .expect(200);
        assert_eq!(shown["members"], count);
    }
    assert_eq!(
        c.how_many(&format!("/v1/segments?customer_id={}", id(&of))).await,
        [1, 0, 0, 1, 1]
    );
}

#[actix_web::test]
async fn thirty_two_refresh_at_once() {
    let crm = crm().await;
    for name in ["A", "B", "C"] {
        customer(&crm.client, name).await;
    }
    let segment = by_rule(&crm.client, "All", "kind = 'company'").await;
    let replies = join_all((0..32).map(|_| refreshed(&crm.client, &segment))).await;
    assert!(replies.iter().all(|reply| reply["members"] == 3));
    let path = format!("/v1/segments/{}/members?history=true", id(&segment));
    assert_eq!(
        crm.client.get(&path).await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(events(&crm.client, "segment.members_changed", 1).await.len(), 1);
}

#[actix_web::test]
async fn more_customers_than_a_batch_are_all_found() {
    let crm = crm().await;
    let many = "INSERT INTO customers (id, name, kind, status, version, revision, created_at, updated_at)
        SELECT gen_random_uuid(), 'C' || n, 'company', 'active', 1, 1, now(), now() FROM generate_series(1, 4500) n";
    sql(&crm, many);
    let segment = by_rule(&crm.client, "All", "name contains '5'").await;
    crm.running
        .kit
        .run_round(&crm_service::segments::refresh::REFRESH)
        .await
        .unwrap();
    let now = crm
        .client
        .get(&format!("/v1/segments/{}", id(&segment)))
        .await
        .expect(200);
    // Of 1 to 4500: with a 5 among 0–3999 are 4 × 271 = 1084, among 4000–4499 are 5 × 19 = 95, and 4500.
    assert_eq!((&now["members"], &now["refreshing"]), (&json!(1180), &json!(false)));
    // A rule whose field is gone says so, and its members stay.
    sql(&crm, "UPDATE segment_rules SET rule = 'custom.gone = 1'");
    let now = refreshed(&crm.client, &segment).await;
    assert_eq!(now["members"], 1180);
    assert!(now["fault"].as_str().unwrap().contains("custom.gone"), "{now}");
}
