use super::{at, book, monday, room};
use crate::support::{crm, id};
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc, Weekday};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn slots(client: &Client, resource: &Value, from: &str, to: &str, minutes: u32) -> Vec<(String, String)> {
    let path = format!(
        "/v1/resources/{}/free-slots?from={from}&to={to}&minutes={minutes}",
        id(resource)
    );
    let found = client.get(&path).await.expect(200);
    let slots = found["slots"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    slots
        .iter()
        .map(|slot| (text(&slot["starts_at"]), text(&slot["ends_at"])))
        .collect()
}

#[actix_web::test]
async fn what_is_left_of_the_working_hours_is_free() {
    let crm = crm().await;
    let (showroom, day) = (room(&crm.client, json!({})).await, monday());
    book(&crm.client, &showroom, day, ("09:30", "10:15")).await.expect(201);
    let gone = book(&crm.client, &showroom, day, ("14:00", "15:00")).await.expect(201);
    crm.client
        .post(&format!("/v1/bookings/{}/cancel", id(&gone)), json!({}))
        .await
        .expect(200);
    book(&crm.client, &showroom, day, ("16:00", "17:00")).await.expect(201);
    let free = slots(&crm.client, &showroom, &at(day, "00:00"), &at(day, "23:00"), 60).await;
    let expected = [
        ("10:15", "11:15"),
        ("13:00", "14:00"),
        ("14:00", "15:00"),
        ("15:00", "16:00"),
    ];
    assert_eq!(free, expected.map(|(from, to)| (at(day, from), at(day, to))));
    let free = slots(&crm.client, &showroom, &at(day, "09:00"), &at(day, "10:00"), 30).await;
    assert_eq!(free, [(at(day, "09:00"), at(day, "09:30"))]);
    // A slot that is shown can be booked.
    book(&crm.client, &showroom, day, ("10:15", "11:15")).await.expect(201);
    let path = format!("/v1/resources/{}", id(&showroom));
    crm.client.patch(&path, json!({ "active": false })).await.expect(200);
    assert_eq!(
        slots(&crm.client, &showroom, &at(day, "00:00"), &at(day, "23:00"), 60).await,
        []
    );
    let path = format!(
        "{path}/free-slots?minutes=60&from={}&to={}",
        at(day, "00:00"),
        at(day + Days::new(40), "00:00")
    );
    crm.client.get(&path).await.expect_problem(400, "invalid_parameter");
}

/// The last Sunday of March or October that is still to come.
fn change_of_clocks(month: u32) -> NaiveDate {
    let today = Utc::now().date_naive();
    (today.year()..)
        .filter_map(|year| {
            let last = NaiveDate::from_ymd_opt(year, month, 31)?;
            Some(last - Days::new(u64::from(last.weekday().num_days_from_sunday())))
        })
        .find(|day| *day > today + Days::new(2))
        .unwrap()
}

#[actix_web::test]
async fn days_on_which_the_clocks_change_are_as_long_as_they_are() {
    let crm = crm().await;
    // Saturday and Sunday from 1 to 5 o'clock, in Berlin.
    let hours = [6, 7].map(|weekday| json!({ "weekday": weekday, "from": "01:00", "to": "05:00" }));
    let body = json!({ "name": "Night room", "kind": "room", "time_zone": "Europe/Berlin", "working_hours": hours });
    let night = crm.client.post("/v1/resources", body).await.expect(201);
    for (month, first_hour, count) in [(3, 0, 3), (10, -1, 5)] {
        let sunday = change_of_clocks(month);
        assert_eq!(sunday.weekday(), Weekday::Sun);
        let midnight: DateTime<Utc> = at(sunday, "00:00").parse().unwrap();
        let opens = midnight + TimeDelta::hours(first_hour);
        let expected: Vec<(String, String)> = (0..count)
            .map(|n| {
                let shown = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
                (
                    shown(opens + TimeDelta::hours(n)),
                    shown(opens + TimeDelta::hours(n + 1)),
                )
            })
            .collect();
        let from = at(sunday - Days::new(1), "12:00");
        assert_eq!(
            slots(&crm.client, &night, &from, &at(sunday, "12:00"), 60).await,
            expected,
            "{sunday}"
        );
        // All of it can be booked at once, and no minute more.
        let body = |ends_at: &str| json!({ "resource_id": id(&night), "title": "Stocktaking", "starts_at": expected[0].0, "ends_at": ends_at });
        let later = (opens + TimeDelta::hours(count) + TimeDelta::minutes(1)).to_rfc3339();
        crm.client
            .post("/v1/bookings", body(&later))
            .await
            .expect_problem(422, "outside_working_hours");
        let whole = body(&expected.last().unwrap().1);
        crm.client.post("/v1/bookings", whole).await.expect(201);
    }
}
