use crate::support::{crm, customer, events, id, timeline_kinds};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[actix_web::test]
async fn a_change_of_a_contact_is_a_change_of_its_customer() {
    let crm = crm().await;
    let of = customer(&crm.client, "Antonio Moreno Taquería").await;
    let customer_path = format!("/v1/customers/{}", id(&of));
    let reply = crm
        .client
        .post(
            &format!("{customer_path}/contacts"),
            json!({ "name": "Antonio Moreno", "email": "antonio@taqueria.example" }),
        )
        .await;
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(reply.etag(), "\"1\"");
    let contact = reply.expect(201);
    assert_eq!(location, format!("/v1/contacts/{}", id(&contact)));
    assert_eq!(crm.client.get(&location).await.expect(200), contact);
    assert_eq!(contact["customer_id"], of["id"]);

    let changed = crm
        .client
        .patch(&location, json!({ "title": "Owner", "email": null }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["title"], &changed["email"], &changed["revision"]),
        (&json!("Owner"), &Value::Null, &json!(2))
    );
    let whole = crm.client.get(&customer_path).await.expect(200);
    assert_eq!(whole["contacts"], json!([changed]));
    assert_eq!((&whole["version"], &whole["revision"]), (&json!(3), &json!(3)));

    let dry = crm.client.delete(&format!("{location}?dry_run=true")).await;
    assert_eq!(dry.status, 204);
    let gone = crm.client.delete(&location).await;
    assert_eq!((gone.status.as_u16(), gone.body), (204, json!("")));
    crm.client.get(&location).await.expect_problem(404, "not_found");
    crm.client.delete(&location).await.expect_problem(404, "not_found");

    let told = events(&crm.client, "customer.changed", 4).await;
    let versions: Vec<_> = told
        .iter()
        .map(|event| event["subjectversion"].as_i64().unwrap())
        .collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(
        told[2]["data"]["contacts"],
        json!([changed]),
        "an event tells the whole customer"
    );
    assert_eq!(told[3]["data"]["contacts"], json!([]));
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        [
            "contact_removed",
            "contact_changed",
            "contact_added",
            "customer_created"
        ]
    );
}

#[actix_web::test]
async fn a_contact_is_guarded_by_its_own_etag() {
    let crm = crm().await;
    let of = customer(&crm.client, "Guarded").await;
    let path = format!("/v1/customers/{}/contacts", id(&of));
    let contact = crm.client.post(&path, json!({ "name": "Ann" })).await.expect(201);
    let path = format!("/v1/contacts/{}", id(&contact));
    crm.client
        .send(crm.client.request(Method::PATCH, &path).json(&json!({ "name": "Bob" })))
        .await
        .expect_problem(428, "precondition_required");
    crm.client.patch(&path, json!({ "phone": "1" })).await.expect(200);
    let stale = crm
        .client
        .patch_matching(&path, "\"1\"", json!({ "name": "Bob" }))
        .await;
    assert_eq!(stale.expect_problem(412, "stale")["changed_fields"], json!(["phone"]));
    let stale = crm.client.request(Method::DELETE, &path).header("If-Match", "\"1\"");
    crm.client.send(stale).await.expect_problem(412, "stale");
    let same = crm.client.patch(&path, json!({ "phone": "1" })).await.expect(200);
    assert_eq!(same["revision"], 2, "a patch that changes nothing counts nothing");
    let whole = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!(whole["version"], 3);
}

#[actix_web::test]
async fn contacts_are_listed_by_their_customer() {
    let crm = crm().await;
    let of = customer(&crm.client, "Listed").await;
    let other = customer(&crm.client, "Other").await;
    let path = format!("/v1/customers/{}/contacts", id(&of));
    for name in ["b", "c", "a"] {
        crm.client.post(&path, json!({ "name": name })).await.expect(201);
    }
    let mine = Uuid::now_v7();
    let elsewhere = format!("/v1/customers/{}/contacts", id(&other));
    crm.client
        .post(&elsewhere, json!({ "id": mine, "name": "x" }))
        .await
        .expect(201);
    crm.client
        .post(&path, json!({ "id": mine, "name": "y" }))
        .await
        .expect_problem(409, "duplicate");
    let names = async |query: &str| {
        let page = crm.client.get(&format!("{path}{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["b", "c", "a"]);
    assert_eq!(names("?sort=-name").await, ["c", "b", "a"]);
    assert_eq!(names("?limit=1&sort=name").await, ["a"]);
    let nobody = format!("/v1/customers/{}/contacts", Uuid::now_v7());
    crm.client.get(&nobody).await.expect_problem(404, "not_found");
    crm.client
        .post(&nobody, json!({ "name": "x" }))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn changes_of_different_parts_at_once_all_count() {
    let crm = crm().await;
    let of = customer(&crm.client, "Busy").await;
    let path = format!("/v1/customers/{}/contacts", id(&of));
    let adds = (0..12).map(|n| crm.client.post(&path, json!({ "name": format!("contact {n}") })));
    for reply in futures_util::future::join_all(adds).await {
        reply.expect(201);
    }
    let whole = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!(whole["contacts"].as_array().unwrap().len(), 12);
    assert_eq!((&whole["version"], &whole["revision"]), (&json!(13), &json!(13)));
    let mut told = events(&crm.client, "customer.changed", 13).await;
    told.sort_by_key(|event| event["subjectversion"].as_i64());
    let mut last = told.pop().unwrap()["data"].clone();
    last["credit"] = Value::Null;
    assert_eq!(last, whole, "the newest version is the whole truth");
}

#[actix_web::test]
async fn a_customer_has_a_bounded_number_of_contacts() {
    let crm = crm().await;
    let many: Vec<Value> = (0..200).map(|n| json!({ "name": format!("contact {n}") })).collect();
    let body = json!({ "name": "Crowd", "kind": "company", "contacts": many });
    let of = crm.client.post("/v1/customers", body).await.expect(201);
    crm.client
        .post(
            &format!("/v1/customers/{}/contacts", id(&of)),
            json!({ "name": "one more" }),
        )
        .await
        .expect_problem(422, "too_many");
}
