use super::support::{Order, all, order, same_as_csv, try_run};
use crate::sales::new_id;
use crate::support::{crm, customer, id};
use crate::visibility::company;
use serde_json::{Value, json};
use service_kit::testing::Client;

fn abc(more: Value) -> Value {
    let mut body = json!({ "kind": "abc", "from": "2026-03-01", "to": "2026-03-31" });
    crate::sales::merge(&mut body, &more);
    body
}

async fn made(client: &Client, body: Value) -> Value {
    client.post("/v1/analysis-runs", body).await.expect(201)
}

/// Class and count, in the order of the classes.
fn classes(run: &Value) -> Vec<(String, i64)> {
    let classes = run["classes"].as_array().unwrap().iter();
    classes
        .map(|one| {
            (
                one["class"].as_str().unwrap().to_owned(),
                one["count"].as_i64().unwrap(),
            )
        })
        .collect()
}

async fn items(client: &Client, run: &Value) -> Vec<(String, String)> {
    let rows = all(client, &format!("/v1/analysis-runs/{}/items?", id(run))).await;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or("-").to_owned();
    rows.iter().map(|row| (text(row, "name"), text(row, "class"))).collect()
}

#[actix_web::test]
async fn a_run_stays_as_it_was_made_and_is_compared_with_an_earlier_one() {
    let crm = crm().await;
    let mut of = Vec::new();
    for (name, price) in [
        ("Large", "800"),
        ("Middle", "150"),
        ("Small", "40"),
        ("Least", "10"),
        ("Idle", ""),
    ] {
        let made = customer(&crm.client, name).await;
        if !price.is_empty() {
            order(
                &crm,
                id(&made),
                &Order {
                    price: Some(price),
                    ..Order::default()
                },
            );
        }
        of.push(made);
    }
    // What is before an item decides: exactly 80 % before it is no longer A, exactly 95 % no longer B.
    let first = made(&crm.client, abc(json!({}))).await;
    let found = [
        ("Large", "A"),
        ("Middle", "B"),
        ("Small", "C"),
        ("Least", "C"),
        ("Idle", "inactive"),
    ];
    let found = found.map(|(name, class)| (name.to_owned(), class.to_owned()));
    assert_eq!(items(&crm.client, &first).await, found);
    assert_eq!(
        (&first["net"], &first["thresholds"]),
        (&json!("1000.00"), &json!({ "a_share": "0.8", "b_share": "0.95" }))
    );

    order(
        &crm,
        id(&of[4]),
        &Order {
            price: Some("4000"),
            ..Order::default()
        },
    );
    assert_eq!(items(&crm.client, &first).await, found);
    let second = made(&crm.client, abc(json!({}))).await;
    assert_eq!(
        items(&crm.client, &second).await[0],
        ("Idle".to_owned(), "A".to_owned())
    );
    let path = format!("/v1/analysis-runs/{}/changes?", id(&second));
    let changes = all(&crm.client, &path).await;
    let changed: Vec<_> = changes
        .iter()
        .map(|row| (&row["name"], &row["class_before"], &row["class"]))
        .collect();
    assert_eq!(
        changed,
        [
            (&json!("Large"), &json!("A"), &json!("B")),
            (&json!("Middle"), &json!("B"), &json!("C")),
            (&json!("Idle"), &json!("inactive"), &json!("A"))
        ]
    );
    assert_eq!(same_as_csv(&crm.client, &path, "items").await, 3);
    assert_eq!(
        json!(changes),
        json!(all(&crm.client, &format!("{path}against={}", id(&first))).await)
    );
    let alone = format!("/v1/analysis-runs/{}/changes", id(&first));
    crm.client.get(&alone).await.expect_problem(404, "not_found");
    let sizes = made(
        &crm.client,
        json!({ "kind": "xyz", "from": "2026-03-01", "to": "2026-03-31" }),
    )
    .await;
    crm.client
        .get(&format!("{path}against={}", id(&sizes)))
        .await
        .expect_problem(400, "invalid_parameter");
    crm.client
        .post("/v1/analysis-runs", abc(json!({ "id": id(&first) })))
        .await
        .expect_problem(409, "duplicate");
    // Nothing changes it, not even by hand.
    try_run(&crm, "UPDATE analysis_run_items SET class = 'A'").unwrap_err();
}

#[actix_web::test]
async fn a_run_is_over_what_its_maker_sees_and_is_seen_by_who_may() {
    let company = company().await;
    let crm = &company.crm;
    for (user, team) in [
        (&company.ana, &company.north),
        (&company.nils, &company.nordic),
        (&company.sofia, &company.south),
    ] {
        let of = user
            .client
            .post(
                "/v1/customers?allow_duplicate=true",
                json!({ "name": "Theirs", "kind": "company" }),
            )
            .await
            .expect(201);
        order(
            crm,
            id(&of),
            &Order {
                owner: Some(&user.id),
                team: Some(team),
                ..Order::default()
            },
        );
        user.client
            .post(
                "/v1/customers?allow_duplicate=true",
                json!({ "name": "Idle", "kind": "company" }),
            )
            .await
            .expect(201);
    }
    let whole = made(&company.otto.client, abc(json!({}))).await;
    assert_eq!(
        (classes(&whole), &whole["sees"]),
        (vec![("A".into(), 3), ("inactive".into(), 3)], &json!("all"))
    );
    let teams = made(&company.lea.client, abc(json!({}))).await;
    assert_eq!(
        (classes(&teams), &teams["net"]),
        (vec![("A".into(), 2), ("inactive".into(), 2)], &json!("200.00"))
    );
    let own = made(&company.ana.client, abc(json!({}))).await;
    assert_eq!(classes(&own), [("A".into(), 1), ("inactive".into(), 1)]);
    let seen = |run: &Value| format!("/v1/analysis-runs/{}", id(run));
    assert_eq!(
        company.who_gets(&seen(&whole)).await,
        [false, false, false, false, true]
    );
    assert_eq!(company.who_gets(&seen(&teams)).await, [false, false, false, true, true]);
    assert_eq!(company.who_gets(&seen(&own)).await, [true, false, false, false, true]);
    assert_eq!(
        company.who_gets(&format!("{}/items", seen(&own))).await,
        [true, false, false, false, true]
    );
    assert_eq!(company.how_many("/v1/analysis-runs").await, [1, 0, 0, 1, 3]);
    let path = format!("{}/changes?against={}", seen(&own), id(&whole));
    company.ana.client.get(&path).await.expect_problem(404, "not_found");
    let viewer = crm.client.new_key("viewer", &[]).await;
    viewer
        .post("/v1/analysis-runs", abc(json!({})))
        .await
        .expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn what_is_wrong_with_a_run_is_named_together() {
    let crm = crm().await;
    let refused = |body: Value| {
        let client = crm.client.clone();
        async move {
            let refusal = client.post("/v1/analysis-runs", body).await;
            let refusal = refusal.expect(422);
            let errors = refusal["errors"].as_array().unwrap().iter();
            let mut named: Vec<_> = errors
                .map(|e| format!("{} {}", e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
                .collect();
            named.sort();
            named
        }
    };
    let body = abc(
        json!({ "to": "2026-02-01", "against_from": "2025-01-01", "thresholds": { "a_share": "0.9", "b_share": "0.5", "scores": 3 } }),
    );
    assert_eq!(
        refused(body).await,
        [
            "/against_from not_applicable",
            "/thresholds/b_share out_of_range",
            "/thresholds/scores not_applicable",
            "/to out_of_range"
        ]
    );
    let body = json!({ "kind": "xyz", "from": "2026-01-02", "to": "2026-03-31", "thresholds": { "x_variation": "2" } });
    assert_eq!(
        refused(body).await,
        ["/from whole_months", "/thresholds/y_variation out_of_range"]
    );
    let body = json!({ "kind": "bcg", "from": "2026-01-01", "to": "2026-03-31" });
    assert_eq!(refused(body).await, ["/against_from required", "/against_to required"]);
    let body = json!({ "kind": "bcg", "from": "2026-01-01", "to": "2026-03-31", "against_from": "2019-01-01", "against_to": "2019-02-01" });
    assert_eq!(refused(body).await, ["/against_from out_of_range"]);
    let body = json!({ "kind": "rfm", "subject": "product", "from": "2026-01-01", "to": "2036-03-31" });
    assert_eq!(refused(body).await, ["/subject not_applicable", "/to out_of_range"]);
}

#[actix_web::test]
async fn who_bought_before_the_period_begins_no_cohort_in_it() {
    let company = company().await;
    let crm = &company.crm;
    let of = customer(&crm.client, "Old").await;
    let new = customer(&crm.client, "New").await;
    let theirs = |date: &'static str| Order {
        date,
        owner: Some(&company.ana.id),
        team: Some(&company.north),
        ..Order::default()
    };
    for date in ["2026-02-27", "2026-03-10"] {
        order(
            crm,
            id(&of),
            &Order {
                date,
                ..Order::default()
            },
        );
    }
    for date in ["2026-03-10", "2026-06-08", "2026-06-09"] {
        order(crm, id(&new), &theirs(date));
    }
    let path = "/v1/analytics/cohorts?from=2026-03-01&to=2026-03-31";
    // 90 days after 10 March is 8 June.
    let report = crm.client.get(path).await.expect(200);
    assert_eq!(
        (&report["total"]["customers"], &report["total"]["repeated_within"]),
        (&json!(1), &json!(1))
    );
    let report = crm.client.get(&format!("{path}&within_days=89")).await.expect(200);
    assert_eq!(
        (&report["total"]["repeated_within"], &report["total"]["rate_ever"]),
        (&json!(0), &json!("1"))
    );
    // What came before and is out of sight is not there: each begins with what is seen.
    for (user, customers) in [
        (&company.ana, 1),
        (&company.lea, 1),
        (&company.sofia, 0),
        (&company.otto, 1),
    ] {
        let report = user.client.get(path).await.expect(200);
        assert_eq!(report["total"]["customers"], customers);
        let rows = all(&user.client, report["total"]["rows"].as_str().unwrap()).await;
        assert_eq!(rows.len(), customers);
    }
    let path_of_new = format!("/v1/customers/{}/merge", id(&new));
    let into = json!({ "into": id(&of) });
    crm.client.post(&path_of_new, into).await.expect(200);
    let report = crm.client.get(path).await.expect(200);
    assert_eq!(report["total"]["customers"], 0);
    let refused = crm
        .client
        .get("/v1/analytics/cohorts/customers?repeated=maybe&within_days=0&day=1")
        .await;
    let detail = refused.expect_problem(400, "invalid_parameter")["detail"].to_string();
    assert!(
        ["repeated", "within_days", "day"]
            .iter()
            .all(|named| detail.contains(named)),
        "{detail}"
    );
}

#[actix_web::test]
async fn an_analysis_of_nothing_is_one() {
    let crm = crm().await;
    for body in [
        abc(json!({ "id": new_id() })),
        json!({ "kind": "rfm", "from": "2026-01-01", "to": "2026-03-31" }),
        json!({ "kind": "xyz", "from": "2026-01-01", "to": "2026-03-31" }),
        json!({ "kind": "bcg", "from": "2026-01-01", "to": "2026-03-31", "against_from": "2025-01-01", "against_to": "2025-02-01" }),
    ] {
        let run = made(&crm.client, body).await;
        assert_eq!((&run["net"], classes(&run).len()), (&json!("0.00"), 0));
    }
}
