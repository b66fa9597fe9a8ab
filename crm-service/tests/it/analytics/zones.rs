//! Which day and month an instant belongs to, where the company is.

use super::support::{all, by_hand, decimal, run, sum_at};
use crate::deals::support::{deal, pipeline};
use crate::sales::order as wanted;
use crate::sales::placed;
use crate::support::{customer, id};
use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use service_kit::testing::TestService;
use std::collections::BTreeMap;

async fn crm_in(zone: Tz) -> TestService {
    TestService::start_with(crm_service::SERVICE, |config| config.time_zone = zone, |_, _| {}).await
}

/// Instants around the ends of days and months, each with the day that it is there.
struct Place {
    zone: Tz,
    instants: &'static [(&'static str, &'static str)],
}

const PLACES: [Place; 4] = [
    // Ahead of UTC by 12 hours, by 13 until 5 April 2026.
    Place {
        zone: Tz::Pacific__Auckland,
        instants: &[
            ("2026-03-31T10:59:59Z", "2026-03-31"),
            ("2026-03-31T11:00:00Z", "2026-04-01"),
            // 5 April lasts 25 hours.
            ("2026-04-04T10:59:59Z", "2026-04-04"),
            ("2026-04-04T11:00:00Z", "2026-04-05"),
            ("2026-04-05T11:59:59Z", "2026-04-05"),
            ("2026-04-05T12:00:00Z", "2026-04-06"),
            ("2026-04-30T11:59:59Z", "2026-04-30"),
            ("2026-04-30T12:00:00Z", "2026-05-01"),
        ],
    },
    // Behind UTC by 4 hours, by 5 from 1 November 2026 on: a month that begins with a day of 25 hours.
    Place {
        zone: Tz::America__New_York,
        instants: &[
            ("2026-11-01T03:59:59Z", "2026-10-31"),
            ("2026-11-01T04:00:00Z", "2026-11-01"),
            ("2026-11-02T04:59:59Z", "2026-11-01"),
            ("2026-11-02T05:00:00Z", "2026-11-02"),
            ("2026-12-01T04:59:59Z", "2026-11-30"),
            ("2026-12-01T05:00:00Z", "2026-12-01"),
        ],
    },
    // The first hour of November 2026 comes twice.
    Place {
        zone: Tz::America__Havana,
        instants: &[
            ("2026-11-01T03:59:59Z", "2026-10-31"),
            ("2026-11-01T04:00:00Z", "2026-11-01"),
            ("2026-11-01T04:30:00Z", "2026-11-01"),
            ("2026-11-01T05:30:00Z", "2026-11-01"),
            ("2026-11-02T05:00:00Z", "2026-11-02"),
        ],
    },
    // 29 March 2026 has no first hour.
    Place {
        zone: Tz::Asia__Beirut,
        instants: &[
            ("2026-03-28T21:59:59Z", "2026-03-28"),
            ("2026-03-28T22:00:00Z", "2026-03-29"),
            ("2026-03-29T20:59:59Z", "2026-03-29"),
            ("2026-03-29T21:00:00Z", "2026-03-30"),
        ],
    },
];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// How many of the instants are on each day, or in each month.
fn counted(place: &Place, letters: usize) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for (_, day) in place.instants {
        *counts.entry(day[..letters].to_owned()).or_default() += 1;
    }
    counts
}

/// A deal opened and a call made at each instant.
async fn busy(place: &Place) -> TestService {
    let crm = crm_in(place.zone).await;
    let of = customer(&crm.client, "Rancho grande").await;
    let pipeline = pipeline(&crm.client, "Plain").await;
    for (n, (at, _)) in place.instants.iter().enumerate() {
        let title = format!("At {at}");
        deal(
            &crm.client,
            &of,
            &pipeline,
            json!({ "name": title, "amount": (n + 1).to_string() }),
        )
        .await;
        let call = json!({ "kind": "call", "title": title, "direction": "out", "state": "done", "outcome": "reached" });
        crm.client.post("/v1/activities", call).await.expect(201);
        run(
            &crm,
            &format!(
                "UPDATE deals SET created_at = '{at}' WHERE name = '{title}';
                 UPDATE activities SET done_at = '{at}' WHERE title = '{title}';"
            ),
        );
    }
    crm
}

async fn opened(crm: &TestService, from: NaiveDate, to: NaiveDate) -> Value {
    let path = format!("/v1/analytics/funnel?from={from}&to={to}");
    let report = crm.client.get(&path).await.expect(200);
    let total = report["total"].clone();
    let rows = sum_at(&crm.client, &total["rows"], "/value").await;
    assert_eq!(rows.0, total["opened"].as_i64().unwrap(), "{path}");
    assert_eq!(rows.1, decimal(&total["value"]), "{path}");
    total["opened"].clone()
}

#[actix_web::test]
async fn an_instant_counts_on_the_day_that_it_is_there() {
    for place in &PLACES {
        let crm = busy(place).await;
        let (first, last) = (
            day(place.instants[0].1),
            day(place.instants[place.instants.len() - 1].1),
        );
        let days = counted(place, 10);
        for on in first.iter_days().take_while(|on| *on <= last) {
            let expected = days.get(&on.to_string()).copied().unwrap_or(0);
            assert_eq!(opened(&crm, on, on).await, expected, "{} on {on}", place.zone);
        }
        assert_eq!(opened(&crm, first, last).await, place.instants.len());

        // By month, with the bounds of the period in the middle of the months.
        let path = format!("/v1/analytics/funnel?from={first}&to={last}&by=month");
        let report = crm.client.get(&path).await.expect(200);
        let mut entered = BTreeMap::new();
        for stage in report["items"].as_array().unwrap() {
            let rows = all(&crm.client, stage["rows"].as_str().unwrap()).await;
            assert_eq!(stage["entered"], rows.len(), "{stage}");
            for row in rows {
                let at = row["name"].as_str().unwrap().trim_start_matches("At ");
                let there = place.instants.iter().find(|(instant, _)| *instant == at).unwrap().1;
                assert_eq!(row["opened_on"], there, "{} at {at}", place.zone);
            }
            entered.insert(
                stage["key"].as_str().unwrap().to_owned(),
                stage["entered"].as_i64().unwrap(),
            );
        }
        assert_eq!(entered, counted(place, 7), "{}", place.zone);

        calls(&crm, place, first, last).await;
    }
}

async fn calls(crm: &TestService, place: &Place, first: NaiveDate, last: NaiveDate) {
    let path = format!("/v1/analytics/kpis?from={first}&to={last}&kind=calls");
    let report = crm.client.get(&path).await.expect(200);
    let mut facts = BTreeMap::new();
    for kpi in report["items"].as_array().unwrap() {
        let rows = all(&crm.client, kpi["rows"].as_str().unwrap()).await;
        assert_eq!(kpi["fact"], rows.len().to_string(), "{kpi}");
        for row in rows {
            let at = row["title"].as_str().unwrap().trim_start_matches("At ");
            let there = place.instants.iter().find(|(instant, _)| *instant == at).unwrap().1;
            assert_eq!(row["on_day"], there, "{} at {at}", place.zone);
        }
        let month = kpi["month"].as_str().unwrap()[..7].to_owned();
        facts.insert(month, kpi["fact"].as_str().unwrap().parse::<i64>().unwrap());
    }
    assert_eq!(facts, counted(place, 7), "{}", place.zone);
}

/// What is due on a day is overdue when that day is over there, and counts in its month.
#[actix_web::test]
async fn a_task_is_overdue_when_its_day_is_over_there() {
    let crm = crm_in(Tz::America__New_York).await;
    for (title, due, done) in [
        ("In time", "2026-10-31", "2026-11-01T03:59:59Z"),
        ("Late", "2026-10-31", "2026-11-01T04:00:01Z"),
        ("In time on the long day", "2026-11-01", "2026-11-02T04:59:59Z"),
        ("Late on the long day", "2026-11-01", "2026-11-02T05:00:01Z"),
    ] {
        let task = json!({ "kind": "task", "title": title, "due_on": due });
        crm.client.post("/v1/activities", task).await.expect(201);
        run(
            &crm,
            &format!("UPDATE activities SET state = 'done', done_at = '{done}' WHERE title = '{title}'"),
        );
    }
    let path = "/v1/analytics/kpis?from=2026-10-01&to=2026-11-30&kind=overdue_tasks";
    let report = crm.client.get(path).await.expect(200);
    let kpis = report["items"].as_array().unwrap();
    assert_eq!(kpis.len(), 2);
    for (kpi, (month, title)) in kpis
        .iter()
        .zip([("2026-10-01", "Late"), ("2026-11-01", "Late on the long day")])
    {
        let rows = all(&crm.client, kpi["rows"].as_str().unwrap()).await;
        assert_eq!((&kpi["month"], &kpi["fact"]), (&json!(month), &json!("1")));
        assert_eq!(rows.iter().map(|row| &row["title"]).collect::<Vec<_>>(), [title]);
    }
}

/// What closes, is ordered and is asked for without days does so on the company's day; and a draft of
/// today there takes its credit along, one of yesterday does not.
///
/// At any time one of these two zones has another day than UTC.
#[actix_web::test]
async fn today_is_the_day_there() {
    for zone in [Tz::Pacific__Kiritimati, Tz::Etc__GMTPlus12] {
        let crm = crm_in(zone).await;
        let of = customer(&crm.client, "Rancho grande").await;
        let pipeline = pipeline(&crm.client, "Plain").await;
        let before = Utc::now().with_timezone(&zone).date_naive();
        let won = deal(&crm.client, &of, &pipeline, json!({ "amount": "10" })).await;
        let won = crate::deals::support::act(&crm.client, &won, "win", json!({}))
            .await
            .expect(200);
        let report = crm.client.get("/v1/analytics/win-loss").await.expect(200);
        let sales = crm.client.get("/v1/analytics/sales").await.expect(200);

        let north = crm.team("North", None).await;
        let ana = crm.user("Ana", "sales", "own", Some(&north)).await;
        let sofia = crm.user("Sofia", "sales", "own", None).await;
        for (name, days) in [("today", 0), ("yesterday", 1)] {
            let mut body = wanted(&of);
            (body["owner_id"], body["external_ref"]) = (json!(ana.id), json!(name));
            body["order_date"] = json!(before - Days::new(days));
            let draft = placed(&crm.client, body).await;
            let assign = format!("/v1/orders/{}/assign", id(&draft));
            crm.client
                .post(&assign, json!({ "owner_id": sofia.id }))
                .await
                .expect(200);
        }
        // Who is asked at midnight may be told either day: nothing is said then.
        if Utc::now().with_timezone(&zone).date_naive() != before {
            continue;
        }
        assert_eq!(won["closed_on"], json!(before));
        assert_eq!((&report["to"], &report["total"]["won"]), (&json!(before), &json!(1)));
        assert_eq!(sales["to"], json!(before));
        let credited = by_hand(
            &crm,
            "SELECT external_ref AS key, u.name AS value FROM orders o JOIN users u ON u.id = o.credited_owner_id",
        );
        assert_eq!(credited["today"], "Sofia", "{zone}");
        assert_eq!(credited["yesterday"], "Ana", "{zone}");
    }
}
