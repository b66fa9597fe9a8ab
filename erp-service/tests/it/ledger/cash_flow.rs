use super::books::Books;
use serde_json::{Value, json};

fn rows(report: &Value) -> Vec<(&str, &str, &str, &str)> {
    let rows = report["rows"].as_array().into_iter().flatten();
    rows.map(|row| {
        let text = |field: &str| row[field].as_str().unwrap_or("none");
        (text("category"), text("account"), text("inflow"), text("outflow"))
    })
    .collect()
}

#[tokio::test]
async fn opening_balance_and_flows_come_to_the_closing_balance() {
    let books = Books::open().await;
    let erp = &books.erp;
    books.entry("2025-12-31", &[("1020", "1000"), ("3010", "-1000")]).await;
    books
        .entry("2026-01-10", &[("1020", "480"), ("4010", "-500"), ("6100", "20")])
        .await;
    books.entry("2026-01-11", &[("1010", "100"), ("1020", "-100")]).await;
    books.entry("2026-01-12", &[("6010", "60"), ("1010", "-60")]).await;
    books.entry("2026-01-13", &[("1500", "300"), ("1020", "-300")]).await;
    books.entry("2026-01-14", &[("1020", "200"), ("2300", "-200")]).await;
    // No money moves with depreciation.
    books.entry("2026-01-31", &[("6050", "5"), ("1510", "-5")]).await;
    // A payment of 50 of which 40 were for a machine that is written off at once: the bank line says so.
    let told = json!({ "date": "2026-01-20", "description": "machine", "post": true, "lines": [
        { "account": "6030", "debit": "50" },
        { "account": "1020", "credit": "40", "cash_flow_category": "investing" },
        { "account": "1020", "credit": "10" } ] });
    erp.post("/v1/journal-entries", told).await.expect(201);
    let report = erp
        .get("/v1/reports/cash-flow?from=2026-01-01&to=2026-01-31")
        .await
        .expect(200);
    assert_eq!(
        rows(&report),
        [
            ("operating", "4010", "500.00", "0.00"),
            ("operating", "6010", "0.00", "60.00"),
            ("operating", "6030", "0.00", "10.00"),
            ("operating", "6100", "0.00", "20.00"),
            ("investing", "1500", "0.00", "300.00"),
            ("investing", "6030", "0.00", "40.00"),
            ("financing", "2300", "200.00", "0.00"),
        ]
    );
    // 1,000 + 410 − 340 + 200 = 1,270.
    assert_eq!(
        (
            &report["opening_balance"],
            &report["operating"],
            &report["investing"],
            &report["financing"]
        ),
        (&json!("1000.00"), &json!("410.00"), &json!("-340.00"), &json!("200.00"))
    );
    assert_eq!(
        (&report["exchange_rates"], &report["closing_balance"]),
        (&json!("0.00"), &json!("1270.00"))
    );
}
