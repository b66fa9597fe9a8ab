use super::inbound::{deliver, message};
use super::smtp::Server;
use crate::support::id;
use crm_service::activities::emails::outbox::OUTBOX;
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn said(client: &Client, of: &Value, contact: Option<&Value>, state: &str) {
    let body = json!({ "channel": "email", "state": state, "legal_basis": "consent", "source": "call",
                       "contact_id": contact.map(|contact| contact["id"].clone()) });
    let path = format!("/v1/customers/{}/consents", id(of));
    client.post(&path, body).await.expect(201);
}

fn to(address: &str) -> Value {
    json!({ "to": [address], "subject": "Offer", "text": "Attached." })
}

#[actix_web::test]
async fn who_has_said_no_is_not_written_to() {
    let server = Server::start();
    let crm = server.crm().await;
    let client = &crm.client;
    let body = json!({ "name": "Alfreds", "kind": "company", "email": "office@alfreds.example",
        "contacts": [{ "name": "Maria", "email": "maria@alfreds.example" }, { "name": "Otto", "email": "otto@alfreds.example" }] });
    let of = client.post("/v1/customers", body).await.expect(201);
    let maria = &of["contacts"][0];
    assert_eq!(maria["name"], "Maria");
    client.post("/v1/emails", to("maria@alfreds.example")).await.expect(201);

    said(client, &of, Some(maria), "withdrawn").await;
    let refused = client
        .post("/v1/emails", to("Maria+news@Alfreds.example"))
        .await
        .expect_problem(409, "consent_withdrawn");
    assert_eq!(refused["addresses"], json!(["Maria+news@Alfreds.example"]));
    let mut by_contact = json!({ "subject": "Offer", "text": "x", "contact_id": maria["id"],
                                 "subject_type": "customer", "subject_id": of["id"] });
    client
        .post("/v1/emails", by_contact.clone())
        .await
        .expect_problem(409, "consent_withdrawn");
    let mut copied = to("otto@alfreds.example");
    client.post("/v1/emails", copied.clone()).await.expect(201);
    copied["bcc"] = json!(["maria@alfreds.example"]);
    client
        .post("/v1/emails", copied)
        .await
        .expect_problem(409, "consent_withdrawn");

    by_contact["despite_withdrawn"] = json!("order confirmation");
    let sent = client.post("/v1/emails", by_contact).await.expect(201);
    assert_eq!(sent["despite_withdrawn"], "order confirmation");
    // She writes herself: she gets her answer.
    let mail = message("question@alfreds.example", "Subject: A question\n");
    let question = deliver(client, &mail).await.expect(201);
    let answer = json!({ "answers": question["id"], "text": "An answer." });
    client.post("/v1/emails", answer).await.expect(201);

    said(client, &of, Some(maria), "granted").await;
    client.post("/v1/emails", to("maria@alfreds.example")).await.expect(201);
    // The whole company does not want it: none of its people, whatever they said.
    said(client, &of, None, "withdrawn").await;
    for address in ["maria@alfreds.example", "office@alfreds.example"] {
        client
            .post("/v1/emails", to(address))
            .await
            .expect_problem(409, "consent_withdrawn");
    }
    client.post("/v1/emails", to("somebody@else.example")).await.expect(201);
}

#[actix_web::test]
async fn what_was_written_before_somebody_said_no_does_not_go_out() {
    let server = Server::start();
    let crm = server.crm().await;
    let client = &crm.client;
    let body = json!({ "name": "Alfreds", "kind": "company",
        "contacts": [{ "name": "Maria", "email": "maria@alfreds.example" }, { "name": "Otto", "email": "otto@alfreds.example" }] });
    let of = client.post("/v1/customers", body).await.expect(201);
    let maria = &of["contacts"][0];
    let mut copied = to("otto@alfreds.example");
    copied["bcc"] = json!(["maria@alfreds.example"]);
    let mut needed = to("maria@alfreds.example");
    needed["despite_withdrawn"] = json!("order confirmation");
    let question = deliver(client, &message("question@alfreds.example", "Subject: A question\n"))
        .await
        .expect(201);
    let answer = json!({ "answers": question["id"], "text": "An answer." });
    let mut written = Vec::new();
    for body in [
        to("maria@alfreds.example"),
        copied,
        needed,
        answer,
        to("otto@alfreds.example"),
    ] {
        written.push(client.post("/v1/emails", body).await.expect(201));
    }
    said(client, &of, Some(maria), "withdrawn").await;
    crm.running.kit.run_round(&OUTBOX).await.unwrap();

    let path = |of: &Value| format!("/v1/emails/{}", id(of));
    let mut states = Vec::new();
    for email in &written {
        let shown = client.get(&path(email)).await.expect(200);
        let why = shown["last_error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            shown["state"] == "failed",
            why.contains("consent to e-mail was withdrawn"),
            "{shown}"
        );
        states.push(shown["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["failed", "failed", "sent", "sent", "sent"]);
    assert_eq!(server.deliveries().len(), 3);
    // Sending it anew asks anew.
    let retry = format!("{}/retry", path(&written[0]));
    client.post(&retry, json!({})).await.expect(200);
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
    assert_eq!(client.get(&path(&written[0])).await.expect(200)["state"], "failed");
    said(client, &of, Some(maria), "granted").await;
    client.post(&retry, json!({})).await.expect(200);
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
    assert_eq!(client.get(&path(&written[0])).await.expect(200)["state"], "sent");
    assert_eq!(server.deliveries().len(), 4);
}
