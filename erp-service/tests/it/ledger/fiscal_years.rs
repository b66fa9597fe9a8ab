use super::books::{Books, lines, path};
use crate::given;
use serde_json::{Value, json};

impl Books {
    async fn year(&self, name: &str) -> Value {
        let years = self.erp.get("/v1/fiscal-years").await.expect(200);
        let years = years["items"].as_array().unwrap();
        years.iter().find(|year| year["name"] == name).unwrap().clone()
    }

    async fn close_periods(&self, year: &str) {
        for month in 1..=12 {
            self.close(&format!("{year}-{month:02}-10")).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_year_has_a_period_for_each_month_and_begins_where_the_company_says() {
    let books = Books::open().await;
    let erp = &books.erp;
    let changed = erp
        .patch("/v1/company", json!({ "fiscal_year_start_month": 4 }))
        .await
        .expect(200);
    assert_eq!(changed["fiscal_year_start_month"], 4);
    let entry = books.entry("2026-03-31", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(entry["number"], "GEN-2025-26-000001");
    let year = books.year("2025-26").await;
    let periods = year["periods"].as_array().unwrap();
    assert_eq!(
        (
            &year["starts_on"],
            &year["ends_on"],
            periods.len(),
            &periods[11]["starts_on"],
            &periods[11]["ends_on"]
        ),
        (
            &json!("2025-04-01"),
            &json!("2026-03-31"),
            12,
            &json!("2026-03-01"),
            &json!("2026-03-31")
        )
    );
    let late = erp.patch("/v1/company", json!({ "fiscal_year_start_month": 1 })).await;
    late.expect_problem(409, "fiscal_years_exist");
    erp.patch("/v1/company", json!({ "base_currency": "EUR" }))
        .await
        .expect_problem(409, "base_currency_in_use");

    let next = erp
        .post("/v1/fiscal-years", json!({ "starts_on": "2026-04-01" }))
        .await
        .expect(201);
    assert_eq!(
        (&next["name"], &next["ends_on"]),
        (&json!("2026-27"), &json!("2027-03-31"))
    );
    let overlapping = erp
        .post("/v1/fiscal-years", json!({ "starts_on": "2027-01-01", "name": "X" }))
        .await;
    overlapping.expect_problem(409, "overlaps");
    // A short year, to change the beginning.
    let short = json!({ "starts_on": "2027-04-01", "ends_on": "2027-12-31", "name": "2027S" });
    let short = erp.post("/v1/fiscal-years", short).await.expect(201);
    assert_eq!(short["periods"].as_array().map(Vec::len), Some(9));
    let wrong = json!({ "starts_on": "2028-01-02", "ends_on": "2030-12-30" });
    let problem = erp
        .post("/v1/fiscal-years", wrong)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/starts_on", "not_first_of_month"),
            ("/ends_on", "not_last_of_month"),
            ("/ends_on", "out_of_range")
        ]
    );
}

#[tokio::test]
async fn the_result_of_a_year_goes_to_retained_earnings_and_comes_back() {
    let books = Books::open().await;
    let erp = &books.erp;
    // 1,000.00 of sales, 300.00 of rent and 200.50 of wages: 499.50 were earned.
    books.entry("2025-03-05", &[("1020", "1000"), ("4010", "-1000")]).await;
    books
        .entry("2025-06-05", &[("6010", "300"), ("6020", "200.5"), ("1020", "-500.5")])
        .await;
    books.entry("2026-01-05", &[("6010", "10"), ("1020", "-10")]).await;
    let year = books.year("2025").await;
    let verb = |verb: &str| format!("{}/{verb}", given::path("fiscal-years", &year));
    let problem = erp
        .post(&verb("close"), json!({}))
        .await
        .expect_problem(409, "periods_open");
    assert_eq!(problem["first_open_period_id"], year["periods"][0]["id"]);
    books.close_periods("2025").await;
    let before = erp.get("/v1/reports/balance-sheet?date=2025-12-31").await.expect(200);
    assert_eq!(
        (&before["equity"], &before["result_of_year"], &before["assets"]),
        (&json!("499.50"), &json!("499.50"), &json!("499.50"))
    );

    let shown = erp.post(&verb("close?dry_run=true"), json!({})).await.expect(200);
    let closing = [
        ("4010", "1000.00", "0.00"),
        ("6010", "0.00", "300.00"),
        ("6020", "0.00", "200.50"),
        ("3100", "0.00", "499.50"),
    ];
    assert_eq!(lines(&shown["entries"][0]), closing);
    assert_eq!(books.year("2025").await["status"], "open");
    let closed = erp.post(&verb("close"), json!({})).await.expect(200);
    assert_eq!(
        (&closed["status"], &closed["allowed_actions"]),
        (&json!("closed"), &json!(["reopen"]))
    );
    let entry = format!("/v1/journal-entries/{}", closed["closing_entry_id"].as_str().unwrap());
    let entry = erp.get(&entry).await.expect(200);
    assert_eq!(lines(&entry), closing);
    assert_eq!(
        (&entry["number"], &entry["date"], &entry["kind"], &entry["source_type"]),
        (
            &json!("CLS-2025-000001"),
            &json!("2025-12-31"),
            &json!("closing"),
            &json!("fiscal_year")
        )
    );
    erp.post(&format!("{}/reverse", path(&entry)), json!({ "reason": "x" }))
        .await
        .expect_problem(409, "made_by_document");
    // The balance sheet says the same, with the result where it belongs; the profit and loss account still shows it.
    let after = erp.get("/v1/reports/balance-sheet?date=2025-12-31").await.expect(200);
    assert_eq!(
        (&after["equity"], &after["result_of_year"]),
        (&json!("499.50"), &json!("0.00"))
    );
    let year_2025 = "/v1/reports/profit-and-loss?from=2025-01-01&to=2025-12-31";
    assert_eq!(erp.get(year_2025).await.expect(200)["result"], "499.50");

    let period = books.verb("2025-12-10", "reopen", json!({ "reason": "x" })).await;
    period.expect_problem(409, "fiscal_year_closed");
    let open = erp
        .post(&verb("reopen"), json!({ "reason": "the audit" }))
        .await
        .expect(200);
    assert_eq!(
        (&open["status"], &open["closing_entry_id"], &open["reopen_reason"]),
        (&json!("open"), &Value::Null, &json!("the audit"))
    );
    let again = erp.get("/v1/reports/balance-sheet?date=2025-12-31").await.expect(200);
    assert_eq!(
        (&again["equity"], &again["result_of_year"]),
        (&json!("499.50"), &json!("499.50"))
    );
    assert_eq!(erp.get(year_2025).await.expect(200)["result"], "499.50");
    books
        .verb("2025-12-10", "reopen", json!({ "reason": "the audit" }))
        .await
        .expect(200);
    books.entry("2025-12-31", &[("6010", "0.5"), ("1020", "-0.5")]).await;
    books.close("2025-12-10").await.expect(200);
    let closed = erp.post(&verb("close"), json!({})).await.expect(200);
    let entry = format!("/v1/journal-entries/{}", closed["closing_entry_id"].as_str().unwrap());
    let entry = erp.get(&entry).await.expect(200);
    assert_eq!(lines(&entry).last(), Some(&("3100", "0.00", "499.00")));
    books.assert_sound();
}

#[tokio::test]
async fn a_year_without_a_result_closes_without_an_entry() {
    let books = Books::open().await;
    books.entry("2025-03-05", &[("1020", "1000"), ("3010", "-1000")]).await;
    books.close_periods("2025").await;
    let year = books.year("2025").await;
    let closed = books
        .erp
        .post(&format!("{}/close", given::path("fiscal-years", &year)), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&closed["status"], &closed["closing_entry_id"]),
        (&json!("closed"), &Value::Null)
    );
}
