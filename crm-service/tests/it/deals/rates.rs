use super::support::{euro, today};
use crate::sales::{AS_OF, new_id};
use crate::support::{crm, id};
use serde_json::json;

#[actix_web::test]
async fn a_rate_is_applied_once_and_an_older_one_changes_nothing() {
    let crm = crm().await;
    let made = euro(&crm, "1.10", today()).await;
    let path = format!("/v1/exchange-rates/{}", id(&made));
    let told = |version: i64, rate: &str| {
        json!({
            "source_version": version, "as_of": AS_OF, "date": today(), "reference": "EUR", "currency": "USD", "rate": rate,
        })
    };
    let sync = crm.integration();
    let newer = sync.put(&path, told(3, "1.12")).await.expect(200);
    assert_eq!((&newer["rate"], &newer["revision"]), (&json!("1.12"), &json!(2)));
    assert_eq!(sync.put(&path, told(2, "1.11")).await.expect(200), newer);
    assert_eq!(crm.client.get(&path).await.expect(200), newer);
    let refused = crm
        .client
        .put(&path, told(4, "1"))
        .await
        .expect_problem(409, "not_owner");
    assert_eq!(refused["owner"], "erp");
    let faulty = json!({
        "source_version": 1, "as_of": AS_OF, "date": today(), "reference": "USD", "currency": "USD", "rate": "0",
    });
    let refused = sync
        .put(&format!("/v1/exchange-rates/{}", new_id()), faulty)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2);
    let listed = crm
        .client
        .get(&format!("/v1/exchange-rates?from={}&currency=USD", today()))
        .await
        .expect(200);
    assert_eq!(listed["items"], json!([newer]));
}

#[actix_web::test]
async fn the_company_is_that_of_the_erp() {
    let crm = crm().await;
    let company = crm.client.get("/v1/company").await.expect(200);
    assert_eq!(
        (&company["base_currency"], &company["source_version"]),
        (&json!("USD"), &json!(0))
    );
    let told = json!({
        "source_version": 2, "as_of": AS_OF, "name": "Northwind", "base_currency": "EUR", "reference_currency": "EUR",
    });
    let sync = crm.integration();
    let path = format!("/v1/companies/{}", id(&company));
    let applied = sync.put(&path, told.clone()).await.expect(200);
    assert_eq!(applied["base_currency"], "EUR");
    assert_eq!(crm.client.get("/v1/company").await.expect(200), applied);
    sync.put(&format!("/v1/companies/{}", new_id()), told)
        .await
        .expect_problem(409, "duplicate");
}
