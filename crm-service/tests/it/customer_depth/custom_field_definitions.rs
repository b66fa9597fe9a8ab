use crate::support::{crm, events, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

/// The document of the running instance, once it says something of this field.
async fn described(client: &Client, schema: &str, key: &str) -> Value {
    for _ in 0..100 {
        let document = client.with_key("").get("/openapi.json").await.expect(200);
        let field = &document["components"]["schemas"][schema]["properties"][key];
        if !field.is_null() {
            return document["components"]["schemas"][schema].clone();
        }
        tokio_wait().await;
    }
    panic!("the document never shows {key}");
}

/// The document is a second old at most.
async fn tokio_wait() {
    actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
}

#[actix_web::test]
async fn a_field_is_defined_changed_retired_and_restored() {
    let crm = crm().await;
    let body = json!({ "record_type": "customer", "key": "sales_region", "label": "Region", "type": "choice",
                       "options": [{ "value": "emea", "label": "Europe" }, { "value": "apac" }] });
    let made = crm.client.post("/v1/custom-fields", body.clone()).await.expect(201);
    let path = format!("/v1/custom-fields/{}", id(&made));
    assert_eq!(crm.client.get(&path).await.expect(200), made);
    assert_eq!(
        made["options"],
        json!([{ "value": "emea", "label": "Europe" }, { "value": "apac" }])
    );
    let twin = crm
        .client
        .post("/v1/custom-fields", body)
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(twin["errors"][0]["pointer"], "/key");

    let changed = crm
        .client
        .patch(&path, json!({ "label": "Sales region" }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["label"], &changed["revision"]),
        (&json!("Sales region"), &json!(2))
    );
    let retired = crm.client.post(&format!("{path}/retire"), json!({})).await;
    assert_eq!(retired.status, 200, "{}", retired.body);
    let again = crm.client.post(&format!("{path}/retire"), json!({})).await;
    assert_eq!(
        again.expect_problem(409, "illegal_transition")["allowed_actions"],
        json!(["restore"])
    );
    let in_use = crm.client.get("/v1/custom-fields?retired=false").await.expect(200);
    assert_eq!(in_use["items"], json!([]));
    crm.client.post(&format!("{path}/restore"), json!({})).await.expect(200);
    let found = crm
        .client
        .get("/v1/custom-fields?q=region&record_type=customer")
        .await
        .expect(200);
    assert_eq!(found["items"][0]["revision"], 4);
    assert_eq!(
        events(&crm.client, "custom_field.changed", 4).await[3]["data"]["retired_at"],
        Value::Null
    );
}

#[actix_web::test]
async fn a_definition_is_refused_with_all_its_faults() {
    let crm = crm().await;
    let faults = |body: Value| {
        let client = crm.client.clone();
        async move {
            let problem = client.post("/v1/custom-fields", body).await;
            assert_eq!(problem.status, 422, "{}", problem.body);
            let errors = problem.body["errors"].as_array().cloned().unwrap_or_default();
            let named: Vec<_> = errors
                .iter()
                .map(|e| format!("{} {}", e["pointer"], e["code"]))
                .collect();
            named.join(", ").replace('"', "")
        }
    };
    let base = |more: Value| {
        let mut body = json!({ "record_type": "deal", "key": "k", "label": "K" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let text = faults(base(
        json!({ "type": "text", "options": [{ "value": "a" }], "currency": "EUR", "refers_to": "user" }),
    ))
    .await;
    assert_eq!(
        text,
        "/options not_of_this_type, /currency not_of_this_type, /refers_to not_of_this_type"
    );
    assert_eq!(faults(base(json!({ "type": "money" }))).await, "/currency required");
    assert_eq!(
        faults(base(json!({ "type": "reference" }))).await,
        "/refers_to required"
    );
    assert_eq!(faults(base(json!({ "type": "choice" }))).await, "/options required");
    let twice = base(json!({ "type": "multi_choice", "options": [{ "value": "a" }, { "value": "a" }] }));
    assert_eq!(faults(twice).await, "/options/1/value duplicate");
    let formal = faults(json!({ "record_type": "dog", "key": "No", "label": " ", "type": "text" })).await;
    assert_eq!(formal, "/record_type unknown_value, /key bad_format, /label bad_format");
}

#[actix_web::test]
async fn the_running_instance_describes_its_fields() {
    let crm = crm().await;
    let define = |body: Value| {
        let client = crm.client.clone();
        async move { client.post("/v1/custom-fields", body).await.expect(201) }
    };
    define(json!({ "record_type": "customer", "key": "since", "label": "Customer since", "type": "date" })).await;
    define(
        json!({ "record_type": "customer", "key": "budget", "label": "Budget", "type": "money", "currency": "EUR",
                   "description": "What they spend in a year" }),
    )
    .await;
    define(json!({ "record_type": "deal", "key": "rival", "label": "Rival", "type": "text" })).await;
    let schema = described(&crm.client, "CustomerCustomFields", "budget").await;
    assert_eq!(schema["additionalProperties"], false);
    let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["since", "budget"]);
    assert_eq!(schema["properties"]["since"]["format"], "date");
    assert_eq!(
        schema["properties"]["budget"]["description"],
        "in EUR; What they spend in a year"
    );
}

#[actix_web::test]
async fn a_kind_of_record_has_at_most_a_hundred_fields() {
    let crm = crm().await;
    for number in 0..100 {
        let body = json!({ "record_type": "lead", "key": format!("f{number}"), "label": "F", "type": "boolean" });
        crm.client.post("/v1/custom-fields", body).await.expect(201);
    }
    let more = json!({ "record_type": "lead", "key": "more", "label": "F", "type": "boolean" });
    crm.client
        .post("/v1/custom-fields", more)
        .await
        .expect_problem(422, "too_many");
    let other = json!({ "record_type": "deal", "key": "more", "label": "F", "type": "boolean" });
    crm.client.post("/v1/custom-fields", other).await.expect(201);
}
