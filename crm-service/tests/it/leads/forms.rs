use super::{items, now};
use crate::activities::faults;
use crate::sales::merge;
use crate::support::{crm, id};
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
