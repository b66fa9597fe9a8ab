use super::smtp::{Mood, Server};
use super::{activity, customer_of, faults, sql};
use crate::support::{crm, events, id, timeline_kinds};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use crm_service::SERVICE;
use crm_service::activities::emails::outbox::{OUTBOX, send_one};
use crm_service::activities::reminders;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService, test_config};
use uuid::Uuid;

/// Everything that is due goes out.
async fn send_all(crm: &TestService) {
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
}

async fn written(client: &Client, body: Value) -> Value {
    client.post("/v1/emails", body).await.expect(201)
}

fn to_maria() -> Value {
    json!({ "to": ["maria@alfreds.example"], "subject": "Offer", "text": "Attached." })
}

#[actix_web::test]
async fn what_is_written_goes_out_after_the_commit() {
    let server = Server::start();
    let crm = server.crm().await;
    let ann = crm.user("Ann Smith", "sales", "own", None).await;
    let of = customer_of(&crm, "Alfreds Futterkiste", &ann.id).await;
    let body = json!({ "to": ["maria@alfreds.example"], "cc": ["boss@alfreds.example"], "bcc": ["me@tandem.example"],
        "subject": "Grüße", "text": "Schön.\n.\nEnde", "html": "<p>Schön</p>", "subject_type": "customer", "subject_id": of["id"] });
    let email = written(&ann.client, body).await;
    assert_eq!(
        [
            &email["state"],
            &email["attempts"],
            &email["customer_id"],
            &email["owner_id"],
            &email["from_address"],
            &email["thread_id"]
        ],
        [
            &json!("queued"),
            &json!(0),
            &of["id"],
            &json!(ann.id),
            &json!("Ann Smith <sales@tandem.example>"),
            &email["id"]
        ]
    );
    assert_eq!(email["allowed_actions"], json!(["cancel"]));
    assert_eq!(server.deliveries(), []);
    assert!(
        !timeline_kinds(&crm.client, id(&of))
            .await
            .contains(&"email_sent".to_owned())
    );

    send_all(&crm).await;
    let deliveries = server.deliveries();
    assert_eq!(deliveries.len(), 1);
    let sent = &deliveries[0];
    assert_eq!(
        (sent.from.as_str(), sent.to.join(" ")),
        (
            "sales@tandem.example",
            "maria@alfreds.example boss@alfreds.example me@tandem.example".to_owned()
        )
    );
    let message_id = email["message_id"].as_str().unwrap();
    assert_eq!(sent.header("Message-ID"), Some(format!("<{message_id}>")));
    assert_eq!(sent.header("Bcc"), None, "{}", sent.data);
    assert!(sent.header("Cc").unwrap().contains("boss@alfreds.example") && sent.header("Date").is_some());
    let read = mail_parser::MessageParser::default()
        .parse(sent.data.as_bytes())
        .unwrap();
    assert_eq!(read.subject(), Some("Grüße"));
    assert_eq!(
        read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
        "Schön.\n.\nEnde"
    );
    assert_eq!(read.body_html(0).unwrap().trim_end(), "<p>Schön</p>");

    let path = format!("/v1/emails/{}", id(&email));
    let after = ann.client.get(&path).await.expect(200);
    assert_eq!(
        [
            &after["state"],
            &after["attempts"],
            &after["revision"],
            &after["allowed_actions"]
        ],
        [&json!("sent"), &json!(1), &json!(2), &json!([])]
    );
    let activity = ann
        .client
        .get(&format!("/v1/activities/{}", id(&email)))
        .await
        .expect(200);
    assert_eq!(
        [
            &activity["kind"],
            &activity["state"],
            &activity["delivery"],
            &activity["title"]
        ],
        [&json!("email"), &json!("done"), &json!("sent"), &json!("Grüße")]
    );
    assert_eq!(timeline_kinds(&crm.client, id(&of)).await[0], "email_sent");
    let told = events(&crm.client, "activity.changed", 2).await;
    assert_eq!(told[1]["data"]["delivery"], "sent");
    send_all(&crm).await;
    assert_eq!(server.deliveries().len(), 1);
    ann.client
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    ann.client
        .post(&format!("{path}/retry"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    // What was written stays; on which record it is may change.
    let path = format!("/v1/activities/{}", id(&email));
    ann.client
        .patch(&path, json!({ "title": "x" }))
        .await
        .expect_problem(422, "immutable");
    ann.client.patch(&path, json!({ "priority": "high" })).await.expect(200);
    ann.client
        .post(&format!("{path}/reopen"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn a_server_that_is_busy_is_asked_again_later() {
    let server = Server::start();
    let crm = server.crm().await;
    let path = format!("/v1/emails/{}", id(&written(&crm.client, to_maria()).await));
    server.mood(Mood::Later);
    send_all(&crm).await;
    let waiting = crm.client.get(&path).await;
    let tag = waiting.etag();
    let waiting = waiting.expect(200);
    assert_eq!((&waiting["state"], &waiting["attempts"]), (&json!("queued"), &json!(1)));
    assert!(
        waiting["last_error"].as_str().unwrap().contains("the disk is full"),
        "{waiting}"
    );
    let next: DateTime<Utc> = waiting["next_attempt_at"].as_str().unwrap().parse().unwrap();
    let delay = next - Utc::now();
    assert!(
        delay > Duration::seconds(50) && delay <= Duration::seconds(60),
        "{delay}"
    );
    assert_eq!(tag, "\"1.1.queued\"");
    server.mood(Mood::Takes);
    send_all(&crm).await;
    assert_eq!(server.deliveries(), [], "not before its time");
    assert!(
        send_one(crm.running.kit.clone(), || Utc::now() + Duration::seconds(61))
            .await
            .unwrap()
    );
    assert_eq!(server.deliveries().len(), 1);
    assert_eq!(crm.client.get(&path).await.expect(200)["state"], "sent");
}

#[actix_web::test]
async fn who_is_away_for_a_day_is_given_up() {
    let server = Server::start();
    let crm = server.crm().await;
    let email = written(&crm.client, to_maria()).await;
    server.mood(Mood::Later);
    for _ in 0..12 {
        assert!(
            send_one(crm.running.kit.clone(), || Utc::now() + Duration::days(9))
                .await
                .unwrap()
        );
        sql(
            &crm,
            "UPDATE outgoing_mails SET next_attempt_at = now() WHERE state = 'queued'",
        );
    }
    let failed = crm.client.get(&format!("/v1/emails/{}", id(&email))).await.expect(200);
    assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(12)));
    assert!(
        !send_one(crm.running.kit.clone(), || Utc::now() + Duration::days(9))
            .await
            .unwrap()
    );
}

#[actix_web::test]
async fn what_is_refused_has_failed_and_can_be_sent_anew_or_dropped() {
    let server = Server::start();
    let crm = server.crm().await;
    server.mood(Mood::Refuses);
    let (one, other) = (
        written(&crm.client, to_maria()).await,
        written(&crm.client, to_maria()).await,
    );
    send_all(&crm).await;
    let path = |of: &Value, verb: &str| format!("/v1/emails/{}{verb}", id(of));
    let failed = crm.client.get(&path(&one, "")).await.expect(200);
    assert_eq!(
        (&failed["state"], &failed["allowed_actions"]),
        (&json!("failed"), &json!(["retry", "cancel"]))
    );
    assert!(
        failed["last_error"].as_str().unwrap().contains("nobody of that name"),
        "{failed}"
    );
    let activity = crm
        .client
        .get(&format!("/v1/activities/{}", id(&one)))
        .await
        .expect(200);
    assert_eq!(
        (&activity["state"], &activity["delivery"]),
        (&json!("open"), &json!("failed"))
    );
    // The activity is the message: cancelling one cancels the other.
    let cancelled = crm
        .client
        .post(&format!("/v1/activities/{}/cancel", id(&other)), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&cancelled["state"], &cancelled["allowed_actions"]),
        (&json!("cancelled"), &json!(["assign"]))
    );
    assert_eq!(
        crm.client.get(&path(&other, "")).await.expect(200)["state"],
        "cancelled"
    );
    crm.client
        .post(&path(&other, "/retry"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    server.mood(Mood::Takes);
    let again = crm.client.post(&path(&one, "/retry"), json!({})).await.expect(200);
    assert_eq!((&again["state"], &again["attempts"]), (&json!("queued"), &json!(1)));
    send_all(&crm).await;
    assert_eq!(server.deliveries().len(), 1);
    assert_eq!(crm.client.get(&path(&one, "")).await.expect(200)["state"], "sent");
}

#[actix_web::test]
async fn several_processes_send_each_message_once() {
    let server = Server::start();
    let crm = server.crm().await;
    let mut config = test_config(&crm.database.url);
    config.mail = Some(server.mail());
    let twin = service_kit::server::start(SERVICE, config, |_, _| {}).await.unwrap();
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..20 {
        ids.push(
            written(&crm.client, to_maria()).await["message_id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let kits = [&crm.running.kit, &twin.kit];
    let rounds = (0..6).map(|n| kits[n % 2].run_round(&OUTBOX));
    for round in join_all(rounds).await {
        round.unwrap();
    }
    let mut sent: Vec<String> = server
        .deliveries()
        .iter()
        .map(|delivery| {
            delivery
                .header("Message-ID")
                .unwrap()
                .trim_matches(['<', '>'])
                .to_owned()
        })
        .collect();
    sent.sort();
    ids.sort();
    assert_eq!(sent, ids);
    twin.stop().await;
}

#[actix_web::test]
async fn a_twin_after_a_crash_is_the_same_message() {
    let server = Server::start();
    let crm = server.crm().await;
    let email = written(&crm.client, to_maria()).await;
    let path = format!("/v1/emails/{}", id(&email));
    // A process took it, and died.
    sql(
        &crm,
        "UPDATE outgoing_mails SET state = 'sending', attempts = 1, next_attempt_at = NULL, claimed_until = now() + interval '30 minutes'",
    );
    assert_eq!(crm.client.get(&path).await.expect(200)["state"], "sending");
    crm.client
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    send_all(&crm).await;
    assert_eq!(server.deliveries(), [], "it may still be at it");
    // The connection breaks after the server has taken it: nobody knows.
    server.mood(Mood::HangsUp);
    let later = || Utc::now() + Duration::minutes(31);
    assert!(send_one(crm.running.kit.clone(), later).await.unwrap());
    assert_eq!(crm.client.get(&path).await.expect(200)["state"], "queued");
    server.mood(Mood::Takes);
    assert!(
        send_one(crm.running.kit.clone(), || Utc::now() + Duration::minutes(40))
            .await
            .unwrap()
    );
    let deliveries = server.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert_eq!(deliveries[0], deliveries[1], "receivers can tell that it is the same");
    let sent = crm.client.get(&path).await.expect(200);
    assert_eq!((&sent["state"], &sent["attempts"]), (&json!("sent"), &json!(3)));
}

#[actix_web::test]
async fn a_message_needs_a_server_a_recipient_and_words() {
    let crm = crm().await;
    crm.client
        .post("/v1/emails", to_maria())
        .await
        .expect_problem(409, "mail_not_configured");
    let server = Server::start();
    let crm = server.crm().await;
    let of = crate::support::customer(&crm.client, "x").await;
    let contact = json!({ "name": "Ann" });
    let contact = crm
        .client
        .post(&format!("/v1/customers/{}/contacts", id(&of)), contact)
        .await
        .expect(201);
    let body = json!({ "subject_type": "customer", "subject_id": of["id"], "contact_id": contact["id"], "values": { "a": "b" },
                       "answers": Uuid::now_v7() });
    let problem = crm
        .client
        .post("/v1/emails", body)
        .await
        .expect_problem(422, "invalid_input");
    let found = faults(&problem);
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/answers", "unknown_email"),
            ("/subject", "required"),
            ("/text", "required"),
            ("/to", "required"),
            ("/values", "needs_template")
        ]
    );
    crm.client
        .patch(
            &format!("/v1/contacts/{}", id(&contact)),
            json!({ "email": "ann@x.example" }),
        )
        .await
        .expect(200);
    let body = json!({ "subject_type": "customer", "subject_id": of["id"], "contact_id": contact["id"], "subject": "x", "text": "y" });
    assert_eq!(
        written(&crm.client, body).await["to_addresses"],
        json!(["ann@x.example"])
    );
    let odd = json!({ "to": ["a@b.example", "x\"y@z.example"], "subject": "x", "text": "y" });
    let problem = crm
        .client
        .post("/v1/emails", odd)
        .await
        .expect_problem(422, "bad_format");
    assert_eq!(faults(&problem)[0].0, "/to/1");
    let id = Uuid::now_v7();
    let body = json!({ "id": id, "to": ["a@b.example"], "subject": "x", "text": "y" });
    written(&crm.client, body.clone()).await;
    crm.client
        .post("/v1/emails", body)
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(crm.client.get(&format!("/v1/emails/{}", id)).await.status, 200);
    let task = super::task(&crm.client, "no mail").await;
    let path = format!("/v1/emails/{}", task["id"].as_str().unwrap());
    crm.client.get(&path).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn a_reminder_is_mailed_too() {
    let server = Server::start();
    let crm = server.crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let at: DateTime<Utc> = "2030-01-01T09:00:00Z".parse().unwrap();
    activity(
        &ann.client,
        json!({ "kind": "task", "title": "Call Maria", "due_at": "2030-01-01T10:00:00Z", "remind_at": at }),
    )
    .await;
    let fired = || reminders::fire(&mut super::conn(&crm), Some(&server.mail()), Tz::Europe__Berlin, at).unwrap();
    assert_eq!((fired(), fired()), (1, 0));
    assert!(
        send_one(crm.running.kit.clone(), || Utc::now() + Duration::days(9_999))
            .await
            .unwrap()
    );
    let deliveries = server.deliveries();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].to, ["ann@example.com"]);
    assert_eq!(deliveries[0].header("Subject").unwrap(), "Reminder: Call Maria");
    assert!(
        deliveries[0].data.contains("Due by 2030-01-01 11:00 CET"),
        "{}",
        deliveries[0].data
    );
}
