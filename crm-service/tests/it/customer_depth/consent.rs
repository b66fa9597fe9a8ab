use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn said(client: &Client, of: &Value, more: Value) -> Value {
    let mut body = json!({ "channel": "email", "state": "granted", "legal_basis": "consent", "source": "web form" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client
        .post(&format!("/v1/customers/{}/consents", id(of)), body)
        .await
        .expect(201)
}

/// Channel, state and contact of what holds now.
async fn now(client: &Client, of: &Value) -> Vec<(String, String, Value)> {
    let now = client
        .get(&format!("/v1/customers/{}/consent", id(of)))
        .await
        .expect(200);
    let items = now["items"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .iter()
        .map(|i| (text(&i["channel"]), text(&i["state"]), i["contact_id"].clone()))
        .collect()
}

#[actix_web::test]
async fn the_latest_word_holds_and_nothing_is_overwritten() {
    let crm = crm().await;
    let of = customer(&crm.client, "Told").await;
    let path = format!("/v1/customers/{}", id(&of));
    let contact = crm
        .client
        .post(&format!("{path}/contacts"), json!({ "name": "Ann" }))
        .await
        .expect(201);
    assert!(
        now(&crm.client, &of).await.is_empty(),
        "where nothing was said, nothing holds"
    );

    let first = said(
        &crm.client,
        &of,
        json!({ "decided_at": "2026-01-10T10:00:00Z", "note": "at the fair" }),
    )
    .await;
    assert_eq!(
        crm.client
            .get(&format!("/v1/consents/{}", id(&first)))
            .await
            .expect(200),
        first
    );
    said(
        &crm.client,
        &of,
        json!({ "state": "withdrawn", "decided_at": "2026-02-10T10:00:00Z" }),
    )
    .await;
    // Told later, said earlier.
    said(
        &crm.client,
        &of,
        json!({ "state": "granted", "decided_at": "2026-02-01T10:00:00Z" }),
    )
    .await;
    said(
        &crm.client,
        &of,
        json!({ "channel": "phone", "contact_id": contact["id"] }),
    )
    .await;
    assert_eq!(
        now(&crm.client, &of).await,
        [
            ("email".into(), "withdrawn".into(), Value::Null),
            ("phone".into(), "granted".into(), contact["id"].clone())
        ]
    );
    let all = crm
        .client
        .get(&format!("{path}/consents?channel=email"))
        .await
        .expect(200);
    let days: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["decided_at"].as_str().unwrap()[..10].to_owned())
        .collect();
    assert_eq!(days, ["2026-01-10", "2026-02-01", "2026-02-10"]);
    assert_eq!(all["items"][0], first);

    crm.client
        .delete(&format!("/v1/contacts/{}", id(&contact)))
        .await
        .expect(204);
    let kept = crm
        .client
        .get(&format!("{path}/consents?contact_id={}", id(&contact)))
        .await
        .expect(200);
    assert_eq!(
        kept["items"][0]["contact_name"], "Ann",
        "what a contact said outlives the contact"
    );
    assert_eq!(events(&crm.client, "consent.changed", 4).await.len(), 4);
    let told = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(told.iter().filter(|kind| kind.starts_with("consent_")).count(), 4);
}

#[actix_web::test]
async fn a_consent_is_refused_with_its_faults() {
    let crm = crm().await;
    let (of, other) = (
        customer(&crm.client, "One").await,
        customer(&crm.client, "Another").await,
    );
    let foreign = crm
        .client
        .post(
            &format!("/v1/customers/{}/contacts", id(&other)),
            json!({ "name": "Bob" }),
        )
        .await
        .expect(201);
    let body = json!({ "channel": "email", "state": "granted", "legal_basis": "consent", "source": "x",
                       "contact_id": foreign["id"], "decided_at": "2999-01-01T00:00:00Z" });
    let path = format!("/v1/customers/{}/consents", id(&of));
    let problem = crm.client.post(&path, body).await.expect_problem(422, "invalid_input");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].clone())
        .collect();
    assert_eq!(pointers, [json!("/contact_id"), json!("/decided_at")]);
    let nothing = crm.client.post(&path, json!({})).await.expect_problem(422, "required");
    assert_eq!(nothing["errors"].as_array().unwrap().len(), 4);
}
