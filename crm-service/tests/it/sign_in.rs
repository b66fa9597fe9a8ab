//! Signing in with e-mail and password, and what keeps others from it.

use crate::support::{crm, id};
use chrono::{DateTime, TimeDelta, Utc};
use crm_service::SERVICE;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::config::Config;
use service_kit::retention::remove_old;
use service_kit::testing::{ADMIN_KEY, Client, Reply, TestDatabase, TestService, User};

const PASSWORD: &str = "correct horse battery staple";

async fn with_password(crm: &TestService, name: &str) -> User {
    let user = crm.user(name, "sales", "own", None).await;
    let path = format!("/v1/users/{}/password", user.id);
    let set = crm
        .client
        .post(&path, json!({ "password": PASSWORD }))
        .await
        .expect(200);
    assert_eq!(set["has_password"], true);
    user
}

async fn sign_in(crm: &TestService, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    crm.client.with_key("").post("/v1/sessions", body).await
}

fn client(crm: &TestService, session: &Value) -> Client {
    crm.client.with_key(session["token"].as_str().expect("a token"))
}

#[actix_web::test]
async fn a_session_lasts_until_it_is_ended() {
    let crm = crm().await;
    let team = crm.team("North", None).await;
    let ana = with_password(&crm, "Ana").await;
    crm.client
        .patch(
            &format!("/v1/users/{}", ana.id),
            json!({ "sees": "team", "team_id": team }),
        )
        .await
        .expect(200);
    let session = sign_in(&crm, "ANA@Example.com", PASSWORD).await.expect(201);
    let expires: DateTime<Utc> = session["expires_at"].as_str().unwrap().parse().unwrap();
    let made: DateTime<Utc> = session["created_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires - made, TimeDelta::hours(12));
    let mine = client(&crm, &session);
    let me = mine.get("/v1/me").await.expect(200);
    assert_eq!(me, session["me"]);
    assert_eq!(
        (&me["user"]["id"], &me["sees"], &me["team"]["name"]),
        (&json!(ana.id), &json!("team"), &json!("North"))
    );
    let permissions = me["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("orders:write")) && !permissions.contains(&json!("users:manage")));
    // A second one; each is shown, and each can be ended.
    let second = sign_in(&crm, "ana@example.com", PASSWORD).await.expect(201);
    let shown = mine.get("/v1/sessions?sort=-created_at").await.expect(200);
    assert_eq!(shown["items"][0]["id"], second["id"]);
    assert!(shown["items"][0].get("token").is_none());
    mine.delete(&format!("/v1/sessions/{}", id(&second))).await.expect(204);
    client(&crm, &second)
        .get("/v1/me")
        .await
        .expect_problem(401, "unauthorized");
    mine.delete(&format!("/v1/sessions/{}", id(&second)))
        .await
        .expect_problem(404, "not_found");
    mine.delete("/v1/sessions/current").await.expect(204);
    mine.get("/v1/me").await.expect_problem(401, "unauthorized");
    // A colleague's session is not there.
    let bert = crm.user("Bert", "sales", "all", None).await;
    let other = sign_in(&crm, "ana@example.com", PASSWORD).await.expect(201);
    bert.client
        .delete(&format!("/v1/sessions/{}", id(&other)))
        .await
        .expect_problem(404, "not_found");
    client(&crm, &other).get("/v1/me").await.expect(200);
    // A key has no session, but a name.
    let me = crm.client.get("/v1/me").await.expect(200);
    assert_eq!(
        (&me["user"], &me["name"], &me["sees"]),
        (&json!(null), &json!("bootstrap"), &json!("all"))
    );
    crm.client.get("/v1/sessions").await.expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn a_session_ends_by_itself() {
    let crm = crm().await;
    let ana = with_password(&crm, "Ana").await;
    let session = sign_in(&crm, &ana.email, PASSWORD).await.expect(201);
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    diesel::sql_query(
        "UPDATE sessions SET created_at = now() - interval '13 hours', expires_at = now() - interval '1 hour'",
    )
    .execute(&mut conn)
    .unwrap();
    client(&crm, &session)
        .get("/v1/me")
        .await
        .expect_problem(401, "unauthorized");
    let left = |conn: &mut PgConnection| -> usize {
        let rows: Vec<Stored> = diesel::sql_query("SELECT id::text AS line FROM sessions")
            .load(conn)
            .unwrap();
        rows.len()
    };
    remove_old(&mut conn, Utc::now() + TimeDelta::hours(22), 30).unwrap();
    assert_eq!(left(&mut conn), 2);
    remove_old(&mut conn, Utc::now() + TimeDelta::hours(24), 30).unwrap();
    assert_eq!(left(&mut conn), 0);
}

/// What two refusals have in common: all but the id of the request.
fn told(reply: Reply) -> Value {
    let mut body = reply.body;
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[actix_web::test]
async fn five_failures_lock_whether_or_not_somebody_has_the_address() {
    let crm = crm().await;
    let ana = with_password(&crm, "Ana").await;
    let bert = crm.user("Bert", "sales", "own", None).await;
    let gone = with_password(&crm, "Gone").await;
    crm.client
        .post(&format!("/v1/users/{}/deactivate", gone.id), json!({}))
        .await
        .expect(200);
    for n in 0..7 {
        let right = if n == 6 { PASSWORD } else { "not the password" };
        let known = sign_in(&crm, &ana.email, right).await;
        let refusal = if n < 5 {
            (401, "wrong_credentials")
        } else {
            (429, "too_many_failures")
        };
        known.clone().expect_problem(refusal.0, refusal.1);
        if n >= 5 {
            let seconds: u32 = known.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((880..=901).contains(&seconds), "{seconds}");
        }
        let known = told(known);
        // Nobody, somebody without a password, somebody who was let out.
        for other in ["nobody@example.com", bert.email.as_str(), gone.email.as_str()] {
            assert_eq!(
                told(sign_in(&crm, other, PASSWORD).await),
                known,
                "attempt {n} of {other}"
            );
        }
    }
    // A new password lets in again at once.
    crm.client
        .post(
            &format!("/v1/users/{}/password", ana.id),
            json!({ "password": "another good password" }),
        )
        .await
        .expect(200);
    sign_in(&crm, &ana.email, PASSWORD)
        .await
        .expect_problem(401, "wrong_credentials");
    sign_in(&crm, &ana.email, "another good password").await.expect(201);
    // And a lock ends by itself.
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    diesel::sql_query("UPDATE sign_in_failures SET locked_until = now() - interval '1 second'")
        .execute(&mut conn)
        .unwrap();
    sign_in(&crm, "nobody@example.com", PASSWORD)
        .await
        .expect_problem(401, "wrong_credentials");
}

#[actix_web::test]
async fn guesses_at_once_are_counted_and_right_passwords_are_not() {
    let crm = crm().await;
    let ana = with_password(&crm, "Ana").await;
    let right = join_all((0..8).map(|_| sign_in(&crm, &ana.email, PASSWORD))).await;
    assert!(right.iter().all(|reply| reply.status == 201), "{right:#?}");
    let wrong = join_all((0..32).map(|n| {
        let (crm, email) = (&crm, ana.email.clone());
        async move { sign_in(crm, &email, &format!("guess number {n:02}")).await }
    }))
    .await;
    let count = |status: u16| wrong.iter().filter(|reply| reply.status == status).count();
    // 503: too many wait for their turn; not even looked at.
    assert_eq!((count(401), count(429) + count(503)), (5, 27));
    sign_in(&crm, &ana.email, PASSWORD)
        .await
        .expect_problem(429, "too_many_failures");
}

#[actix_web::test]
async fn ones_own_password_ends_ones_other_sessions() {
    let crm = crm().await;
    let ana = with_password(&crm, "Ana").await;
    let here = client(&crm, &sign_in(&crm, &ana.email, PASSWORD).await.expect(201));
    let there = client(&crm, &sign_in(&crm, &ana.email, PASSWORD).await.expect(201));
    let change = |from: &str, to: &str| json!({ "current_password": from, "new_password": to });
    let wrong = here
        .post("/v1/me/password", change("not the password", "a new password"))
        .await;
    let wrong = wrong.expect_problem(422, "wrong_password");
    assert_eq!(wrong["errors"][0]["pointer"], "/current_password");
    let short = here.post("/v1/me/password", change(PASSWORD, "eleven char")).await;
    let short = short.expect_problem(422, "too_short");
    assert!(!short.to_string().contains("eleven char"), "{short}");
    here.post("/v1/me/password", change(PASSWORD, "a new password"))
        .await
        .expect(200);
    here.get("/v1/me").await.expect(200);
    there.get("/v1/me").await.expect_problem(401, "unauthorized");
    sign_in(&crm, &ana.email, PASSWORD)
        .await
        .expect_problem(401, "wrong_credentials");
    sign_in(&crm, &ana.email, "a new password").await.expect(201);
    // Who got hold of a session cannot try passwords without end.
    let guesses =
        join_all((0..32).map(|_| here.post("/v1/me/password", change("not the password", "x".repeat(12).as_str()))))
            .await;
    let count = |status: u16| guesses.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(422), count(429) + count(503)), (5, 27));
    here.post("/v1/me/password", change("a new password", PASSWORD))
        .await
        .expect_problem(429, "too_many_failures");
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    line: String,
}

#[actix_web::test]
async fn a_password_stands_nowhere() {
    let crm = crm().await;
    let ana = with_password(&crm, "Ana").await;
    let path = format!("/v1/users/{}/password", ana.id);
    crm.client
        .post_with_key(&path, "set-it-once", json!({ "password": PASSWORD }))
        .await
        .expect(200);
    let session = sign_in(&crm, &ana.email, PASSWORD).await.expect(201);
    let token = session["token"].as_str().unwrap();
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    let mut tables = String::new();
    for table in [
        "audit_log",
        "idempotency_keys",
        "events",
        "users",
        "sessions",
        "sign_in_failures",
    ] {
        let rows: Vec<Stored> = diesel::sql_query(format!("SELECT t::text AS line FROM {table} t"))
            .load(&mut conn)
            .unwrap();
        tables.extend(rows.into_iter().map(|row| format!("{table}: {}\n", row.line)));
    }
    assert!(!tables.contains(PASSWORD) && !tables.contains(token), "{tables}");
    assert!(
        !tables.contains("set-it-once"),
        "the key would stand beside a hash of the body"
    );
    let hashes = tables.lines().filter(|line| line.contains("$argon2id$"));
    assert_eq!(
        hashes.map(|line| line.split(':').next().unwrap()).collect::<Vec<_>>(),
        ["users"]
    );
    let audit = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", ana.id))
        .await
        .expect(200);
    assert_eq!(
        audit["items"][1]["changes"],
        json!({ "password": { "from": null, "to": "(set anew)" } })
    );
    let audit = crm.client.get("/v1/audit-log?subject_type=session").await.expect(200);
    assert_eq!(
        (&audit["items"][0]["actor"], &audit["items"][0]["subject"]),
        (&json!("Ana"), &session["id"])
    );
}

#[actix_web::test]
async fn an_address_makes_only_so_many_open_requests() {
    for behind_proxy in [false, true] {
        let database = TestDatabase::of(&SERVICE);
        let mut config = Config::new(database.url.clone(), ([127, 0, 0, 1], 0).into());
        config.bootstrap_key = Some(ADMIN_KEY.to_owned());
        config.open_requests_per_minute = 3;
        config.behind_proxy = behind_proxy;
        let running = service_kit::server::start(SERVICE, config, |_, _| {}).await.unwrap();
        let client = Client::new(format!("http://{}", running.address), "");
        let ask = |from: &str, email: String| {
            let request = client
                .request("POST".parse().unwrap(), "/v1/sessions")
                .header("X-Forwarded-For", from);
            client.send(request.json(&json!({ "email": email, "password": PASSWORD })))
        };
        let mut statuses = Vec::new();
        for n in 0..5 {
            // What the client itself writes does not count, only what the proxy adds.
            let reply = ask(&format!("10.0.0.{n}, 192.0.2.1"), format!("a{n}@example.com")).await;
            statuses.push(reply.status.as_u16());
            if n > 2 {
                assert!(reply.headers.contains_key("retry-after"));
                reply.expect_problem(429, "rate_limited");
            }
        }
        assert_eq!(statuses, [401, 401, 401, 429, 429], "{behind_proxy}");
        // Another address goes on, if there is a proxy to tell; and keys are another matter.
        let elsewhere = ask("192.0.2.2", "b@example.com".to_owned()).await.status.as_u16();
        assert_eq!(elsewhere, if behind_proxy { 401 } else { 429 });
        client.with_key(ADMIN_KEY).get("/v1/me").await.expect(200);
        running.stop().await;
    }
}
