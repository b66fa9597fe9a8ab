use crate::given::{self, erp, events, faults, of, path};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_supplier_is_made_changed_archived_and_told_to_the_world() {
    let service = erp().await;
    let erp = service.client.clone();
    let made = erp
        .post(
            "/v1/suppliers",
            json!({"name": "Exotic Liquids", "legal_name": "Exotic Liquids Ltd", "tax_id": "GB123", "currency": "GBP",
                   "lead_time_days": 14, "external_ref": "1", "email": "orders@exotic.example",
                   "addresses": [{"kind": "office", "street": "49 Gilbert St.", "city": "London", "postal_code": "EC1 4SD", "country": "GB"}]}),
        )
        .await
        .expect(201);
    assert_eq!((&made["status"], &made["version"]), (&json!("active"), &json!(1)));
    let at = path("suppliers", &made);
    let changed = erp
        .patch(&at, json!({"lead_time_days": 7, "tax_id": null}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["lead_time_days"], &changed["tax_id"]),
        (&json!(7), &json!(null))
    );
    assert_eq!(changed["addresses"], made["addresses"]);
    erp.post(&format!("{at}/archive"), json!({})).await.expect(200);
    let refused = erp
        .post(&format!("{at}/archive"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(refused["allowed_actions"], json!(["restore"]));
    let restored = erp.post(&format!("{at}/restore"), json!({})).await.expect(200);
    assert_eq!(restored["status"], "active");
    let told = events(&erp, "supplier.changed").await;
    let versions: Vec<i64> = of(&told, &made).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_put_creates_repeats_and_changes_with_if_match() {
    let service = erp().await;
    let erp = service.client.clone();
    let at = format!("/v1/suppliers/{}", Uuid::now_v7());
    let body = json!({"name": "Tokyo Traders", "currency": "JPY"});
    erp.put(&at, body.clone()).await.expect(201);
    let again = erp.put(&at, body).await.expect(200);
    assert_eq!(again["revision"], 1);
    erp.put(&at, json!({"name": "Tokyo Traders KK", "currency": "JPY"}))
        .await
        .expect_problem(428, "precondition_required");
}

#[tokio::test]
async fn references_are_unique_and_faults_are_named_together() {
    let service = erp().await;
    let erp = service.client.clone();
    let body = json!({"name": "A", "currency": "USD", "external_ref": "S1"});
    erp.post("/v1/suppliers", body.clone()).await.expect(201);
    erp.post("/v1/suppliers", body).await.expect_problem(409, "duplicate");
    let problem = erp
        .post(
            "/v1/suppliers",
            json!({"name": " ", "currency": "XXXX", "email": "nobody", "iban": "1"}),
        )
        .await
        .expect_problem(422, "invalid_input");
    let pointers: Vec<&str> = faults(&problem).iter().map(|(pointer, _)| *pointer).collect();
    for pointer in ["/name", "/currency", "/email", "/iban"] {
        assert!(pointers.contains(&pointer), "{problem:#}");
    }
}

#[tokio::test]
async fn suppliers_are_found_by_any_of_their_names() {
    let service = erp().await;
    let erp = service.client.clone();
    for (name, legal, tax) in [("Alpha", "Alpha Handels GmbH", "DE1"), ("Beta", "Beta AG", "DE22")] {
        let body = json!({"name": name, "legal_name": legal, "tax_id": tax, "currency": "EUR"});
        erp.post("/v1/suppliers", body).await.expect(201);
    }
    given::category(&erp, "unrelated").await;
    for (q, found) in [("handels", "Alpha"), ("de22", "Beta"), ("bet", "Beta")] {
        let page = erp.get(&format!("/v1/suppliers?q={q}")).await.expect(200);
        assert_eq!(
            (page["items"].as_array().unwrap().len(), &page["items"][0]["name"]),
            (1, &json!(found))
        );
    }
    let sorted = erp.get("/v1/suppliers?sort=-name&limit=1").await.expect(200);
    assert_eq!(sorted["items"][0]["name"], "Beta");
    let cursor = sorted["next_cursor"].as_str().unwrap();
    let next = erp
        .get(&format!("/v1/suppliers?sort=-name&limit=1&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        (&next["items"][0]["name"], &next["next_cursor"]),
        (&json!("Alpha"), &json!(null))
    );
}
