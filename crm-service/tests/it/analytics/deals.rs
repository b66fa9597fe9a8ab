use super::support::{all, by_hand, decimal, same_as_csv, sum_at};
use crate::deals::support::{act, deal, in_days, pipeline, today};
use crate::support::customer;
use crate::visibility::{Company, company};
use serde_json::{Value, json};
use service_kit::testing::{Client, User};

fn period() -> String {
    format!("from={}&to={}", in_days(-1), in_days(1))
}

/// The company with a customer and a pipeline `a` ⇄ `b` → `c`.
async fn begun() -> (Company, Value, Value) {
    let company = company().await;
    let of = customer(&company.crm.client, "Rancho grande").await;
    let pipeline = pipeline(&company.crm.client, "Plain").await;
    (company, of, pipeline)
}

async fn owned(company: &Company, of: &Value, pipeline: &Value, owner: &User, more: Value) -> Value {
    let mut body = json!({ "owner_id": owner.id, "source": "fair" });
    crate::sales::merge(&mut body, &more);
    deal(&company.crm.client, of, pipeline, body).await
}

async fn moved(client: &Client, deal: &Value, stages: &[&str]) {
    for stage in stages {
        act(client, deal, "move", json!({ "stage": stage })).await.expect(200);
    }
}

/// Of each group: key, won with value, lost with value.
fn shown(report: &Value) -> Vec<String> {
    let items = report["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    items
        .map(|one| {
            format!(
                "{} {} {} {} {}",
                text(&one["key"]),
                one["won"],
                text(&one["won_value"]),
                one["lost"],
                text(&one["lost_value"])
            )
        })
        .collect()
}

/// Each figure is what its rows add up to.
async fn win_loss_drills_down(client: &Client, report: &Value) {
    for figure in report["items"].as_array().unwrap().iter().chain([&report["total"]]) {
        for part in ["won", "lost"] {
            let told = (
                figure[part].as_i64().unwrap(),
                decimal(&figure[format!("{part}_value")]),
            );
            assert_eq!(
                sum_at(client, &figure[format!("{part}_rows")], "/value").await,
                told,
                "{figure}"
            );
        }
    }
}

#[actix_web::test]
async fn what_was_won_and_lost_by_any_dimension() {
    let (company, of, pipeline) = begun().await;
    let (crm, client) = (&company.crm, &company.crm.client);
    let won = owned(&company, &of, &pipeline, &company.ana, json!({ "amount": "100" })).await;
    act(client, &won, "win", json!({})).await.expect(200);
    let unrated = json!({ "amount": "10", "currency": "EUR" });
    let unrated = owned(&company, &of, &pipeline, &company.nils, unrated).await;
    act(client, &unrated, "win", json!({})).await.expect(200);
    for (owner, amount, reason, competitor) in [
        (&company.ana, "50", "price", Some("Tea & Co, \"the\" rival")),
        (&company.sofia, "7", "competitor", Some("none")),
        (&company.sofia, "5", "price", None),
    ] {
        let lost = owned(&company, &of, &pipeline, owner, json!({ "amount": amount })).await;
        let body = json!({ "reason": reason, "competitor": competitor });
        act(client, &lost, "lose", body).await.expect(200);
    }
    owned(&company, &of, &pipeline, &company.ana, json!({ "amount": "999" })).await;

    let path = format!("/v1/analytics/win-loss?{}", period());
    let report = client.get(&path).await.expect(200);
    assert_eq!(
        shown(&report),
        [
            "none 2 100.00 0 0.00",
            "price 0 0.00 2 55.00",
            "competitor 0 0.00 1 7.00"
        ]
    );
    assert_eq!(
        (&report["total"]["won_unvalued"], &report["total"]["win_rate"]),
        (&json!(1), &json!("0.4"))
    );
    assert_eq!(report["items"][1]["name"], "Too expensive");
    assert!(report["as_of"].is_string());
    // Somebody who is called so and nobody are one group.
    let report = client.get(&format!("{path}&by=competitor")).await.expect(200);
    assert_eq!(shown(&report)[0], "none 2 100.00 2 12.00");
    for by in [
        "reason",
        "competitor",
        "owner",
        "team",
        "source",
        "campaign",
        "pipeline",
        "customer",
        "month",
    ] {
        let path = format!("{path}&by={by}");
        win_loss_drills_down(client, &client.get(&path).await.expect(200)).await;
        assert!(same_as_csv(client, &path, "items").await > 0);
    }
    for (user, won, lost) in [
        (&company.ana, 1, 1),
        (&company.nils, 1, 0),
        (&company.sofia, 0, 2),
        (&company.lea, 2, 1),
        (&company.otto, 2, 3),
    ] {
        let report = user.client.get(&format!("{path}&by=owner")).await.expect(200);
        assert_eq!(
            (&report["total"]["won"], &report["total"]["lost"]),
            (&json!(won), &json!(lost))
        );
        win_loss_drills_down(&user.client, &report).await;
        let theirs = format!(
            "/v1/analytics/win-loss/deals?{}&owner_id={}",
            period(),
            company.sofia.id
        );
        let seen = all(&user.client, &theirs).await.len();
        assert_eq!(seen, if user.id == company.sofia.id || lost == 3 { 2 } else { 0 });
    }
    let by_hand = by_hand(
        crm,
        "SELECT coalesce(loss_reason, 'none') AS key, count(*)::text AS value FROM deals WHERE state <> 'open' GROUP BY 1",
    );
    assert_eq!(by_hand["price"], "2");
    let odd = "/v1/analytics/win-loss?by=luck&form=round&limit=x&key=none";
    let detail = client.get(odd).await.expect_problem(400, "invalid_parameter")["detail"].to_string();
    assert!(
        ["by", "form", "limit"].iter().all(|named| detail.contains(named)),
        "{detail}"
    );
}

#[actix_web::test]
async fn what_enters_a_stage_goes_on_is_there_is_lost_or_goes_back() {
    let (company, of, pipeline) = begun().await;
    let client = &company.crm.client;
    let won = owned(&company, &of, &pipeline, &company.ana, json!({ "amount": "100" })).await;
    moved(client, &won, &["b", "c"]).await;
    act(client, &won, "win", json!({})).await.expect(200);
    let back = owned(&company, &of, &pipeline, &company.ana, json!({})).await;
    moved(client, &back, &["b", "a"]).await;
    let lost = owned(&company, &of, &pipeline, &company.nils, json!({ "amount": "50" })).await;
    moved(client, &lost, &["b"]).await;
    act(client, &lost, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    owned(
        &company,
        &of,
        &pipeline,
        &company.sofia,
        json!({ "amount": "20", "source": "web" }),
    )
    .await;
    // Five days in each stage that was left, ten before that.
    super::support::run(
        &company.crm,
        "UPDATE deal_stays SET entered_at = left_at - interval '5 days' WHERE left_at IS NOT NULL",
    );

    let path = format!("/v1/analytics/funnel?{}", period());
    let report = client.get(&path).await.expect(200);
    let stages = report["items"].as_array().unwrap();
    let counts = |stage: &Value| {
        ["entered", "went_on", "still_there", "lost", "went_back", "unvalued"].map(|part| stage[part].as_i64().unwrap())
    };
    assert_eq!(counts(&stages[0]), [4, 2, 2, 0, 0, 1]);
    assert_eq!(counts(&stages[1]), [3, 1, 0, 1, 1, 1]);
    assert_eq!(counts(&stages[2]), [1, 1, 0, 0, 0, 0]);
    assert_eq!(
        (&stages[0]["value"], &stages[0]["conversion"]),
        (&json!("170.00"), &json!("0.5"))
    );
    assert_eq!(stages[2]["average_seconds"], (5 * 86_400).to_string());
    let total = &report["total"];
    assert_eq!(
        (&total["opened"], &total["won"], &total["value"], &total["conversion"]),
        (&json!(4), &json!(1), &json!("170.00"), &json!("0.25"))
    );
    assert_eq!(
        sum_at(client, &total["rows"], "/value").await,
        (4, decimal(&json!("170")))
    );

    for by in [
        "owner", "team", "source", "campaign", "pipeline", "customer", "reason", "month",
    ] {
        let path = format!("{path}&by={by}");
        let report = client.get(&path).await.expect(200);
        let mut entered = 0;
        for stage in report["items"].as_array().unwrap() {
            let parts: i64 = ["went_on", "still_there", "lost", "went_back"]
                .iter()
                .map(|part| stage[*part].as_i64().unwrap())
                .sum();
            assert_eq!(stage["entered"], parts, "{stage}");
            entered += parts;
            let rows = sum_at(client, &stage["rows"], "/value").await;
            assert_eq!(rows, (parts, decimal(&stage["value"])));
            for part in ["went_on", "still_there", "lost", "went_back"] {
                let rows = sum_at(client, &stage[format!("rows_{part}")], "/value").await;
                assert_eq!(rows.0, stage[part].as_i64().unwrap(), "{by} {part}");
            }
        }
        assert_eq!(entered, 8, "{by}");
        assert!(same_as_csv_but_time(client, &path).await > 2);
    }
    for (user, opened) in [
        (&company.ana, 2),
        (&company.nils, 1),
        (&company.sofia, 1),
        (&company.lea, 3),
        (&company.otto, 4),
    ] {
        let report = user.client.get(&path).await.expect(200);
        assert_eq!(report["total"]["opened"], opened);
        assert_eq!(
            all(&user.client, report["total"]["rows"].as_str().unwrap()).await.len(),
            opened
        );
    }
    let none = client
        .get(&format!(
            "/v1/analytics/funnel?from=2024-01-01&to={}",
            today() - chrono::Days::new(400)
        ))
        .await;
    assert_eq!(none.expect(200)["total"]["opened"], 0);
}

/// Time goes on for what is still there: the stages of a closed deal alone are compared.
async fn same_as_csv_but_time(client: &Client, path: &str) -> usize {
    let request = client.request(reqwest::Method::GET, path).header("Accept", "text/csv");
    let text = client.send(request).await.expect(200);
    let rows = super::support::parsed(text.as_str().unwrap());
    let json = all(client, path).await;
    let place = rows[0].iter().position(|name| name == "entered").unwrap();
    let entered: Vec<String> = json.iter().map(|stage| stage["entered"].to_string()).collect();
    assert_eq!(
        rows[1..].iter().map(|row| row[place].clone()).collect::<Vec<_>>(),
        entered
    );
    json.len()
}
