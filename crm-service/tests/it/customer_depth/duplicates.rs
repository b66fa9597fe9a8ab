use crate::support::{crm, customer, id};
use crate::visibility::company;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

fn whole() -> Value {
    json!({ "name": "Müller & Söhne GmbH & Co. KG", "kind": "company", "email": "office@mueller.example", "phone": "+49 30 0074321",
            "tax_id": "DE 123 456 789", "contacts": [{ "name": "Eva", "email": "eva@mueller.example", "phone": "(030) 1234-567" }],
            "legal_entities": [{ "name": "Mühlen Holding AG", "is_default": true, "tax_id": "DE999888777" }] })
}

#[actix_web::test]
async fn whoever_seems_to_be_there_is_not_made_twice() {
    let crm = crm().await;
    let made = crm.client.post("/v1/customers", whole()).await.expect(201);
    for (body, score, matched) in [
        (json!({ "name": "MUELLER UND SOEHNE" }), 70, json!(["name"])),
        (
            json!({ "name": "Other", "email": "Office+news@Mueller.example" }),
            80,
            json!(["email"]),
        ),
        (
            json!({ "name": "Other", "email": "EVA@mueller.example" }),
            80,
            json!(["email"]),
        ),
        (json!({ "name": "Other", "phone": "030 0074321" }), 60, json!(["phone"])),
        (
            json!({ "name": "Other", "phone": "0049 30 1234567" }),
            60,
            json!(["phone"]),
        ),
        (
            json!({ "name": "Other", "tax_id": "de123456789" }),
            95,
            json!(["tax_id"]),
        ),
        (
            json!({ "name": "Other", "tax_id": "DE 999 888 777" }),
            95,
            json!(["tax_id"]),
        ),
        (json!({ "name": "Muehlen Holding" }), 70, json!(["name"])),
        (json!({ "name": "Müler & Söhne" }), 64, json!(["similar_name"])),
        (
            json!({ "name": "Müller Söhne", "email": "office@mueller.example", "tax_id": "DE123456789" }),
            100,
            json!(["email", "name", "tax_id"]),
        ),
        (
            json!({ "name": "Someone", "contacts": [{ "name": "Eva", "phone": "+49 (30) 1234567" }] }),
            60,
            json!(["phone"]),
        ),
    ] {
        let mut body = body;
        body["kind"] = json!("company");
        let problem = crm
            .client
            .post("/v1/customers", body.clone())
            .await
            .expect_problem(409, "possible_duplicate");
        let expected =
            json!([{ "id": made["id"], "name": made["name"], "kind": "company", "score": score, "matched": matched }]);
        assert_eq!(problem["candidates"], expected, "{body}");
        let put = format!("/v1/customers/{}", Uuid::now_v7());
        crm.client
            .put(&put, body)
            .await
            .expect_problem(409, "possible_duplicate");
    }
    // Another tax number speaks against it.
    let other = json!({ "name": "Müller & Söhne", "kind": "company", "tax_id": "AT U12345678" });
    crm.client.post("/v1/customers", other).await.expect(201);
    customer(&crm.client, "Miller Sons").await;
    assert_eq!(
        crm.client.get("/v1/customers").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[actix_web::test]
async fn it_is_made_all_the_same_when_asked_for() {
    let crm = crm().await;
    let body = json!({ "name": "Twins", "kind": "company" });
    crm.client.post("/v1/customers", body.clone()).await.expect(201);
    let key = "the-second-twin";
    crm.client
        .post_with_key("/v1/customers", key, body.clone())
        .await
        .expect_problem(409, "possible_duplicate");
    let path = "/v1/customers?allow_duplicate=true";
    let made = crm.client.post_with_key(path, key, body.clone()).await.expect(201);
    let again = crm.client.post_with_key(path, key, body.clone()).await.expect(201);
    assert_eq!(made, again, "a repeat answers as the first did");
    let put = format!("/v1/customers/{}?allow_duplicate=true", Uuid::now_v7());
    crm.client.put(&put, body.clone()).await.expect(201);
    crm.client
        .put(&put.replace("?allow_duplicate=true", ""), body)
        .await
        .expect(200);
    assert_eq!(
        crm.client.get("/v1/customers").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let twins = crm
        .client
        .get(&format!("/v1/customers/{}/duplicates", id(&made)))
        .await
        .expect(200);
    assert_eq!(twins["items"].as_array().unwrap().len(), 2);
    assert_eq!(twins["items"][0]["score"], 70);
}

#[actix_web::test]
async fn a_customer_is_compared_as_it_is_now() {
    let crm = crm().await;
    let one = customer(&crm.client, "Old Name").await;
    let path = format!("/v1/customers/{}", id(&one));
    crm.client.patch(&path, json!({ "name": "New Name" })).await.expect(200);
    customer(&crm.client, "Old Name").await;
    let body = json!({ "name": "New name Ltd.", "kind": "company" });
    crm.client
        .post("/v1/customers", body)
        .await
        .expect_problem(409, "possible_duplicate");
    let contact = json!({ "name": "Ann", "email": "ann@new.example" });
    let contact = crm.client.post(&format!("{path}/contacts"), contact).await.expect(201);
    let same = json!({ "name": "Elsewhere", "kind": "company", "email": "ann@new.example" });
    crm.client
        .post("/v1/customers", same.clone())
        .await
        .expect_problem(409, "possible_duplicate");
    crm.client
        .delete(&format!("/v1/contacts/{}", id(&contact)))
        .await
        .expect(204);
    crm.client.post("/v1/customers", same).await.expect(201);
}

#[actix_web::test]
async fn thirty_two_who_make_the_same_customer_make_one() {
    let crm = crm().await;
    let made = join_all((0..32).map(|number| {
        let client = crm.client.clone();
        // Not all of them share everything.
        let body = match number % 2 {
            0 => json!({ "name": "Rush", "kind": "company", "email": "rush@example.com" }),
            _ => json!({ "name": "RUSH Ltd", "kind": "company", "phone": "+1 555 123 4567", "email": "rush@example.com" }),
        };
        async move { client.post("/v1/customers", body).await.status.as_u16() }
    }))
    .await;
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|status| **status == 409).count(), 31, "{made:?}");
}

#[actix_web::test]
async fn a_candidate_out_of_sight_shows_its_team_and_nothing_else() {
    let company = company().await;
    let body = json!({ "name": "Twins", "kind": "company", "email": "twins@example.com" });
    company
        .nils
        .client
        .post("/v1/customers", body.clone())
        .await
        .expect(201);
    let refused = company.ana.client.post("/v1/customers", body.clone()).await;
    let problem = refused.expect_problem(409, "possible_duplicate");
    assert_eq!(
        problem["candidates"],
        json!([{ "hidden": true, "owner_team": "Nordic" }])
    );
    let path = "/v1/customers?allow_duplicate=true";
    let own = company.ana.client.post(path, body.clone()).await.expect(201);
    let duplicates = format!("/v1/customers/{}/duplicates", id(&own));
    let seen = company.ana.client.get(&duplicates).await.expect(200);
    assert_eq!(seen["items"], json!([{ "hidden": true, "owner_team": "Nordic" }]));
    let seen = company.lea.client.get(&duplicates).await.expect(200);
    assert_eq!(seen["items"][0]["matched"], json!(["email", "name"]));
    // Somebody else's without a team.
    let of_nobody = json!({ "name": "Orphan", "kind": "company" });
    company
        .crm
        .client
        .post("/v1/customers", of_nobody.clone())
        .await
        .expect(201);
    let refused = company.ana.client.post("/v1/customers", of_nobody).await;
    let problem = refused.expect_problem(409, "possible_duplicate");
    assert_eq!(problem["candidates"], json!([{ "hidden": true, "owner_team": null }]));
}
