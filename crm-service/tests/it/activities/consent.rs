use super::inbound::{deliver, message};
use super::smtp::Server;
use crate::support::id;
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
