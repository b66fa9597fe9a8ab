use super::books::Books;
use crate::given;
use serde_json::{Value, json};

async fn series(books: &Books, key: &str) -> Value {
    let page = books.erp.get(&format!("/v1/number-series?key={key}")).await.expect(200);
    page["items"][0].clone()
}

#[tokio::test]
async fn a_series_shows_how_far_it_is_and_takes_another_prefix() {
    let books = Books::open().await;
    let erp = &books.erp;
    books.entry("2025-12-31", &[("6010", "1"), ("1020", "-1")]).await;
    books.entry("2026-03-05", &[("6010", "1"), ("1020", "-1")]).await;
    books.entry("2026-03-04", &[("6010", "1"), ("1020", "-1")]).await;
    let general = series(&books, "journal:GEN").await;
    let years = general["years"].as_array().unwrap();
    let years: Vec<(&str, i64, &str)> = years
        .iter()
        .map(|year| {
            let text = |field: &str| year[field].as_str().unwrap_or_default();
            (
                text("fiscal_year"),
                year["last_number"].as_i64().unwrap_or_default(),
                text("last_date"),
            )
        })
        .collect();
    assert_eq!(years, [("2026", 2, "2026-03-05"), ("2025", 1, "2025-12-31")]);
    let path = given::path("number-series", &general);
    erp.patch(&path, json!({ "prefix": "SAL" }))
        .await
        .expect_problem(409, "duplicate");
    let problem = erp
        .patch(&path, json!({ "ascending": true }))
        .await
        .expect_problem(422, "journal");
    assert_eq!(given::faults(&problem), [("/ascending", "journal")]);
    erp.patch(&path, json!({ "prefix": "J" })).await.expect(200);
    let entry = books.entry("2026-03-06", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(entry["number"], "J-2026-000003");
    let invoices = series(&books, "invoice").await;
    assert_eq!(
        (&invoices["prefix"], &invoices["ascending"]),
        (&json!("INV"), &json!(true))
    );
    let changed = erp
        .patch(&given::path("number-series", &invoices), json!({ "ascending": false }))
        .await;
    assert_eq!(changed.expect(200)["ascending"], json!(false));
    books.assert_sound();
}
