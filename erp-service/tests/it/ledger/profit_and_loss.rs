use super::balance_sheet::rows;
use super::books::Books;
use serde_json::json;

#[tokio::test]
async fn what_was_earned_and_spent_between_two_days() {
    let books = Books::open().await;
    let erp = &books.erp;
    let sales = erp
        .post("/v1/departments", json!({ "code": "S", "name": "Sales" }))
        .await
        .expect(201);
    let shop = erp
        .post("/v1/projects", json!({ "code": "P", "name": "Shop" }))
        .await
        .expect(201);
    books.entry("2026-01-10", &[("1020", "1000"), ("4010", "-1000")]).await;
    books
        .entry("2026-02-10", &[("1020", "500"), ("4010", "-400"), ("4020", "-100")])
        .await;
    books.entry("2026-02-11", &[("5010", "350"), ("1020", "-350")]).await;
    let divided = json!({ "date": "2026-02-12", "description": "rent", "post": true, "lines": [
        { "account": "6010", "debit": "60", "department_id": sales["id"] },
        { "account": "6020", "debit": "25", "department_id": sales["id"], "project_id": shop["id"] },
        { "account": "6010", "debit": "15", "project_id": shop["id"] },
        { "account": "1020", "credit": "100" } ] });
    erp.post("/v1/journal-entries", divided).await.expect(201);
    let february = "/v1/reports/profit-and-loss?from=2026-02-01&to=2026-02-28";
    let report = erp.get(february).await.expect(200);
    assert_eq!(
        rows(&report),
        [
            ("4000", 0, "500.00"),
            ("4010", 1, "400.00"),
            ("4020", 1, "100.00"),
            ("5000", 0, "350.00"),
            ("5010", 1, "350.00"),
            ("6000", 0, "100.00"),
            ("6010", 1, "75.00"),
            ("6020", 1, "25.00"),
        ]
    );
    assert_eq!(
        (&report["income"], &report["expenses"], &report["result"]),
        (&json!("500.00"), &json!("450.00"), &json!("50.00"))
    );
    let id = |record: &serde_json::Value| record["id"].as_str().unwrap().to_owned();
    for (filter, result) in [
        (format!("department_id={}", id(&sales)), "-85.00"),
        (format!("project_id={}", id(&shop)), "-40.00"),
        (
            format!("department_id={}&project_id={}", id(&sales), id(&shop)),
            "-25.00",
        ),
    ] {
        let report = erp.get(&format!("{february}&{filter}")).await.expect(200);
        assert_eq!(report["result"], result, "{filter}");
    }
    let year = erp.get("/v1/reports/profit-and-loss?to=2026-02-28").await.expect(200);
    assert_eq!(
        (&year["from"], &year["result"]),
        (&json!("2026-01-01"), &json!("1050.00"))
    );
}
