use crate::given;
use serde_json::{Value, json};

#[tokio::test]
async fn a_code_has_rates_by_date() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({
        "code": "DE19", "name": "Value added tax", "kind": "output", "report_code": "81",
        "rates": [
            { "rate": "0.16", "valid_from": "2020-07-01", "valid_to": "2020-12-31" },
            { "rate": "0.19", "valid_from": "2021-01-01" },
        ],
    });
    let made = erp.post("/v1/tax-codes", body.clone()).await.expect(201);
    for (field, value) in [
        ("code", json!("DE19")),
        ("kind", json!("output")),
        ("report_code", json!("81")),
        ("reverse_charge", json!(false)),
        ("status", json!("active")),
        (
            "rates",
            json!([
                { "rate": "0.16", "valid_from": "2020-07-01", "valid_to": "2020-12-31" },
                { "rate": "0.19", "valid_from": "2021-01-01", "valid_to": null },
            ]),
        ),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = given::path("tax-codes", &made);
    assert_eq!(erp.get(&path).await.expect(200), made);
    let problem = erp.post("/v1/tax-codes", body).await.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/code", "duplicate")]);
    let ended = json!({ "rates": [
        { "rate": "0.2", "valid_from": "2027-01-01" },
        { "rate": "0.19", "valid_from": "2021-01-01", "valid_to": "2026-12-31" },
    ] });
    let changed = erp.patch(&path, ended.clone()).await.expect(200);
    let rates: Vec<&Value> = changed["rates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["rate"])
        .collect();
    assert_eq!(
        (rates, &changed["revision"]),
        (vec![&json!("0.19"), &json!("0.2")], &json!(2))
    );
    assert_eq!(erp.patch(&path, ended).await.expect(200), changed);
    let listed = erp.get("/v1/tax-codes?q=de1&kind=output").await.expect(200);
    assert_eq!(listed["items"], json!([changed]));
    let kept = erp.patch(&path, json!({ "kind": "input" })).await;
    kept.expect_problem(422, "unknown_field");
}

#[tokio::test]
async fn rates_never_overlap() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({
        "code": "A", "name": "A", "kind": "output", "reverse_report_code": "85",
        "rates": [
            { "rate": "0.19", "valid_from": "2021-01-01", "valid_to": "2021-12-31" },
            { "rate": "0.2", "valid_from": "2021-12-31" },
            { "rate": "0.2", "valid_from": "2020-12-31", "valid_to": "2020-01-01" },
        ],
    });
    let problem = erp
        .post("/v1/tax-codes", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/rates/1/valid_from", "overlapping"),
            ("/rates/2/valid_to", "out_of_range"),
            ("/reverse_report_code", "not_reverse_charge"),
        ]
    );
    let body = json!({ "code": "a b", "name": " ", "kind": "vat", "rates": [{ "rate": "100", "valid_from": "x" }] });
    let problem = erp
        .post("/v1/tax-codes", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut pointers: Vec<&str> = given::faults(&problem)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/code", "/kind", "/name", "/rates/0/rate", "/rates/0/valid_from"]
    );
}
