use crate::ledger::books::Books;
use serde_json::{Value, json};
use uuid::Uuid;

/// A line: (account, base currency, tax code, tax base, rate, kind).
type Line<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn post(books: &Books, date: &str, lines: &[Line<'_>]) -> Uuid {
    let id = Uuid::now_v7();
    let text = |value: &str| match value {
        "" => "NULL".to_owned(),
        value => format!("'{value}'"),
    };
    let lines: Vec<String> = (1..)
        .zip(lines)
        .map(|(position, (account, base, code, tax_base, rate, kind))| {
            format!(
                "SELECT '{id}'::uuid, {position}, '{date}'::date, (SELECT id FROM accounts WHERE code = '{account}'),
                 greatest({base}, 0), greatest(-({base}), 0), 'USD', {base}, {}, {}::numeric, {}::numeric, {}",
                text(code),
                text(tax_base),
                text(rate),
                text(kind)
            )
        })
        .collect();
    let statements = format!(
        "SELECT make_fiscal_year('{date}');
         INSERT INTO journal_entries (id, number, journal, status, posted_on, description, source_type, source_id, source_number, created_by, created_at, updated_at)
         VALUES ('{id}', '{id}', 'SAL', 'posted', '{date}', 'past the service', 'invoice', '{id}', 'INV-1', '{id}', now(), now());
         INSERT INTO journal_entry_lines (entry_id, position, posted_on, account_id, debit, credit, currency, amount, tax_code, tax_base, tax_rate, tax_kind) {}",
        lines.join(" UNION ALL ")
    );
    books.sql(&statements).unwrap();
    id
}

async fn code(books: &Books, fields: Value) {
    let mut body = json!({ "name": "A tax", "rates": [{ "rate": "0.19", "valid_from": "2021-01-01" }] });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    books.erp.post("/v1/tax-codes", body).await.expect(201);
}

#[tokio::test]
async fn the_report_says_what_the_books_say() {
    let books = Books::open().await;
    code(&books, json!({ "code": "OUT", "kind": "output", "report_code": "81" })).await;
    code(
        &books,
        json!({ "code": "EU", "kind": "output", "report_code": "41", "reverse_charge": true }),
    )
    .await;
    code(&books, json!({ "code": "IN", "kind": "input", "report_code": "66" })).await;
    let reverse = json!({
        "code": "RC", "kind": "input", "report_code": "67", "reverse_charge": true, "reverse_report_code": "85",
    });
    code(&books, reverse).await;
    // A sale of 100 at 19 %, one of 50 delivered while it was 16 %, and 10 of the first credited.
    let first = post(
        &books,
        "2026-03-05",
        &[
            ("1020", "119", "", "", "", ""),
            ("4010", "-100", "", "", "", ""),
            ("2100", "-19", "OUT", "-100", "0.19", "output"),
        ],
    );
    post(
        &books,
        "2026-03-06",
        &[
            ("1020", "58", "", "", "", ""),
            ("4010", "-50", "", "", "", ""),
            ("2100", "-8", "OUT", "-50", "0.16", "output"),
        ],
    );
    post(
        &books,
        "2026-03-07",
        &[
            ("1020", "-11.90", "", "", "", ""),
            ("4010", "10", "", "", "", ""),
            ("2100", "1.90", "OUT", "10", "0.19", "output"),
        ],
    );
    // Untaxed: the revenue line tells the base.
    post(
        &books,
        "2026-03-08",
        &[
            ("1020", "70", "", "", "", ""),
            ("4010", "-70", "EU", "-70", "0", "output"),
        ],
    );
    // A line that says neither rate nor side has those of its code.
    post(
        &books,
        "2026-03-09",
        &[
            ("6030", "200", "", "", "", ""),
            ("1200", "38", "IN", "200", "", ""),
            ("1020", "-238", "", "", "", ""),
        ],
    );
    // Reverse charge: on both sides, nothing paid.
    post(
        &books,
        "2026-03-31",
        &[
            ("6030", "300", "", "", "", ""),
            ("1200", "57", "RC", "300", "0.19", "input"),
            ("2100", "-57", "RC", "-300", "0.19", "output"),
            ("1020", "-300", "", "", "", ""),
        ],
    );
    post(
        &books,
        "2026-04-01",
        &[
            ("1020", "-1", "", "", "", ""),
            ("1200", "1", "IN", "5", "0.19", "input"),
        ],
    );
    let path = "/v1/reports/tax?from=2026-03-01&to=2026-03-31";
    let report = books.erp.get(path).await.expect(200);
    let rows: Vec<[&str; 6]> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["kind", "report_code", "tax_code", "rate", "base", "tax"].map(|field| row[field].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ["output", "41", "EU", "0", "70.00", "0.00"],
            ["output", "81", "OUT", "0.16", "50.00", "8.00"],
            ["output", "81", "OUT", "0.19", "90.00", "17.10"],
            ["output", "85", "RC", "0.19", "300.00", "57.00"],
            ["input", "66", "IN", "0.19", "200.00", "38.00"],
            ["input", "67", "RC", "0.19", "300.00", "57.00"],
        ]
    );
    assert_eq!(
        (&report["output_tax"], &report["input_tax"], &report["payable"]),
        (&json!("82.10"), &json!("95.00"), &json!("-12.90"))
    );
    // What a row is the sum of.
    let lines = "/v1/reports/tax/lines?from=2026-03-01&to=2026-03-31";
    let of_row = format!("{lines}&tax_code=OUT&kind=output&rate=0.19");
    let shown = books.erp.get(&of_row).await.expect(200);
    let taxes: Vec<&Value> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["tax"])
        .collect();
    assert_eq!(taxes, ["19.00", "-1.90"]);
    let line = &shown["items"][0];
    assert_eq!(
        (
            &line["entry_id"],
            &line["source_type"],
            &line["source_number"],
            &line["base"]
        ),
        (&json!(first), &json!("invoice"), &json!("INV-1"), &json!("100.00"))
    );
    let (mut seen, mut cursor) = (0, Some(String::new()));
    while let Some(after) = cursor {
        let page = match after.as_str() {
            "" => books.erp.get(&format!("{lines}&limit=3")).await.expect(200),
            after => books
                .erp
                .get(&format!("{lines}&limit=3&cursor={after}"))
                .await
                .expect(200),
        };
        seen += page["items"].as_array().unwrap().len();
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, 7);
    let without = books.erp.get("/v1/reports/tax?from=2026-03-01").await;
    without.expect_problem(400, "invalid_parameter");
}
