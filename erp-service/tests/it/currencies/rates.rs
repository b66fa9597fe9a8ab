use crate::given;
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

/// 1 unit of `reference` = `rate` units of `currency`.
async fn write(erp: &Client, date: &str, reference: &str, currency: &str, rate: &str) -> Value {
    let body = json!({ "date": date, "reference": reference, "currency": currency, "rate": rate });
    erp.post("/v1/exchange-rates", body).await.expect(201)
}

async fn conversion(erp: &Client, from: &str, to: &str, date: &str) -> Value {
    let path = format!("/v1/currency-conversions?from={from}&to={to}&date={date}");
    erp.get(&path).await.expect(200)
}

async fn missing(erp: &Client, from: &str, to: &str, date: &str) {
    let path = format!("/v1/currency-conversions?from={from}&to={to}&date={date}");
    let problem = erp.get(&path).await.expect_problem(422, "rate_missing");
    let facts = (&problem["from"], &problem["to"], &problem["date"]);
    assert_eq!(facts, (&json!(from), &json!(to), &json!(date)));
}

#[tokio::test]
async fn the_latest_rate_holds_for_seven_days() {
    let service = given::erp().await;
    let erp = &service.client;
    write(erp, "2026-03-20", "EUR", "USD", "1.10").await;
    write(erp, "2026-03-24", "EUR", "USD", "1.12").await;
    missing(erp, "EUR", "USD", "2026-03-19").await;
    for (date, rate, rated) in [
        ("2026-03-20", "1.1", "2026-03-20"),
        ("2026-03-23", "1.1", "2026-03-20"),
        ("2026-03-24", "1.12", "2026-03-24"),
        ("2026-03-31", "1.12", "2026-03-24"),
    ] {
        let shown = conversion(erp, "EUR", "USD", date).await;
        assert_eq!(
            (&shown["rate"], &shown["rate_date"], &shown["through"]),
            (&json!(rate), &json!(rated), &Value::Null)
        );
    }
    missing(erp, "EUR", "USD", "2026-04-01").await;
    missing(erp, "EUR", "JPY", "2026-03-24").await;
    // The same currency needs no rate; the other direction is the inverse.
    assert_eq!(conversion(erp, "JPY", "JPY", "1999-01-01").await["rate"], "1");
    let inverse = conversion(erp, "USD", "EUR", "2026-03-24").await;
    assert_eq!(inverse["rate"], "0.8928571428571428571428571429");
}

#[tokio::test]
async fn a_cross_goes_through_the_reference_currency_unrounded() {
    let service = given::erp().await;
    let erp = &service.client;
    write(erp, "2026-03-24", "EUR", "GBP", "0.86").await;
    write(erp, "2026-03-23", "EUR", "JPY", "163.27").await;
    let crossed = conversion(erp, "GBP", "JPY", "2026-03-25").await;
    assert_eq!(
        (&crossed["rate"], &crossed["rate_date"], &crossed["through"]),
        (
            &json!("189.84883720930232558139534884"),
            &json!("2026-03-23"),
            &json!("EUR")
        )
    );
    // A pair against the base currency alone will do as well.
    write(erp, "2026-03-25", "USD", "CHF", "0.8").await;
    write(erp, "2026-03-25", "VND", "USD", "0.00004").await;
    let crossed = conversion(erp, "CHF", "VND", "2026-03-25").await;
    assert_eq!(
        (&crossed["rate"], &crossed["through"]),
        (&json!("31250"), &json!("USD"))
    );
    // The older of the two is too old.
    missing(erp, "GBP", "JPY", "2026-03-31").await;
}

#[tokio::test]
async fn a_rate_is_written_once_and_changed_with_if_match() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = write(erp, "2026-03-24", "EUR", "USD", "1.12").await;
    for (field, value) in [
        ("date", "2026-03-24"),
        ("reference", "EUR"),
        ("currency", "USD"),
        ("rate", "1.12"),
        ("source", "manual"),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = given::path("exchange-rates", &made);
    assert_eq!(erp.get(&path).await.expect(200), made);
    // In either direction, a pair has one rate a day.
    for (reference, currency) in [("EUR", "USD"), ("USD", "EUR")] {
        let body = json!({ "date": "2026-03-24", "reference": reference, "currency": currency, "rate": "1" });
        let problem = erp
            .post("/v1/exchange-rates", body)
            .await
            .expect_problem(409, "duplicate");
        assert_eq!(given::faults(&problem), [("/date", "duplicate")]);
    }
    let same = json!({ "date": "2026-03-24", "currency": "USD", "rate": "1.1200" });
    assert_eq!(erp.put(&path, same).await.expect(200), made);
    let other = json!({ "date": "2026-03-24", "currency": "USD", "rate": "1.13" });
    erp.put(&path, other.clone())
        .await
        .expect_problem(428, "precondition_required");
    let request = erp.request(reqwest::Method::PUT, &path).header("If-Match", "\"1\"");
    let changed = erp.send(request.json(&other)).await.expect(200);
    assert_eq!((&changed["rate"], &changed["revision"]), (&json!("1.13"), &json!(2)));
    let new = format!("/v1/exchange-rates/{}", Uuid::now_v7());
    let body = json!({ "date": "2026-03-25", "currency": "USD", "rate": "1.14" });
    erp.put(&new, body.clone()).await.expect(201);
    erp.put(&new, body).await.expect(200);
    let taken = json!({ "id": made["id"], "date": "2026-03-26", "currency": "USD", "rate": "1.14" });
    let problem = erp
        .post("/v1/exchange-rates", taken)
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/id", "duplicate")]);
}

#[tokio::test]
async fn every_fault_of_a_rate_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({ "date": "2026-03-24", "reference": "GBP", "currency": "JPY", "rate": "0" });
    let problem = erp
        .post("/v1/exchange-rates", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/reference", "no_reference"), ("/rate", "out_of_range")]
    );
    let body = json!({ "date": "2026-03-24", "currency": "EUR", "rate": "1" });
    let problem = erp
        .post("/v1/exchange-rates", body)
        .await
        .expect_problem(422, "same_currency");
    assert_eq!(given::faults(&problem), [("/currency", "same_currency")]);
    let body = json!({ "date": "2026-02-30", "currency": "XYZ", "rate": "1.00000000001" });
    let problem = erp
        .post("/v1/exchange-rates", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut faults = given::faults(&problem);
    faults.sort_unstable();
    assert_eq!(
        faults,
        [
            ("/currency", "unknown_value"),
            ("/date", "bad_format"),
            ("/rate", "out_of_range")
        ]
    );
    // Another reference currency makes another pair possible.
    erp.patch("/v1/company", json!({ "reference_currency": "GBP" }))
        .await
        .expect(200);
    let made = json!({ "date": "2026-03-24", "currency": "JPY", "rate": "190" });
    let made = erp.post("/v1/exchange-rates", made).await.expect(201);
    assert_eq!(made["reference"], "GBP");
}

#[tokio::test]
async fn rates_are_listed_by_day_and_currency() {
    let service = given::erp().await;
    let erp = &service.client;
    for (date, currency, rate) in [
        ("2026-03-25", "USD", "1.3"),
        ("2026-03-24", "USD", "1.2"),
        ("2026-03-24", "JPY", "160"),
        ("2026-03-23", "USD", "1.1"),
    ] {
        write(erp, date, "EUR", currency, rate).await;
    }
    let rates = |query: &str| {
        let path = format!("/v1/exchange-rates?{query}");
        async move {
            let page = erp.get(&path).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            let shown = items.iter().map(|item| item["rate"].as_str().unwrap().to_owned());
            (shown.collect::<Vec<_>>(), page["next_cursor"].clone())
        }
    };
    assert_eq!(rates("currency=USD").await.0, ["1.1", "1.2", "1.3"]);
    assert_eq!(rates("currency=USD&sort=-date&from=2026-03-24").await.0, ["1.3", "1.2"]);
    assert_eq!(rates("to=2026-03-23&source=manual").await.0, ["1.1"]);
    let (first, cursor) = rates("currency=USD&limit=2").await;
    assert_eq!(first, ["1.1", "1.2"]);
    let next = format!("currency=USD&limit=2&cursor={}", cursor.as_str().unwrap());
    assert_eq!(rates(&next).await, (vec!["1.3".to_owned()], Value::Null));
}

#[tokio::test]
async fn rates_and_the_company_are_told_as_they_change() {
    let service = given::erp().await;
    let erp = &service.client;
    let written = write(erp, "2026-03-02", "EUR", "USD", "1.10").await;
    let path = format!("/v1/exchange-rates/{}", written["id"].as_str().unwrap());
    let body = json!({ "date": "2026-03-02", "reference": "EUR", "currency": "USD", "rate": "1.12" });
    let change = erp
        .request(reqwest::Method::PUT, &path)
        .header("If-Match", "\"1\"")
        .json(&body);
    erp.send(change).await.expect(200);
    erp.patch("/v1/company", json!({ "name": "Northwind" }))
        .await
        .expect(200);
    let file = "Date, USD, GBP, \n03 March 2026, 1.1900, 0.8600, \n";
    erp.send(
        erp.request(reqwest::Method::POST, "/v1/exchange-rate-imports")
            .header("Content-Type", "text/csv")
            .body(file),
    )
    .await
    .expect(200);
    let told = given::events(erp, "exchange_rate.changed").await;
    let shown: Vec<(i64, &str)> = told
        .iter()
        .map(|event| {
            (
                event["subjectversion"].as_i64().unwrap(),
                event["data"]["rate"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown[..2], [(1, "1.1"), (2, "1.12")]);
    let mut imported: Vec<&str> = shown[2..].iter().map(|(_, rate)| *rate).collect();
    imported.sort_unstable();
    assert_eq!(imported, ["0.86", "1.19"]);
    let company = given::events(erp, "company.changed").await;
    assert_eq!(company[0]["data"]["name"], "Northwind");
    let listed = erp.get("/v1/companies").await.expect(200);
    assert_eq!(listed["items"][0]["version"], company[0]["subjectversion"]);
}
