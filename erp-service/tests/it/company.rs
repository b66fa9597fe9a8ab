use crate::given;
use serde_json::json;

#[tokio::test]
async fn settings_are_there_and_change_with_if_match() {
    let service = given::erp().await;
    let erp = &service.client;
    let company = erp.get("/v1/company").await.expect(200);
    assert_eq!(
        (
            &company["base_currency"],
            &company["price_deviation_limits"],
            &company["revision"]
        ),
        (&json!("USD"), &json!({}), &json!(1))
    );
    let blind = erp
        .request(reqwest::Method::PATCH, "/v1/company")
        .json(&json!({ "name": "x" }));
    erp.send(blind).await.expect_problem(428, "precondition_required");
    let patch = json!({ "name": "Northwind", "base_currency": "EUR", "price_deviation_limits": { "back_office": "0.20", "admin": "0.5" } });
    let changed = erp.patch("/v1/company", patch).await.expect(200);
    assert_eq!(
        (
            &changed["name"],
            &changed["base_currency"],
            &changed["price_deviation_limits"]
        ),
        (
            &json!("Northwind"),
            &json!("EUR"),
            &json!({ "admin": "0.5", "back_office": "0.2" })
        )
    );
    // A merge patch goes into the object: null removes, absent stays.
    let patch = json!({ "price_deviation_limits": { "admin": null } });
    let changed = erp.patch("/v1/company", patch).await.expect(200);
    assert_eq!(changed["price_deviation_limits"], json!({ "back_office": "0.2" }));
    let stale = erp.patch_matching("/v1/company", "\"2\"", json!({ "name": "x" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["price_deviation_limits"]));
    let same = erp
        .patch("/v1/company", json!({ "name": "Northwind" }))
        .await
        .expect(200);
    assert_eq!(same, changed);
}

#[tokio::test]
async fn unknown_roles_and_improper_fractions_are_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    let patch = json!({ "price_deviation_limits": { "king": "0.1", "a/b": "0.1" } });
    let problem = erp
        .patch("/v1/company", patch)
        .await
        .expect_problem(422, "unknown_value");
    assert_eq!(
        given::faults(&problem),
        [
            ("/price_deviation_limits/a~1b", "unknown_value"),
            ("/price_deviation_limits/king", "unknown_value"),
        ]
    );
    for limit in [json!("1.5"), json!("-0.1"), json!(0.1), json!("0.00001")] {
        let patch = json!({ "price_deviation_limits": { "admin": limit } });
        let reply = erp.patch("/v1/company", patch).await;
        assert_eq!(reply.status.as_u16(), 422, "{limit}: {}", reply.body);
        let faults = given::faults(&reply.body);
        assert_eq!(faults[0].0, "/price_deviation_limits/admin", "{limit}: {faults:?}");
    }
    let patch = json!({ "base_currency": "XYZ" });
    erp.patch("/v1/company", patch)
        .await
        .expect_problem(422, "unknown_value");
}

#[tokio::test]
async fn the_base_currency_stays_once_there_are_customers() {
    let service = given::erp().await;
    let erp = &service.client;
    given::customer(&service, "Alfreds").await;
    let patch = json!({ "base_currency": "EUR" });
    let problem = erp.patch("/v1/company", patch).await;
    problem.expect_problem(409, "base_currency_in_use");
    erp.patch("/v1/company", json!({ "base_currency": "USD", "name": "New" }))
        .await
        .expect(200);
}
