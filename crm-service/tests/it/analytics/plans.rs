use super::support::{Order, all, decimal, order, run, same_as_csv, sum_at};
use crate::deals::support::{deal, in_days, pipeline, today};
use crate::support::{crm, customer, id};
use crate::visibility::{Company, company};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::User;

const MARCH: &str = "from=2026-03-01&to=2026-03-31";

async fn planned(company: &Company, user: &User, month: &str, kind: &str, target: &str) -> Value {
    let body = json!({ "owner_id": user.id, "month": month, "kind": kind, "target": target });
    company.crm.client.post("/v1/plans", body).await.expect(201)
}

#[actix_web::test]
async fn a_plan_is_of_a_user_or_a_team_and_there_is_one() {
    let company = company().await;
    let client = &company.crm.client;
    let body = json!({ "owner_id": company.ana.id, "month": "2026-03", "kind": "calls", "target": "40" });
    let replies = join_all((0..32).map(|_| client.post("/v1/plans", body.clone()))).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 31));
    for reply in refused {
        reply.expect_problem(409, "duplicate");
    }
    let plan = made[0].body.clone();
    assert_eq!(
        (&plan["of"], &plan["month"], &plan["team_id"]),
        (&json!("user"), &json!("2026-03-01"), &json!(company.north))
    );
    let teams = json!({ "team_id": company.north, "month": "2026-03", "kind": "calls", "target": "90" });
    let of_team = client.post("/v1/plans", teams.clone()).await.expect(201);
    client.post("/v1/plans", teams).await.expect_problem(409, "duplicate");

    // Seen like a record of that user, or of that team.
    let path = format!("/v1/plans/{}", id(&plan));
    assert_eq!(company.who_gets(&path).await, [true, false, false, true, true]);
    assert_eq!(
        company.who_gets(&format!("/v1/plans/{}", id(&of_team))).await,
        [false, false, false, true, true]
    );
    assert_eq!(company.how_many("/v1/plans?kind=calls").await, [1, 0, 0, 2, 2]);
    let patch = json!({ "target": "50" });
    company
        .ana
        .client
        .patch(&path, patch.clone())
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(client.patch(&path, patch).await.expect(200)["target"], "50");
    client.patch(&path, json!({ "target": "-1" })).await.expect(422);
    client.delete(&path).await.expect(204);
    client.get(&path).await.expect_problem(404, "not_found");

    let wrong = json!({ "owner_id": company.north, "team_id": company.ana.id, "month": "2026-03", "kind": "calls", "target": "1.5" });
    let refused = client
        .post("/v1/plans", wrong)
        .await
        .expect_problem(422, "invalid_input");
    let named: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["code"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["one_of", "unknown_user", "unknown_team", "out_of_range"]);
}

/// Ana: two calls, a meeting, a deal won, 150 of revenue and a task done too late; Sofia: a call.
async fn busy() -> Company {
    let company = company().await;
    let crm = &company.crm;
    for (user, title) in [
        (&company.ana, "First"),
        (&company.ana, "Second"),
        (&company.sofia, "Theirs"),
    ] {
        let call = json!({ "kind": "call", "title": title, "direction": "out", "state": "done", "outcome": "reached" });
        user.client.post("/v1/activities", call).await.expect(201);
    }
    let meeting = json!({ "kind": "meeting", "title": "Tasting", "state": "done", "starts_at": "2026-03-02T09:00:00Z", "ends_at": "2026-03-02T10:00:00Z" });
    company.ana.client.post("/v1/activities", meeting).await.expect(201);
    for (title, due) in [
        ("Late", "2026-03-05"),
        ("Open", "2026-03-31"),
        ("In time", "2026-03-06"),
        ("April", "2026-04-01"),
    ] {
        let task = json!({ "kind": "task", "title": title, "due_on": due });
        company.ana.client.post("/v1/activities", task).await.expect(201);
    }
    let of = customer(&crm.client, "Rancho grande").await;
    let pipeline = pipeline(&crm.client, "Plain").await;
    let won = deal(
        &crm.client,
        &of,
        &pipeline,
        json!({ "owner_id": company.ana.id, "amount": "10" }),
    )
    .await;
    let body = json!({ "closed_on": "2026-03-31" });
    crate::deals::support::act(&crm.client, &won, "win", body)
        .await
        .expect(200);
    let (owner, team) = (Some(&*company.ana.id), Some(&*company.north));
    for price in [Some("100"), Some("50"), None] {
        order(
            crm,
            id(&of),
            &Order {
                owner,
                team,
                price,
                ..Order::default()
            },
        );
    }
    run(
        crm,
        "UPDATE activities SET done_at = '2026-03-10 10:00Z' WHERE kind IN ('call', 'meeting');
        UPDATE activities SET state = 'done', done_at = due_by + interval '1 hour' WHERE title = 'Late';
        UPDATE activities SET state = 'done', done_at = due_by - interval '1 hour' WHERE title = 'In time';",
    );
    company
}

#[actix_web::test]
async fn plan_and_fact_stand_side_by_side_and_drill_down() {
    let company = busy().await;
    let client = &company.crm.client;
    for (kind, target) in [("calls", "4"), ("revenue", "100"), ("overdue_tasks", "1")] {
        planned(&company, &company.ana, "2026-03", kind, target).await;
    }
    planned(&company, &company.nils, "2026-03", "calls", "3").await;
    let path = format!("/v1/analytics/kpis?{MARCH}");
    let report = client.get(&path).await.expect(200);
    let shown: Vec<String> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kpi| {
            let text = |field: &str| kpi[field].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {}/{} {}",
                text("name"),
                text("kind"),
                text("fact"),
                text("plan"),
                kpi["kept"]
            )
        })
        .collect();
    let mut expected = [
        "Ana calls 2/4 false",
        "Nils calls 0/3 false",
        "Sofia calls 1/- null",
        "Ana deals 1/- null",
        "Ana meetings 1/- null",
        "Ana overdue_tasks 2/1 false",
        "Ana revenue 150/100 true",
    ];
    let mut sorted = shown.clone();
    sorted.sort();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let revenue = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|kpi| kpi["kind"] == "revenue")
        .unwrap();
    assert_eq!(
        (&revenue["unvalued"], &revenue["attainment"], &revenue["difference"]),
        (&json!(1), &json!("1.5"), &json!("50"))
    );
    assert_eq!(same_as_csv(client, &path, "items").await, 7);
    for (user, seen) in [
        (&company.ana, 5),
        (&company.nils, 1),
        (&company.sofia, 1),
        (&company.lea, 6),
        (&company.otto, 7),
    ] {
        let report = user.client.get(&path).await.expect(200);
        let kpis = report["items"].as_array().unwrap();
        assert_eq!(kpis.len(), seen);
        for kpi in kpis {
            let (rows, sum) = sum_at(&user.client, &kpi["rows"], "/value").await;
            assert_eq!(sum, decimal(&kpi["fact"]), "{kpi}");
            assert!(rows >= kpi["unvalued"].as_i64().unwrap());
        }
        let theirs = format!("/v1/analytics/kpis/records?{MARCH}&owner_id={}", company.sofia.id);
        let seen = all(&user.client, &theirs).await.len();
        assert_eq!(
            seen,
            usize::from([&company.sofia.id, &company.otto.id].contains(&&user.id))
        );
    }
    // By team: Sofia's call is South's.
    let report = client.get(&format!("{path}&of=team&kind=calls")).await.expect(200);
    let mut facts: Vec<_> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kpi| (kpi["name"].as_str(), kpi["fact"].as_str()))
        .collect();
    facts.sort_unstable();
    assert_eq!(facts, [(Some("North"), Some("2")), (Some("South"), Some("1"))]);
    let odd = "/v1/analytics/kpis?of=moon&kind=luck&weather=1";
    let detail = client.get(odd).await.expect_problem(400, "invalid_parameter")["detail"].to_string();
    assert!(
        ["of", "kind", "weather"].iter().all(|named| detail.contains(named)),
        "{detail}"
    );
}

#[actix_web::test]
async fn the_forecast_stands_against_the_plan() {
    let company = company().await;
    let (crm, client) = (&company.crm, &company.crm.client);
    let of = customer(client, "Rancho grande").await;
    let pipeline = pipeline(client, "Plain").await;
    for (user, amount, currency, day) in [
        (&company.ana, json!("1000"), "USD", today()),
        (&company.ana, json!("100"), "USD", in_days(-1)),
        (&company.ana, Value::Null, "USD", today()),
        (&company.sofia, json!("10"), "EUR", today()),
    ] {
        let more = json!({ "owner_id": user.id, "amount": amount, "currency": currency, "expected_close_on": day });
        deal(client, &of, &pipeline, more).await;
    }
    let now = today().to_string();
    let (owner, team) = (Some(&*company.ana.id), Some(&*company.north));
    order(
        crm,
        id(&of),
        &Order {
            date: &now,
            owner,
            team,
            price: Some("250"),
            ..Order::default()
        },
    );
    let month = &now[..7];
    planned(&company, &company.ana, month, "revenue", "1000").await;
    let team = json!({ "team_id": company.north, "month": month, "kind": "revenue", "target": "5000" });
    client.post("/v1/plans", team).await.expect(201);

    let period = format!("from={}&to={now}", in_days(-1));
    let path = format!("/v1/analytics/forecast?{period}&by=owner");
    let report = client.get(&path).await.expect(200);
    let items = report["items"].as_array().unwrap();
    let ana = items.iter().find(|one| one["name"] == "Ana").unwrap();
    for (field, value) in [
        ("plan", json!("1000.00")),
        ("revenue", json!("250.00")),
        ("forecast", json!("300.00")),
        ("overdue", json!("30.00")),
        ("unvalued", json!(1)),
        ("expected", json!("550.00")),
        ("difference", json!("-450.00")),
        ("attainment", json!("0.55")),
    ] {
        assert_eq!(ana[field], value, "{field}");
    }
    let sofia = items.iter().find(|one| one["name"] == "Sofia").unwrap();
    assert_eq!(
        (&sofia["plan"], &sofia["forecast"], &sofia["unvalued"]),
        (&Value::Null, &json!("0.00"), &json!(1))
    );
    for by in ["owner", "team", "month", "month&plans_of=team"] {
        for user in [&company.ana, &company.lea, &company.sofia, &company.otto] {
            let path = format!("/v1/analytics/forecast?{period}&by={by}");
            let report = user.client.get(&path).await.expect(200);
            for one in report["items"].as_array().unwrap() {
                for (rows, pointer, field) in [
                    ("rows_plan", "/target", "plan"),
                    ("rows_revenue", "/net", "revenue"),
                    ("rows_forecast", "/value/weighted", "forecast"),
                    ("rows_overdue", "/value/weighted", "overdue"),
                ] {
                    assert_eq!(
                        sum_at(&user.client, &one[rows], pointer).await.1,
                        decimal(&one[field]),
                        "{by} {field} {one}"
                    );
                }
                let unvalued = sum_at(&user.client, &one["rows_unvalued"], "/amount").await.0;
                assert_eq!(one["unvalued"], unvalued);
            }
        }
        assert!(same_as_csv(client, &format!("/v1/analytics/forecast?{period}&by={by}"), "items").await > 0);
    }
    client
        .get(&format!("{path}&plans_of=team"))
        .await
        .expect_problem(400, "invalid_parameter");
    let none = crm_without_anything().await;
    assert_eq!(none["items"], json!([]));
}

async fn crm_without_anything() -> Value {
    let crm = crm().await;
    crm.client.get("/v1/analytics/forecast").await.expect(200)
}
