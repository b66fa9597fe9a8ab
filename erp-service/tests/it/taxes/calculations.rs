use super::rules::{code, rule};
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::Client;

/// A company that taxes every sale by one code.
async fn taxing(erp: &Client, rate: &str) {
    code(erp, "VAT", "output", rate).await;
    rule(erp, json!({ "direction": "sale", "codes": ["VAT"] })).await;
}

async fn calculate(erp: &Client, amounts: &[&str], inclusive: bool) -> Value {
    let lines: Vec<Value> = amounts.iter().map(|amount| json!({ "amount": amount })).collect();
    let body = json!({
        "direction": "sale", "currency": "USD", "date": "2026-03-01", "prices_include_tax": inclusive, "lines": lines,
    });
    erp.post("/v1/tax-calculations", body).await.expect(200)
}

fn total(net: &str, tax: &str, gross: &str) -> Value {
    json!({ "net": net, "tax": tax, "gross": gross })
}

#[tokio::test]
async fn tax_is_rounded_once_for_each_code_and_rate_or_for_each_line() {
    let service = given::erp().await;
    let erp = &service.client;
    taxing(erp, "0.2").await;
    let three = ["0.33"; 3];
    assert_eq!(
        calculate(erp, &three, false).await["total"],
        total("0.99", "0.20", "1.19")
    );
    let per_line = json!({ "tax_rounding": "line" });
    erp.patch("/v1/company", per_line).await.expect(200);
    assert_eq!(
        calculate(erp, &three, false).await["total"],
        total("0.99", "0.21", "1.20")
    );
}

#[tokio::test]
async fn half_a_cent_goes_away_from_zero() {
    let service = given::erp().await;
    let erp = &service.client;
    taxing(erp, "0.05").await;
    assert_eq!(
        calculate(erp, &["0.50"], false).await["total"],
        total("0.50", "0.03", "0.53")
    );
    assert_eq!(
        calculate(erp, &["-0.50"], false).await["total"],
        total("-0.50", "-0.03", "-0.53")
    );
}

#[tokio::test]
async fn an_inclusive_gross_stays_and_the_odd_cent_goes_to_the_largest_line() {
    let service = given::erp().await;
    let erp = &service.client;
    taxing(erp, "0.2").await;
    let shown = calculate(erp, &["10.00", "9.99", "10.01"], true).await;
    assert_eq!(shown["total"], total("25.00", "5.00", "30.00"));
    let net: Vec<&Value> = shown["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["net"])
        .collect();
    assert_eq!(net, ["8.33", "8.32", "8.35"]);
    assert_eq!(
        shown["taxes"],
        json!([{ "code": "VAT", "name": "VAT", "rate": "0.2", "base": "25.00", "tax": "5.00", "reverse_charge": false }])
    );
}

#[tokio::test]
async fn the_rate_is_that_of_the_tax_point() {
    let service = given::erp().await;
    let erp = &service.client;
    let rates = json!([
        { "rate": "0.16", "valid_from": "2020-07-01", "valid_to": "2020-12-31" },
        { "rate": "0.19", "valid_from": "2021-01-01" },
    ]);
    let body = json!({ "code": "VAT", "name": "VAT", "kind": "output", "rates": rates });
    erp.post("/v1/tax-codes", body).await.expect(201);
    rule(erp, json!({ "direction": "sale", "codes": ["VAT"] })).await;
    let on = |date: &str| {
        let body = json!({ "direction": "sale", "currency": "USD", "date": date, "lines": [{ "amount": "100.00" }] });
        erp.post("/v1/tax-calculations", body)
    };
    assert_eq!(on("2020-12-31").await.expect(200)["total"]["gross"], "116.00");
    assert_eq!(on("2021-01-01").await.expect(200)["total"]["gross"], "119.00");
    let problem = on("2020-06-30").await.expect_problem(422, "tax_rate_missing");
    assert_eq!(
        (&problem["tax_code"], &problem["date"]),
        (&json!("VAT"), &json!("2020-06-30"))
    );
}

#[tokio::test]
async fn reverse_charge_is_shown_and_not_paid() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({
        "code": "RC19", "name": "Reverse charge", "kind": "input", "reverse_charge": true,
        "report_code": "67", "reverse_report_code": "85", "rates": [{ "rate": "0.19", "valid_from": "2021-01-01" }],
    });
    erp.post("/v1/tax-codes", body).await.expect(201);
    rule(erp, json!({ "direction": "purchase", "codes": ["RC19"] })).await;
    let body = json!({ "direction": "purchase", "currency": "USD", "lines": [{ "amount": "100.00" }] });
    let shown = erp.post("/v1/tax-calculations", body).await.expect(200);
    assert_eq!(shown["total"], total("100.00", "0.00", "100.00"));
    assert_eq!(
        shown["taxes"],
        json!([{ "code": "RC19", "name": "Reverse charge", "rate": "0.19", "base": "100.00", "tax": "19.00", "reverse_charge": true }])
    );
}

#[tokio::test]
async fn every_fault_of_a_calculation_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let body = json!({
        "direction": "sale", "currency": "JPY",
        "lines": [
            { "amount": "1.5" },
            { "amount": "1", "product_id": "00000000-0000-7000-8000-000000000009" },
            { "amount": "1", "product_id": product["id"], "tax_class": "reduced" },
        ],
    });
    let problem = erp
        .post("/v1/tax-calculations", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/lines/0/amount", "out_of_range"),
            ("/lines/1/product_id", "unknown_product"),
            ("/lines/2/tax_class", "ambiguous"),
        ]
    );
}
