use super::{activity, conn, customer_of};
use crate::support::{crm, id};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use crm_service::activities::reminders;
use serde_json::{Value, json};
use service_kit::testing::{TestService, User};

async fn reminded(user: &User) -> Vec<Value> {
    let page = user.client.get("/v1/me/notifications").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// One round as if it were then.
fn round(crm: &TestService, now: DateTime<Utc>) -> usize {
    reminders::fire(&mut conn(crm), None, Tz::UTC, now).unwrap()
}

#[actix_web::test]
async fn a_reminder_fires_once() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let at: DateTime<Utc> = "2030-01-01T09:00:00Z".parse().unwrap();
    for n in 0..50 {
        activity(
            &ann.client,
            json!({ "kind": "task", "title": format!("task {n}"), "remind_at": at }),
        )
        .await;
    }
    assert_eq!(round(&crm, at - Duration::seconds(1)), 0);
    let url = crm.database.url.clone();
    let rounds = (0..8).map(|_| {
        let url = url.clone();
        std::thread::spawn(move || {
            use diesel::Connection;
            let mut conn = diesel::PgConnection::establish(&url).unwrap();
            (0..5)
                .map(|_| reminders::fire(&mut conn, None, Tz::UTC, at).unwrap())
                .sum::<usize>()
        })
    });
    let rounds: Vec<_> = rounds.collect();
    let fired: usize = rounds.into_iter().map(|round| round.join().unwrap()).sum();
    assert_eq!(fired, 50);
    assert_eq!(reminded(&ann).await.len(), 50);
}

#[actix_web::test]
async fn a_reminder_is_for_the_owner_of_what_is_still_open() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    let at: DateTime<Utc> = "2030-01-01T09:00:00Z".parse().unwrap();
    let made =
        async |title: &str| activity(&ann.client, json!({ "kind": "task", "title": title, "remind_at": at })).await;
    let (done, given, later, mine) = (
        made("done").await,
        made("given").await,
        made("later").await,
        made("mine").await,
    );
    let path = |of: &Value, verb: &str| format!("/v1/activities/{}{verb}", id(of));
    ann.client.post(&path(&done, "/complete"), json!({})).await.expect(200);
    ann.client
        .post(&path(&given, "/assign"), json!({ "owner_id": bob.id }))
        .await
        .expect(200);
    let tomorrow = at + Duration::days(1);
    ann.client
        .patch(&path(&later, ""), json!({ "remind_at": tomorrow }))
        .await
        .expect(200);
    assert_eq!(round(&crm, at), 2);
    let hers = reminded(&ann).await;
    assert_eq!(hers.len(), 1);
    assert_eq!(
        [
            &hers[0]["kind"],
            &hers[0]["title"],
            &hers[0]["subject_type"],
            &hers[0]["subject"],
            &hers[0]["about"],
            &hers[0]["read_at"]
        ],
        [
            &json!("reminder"),
            &json!("mine"),
            &json!("activity"),
            &mine["id"],
            &json!("2030-01-01T09:00:00Z"),
            &Value::Null
        ]
    );
    let kinds: Vec<Value> = reminded(&bob).await.iter().map(|n| n["kind"].clone()).collect();
    assert_eq!(kinds, ["reminder", "activity_assigned"]);
    assert_eq!(round(&crm, tomorrow), 1, "the one that was put off");
    // Set again, it reminds again; unchanged otherwise.
    ann.client
        .patch(&path(&mine, ""), json!({ "title": "still mine" }))
        .await
        .expect(200);
    assert_eq!(round(&crm, tomorrow), 0);
    ann.client
        .patch(&path(&mine, ""), json!({ "remind_at": tomorrow }))
        .await
        .expect(200);
    assert_eq!(round(&crm, tomorrow), 1);
}

#[actix_web::test]
async fn notifications_are_read_one_by_one_or_all() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    customer_of(&crm, "Any", &ann.id).await;
    for n in 0..3 {
        activity(
            &crm.client,
            json!({ "kind": "task", "title": format!("{n}"), "owner_id": ann.id }),
        )
        .await;
    }
    activity(&ann.client, json!({ "kind": "task", "title": "own" })).await;
    let all = reminded(&ann).await;
    let titles: Vec<&Value> = all.iter().map(|n| &n["title"]).collect();
    assert_eq!(titles, ["2", "1", "0"], "nobody is told what they did themselves");
    let path = format!("/v1/me/notifications/{}/read", id(&all[0]));
    bob.client.post(&path, json!({})).await.expect_problem(404, "not_found");
    let read = ann.client.post(&path, json!({})).await.expect(200);
    assert!(read["read_at"].is_string());
    assert_eq!(ann.client.post(&path, json!({})).await.expect(200), read);
    let unread = ann
        .client
        .get("/v1/me/notifications?unread=true&limit=1")
        .await
        .expect(200);
    assert_eq!(
        (&unread["items"][0]["title"], unread["next_cursor"].is_string()),
        (&json!("1"), true)
    );
    let rest = ann
        .client
        .post("/v1/me/notifications/read-all", json!({}))
        .await
        .expect(200);
    assert_eq!(rest, json!({ "read": 2 }));
    assert_eq!(
        ann.client.get("/v1/me/notifications?unread=true").await.expect(200)["items"],
        json!([])
    );
    crm.client
        .get("/v1/me/notifications")
        .await
        .expect_problem(403, "forbidden");
}
