use super::books::Books;
use serde_json::{Value, json};

/// (code or name, depth, amount) of the rows.
pub fn rows(report: &Value) -> Vec<(&str, i64, &str)> {
    let rows = report["rows"].as_array().into_iter().flatten();
    rows.map(|row| {
        let name = row["account"].as_str().or(row["name"].as_str()).unwrap_or_default();
        (
            name,
            row["depth"].as_i64().unwrap_or(-1),
            row["amount"].as_str().unwrap_or_default(),
        )
    })
    .collect()
}

#[tokio::test]
async fn what_the_company_has_is_what_it_owes_and_owns() {
    let books = Books::open().await;
    books
        .entry("2025-07-01", &[("1020", "1000"), ("3010", "-600"), ("2300", "-400")])
        .await;
    books.entry("2025-11-01", &[("1020", "250"), ("4010", "-250")]).await;
    books.entry("2026-02-01", &[("6010", "90"), ("1020", "-90")]).await;
    books.entry("2026-02-02", &[("1500", "500"), ("1020", "-500")]).await;
    let report = books
        .erp
        .get("/v1/reports/balance-sheet?date=2026-02-28")
        .await
        .expect(200);
    // 2025 earned 250 and is not closed; 2026 lost 90 so far.
    assert_eq!(
        rows(&report),
        [
            ("1000", 0, "1160.00"),
            ("1020", 1, "660.00"),
            ("1500", 1, "500.00"),
            ("2000", 0, "400.00"),
            ("2300", 1, "400.00"),
            ("3000", 0, "600.00"),
            ("3010", 1, "600.00"),
            ("Result of earlier years, not closed", 0, "250.00"),
            ("Result of the year", 0, "-90.00"),
        ]
    );
    assert_eq!(
        (&report["assets"], &report["liabilities"], &report["equity"]),
        (&json!("1160.00"), &json!("400.00"), &json!("760.00"))
    );
    assert_eq!(
        report["rows"][8]["link"],
        "/v1/reports/profit-and-loss?from=2026-01-01&to=2026-02-28"
    );
    let earlier = books
        .erp
        .get("/v1/reports/balance-sheet?date=2025-07-15")
        .await
        .expect(200);
    assert_eq!(
        (&earlier["assets"], &earlier["equity"]),
        (&json!("1000.00"), &json!("600.00"))
    );
}
