//! A quote that is sent by e-mail.

use super::support::{act, document, line, now, quote, sold};
use crate::activities::smtp::Server;
use crate::support::{crm, id};
use crm_service::activities::emails::outbox::OUTBOX;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// A draft for Maria of Alfreds, whose company has an address as well.
async fn for_maria(crm: &TestService, client: &Client) -> (Value, Value) {
    let body = json!({ "name": "Alfreds", "kind": "company", "email": "office@alfreds.example",
        "contacts": [{ "name": "Maria", "email": "maria@alfreds.example" }] });
    let of = client.post("/v1/customers", body).await.expect(201);
    let tea = sold(crm, "TEA", "9.50").await;
    let lines = json!([line(&tea, "10")]);
    let draft = quote(
        client,
        &of,
        json!({ "lines": lines, "contact_id": of["contacts"][0]["id"] }),
    )
    .await;
    (of, draft)
}

async fn mails(client: &Client, of: &Value) -> Vec<Value> {
    let path = format!("/v1/activities?kind=email&subject_type=quote&subject_id={}", id(of));
    let page = client.get(&path).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn the_document_goes_to_the_contact_as_a_file() {
    let server = Server::start();
    let crm = server.crm().await;
    let rep = crm.user("Nancy", "sales", "own", None).await.client;
    let (_, draft) = for_maria(&crm, &rep).await;
    // Shown and not done.
    act(&rep, &draft, "send?dry_run=true", json!({ "email": {} }))
        .await
        .expect(200);
    assert_eq!(mails(&rep, &draft).await.len(), 0);
    let sent = act(&rep, &draft, "send", json!({ "email": {} })).await.expect(200);
    assert_eq!(sent["state"], "sent");
    let queued = mails(&rep, &draft).await;
    assert_eq!(queued.len(), 1);
    let path = format!("/v1/emails/{}", id(&queued[0]));
    let email = rep.get(&path).await.expect(200);
    assert_eq!(
        (
            &email["state"],
            &email["to_addresses"],
            &email["subject"],
            &email["contact_id"]
        ),
        (
            &json!("queued"),
            &json!(["maria@alfreds.example"]),
            &json!("Quote Q-000001: Tea"),
            &draft["contact_id"]
        )
    );
    assert!(
        email["text"].as_str().unwrap().contains("Q-000001, valid until"),
        "{email}"
    );
    let html = document(&rep, &sent).await;
    assert_eq!(
        email["attachments"],
        json!([{ "name": "Q-000001-1.html", "content_type": "text/html; charset=utf-8", "size": html.len() }])
    );
    let file = rep.get(&format!("{path}/attachments/0")).await;
    assert_eq!(file.expect(200), json!(html));
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
    let delivered = server.deliveries();
    assert_eq!(
        (delivered.len(), &delivered[0].to),
        (1, &vec!["maria@alfreds.example".to_owned()])
    );
    assert!(delivered[0].data.contains("Q-000001-1.html"), "{}", delivered[0].data);
    assert_eq!(rep.get(&path).await.expect(200)["state"], "sent");
}

#[actix_web::test]
async fn what_keeps_the_mail_from_going_keeps_the_quote_from_being_sent() {
    let server = Server::start();
    let crm = server.crm().await;
    let client = &crm.client;
    let (of, draft) = for_maria(&crm, client).await;
    let said = json!({ "channel": "email", "state": "withdrawn", "legal_basis": "consent", "source": "call" });
    let path = format!("/v1/customers/{}/consents", id(&of));
    client.post(&path, said).await.expect(201);
    let refused = act(client, &draft, "send", json!({ "email": {} })).await;
    refused.expect_problem(409, "consent_withdrawn");
    let template = json!({ "email": { "template": "none", "subject": "Tea" } });
    let faults = act(client, &draft, "send", template)
        .await
        .expect_problem(422, "invalid_input");
    let mut pointers: Vec<&str> = faults["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/email/subject", "/email/template"]);
    let bad = json!({ "email": { "to": ["nobody"] } });
    let bad = act(client, &draft, "send", bad).await.expect_problem(422, "bad_format");
    assert_eq!(bad["errors"][0]["pointer"], "/email/to/0");
    assert_eq!(now(client, &draft).await["state"], "draft");
    assert_eq!(mails(client, &draft).await.len(), 0);

    let asked = json!({ "email": { "to": ["office@alfreds.example"], "subject": "Your tea", "text": "As you asked.",
        "despite_withdrawn": "asked for by phone" } });
    act(client, &draft, "send", asked).await.expect(200);
    let email = &mails(client, &draft).await[0];
    let email = client.get(&format!("/v1/emails/{}", id(email))).await.expect(200);
    assert_eq!(
        (&email["subject"], &email["text"], &email["despite_withdrawn"]),
        (
            &json!("Your tea"),
            &json!("As you asked."),
            &json!("asked for by phone")
        )
    );
}

#[actix_web::test]
async fn a_template_names_the_quote() {
    let server = Server::start();
    let crm = server.crm().await;
    let client = &crm.client;
    let (_, draft) = for_maria(&crm, client).await;
    let template = json!({ "code": "offer", "language": "en", "name": "Offer",
        "subject": "Offer {{values.number}}", "text": "{{contact.name}}: {{values.title}}, {{values.total}} until {{values.valid_until}}" });
    client.post("/v1/email-templates", template).await.expect(201);
    let sent = act(client, &draft, "send", json!({ "email": { "template": "offer" } }))
        .await
        .expect(200);
    let email = &mails(client, &draft).await[0];
    let email = client.get(&format!("/v1/emails/{}", id(email))).await.expect(200);
    let text = format!("Maria: Tea, 95.00 USD until {}", sent["valid_until"].as_str().unwrap());
    assert_eq!(
        (&email["subject"], &email["text"]),
        (&json!("Offer Q-000001"), &json!(text))
    );
}

#[actix_web::test]
async fn without_a_mail_server_or_the_permission_nothing_is_sent() {
    let crm = crm().await;
    let (_, draft) = for_maria(&crm, &crm.client).await;
    let mail = json!({ "email": {} });
    act(&crm.client, &draft, "send", mail.clone())
        .await
        .expect_problem(409, "mail_not_configured");
    let quotes_only = crm.client.new_key("custom", &["quotes:read", "quotes:write"]).await;
    act(&quotes_only, &draft, "send", mail)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(now(&crm.client, &draft).await["state"], "draft");
    act(&quotes_only, &draft, "send", json!({})).await.expect(200);
}
