use super::{items, now};
use crate::activities::faults;
use crate::sales::merge;
use crate::support::{crm, id};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply, TestService};

const PAGE: &str = "https://www.tandem.example";

async fn form(client: &Client, more: Value) -> Value {
    let mut body = json!({
        "name": "Ask for an offer", "source": "website", "campaign": "autumn", "honeypot": "website_url",
        "allowed_origins": [PAGE],
        "fields": [{ "name": "name", "required": true }, { "name": "email", "required": true }, { "name": "country" },
                   { "name": "message" }, { "name": "shops", "label": "How many shops?" }],
    });
    merge(&mut body, &more);
    client.post("/v1/lead-forms", body).await.expect(201)
}

fn path(form: &Value) -> String {
    format!("/v1/forms/{}/submissions", form["key"].as_str().unwrap())
}

async fn submit_from(crm: &TestService, form: &Value, origin: &str, body: Value) -> Reply {
    let visitor = crm.client.with_key("");
    let request = visitor
        .request(Method::POST, &path(form))
        .header("Origin", origin)
        .json(&body);
    visitor.send(request).await
}

async fn submit(crm: &TestService, form: &Value, body: Value) -> Reply {
    submit_from(crm, form, PAGE, body).await
}

#[actix_web::test]
async fn what_a_page_sends_becomes_a_lead() {
    let crm = crm().await;
    let form = form(&crm.client, json!({})).await;
    let body = json!({ "name": " Maria Anders ", "email": "maria@alfreds.example", "country": "de", "message": "Tea?", "shops": "40",
                       "utm_source": "newsletter", "utm_campaign": "tea", "landing_page": "https://www.tandem.example/tea", "button": "send" });
    let reply = submit(&crm, &form, body.clone()).await;
    assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
    assert_eq!(reply.headers["vary"], "Origin");
    let receipt = reply.expect(202);
    let leads = items(&crm.client, "/v1/leads").await;
    let lead = &leads[0];
    assert_eq!(leads.len(), 1);
    assert_eq!(
        [
            &lead["name"],
            &lead["email"],
            &lead["country"],
            &lead["source"],
            &lead["campaign"],
            &lead["form_id"],
            &lead["state"]
        ],
        [
            &json!("Maria Anders"),
            &json!("maria@alfreds.example"),
            &json!("DE"),
            &json!("website"),
            &json!("autumn"),
            &form["id"],
            &json!("new")
        ]
    );
    let touches = items(&crm.client, &format!("/v1/leads/{}/touches", id(lead))).await;
    assert_eq!(
        [
            &touches[0]["utm_source"],
            &touches[0]["utm_campaign"],
            &touches[0]["landing_page"],
            &touches[0]["answers"],
            &touches[0]["submission_id"]
        ],
        [
            &json!("newsletter"),
            &json!("tea"),
            &json!("https://www.tandem.example/tea"),
            &json!({ "shops": "40" }),
            &receipt["id"]
        ]
    );
    // As it came, also when it comes again.
    submit(&crm, &form, body.clone()).await.expect(202);
    let stored = items(&crm.client, &format!("/v1/lead-forms/{}/submissions", id(&form))).await;
    assert_eq!(stored.len(), 2);
    for one in &stored {
        assert_eq!(
            (&one["fields"], &one["lead_id"], &one["origin"]),
            (&body, &lead["id"], &json!(PAGE))
        );
        assert!(one.get("address_hash").is_none());
    }
    assert_eq!(now(&crm.client, lead).await["touch_count"], 2);
}

#[actix_web::test]
async fn a_form_of_a_page_without_scripts_is_taken_as_well() {
    let crm = crm().await;
    let form = form(&crm.client, json!({})).await;
    let visitor = crm.client.with_key("");
    let request = visitor
        .request(Method::POST, &path(&form))
        .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        .body("name=Jos%C3%A9+Garc%C3%ADa&email=jose%40garcia.example&shops=1&shops=2");
    visitor.send(request).await.expect(202);
    let leads = items(&crm.client, "/v1/leads").await;
    assert_eq!(leads[0]["name"], "José García");
    let touches = items(&crm.client, &format!("/v1/leads/{}/touches", id(&leads[0]))).await;
    assert_eq!(touches[0]["answers"], json!({ "shops": "1, 2" }));
    let request = visitor
        .request(Method::POST, &path(&form))
        .header("Content-Type", "text/plain")
        .body("name=x");
    visitor
        .send(request)
        .await
        .expect_problem(415, "unsupported_media_type");
}

#[actix_web::test]
async fn a_page_of_another_origin_is_refused() {
    let crm = crm().await;
    let form = form(&crm.client, json!({})).await;
    let body = json!({ "name": "Maria", "email": "maria@alfreds.example" });
    let refused = submit_from(&crm, &form, "https://evil.example", body.clone()).await;
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    refused.expect_problem(403, "origin_not_allowed");
    assert_eq!(items(&crm.client, "/v1/leads").await.len(), 0);
    let visitor = crm.client.with_key("");
    let ask = |origin: &str| {
        let request = visitor.request(Method::OPTIONS, &path(&form));
        let request = request
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST");
        visitor.send(request.header("Access-Control-Request-Headers", "content-type"))
    };
    let may = ask(PAGE).await;
    assert_eq!(may.status, 204);
    assert_eq!(may.headers["access-control-allow-origin"], PAGE);
    assert_eq!(may.headers["access-control-allow-methods"], "POST");
    assert_eq!(may.headers["access-control-allow-headers"], "Content-Type");
    ask("https://evil.example")
        .await
        .expect_problem(403, "origin_not_allowed");
    // A page can read what is wrong.
    let faulty = submit(&crm, &form, json!({})).await;
    assert_eq!(faulty.headers["access-control-allow-origin"], PAGE);
    faulty.expect_problem(422, "required");
    // Who is no browser has no origin; an unknown form and one that is not active take nothing.
    visitor.post(&path(&form), body.clone()).await.expect(202);
    visitor
        .post("/v1/forms/form_nobody/submissions", body.clone())
        .await
        .expect_problem(404, "not_found");
    let record = format!("/v1/lead-forms/{}", id(&form));
    crm.client.patch(&record, json!({ "active": false })).await.expect(200);
    visitor.post(&path(&form), body).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn what_a_honeypot_caught_is_kept_and_is_no_lead_unless_somebody_says_so() {
    let crm = crm().await;
    let form = form(&crm.client, json!({})).await;
    let body = json!({ "name": "Maria", "email": "maria@alfreds.example", "website_url": "http://spam.example" });
    let caught = submit(&crm, &form, body.clone()).await.expect(202);
    let clean = json!({ "name": "Thomas", "email": "thomas@alfreds.example", "website_url": " " });
    submit(&crm, &form, clean).await.expect(202);
    assert_eq!(super::labels(&crm.client, "/v1/leads").await, ["Thomas"]);
    let list = format!("/v1/lead-forms/{}/submissions?spam=true", id(&form));
    let spam = items(&crm.client, &list).await;
    assert_eq!(spam.len(), 1);
    assert_eq!(
        [&spam[0]["id"], &spam[0]["fields"], &spam[0]["lead_id"]],
        [&caught["id"], &body, &Value::Null]
    );
    let accept = format!("/v1/lead-submissions/{}/accept", id(&caught));
    let replies = join_all((0..8).map(|_| crm.client.post(&accept, json!({})))).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1);
    assert_eq!(
        super::labels(&crm.client, "/v1/leads?sort=label").await,
        ["Maria", "Thomas"]
    );
    assert_eq!(items(&crm.client, &list).await.len(), 0);
}

#[actix_web::test]
async fn an_address_sends_a_form_only_so_often() {
    let crm = crm().await;
    let form = form(&crm.client, json!({ "hourly_limit": 5 })).await;
    let replies = join_all((0..12).map(|n| {
        let body = json!({ "name": "Maria", "email": format!("maria{n}@alfreds.example") });
        submit(&crm, &form, body)
    }))
    .await;
    let taken = replies.iter().filter(|reply| reply.status == 202).count();
    assert_eq!(taken, 5);
    let refused = replies.into_iter().find(|reply| reply.status != 202).unwrap();
    let wait: i64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((3_500..=3_601).contains(&wait), "{wait}");
    refused.expect_problem(429, "rate_limited");
    assert_eq!(items(&crm.client, "/v1/leads").await.len(), 5);
}

#[actix_web::test]
async fn faults_are_answered_all_at_once() {
    let crm = crm().await;
    let mine = form(&crm.client, json!({ "fields": [
        { "name": "company", "required": true }, { "name": "email", "required": true }, { "name": "phone" }, { "name": "country" }, { "name": "shops", "required": true }
    ] }))
    .await;
    let body = json!({ "email": "nobody", "phone": "1".repeat(51), "country": "Germany", "company": " " });
    let problem = submit(&crm, &mine, body).await.expect_problem(422, "invalid_input");
    let expected = [
        ("/company", "required"),
        ("/country", "bad_format"),
        ("/email", "bad_format"),
        ("/phone", "too_long"),
        ("/shops", "required"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    submit(&crm, &mine, json!({ "email": 1 }))
        .await
        .expect_problem(422, "wrong_type");
    let body = json!({
        "name": "Bad", "allowed_origins": ["https://a.example"], "honeypot": "shops",
        "fields": [{ "name": "shops" }, { "name": "shops" }, { "name": "utm_source" }],
    });
    let problem = crm
        .client
        .post("/v1/lead-forms", body)
        .await
        .expect_problem(422, "invalid_input");
    let expected = [
        ("/fields", "required"),
        ("/fields/1/name", "duplicate"),
        ("/fields/2/name", "reserved"),
        ("/honeypot", "duplicate"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
}

#[actix_web::test]
async fn a_form_gets_another_key_and_the_old_one_works_for_a_while() {
    let crm = crm().await;
    let client = &crm.client;
    let first = form(client, json!({})).await;
    let rotate = |body: Value| {
        let path = format!("/v1/lead-forms/{}/rotate-key", id(&first));
        async move { client.post(&path, body).await }
    };
    let body = |n: usize| json!({ "name": "Maria", "email": format!("maria{n}@alfreds.example") });
    let second = rotate(json!({})).await.expect(200);
    assert_ne!(second["key"], first["key"]);
    assert_eq!(second["revision"], 2);
    let old = &second["previous_keys"][0];
    assert_eq!(old["key"], first["key"]);
    let instant = |value: &Value| {
        value
            .as_str()
            .unwrap()
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    };
    let grace = instant(&old["valid_until"]) - instant(&second["updated_at"]);
    assert_eq!(grace, chrono::TimeDelta::hours(24));
    submit(&crm, &first, body(1)).await.expect(202);
    submit(&crm, &second, body(2)).await.expect(202);

    // No key works longer than one that came later.
    let third = rotate(json!({ "grace_hours": 1 })).await.expect(200);
    let until: Vec<_> = third["previous_keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| (&k["key"], instant(&k["valid_until"])))
        .collect();
    let hour = instant(&third["updated_at"]) + chrono::TimeDelta::hours(1);
    assert_eq!(until, [(&second["key"], hour), (&first["key"], hour)]);
    let mut conn = diesel::PgConnection::establish(&crm.database.url).unwrap();
    let over = "UPDATE lead_forms SET previous_keys = replace(previous_keys::text, '\"valid_until\":\"20', '\"valid_until\":\"19')::json";
    conn.batch_execute(over).unwrap();
    for old in [&first, &second] {
        submit(&crm, old, body(3)).await.expect_problem(404, "not_found");
    }
    submit(&crm, &third, body(3)).await.expect(202);
    let fourth = rotate(json!({ "grace_hours": 0 })).await.expect(200);
    assert_eq!(fourth["previous_keys"], json!([]), "at once");
    submit(&crm, &third, body(4)).await.expect_problem(404, "not_found");
    submit(&crm, &fourth, body(4)).await.expect(202);
    for (wrong, code) in [
        (json!({ "grace_hours": 721 }), "out_of_range"),
        (json!({ "grace_hours": "1" }), "wrong_type"),
    ] {
        let refused = rotate(wrong).await;
        assert_eq!((refused.status.as_u16(), &*faults(&refused.body)[0].1), (422, code));
    }
}

#[actix_web::test]
async fn thirty_two_rotate_a_key_one_after_the_other() {
    let crm = crm().await;
    let client = &crm.client;
    let made = form(client, json!({})).await;
    let path = format!("/v1/lead-forms/{}/rotate-key", id(&made));
    let replies = join_all((0..32).map(|_| client.post(&path, json!({})))).await;
    let mut forms: Vec<Value> = replies.into_iter().map(|reply| reply.expect(200)).collect();
    forms.sort_by_key(|form| form["revision"].as_i64());
    let mut before = made;
    for form in &forms {
        assert_eq!(form["revision"].as_i64(), before["revision"].as_i64().map(|n| n + 1));
        assert_eq!(
            form["previous_keys"][0]["key"], before["key"],
            "each replaces the key of the one before"
        );
        before = form.clone();
    }
    assert_eq!(before["previous_keys"].as_array().unwrap().len(), 32);
    // Of those who have read the same form, one does.
    let replies = join_all((0..32).map(|_| {
        let request = client
            .request(Method::POST, &path)
            .header("If-Match", "\"33\"")
            .json(&json!({}));
        client.send(request)
    }))
    .await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(
        (won, replies.iter().filter(|reply| reply.status == 412).count()),
        (1, 31)
    );
}
