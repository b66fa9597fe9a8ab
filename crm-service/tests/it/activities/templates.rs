use super::smtp::Server;
use super::{customer_of, faults};
use crate::support::{crm, id};
use serde_json::{Value, json};

async fn template(crm: &service_kit::testing::TestService, language: &str, subject: &str, text: &str) -> Value {
    let body = json!({ "code": "welcome", "language": language, "name": "Welcome", "subject": subject, "text": text,
                       "html": "<p>{{customer.name}}, {{values.gift}}</p>" });
    crm.client.post("/v1/email-templates", body).await.expect(201)
}

#[actix_web::test]
async fn a_template_is_told_all_its_faults() {
    let crm = crm().await;
    let body = json!({ "code": "welcome", "language": "en", "name": "x", "subject": "{{customer.salary}}",
                       "text": "{{values.OK}} {{open", "html": "{{a}} {{b}}" });
    let problem = crm
        .client
        .post("/v1/email-templates", body)
        .await
        .expect_problem(422, "invalid_input");
    let found = faults(&problem);
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        found,
        [
            ("/html", "unknown_placeholder"),
            ("/html", "unknown_placeholder"),
            ("/subject", "unknown_placeholder"),
            ("/text", "malformed_placeholder"),
            ("/text", "unknown_placeholder"),
        ]
    );
    let made = template(&crm, "en", "Hello", "Hello").await;
    let twin = json!({ "code": "welcome", "language": "en", "name": "x", "subject": "x", "text": "x" });
    crm.client
        .post("/v1/email-templates", twin)
        .await
        .expect_problem(409, "duplicate");
    let path = format!("/v1/email-templates/{}", id(&made));
    crm.client
        .patch(&path, json!({ "text": "{{x}}" }))
        .await
        .expect_problem(422, "unknown_placeholder");
    let changed = crm
        .client
        .patch(&path, json!({ "html": null, "name": "Hello" }))
        .await
        .expect(200);
    assert_eq!((&changed["html"], &changed["revision"]), (&Value::Null, &json!(2)));
    let list = crm
        .client
        .get("/v1/email-templates?code=welcome&language=en&active=true&q=hell")
        .await
        .expect(200);
    assert_eq!(list["items"], json!([changed]));
}

#[actix_web::test]
async fn a_message_is_written_in_the_wanted_language() {
    let server = Server::start();
    let crm = server.crm().await;
    let ann = crm.user("Ann Smith", "sales", "all", None).await;
    let of = customer_of(&crm, "Tom & <Jerry>", &ann.id).await;
    template(
        &crm,
        "en",
        "Welcome {{contact.name|dear customer}}",
        "Take {{values.gift}}, {{sender.name}}",
    )
    .await;
    template(
        &crm,
        "de",
        "Willkommen {{customer.name}}",
        "Nimm {{values.gift}}, {{contact.email}}",
    )
    .await;
    let body = |language: Value, values: Value| {
        json!({ "to": ["tom@jerry.example"], "template": "welcome", "language": language, "values": values,
                "subject_type": "customer", "subject_id": of["id"] })
    };
    let gift = json!({ "gift": "a <cup>" });
    let send = async |body: Value| ann.client.post("/v1/emails?dry_run=true", body).await;
    let english = send(body(Value::Null, gift.clone())).await.expect(200);
    assert_eq!(
        [
            &english["subject"],
            &english["text"],
            &english["html"],
            &english["template"],
            &english["language"]
        ],
        [
            &json!("Welcome dear customer"),
            &json!("Take a <cup>, Ann Smith"),
            &json!("<p>Tom &amp; &lt;Jerry&gt;, a &lt;cup&gt;</p>"),
            &json!("welcome"),
            &json!("en")
        ]
    );
    let problem = send(body(json!("de-AT"), gift.clone()))
        .await
        .expect_problem(422, "missing_value");
    assert_eq!(faults(&problem), [("/template".to_owned(), "missing_value".to_owned())]);
    let problem = send(body(json!("fr"), gift))
        .await
        .expect_problem(422, "unknown_language");
    assert!(problem["detail"].as_str().unwrap().contains("de, en"), "{problem}");
    let problem = send(body(json!("en"), json!({ "Gift": "x" })))
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/values/Gift".to_owned(), "bad_format".to_owned()),
            ("/values/gift".to_owned(), "missing_value".to_owned())
        ]
    );
    let both = json!({ "to": ["a@b.example"], "template": "none", "text": "x", "values": { "x": "y".repeat(2_001) } });
    let problem = send(both).await.expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/template".to_owned(), "unknown_template".to_owned()),
            ("/text".to_owned(), "ambiguous".to_owned()),
            ("/values/x".to_owned(), "too_long".to_owned())
        ]
    );
    assert_eq!(server.deliveries(), [], "a dry run sends nothing");
}
