use crate::support::{crm, customer, id};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use reqwest::Method;
use serde_json::{Value, json};

#[actix_web::test]
async fn on_any_day_one_legal_entity_is_the_default() {
    let crm = crm().await;
    let of = customer(&crm.client, "Around the Horn").await;
    let list = format!("/v1/customers/{}/legal-entities", id(&of));
    let old = json!({ "name": "Horn Ltd", "is_default": true });
    let old = crm.client.post(&list, old).await.expect(201);
    let new = json!({ "name": "Horn plc", "is_default": true, "valid_from": "2026-07-01" });
    let problem = crm
        .client
        .post(&list, new.clone())
        .await
        .expect_problem(422, "default_overlaps");
    assert_eq!(problem["errors"][0]["pointer"], "/is_default");
    assert!(problem["detail"].as_str().unwrap().contains("Horn Ltd"));
    // The last day is inclusive: it may not be the first day of the next.
    let old_path = format!("/v1/legal-entities/{}", id(&old));
    crm.client
        .patch(&old_path, json!({ "valid_to": "2026-07-01" }))
        .await
        .expect(200);
    crm.client
        .post(&list, new.clone())
        .await
        .expect_problem(422, "default_overlaps");
    crm.client
        .patch(&old_path, json!({ "valid_to": "2026-06-30" }))
        .await
        .expect(200);
    crm.client.post(&list, new).await.expect(201);
    crm.client
        .patch(&old_path, json!({ "valid_to": null }))
        .await
        .expect_problem(422, "default_overlaps");
    // Others may be valid on any day as long as they are not the default.
    let beside = json!({ "name": "Horn Holding", "valid_from": "2020-01-01" });
    let beside = crm.client.post(&list, beside).await.expect(201);
    assert_eq!(beside["is_default"], false);
    crm.client
        .patch(
            &format!("/v1/legal-entities/{}", id(&beside)),
            json!({ "is_default": true }),
        )
        .await
        .expect_problem(422, "default_overlaps");
}

#[actix_web::test]
async fn a_put_hands_the_default_over() {
    let crm = crm().await;
    let entity = |name: &str, is_default: bool| json!({ "name": name, "is_default": is_default });
    let body = |entities: Value| json!({ "name": "x", "kind": "company", "legal_entities": entities });
    let made = crm
        .client
        .post("/v1/customers", body(json!([entity("a", true), entity("b", false)])))
        .await
        .expect(201);
    let mut entities = made["legal_entities"].clone();
    for item in entities.as_array_mut().unwrap() {
        let was = item["is_default"].as_bool().unwrap();
        *item = json!({ "id": item["id"], "name": item["name"], "is_default": !was });
    }
    let request = crm.client.request(Method::PUT, &format!("/v1/customers/{}", id(&made)));
    let request = request.header("If-Match", "\"1\"").json(&body(entities));
    let after = crm.client.send(request).await.expect(200);
    let defaults: Vec<_> = after["legal_entities"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entity| entity["is_default"] == true)
        .map(|entity| entity["name"].as_str().unwrap())
        .collect();
    assert_eq!(defaults, ["b"]);
}

#[actix_web::test]
async fn a_legal_entity_ends_after_it_begins() {
    let crm = crm().await;
    let of = customer(&crm.client, "Dated").await;
    let list = format!("/v1/customers/{}/legal-entities", id(&of));
    let body = json!({ "name": "x", "valid_from": "2026-02-01", "valid_to": "2026-01-31" });
    let problem = crm.client.post(&list, body).await.expect_problem(422, "out_of_range");
    assert_eq!(problem["errors"][0]["pointer"], "/valid_to");
    let body = json!({ "name": "x", "valid_from": "2026-02-30" });
    crm.client.post(&list, body).await.expect_problem(422, "bad_format");
    let day = json!({ "name": "x", "valid_from": "2026-02-01", "valid_to": "2026-02-01", "tax_id": "DE1" });
    let made = crm.client.post(&list, day).await.expect(201);
    let path = format!("/v1/legal-entities/{}", id(&made));
    let changed = crm
        .client
        .patch(&path, json!({ "tax_id": null, "registration_number": "HRB 1" }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["tax_id"], &changed["registration_number"]),
        (&json!(null), &json!("HRB 1"))
    );
    assert_eq!(crm.client.get(&list).await.expect(200)["items"], json!([changed]));
    assert_eq!(crm.client.delete(&path).await.status, 204);
}

/// The rule holds without the service: two transactions that do not see each other cannot break it.
#[actix_web::test]
async fn the_database_refuses_two_defaults_on_one_day() {
    let crm = crm().await;
    let of = customer(&crm.client, "Direct").await;
    let insert = |from: &str, to: &str| {
        format!(
            "INSERT INTO legal_entities (id, customer_id, name, valid_from, valid_to, is_default, created_at, updated_at)
             VALUES (gen_random_uuid(), '{}', 'x', {from}, {to}, true, now(), now())",
            id(&of)
        )
    };
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    conn.batch_execute(&insert("NULL", "'2026-06-30'")).unwrap();
    conn.batch_execute(&insert("'2026-07-01'", "NULL")).unwrap();
    let error = conn.batch_execute(&insert("'2026-06-30'", "'2026-06-30'")).unwrap_err();
    assert!(error.to_string().contains("legal_entities_one_default"), "{error}");
}
