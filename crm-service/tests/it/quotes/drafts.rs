use super::support::{begun, change, now, quote};
use crate::sales::new_id;
use crate::support::{crm, customer, events, id};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn a_draft_is_changed_under_its_etag() {
    let crm = crm().await;
    let (of, _, draft) = begun(&crm).await;
    let path = format!("/v1/quotes/{}", id(&draft));
    let blind = crm
        .client
        .request(Method::PATCH, &path)
        .json(&json!({ "title": "New" }));
    crm.client
        .send(blind)
        .await
        .expect_problem(428, "precondition_required");
    let contact = json!({ "name": "Anaïs", "email": "anais@example.com" });
    let contact = crm
        .client
        .post(&format!("/v1/customers/{}/contacts", id(&of)), contact)
        .await
        .expect(201);
    let changed = change(
        &crm.client,
        &draft,
        json!({ "title": "New", "contact_id": contact["id"], "terms": "Net 30", "introduction": "Dear all", "language": "de" }),
    )
    .await
    .expect(200);
    assert_eq!(
        (
            &changed["title"],
            &changed["contact_id"],
            &changed["language"],
            &changed["version"]
        ),
        (&json!("New"), &contact["id"], &json!("de"), &json!(2))
    );
    let same = change(&crm.client, &draft, json!({ "title": "New" })).await.expect(200);
    assert_eq!(same["revision"], changed["revision"]);
    let cleared = change(&crm.client, &draft, json!({ "contact_id": null, "terms": null }))
        .await
        .expect(200);
    assert_eq!(
        (&cleared["contact_id"], &cleared["terms"]),
        (&json!(null), &json!(null))
    );
    change(&crm.client, &draft, json!({ "contact_id": new_id() }))
        .await
        .expect_problem(422, "unknown_contact");
    let told = events(&crm.client, "quote.changed", 3).await;
    assert_eq!(told.len(), 3);
    assert_eq!(told[1]["data"]["terms"], "Net 30");
    let audit = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&draft)))
        .await
        .expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 3);
    assert_eq!(now(&crm.client, &draft).await["version"], 3);
}

#[actix_web::test]
async fn an_id_is_taken_once_and_an_archived_customer_is_offered_nothing() {
    let crm = crm().await;
    let of = customer(&crm.client, "Once").await;
    let known = new_id();
    quote(&crm.client, &of, json!({ "id": known })).await;
    let body = json!({ "id": known, "title": "Twice", "customer_id": of["id"] });
    crm.client
        .post("/v1/quotes", body)
        .await
        .expect_problem(409, "duplicate");
    crm.client
        .post(&format!("/v1/customers/{}/archive", id(&of)), json!({}))
        .await
        .expect(200);
    let body = json!({ "title": "Late", "customer_id": of["id"] });
    crm.client
        .post("/v1/quotes", body)
        .await
        .expect_problem(409, "customer_archived");
}
