use super::books::Books;
use crate::given;
use serde_json::json;

#[tokio::test]
async fn one_is_there_for_the_base_currency_and_follows_it() {
    let books = Books::open().await;
    let page = books.erp.get("/v1/bank-accounts").await.expect(200);
    let bank = &page["items"][0];
    assert_eq!(
        (&bank["currency"], &bank["is_default"], &bank["name"]),
        (&json!("USD"), &json!(true), &json!("Bank"))
    );
    let fresh = given::erp().await;
    fresh
        .client
        .patch("/v1/company", json!({ "base_currency": "EUR" }))
        .await
        .expect(200);
    let page = fresh.client.get("/v1/bank-accounts").await.expect(200);
    assert_eq!(page["items"][0]["currency"], "EUR");
}

#[tokio::test]
async fn iban_bic_and_account_are_checked_together() {
    let books = Books::open().await;
    let page = books.erp.get("/v1/bank-accounts").await.expect(200);
    let account = page["items"][0]["account_id"].clone();
    let bad = json!({ "name": "House bank", "currency": "USD", "iban": "DE89370400440532013001", "bic": "COBA1EFF",
        "account_id": uuid::Uuid::now_v7() });
    let problem = books
        .erp
        .post("/v1/bank-accounts", bad)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/iban", "invalid_iban"),
            ("/bic", "invalid_bic"),
            ("/account_id", "unknown_account")
        ]
    );
    let wrong = json!({ "name": "House bank", "currency": "EUR", "account_id": account });
    books
        .erp
        .post("/v1/bank-accounts", wrong)
        .await
        .expect_problem(422, "wrong_currency");
    let good = json!({ "name": "House bank", "currency": "USD", "iban": "de89 3704 0044 0532 0130 00", "bic": "COBADEFF", "account_id": account });
    let made = books.erp.post("/v1/bank-accounts", good.clone()).await.expect(201);
    assert_eq!(
        (&made["iban"], &made["is_default"]),
        (&json!("DE89370400440532013000"), &json!(false))
    );
    books
        .erp
        .post("/v1/bank-accounts", good)
        .await
        .expect_problem(409, "duplicate");

    let path = given::path("bank-accounts", &made);
    let changed = books
        .erp
        .patch(&path, json!({ "is_default": true, "bic": null }))
        .await
        .expect(200);
    assert_eq!((&changed["is_default"], &changed["bic"]), (&json!(true), &json!(null)));
    let page = books.erp.get("/v1/bank-accounts?q=Bank&sort=name").await.expect(200);
    let defaults = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|bank| bank["is_default"] == true);
    assert_eq!(defaults.count(), 1);
    books
        .erp
        .patch(&path, json!({ "status": "retired" }))
        .await
        .expect_problem(422, "default_bank_account_needed");
}
