use super::activity;
use crate::support::{crm, id};
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, Utc, Weekday};
use chrono_tz::Europe::Berlin;
use crm_service::SERVICE;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::config::Config;
use service_kit::testing::{ADMIN_KEY, Client, TestDatabase};

async fn next_of(client: &Client, done: &Value) -> Value {
    let next = done["next_id"].as_str().expect("the next one");
    client.get(&format!("/v1/activities/{next}")).await.expect(200)
}

async fn complete(client: &Client, activity: &Value) -> Value {
    let path = format!("/v1/activities/{}/complete", id(activity));
    client.post(&path, json!({})).await.expect(200)
}

/// The first such day from tomorrow on.
fn coming(weekday: Weekday) -> NaiveDate {
    let mut day = Utc::now().date_naive() + Days::new(1);
    while day.weekday() != weekday {
        day = day + Days::new(1);
    }
    day
}

#[actix_web::test]
async fn completing_one_makes_the_next() {
    let crm = crm().await;
    let monday = coming(Weekday::Mon);
    let body = json!({ "kind": "task", "title": "Report", "body": "To the manager", "priority": "high", "due_on": monday,
                       "recurrence": "RRULE:freq=weekly;byday=mo,th;count=3" });
    let first = activity(&crm.client, body).await;
    assert_eq!(first["recurrence"], "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=3");
    let second = next_of(&crm.client, &complete(&crm.client, &first).await).await;
    assert_eq!(
        [
            &second["state"],
            &second["title"],
            &second["body"],
            &second["priority"],
            &second["due_on"],
            &second["series_id"]
        ],
        [
            &json!("open"),
            &json!("Report"),
            &json!("To the manager"),
            &json!("high"),
            &json!(monday + Days::new(3)),
            &first["series_id"]
        ]
    );
    // Somebody moves this one; the series stays where it is.
    let path = format!("/v1/activities/{}", id(&second));
    let moved = crm
        .client
        .patch(&path, json!({ "due_on": monday + Days::new(5) }))
        .await
        .expect(200);
    let third = next_of(&crm.client, &complete(&crm.client, &moved).await).await;
    assert_eq!(third["due_on"], json!(monday + Days::new(7)));
    let last = complete(&crm.client, &third).await;
    assert_eq!(last["next_id"], Value::Null, "the rule counts to three");
}

#[actix_web::test]
async fn the_next_one_is_made_once() {
    let crm = crm().await;
    let body = json!({ "kind": "task", "title": "Daily", "due_on": coming(Weekday::Mon), "recurrence": "FREQ=DAILY" });
    let first = activity(&crm.client, body).await;
    let path = format!("/v1/activities/{}", id(&first));
    let verb = format!("{path}/complete");
    join_all((0..32).map(|_| crm.client.post(&verb, json!({})))).await;
    let done = crm.client.get(&path).await.expect(200);
    crm.client.post(&format!("{path}/reopen"), json!({})).await.expect(200);
    let again = complete(&crm.client, &first).await;
    assert_eq!(again["next_id"], done["next_id"]);
    let series = format!("/v1/activities?series_id={}", first["series_id"].as_str().unwrap());
    let all = crm.client.get(&series).await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn what_was_missed_is_not_made_up_for() {
    let crm = crm().await;
    let today = Utc::now().date_naive();
    let body = json!({ "kind": "task", "title": "Daily", "due_on": today - Days::new(20), "recurrence": "FREQ=DAILY" });
    let next = next_of(
        &crm.client,
        &complete(&crm.client, &activity(&crm.client, body).await).await,
    )
    .await;
    assert!(
        [json!(today), json!(today + Days::new(1))].contains(&next["due_on"]),
        "{next}"
    );
    let an_hour_ago = Utc::now() - Duration::days(3) - Duration::hours(1);
    let body = json!({ "kind": "call", "title": "Daily", "direction": "out", "due_at": an_hour_ago, "outcome": "busy",
                       "recurrence": "FREQ=DAILY" });
    let next = next_of(
        &crm.client,
        &complete(&crm.client, &activity(&crm.client, body).await).await,
    )
    .await;
    let due: DateTime<Utc> = next["due_at"].as_str().unwrap().parse().unwrap();
    assert!(due > Utc::now() && due <= Utc::now() + Duration::days(1));
    assert_eq!(
        next["outcome"],
        Value::Null,
        "how the last call ended says nothing of the next"
    );
}

#[actix_web::test]
async fn a_series_keeps_to_the_wall_clock() {
    let database = TestDatabase::of(&SERVICE);
    let mut config = Config::new(database.url.clone(), ([127, 0, 0, 1], 0).into());
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.time_zone = Berlin;
    let running = service_kit::server::start(SERVICE, config, |_, _| {}).await.unwrap();
    let client = Client::new(format!("http://{}", running.address), ADMIN_KEY);
    // The last Saturday of March 2035: the clocks are set on Sunday, the 25th.
    let body = json!({ "kind": "meeting", "title": "Standup", "starts_at": "2035-03-24T08:00:00Z", "ends_at": "2035-03-24T08:15:00Z",
                       "recurrence": "FREQ=DAILY" });
    let first = activity(&client, body).await;
    let next = next_of(&client, &complete(&client, &first).await).await;
    assert_eq!(
        (&next["starts_at"], &next["ends_at"], &next["due_on"]),
        (
            &json!("2035-03-25T07:00:00Z"),
            &json!("2035-03-25T07:15:00Z"),
            &json!("2035-03-25")
        ),
        "nine in the morning in Berlin, before and after"
    );
    let body = json!({ "kind": "task", "title": "Late", "due_on": "2035-03-24", "recurrence": "FREQ=DAILY" });
    let first = activity(&client, body).await;
    assert_eq!(first["due_by"], "2035-03-24T23:00:00Z", "midnight in Berlin");
    let next = next_of(&client, &complete(&client, &first).await).await;
    assert_eq!(
        (&next["due_on"], &next["due_by"]),
        (&json!("2035-03-25"), &json!("2035-03-25T22:00:00Z"))
    );
    running.stop().await;
}

#[actix_web::test]
async fn a_series_is_skipped_ended_or_begun_anew() {
    let crm = crm().await;
    let monday = coming(Weekday::Mon);
    let body = json!({ "kind": "task", "title": "Weekly", "due_on": monday, "recurrence": "FREQ=WEEKLY" });
    let first = activity(&crm.client, body).await;
    let path = format!("/v1/activities/{}/cancel", id(&first));
    let skipped = crm
        .client
        .post(&path, json!({ "continue_series": true }))
        .await
        .expect(200);
    let second = next_of(&crm.client, &skipped).await;
    assert_eq!(second["due_on"], json!(monday + Days::new(7)));
    let path = format!("/v1/activities/{}", id(&second));
    let anew = crm
        .client
        .patch(
            &path,
            json!({ "recurrence": "FREQ=DAILY", "due_on": monday + Days::new(8) }),
        )
        .await
        .expect(200);
    assert_ne!(anew["series_id"], first["series_id"]);
    let third = next_of(&crm.client, &complete(&crm.client, &anew).await).await;
    assert_eq!(third["due_on"], json!(monday + Days::new(9)));
    let path = format!("/v1/activities/{}", id(&third));
    let alone = crm.client.patch(&path, json!({ "recurrence": null })).await.expect(200);
    assert_eq!(alone["series_id"], Value::Null);
    assert_eq!(complete(&crm.client, &third).await["next_id"], Value::Null);
    let fourth = activity(
        &crm.client,
        json!({ "kind": "task", "title": "x", "due_on": monday, "recurrence": "FREQ=DAILY" }),
    )
    .await;
    let path = format!("/v1/activities/{}/cancel", id(&fourth));
    assert_eq!(
        crm.client.post(&path, json!({})).await.expect(200)["next_id"],
        Value::Null
    );
}

#[actix_web::test]
async fn a_rule_that_never_happens_is_refused() {
    let crm = crm().await;
    for rule in ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20200101"] {
        let body = json!({ "kind": "task", "title": "x", "due_on": coming(Weekday::Mon), "recurrence": rule });
        crm.client
            .post("/v1/activities", body)
            .await
            .expect_problem(422, "invalid_recurrence");
    }
    let body = json!({ "kind": "task", "title": "x", "due_on": "1999-01-01", "recurrence": "FREQ=DAILY" });
    crm.client
        .post("/v1/activities", body)
        .await
        .expect_problem(422, "out_of_range");
}
