use super::books::{Books, path};
use serde_json::{Value, json};

fn rows(report: &Value) -> Vec<(&str, &str, &str, &str)> {
    let rows = report["items"].as_array().into_iter().flatten();
    rows.map(|row| {
        let text = |field: &str| row[field].as_str().unwrap_or("none");
        (text("date"), text("debit"), text("credit"), text("balance"))
    })
    .collect()
}

#[tokio::test]
async fn lines_run_from_the_opening_to_the_closing_balance_page_by_page() {
    let books = Books::open().await;
    let erp = &books.erp;
    books.entry("2025-12-31", &[("1010", "100"), ("3010", "-100")]).await;
    books.entry("2026-01-10", &[("1010", "50"), ("4010", "-50")]).await;
    books.entry("2026-02-10", &[("6010", "30"), ("1010", "-30")]).await;
    let last = books.entry("2026-02-10", &[("6010", "7.5"), ("1010", "-7.5")]).await;
    books.entry("2026-03-10", &[("6010", "1"), ("1010", "-1")]).await;
    let report = "/v1/reports/general-ledger?account=1010&from=2026-01-05&to=2026-02-28";
    let whole = erp.get(report).await.expect(200);
    assert_eq!(
        rows(&whole),
        [
            ("2026-01-10", "50.00", "0.00", "150.00"),
            ("2026-02-10", "0.00", "30.00", "120.00"),
            ("2026-02-10", "0.00", "7.50", "112.50"),
        ]
    );
    assert_eq!(
        (
            &whole["opening_balance"],
            &whole["debit"],
            &whole["credit"],
            &whole["closing_balance"]
        ),
        (&json!("100.00"), &json!("50.00"), &json!("37.50"), &json!("112.50"))
    );
    assert_eq!(
        (&whole["items"][2]["link"], &whole["items"][2]["number"]),
        (&json!(path(&last)), &last["number"])
    );
    let first = erp.get(&format!("{report}&limit=2")).await.expect(200);
    assert_eq!(rows(&first), rows(&whole)[..2]);
    // Something is posted before the second page while the first is read: its balances are right nevertheless.
    books.entry("2026-01-06", &[("1010", "1000"), ("4010", "-1000")]).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = erp.get(&format!("{report}&limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rows(&second), [("2026-02-10", "0.00", "7.50", "1112.50")]);
    assert_eq!(second["next_cursor"], Value::Null);
    let id = whole["account_id"].as_str().unwrap();
    let by_id = erp
        .get(&format!(
            "/v1/reports/general-ledger?account_id={id}&from=2026-03-01&to=2026-03-31"
        ))
        .await;
    assert_eq!(rows(&by_id.expect(200)), [("2026-03-10", "0.00", "1.00", "1111.50")]);
    // All accounts, as an export of the books.
    let of_march = "/v1/reports/general-ledger?from=2026-03-01&to=2026-03-31";
    let all = erp.get(of_march).await.expect(200);
    assert_eq!(
        rows(&all),
        [
            ("2026-03-10", "1.00", "0.00", "none"),
            ("2026-03-10", "0.00", "1.00", "none")
        ]
    );
    assert_eq!((&all["debit"], &all["opening_balance"]), (&json!("1.00"), &Value::Null));
    let csv = erp.get(&format!("{of_march}&format=csv")).await;
    assert!(csv.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    let csv = csv.body.as_str().unwrap().to_owned();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("date,account_id,account,account_name,"), "{csv}");
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[2].contains(",1010,Cash,"), "{csv}");
    let both = format!("{of_march}&account=1010&account_id={id}");
    erp.get(&both).await.expect_problem(400, "invalid_parameter");
    erp.get("/v1/reports/general-ledger?account=9999")
        .await
        .expect_problem(400, "unknown_account");
}
