use crate::given;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

/// As the bank publishes it each afternoon.
const DAILY: &str = "Date, USD, JPY, CZK, KRW, \n20 March 2026, 1.0823, 163.27, 24.956, 1587.66, \n";

/// As the bank publishes the history: newest first, currencies of the past, days without a rate.
const HISTORY: &str = "Date,USD,JPY,CYP,ISK,\n\
    2026-03-20,1.0823,163.27,N/A,139.7,\n\
    2026-03-19,1.09,162.5,N/A,N/A,\n\
    1999-01-04,1.1789,133.73,0.58231,N/A,\n";

async fn import(erp: &Client, file: &str) -> Reply {
    let request = erp.request(Method::POST, "/v1/exchange-rate-imports");
    let request = request
        .header("Content-Type", "text/csv; charset=utf-8")
        .body(file.to_owned());
    erp.send(request).await
}

async fn rate(erp: &Client, from: &str, to: &str, date: &str) -> Value {
    let path = format!("/v1/currency-conversions?from={from}&to={to}&date={date}");
    erp.get(&path).await.expect(200)["rate"].clone()
}

fn counts(done: &Value) -> [i64; 4] {
    ["created", "updated", "unchanged", "kept_manual"].map(|field| done[field].as_i64().unwrap())
}

#[tokio::test]
async fn both_files_of_the_bank_are_understood_and_a_repeat_is_harmless() {
    let service = given::erp().await;
    let erp = &service.client;
    let done = import(erp, DAILY).await.expect(200);
    assert_eq!(counts(&done), [4, 0, 0, 0]);
    assert_eq!((&done["first_date"], &done["days"]), (&json!("2026-03-20"), &json!(1)));
    let done = import(erp, HISTORY).await.expect(200);
    // USD and JPY of the 20th are known; ISK is new; two each for the 19th and for 1999.
    assert_eq!(counts(&done), [5, 0, 2, 0]);
    assert_eq!(done["skipped_currencies"], json!(["CYP"]));
    assert_eq!(
        (&done["first_date"], &done["last_date"], &done["reference"]),
        (&json!("1999-01-04"), &json!("2026-03-20"), &json!("EUR"))
    );
    for _ in 0..2 {
        assert_eq!(counts(&import(erp, HISTORY).await.expect(200)), [0, 0, 7, 0]);
    }
    let all = erp.get("/v1/exchange-rates?source=ecb").await.expect(200);
    let revisions = all["items"].as_array().unwrap().iter().map(|rate| &rate["revision"]);
    assert_eq!(revisions.collect::<Vec<_>>(), vec![&json!(1); 9]);
    assert_eq!(rate(erp, "EUR", "USD", "2026-03-21").await, "1.0823");
    assert_eq!(rate(erp, "EUR", "JPY", "1999-01-06").await, "133.73");
    assert_eq!(
        rate(erp, "KRW", "JPY", "2026-03-20").await,
        "0.102836879432624113475177305"
    );
    let imports = erp.get("/v1/audit-log?subject_type=exchange_rate_import").await;
    let imports = imports.expect(200);
    assert_eq!(imports["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_correction_by_the_bank_applies_and_what_is_written_by_hand_stays() {
    let service = given::erp().await;
    let erp = &service.client;
    let by_hand = json!({ "date": "2026-03-20", "reference": "USD", "currency": "EUR", "rate": "0.9" });
    let by_hand = erp.post("/v1/exchange-rates", by_hand).await.expect(201);
    assert_eq!(counts(&import(erp, DAILY).await.expect(200)), [3, 0, 0, 1]);
    assert_eq!(
        erp.get(&given::path("exchange-rates", &by_hand)).await.expect(200),
        by_hand
    );
    let corrected = DAILY.replace("163.27", "163.28");
    assert_eq!(counts(&import(erp, &corrected).await.expect(200)), [0, 1, 2, 1]);
    assert_eq!(rate(erp, "EUR", "JPY", "2026-03-20").await, "163.28");
    // A rate of the bank that somebody changes is written by hand from then on.
    let page = erp.get("/v1/exchange-rates?currency=CZK").await.expect(200);
    let path = given::path("exchange-rates", &page["items"][0]);
    let body = json!({ "date": "2026-03-20", "currency": "CZK", "rate": "25" });
    let request = erp.request(Method::PUT, &path).header("If-Match", "*").json(&body);
    assert_eq!(erp.send(request).await.expect(200)["source"], "manual");
    assert_eq!(counts(&import(erp, &corrected).await.expect(200)), [0, 0, 2, 2]);
    assert_eq!(rate(erp, "EUR", "CZK", "2026-03-20").await, "25");
}

#[tokio::test]
async fn every_fault_of_a_file_is_named_and_nothing_is_stored() {
    let service = given::erp().await;
    let erp = &service.client;
    let file = "Date,USD,JPY,dollar,USD,EUR,\n\
        2026-03-20,1.08,163,1,1,1,\n\
        20.03.2026,1,1,1,1,1,\n\
        2026-03-19,x,0,1,1,1,\n\
        2026-03-18,1,1,\n\
        2026-03-20,1,1,1,1,1,\n\
        2026-03-17,-1,12345678901,1,1,1,\n";
    let problem = import(erp, file).await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/lines/1/4", "unknown_value"),
            ("/lines/1/5", "duplicate"),
            ("/lines/1/6", "unknown_value"),
            ("/lines/3/Date", "bad_format"),
            ("/lines/4/USD", "bad_format"),
            ("/lines/4/JPY", "out_of_range"),
            ("/lines/5", "wrong_cell_count"),
            ("/lines/6/Date", "duplicate"),
            ("/lines/7/USD", "out_of_range"),
            ("/lines/7/JPY", "out_of_range"),
        ]
    );
    for (file, code) in [
        ("", "required"),
        ("Date,USD,\n", "required"),
        ("Date,USD,\n2026-03-20,N/A,\n", "required"),
        ("USD,JPY\n1,2\n", "unknown_layout"),
        ("<html></html>", "unknown_layout"),
    ] {
        import(erp, file).await.expect_problem(422, code);
    }
    assert_eq!(erp.get("/v1/exchange-rates").await.expect(200)["items"], json!([]));
    // Another company quotes its rates against another currency.
    let other = json!({ "reference_currency": "GBP" });
    erp.patch("/v1/company", other).await.expect(200);
    import(erp, DAILY).await.expect_problem(409, "other_reference_currency");
}

#[tokio::test]
async fn a_history_of_thousands_of_days_is_imported_at_once() {
    let service = given::erp().await;
    let erp = &service.client;
    let day = chrono::NaiveDate::from_ymd_opt(1999, 1, 4).unwrap();
    let codes = [
        "USD", "JPY", "CZK", "DKK", "GBP", "HUF", "PLN", "RON", "SEK", "CHF", "ISK", "NOK", "TRY", "AUD", "BRL", "CAD",
        "CNY", "HKD", "IDR", "ILS", "INR", "KRW", "MXN", "MYR", "NZD", "PHP", "SGD", "THB", "ZAR",
    ];
    let mut file = format!("Date,{},\n", codes.join(","));
    for offset in 0..2_000 {
        let rates = (0..codes.len()).map(|n| format!("{}.{:04},", n + 1, offset % 10_000));
        file += &format!("{},{}\n", day + chrono::Days::new(offset), rates.collect::<String>());
    }
    let done = import(erp, &file).await.expect(200);
    assert_eq!(counts(&done), [58_000, 0, 0, 0]);
    assert_eq!(counts(&import(erp, &file).await.expect(200)), [0, 0, 58_000, 0]);
}
