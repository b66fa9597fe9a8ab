use super::support::{act, begun, deal, euro, in_days, list, team, today, user};
use crate::support::{crm, id};
use chrono::Datelike;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::Client;

/// What the rows of a figure's list add up to: count, amount, weighted.
async fn added_up(client: &Client, figure: &Value) -> (i64, Decimal, Decimal) {
    let rows = list(client, &format!("{}&limit=500", figure["deals"].as_str().unwrap())).await;
    let sum = |field: &str| -> Decimal {
        let values = rows.iter().filter_map(|row| row["value"][field].as_str());
        values.map(|value| value.parse::<Decimal>().unwrap()).sum()
    };
    (rows.len() as i64, sum("amount"), sum("weighted"))
}

fn says(figure: &Value) -> (i64, Decimal, Decimal) {
    let decimal = |field: &str| {
        figure[field]
            .as_str()
            .map_or(Decimal::ZERO, |text| text.parse().unwrap())
    };
    (
        figure["count"].as_i64().unwrap(),
        decimal("amount"),
        decimal("weighted"),
    )
}

async fn drills_down(client: &Client, figures: &Value) {
    for part in ["open", "overdue"] {
        assert_eq!(says(&figures[part]), added_up(client, &figures[part]).await, "{part}");
    }
    let (count, amount, _) = added_up(client, &figures["won"]).await;
    assert_eq!((count, amount), (says(&figures["won"]).0, says(&figures["won"]).1));
    let (count, ..) = added_up(client, &figures["unvalued"]).await;
    assert_eq!(count, figures["unvalued"]["count"].as_i64().unwrap());
}

/// 10,000 × 30 % + EUR 4,000 at 1.10 × 50 % + one without amount = 5,200.00 and one unvalued.
#[actix_web::test]
async fn the_forecast_weighs_what_has_a_value_and_counts_what_has_none() {
    let crm = crm().await;
    euro(&crm, "1.10", in_days(-3)).await;
    let soon = json!(in_days(3));
    let (of, pipeline, _) = begun(&crm, json!({ "amount": "10000", "expected_close_on": soon })).await;
    let euros = json!({ "amount": "4000", "currency": "EUR", "expected_close_on": soon });
    let second = deal(&crm.client, &of, &pipeline, euros).await;
    act(&crm.client, &second, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    deal(&crm.client, &of, &pipeline, json!({ "expected_close_on": soon })).await;
    let path = format!("/v1/deals/forecast?from={}&to={}", in_days(-10), in_days(10));
    let forecast = crm.client.get(&path).await.expect(200);
    let total = &forecast["total"];
    assert_eq!(
        (
            &total["open"]["weighted"],
            &total["open"]["amount"],
            &total["open"]["count"]
        ),
        (&json!("5200.00"), &json!("14400.00"), &json!(2))
    );
    assert_eq!(total["unvalued"]["count"], 1);
    assert_eq!(
        (&forecast["currency"], &forecast["as_of"]),
        (&json!("USD"), &json!(today()))
    );
    drills_down(&crm.client, total).await;

    // Won, overdue, and without a rate: each stands apart and changes nothing of the forecast.
    let won = deal(&crm.client, &of, &pipeline, json!({ "amount": "700" })).await;
    act(&crm.client, &won, "win", json!({})).await.expect(200);
    let late = json!({ "amount": "1000", "expected_close_on": in_days(-2) });
    deal(&crm.client, &of, &pipeline, late).await;
    let unrated = json!({ "amount": "1000", "currency": "CHF", "expected_close_on": soon });
    deal(&crm.client, &of, &pipeline, unrated).await;
    deal(&crm.client, &of, &pipeline, json!({ "amount": "50" })).await;
    let earlier = json!({ "amount": "80", "expected_close_on": in_days(-40) });
    deal(&crm.client, &of, &pipeline, earlier).await;
    let forecast = crm.client.get(&path).await.expect(200);
    let total = &forecast["total"];
    assert_eq!(total["open"]["weighted"], "5200.00");
    assert_eq!(
        (
            &total["won"]["amount"],
            &total["won"]["count"],
            &total["won"]["unvalued"]
        ),
        (&json!("700.00"), &json!(1), &json!(0))
    );
    assert_eq!(
        (&total["overdue"]["weighted"], &total["overdue"]["count"]),
        (&json!("300.00"), &json!(1))
    );
    assert_eq!(total["unvalued"]["count"], 2);
    assert_eq!(
        (&forecast["undated"]["weighted"], &forecast["before"]["weighted"]),
        (&json!("15.00"), &json!("24.00"))
    );
    drills_down(&crm.client, total).await;
    for part in ["undated", "before"] {
        assert_eq!(says(&forecast[part]), added_up(&crm.client, &forecast[part]).await);
    }
    // A rate older than seven days says nothing any more.
    super::support::sql(&crm, "UPDATE exchange_rates SET rated_on = rated_on - 5");
    let stale = crm.client.get(&path).await.expect(200);
    assert_eq!(
        (
            &stale["total"]["open"]["weighted"],
            &stale["total"]["unvalued"]["count"]
        ),
        (&json!("3000.00"), &json!(3))
    );
    drills_down(&crm.client, &stale["total"]).await;
}

#[actix_web::test]
async fn each_deal_is_rounded_by_itself_so_that_rows_add_up() {
    let crm = crm().await;
    euro(&crm, "1.115", today()).await;
    let more = json!({ "amount": "0.10", "currency": "EUR", "expected_close_on": in_days(1) });
    let (of, pipeline, first) = begun(&crm, more.clone()).await;
    for _ in 0..2 {
        deal(&crm.client, &of, &pipeline, more.clone()).await;
    }
    act(&crm.client, &first, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    let path = format!("/v1/deals/forecast?from={}&to={}", in_days(0), in_days(5));
    let total = crm.client.get(&path).await.expect(200)["total"].clone();
    // 0.10 × 1.115 = 0.1115 → 0.11 each; weighted 0.05 × 1.115 = 0.05575 → 0.06, 0.03 × 1.115 = 0.03345 → 0.03.
    assert_eq!(
        (&total["open"]["amount"], &total["open"]["weighted"]),
        (&json!("0.33"), &json!("0.12"))
    );
    drills_down(&crm.client, &total).await;
    // 0.05 × 1.1 = 0.055 is a half: to the even cent, as 0.06; 0.15 × 1.1 = 0.165 to 0.16.
    super::support::sql(&crm, "UPDATE exchange_rates SET rate = 1.1");
    let path_of = |deal: &Value| format!("/v1/deals/{}", id(deal));
    crm.client
        .patch(&path_of(&first), json!({ "amount": "0.15" }))
        .await
        .expect(200);
    let rows = list(&crm.client, "/v1/deals?sort=name").await;
    let value = rows.iter().find(|row| row["id"] == first["id"]).unwrap()["value"].clone();
    assert_eq!(value["amount"], "0.16");
    let total = crm.client.get(&path).await.expect(200)["total"].clone();
    drills_down(&crm.client, &total).await;
}

#[actix_web::test]
async fn it_is_broken_down_by_month_owner_and_team_within_sight() {
    let crm = crm().await;
    let (north, south) = (team(&crm, "North").await, team(&crm, "South").await);
    let (_, anna) = user(&crm, "Anna", "own", Some(&north)).await;
    let (berta_client, berta) = user(&crm, "Berta", "own", Some(&south)).await;
    let (lead, _) = user(&crm, "Lead", "team", Some(&south)).await;
    let (this, next) = (in_days(0), in_days(0) + chrono::Months::new(1));
    let (of, pipeline, _) = begun(&crm, json!({ "amount": "100", "expected_close_on": this })).await;
    for (owner, amount, day) in [(&anna, "200", this), (&berta, "400", this), (&berta, "800", next)] {
        let more = json!({ "amount": amount, "expected_close_on": day, "owner_id": owner });
        deal(&crm.client, &of, &pipeline, more).await;
    }
    let to = next.with_day(28).unwrap().max(next);
    let path = format!("/v1/deals/forecast?from={this}&to={to}&group_by=");
    let weighted = async |client: &Client, by: &str| -> Vec<(Value, Value)> {
        let forecast = client.get(&format!("{path}{by}")).await.expect(200);
        drills_down(client, &forecast["total"]).await;
        let mut groups = Vec::new();
        for group in forecast["groups"].as_array().unwrap() {
            drills_down(client, group).await;
            let name = match by {
                "month" => "month",
                "owner" => "owner_name",
                _ => "team_name",
            };
            groups.push((group[name].clone(), group["open"]["weighted"].clone()));
        }
        groups
    };
    let first = |day: chrono::NaiveDate| json!(day.with_day(1).unwrap());
    assert_eq!(
        weighted(&crm.client, "month").await,
        [(first(this), json!("210.00")), (first(next), json!("240.00"))]
    );
    assert_eq!(
        weighted(&crm.client, "owner").await,
        [
            (Value::Null, json!("30.00")),
            (json!("Anna"), json!("60.00")),
            (json!("Berta"), json!("360.00"))
        ]
    );
    assert_eq!(
        weighted(&crm.client, "team").await,
        [
            (Value::Null, json!("30.00")),
            (json!("North"), json!("60.00")),
            (json!("South"), json!("360.00"))
        ]
    );
    for client in [&berta_client, &lead] {
        assert_eq!(weighted(client, "owner").await, [(json!("Berta"), json!("360.00"))]);
    }
    for bad in [
        "from=2026-02-01&to=2026-01-01",
        "from=2020-01-01&to=2026-01-01",
        "group_by=week",
    ] {
        let reply = crm.client.get(&format!("/v1/deals/forecast?{bad}")).await;
        reply.expect_problem(400, "invalid_parameter");
    }
    let patched = crm
        .client
        .patch_matching("/v1/deals/forecast", "\"1\"", json!({}))
        .await;
    assert_eq!(patched.headers["allow"], "GET");
    patched.expect_problem(405, "method_not_allowed");
}
