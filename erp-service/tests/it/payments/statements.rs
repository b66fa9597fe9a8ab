use super::books::{Books, lines};
use crate::given;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::Reply;

const BANK: &str = "00000000-0000-7000-8000-000000000010";

fn entry(amount: &str, reference: &str, name: &str, text: &str) -> String {
    let (digits, kind) = match amount.strip_prefix('-') {
        Some(digits) => (digits, "DBIT"),
        None => (amount, "CRDT"),
    };
    let (party, account) = if kind == "CRDT" {
        ("Dbtr", "DbtrAcct")
    } else {
        ("Cdtr", "CdtrAcct")
    };
    format!(
        "<Ntry><Amt Ccy=\"USD\">{digits}</Amt><CdtDbtInd>{kind}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-10</Dt></BookgDt>\
         <AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><{party}><Nm>{name}</Nm></{party}>\
         <{account}><Id><IBAN>DE89370400440532013000</IBAN></Id></{account}></RltdPties>\
         <RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
}

fn camt(id: &str, opening: &str, closing: &str, entries: &[String]) -> String {
    let balance = |code: &str, amount: &str| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt><Id>{id}</Id>{}{}{}</Stmt></BkToCstmrStmt></Document>",
        balance("OPBD", opening),
        balance("CLBD", closing),
        entries.concat()
    )
}

async fn import(books: &Books, media: &'static str, file: impl Into<reqwest::Body>) -> Reply {
    let path = format!("/v1/bank-accounts/{BANK}/statements");
    let request = books
        .erp
        .request(Method::POST, &path)
        .header("Content-Type", media)
        .body(file);
    books.erp.send(request).await
}

async fn line(books: &Books, q: &str) -> String {
    let page = books
        .erp
        .get(&format!("/v1/bank-statement-lines?q={q}"))
        .await
        .expect(200);
    page["items"][0]["id"].as_str().expect("a line").to_owned()
}

async fn best(books: &Books, line: &str) -> Value {
    let found = books
        .erp
        .get(&format!("/v1/bank-statement-lines/{line}/suggestions"))
        .await
        .expect(200);
    found["items"][0].clone()
}

#[tokio::test]
async fn nothing_comes_in_twice() {
    let books = Books::open().await;
    let (first, second) = (
        entry("100.00", "R1", "Alfreds Futterkiste", "A-1"),
        entry("-3.00", "R2", "Bank", "charges"),
    );
    let file = camt("S1", "10.00", "107.00", &[first.clone(), second.clone()]);
    let imported = import(&books, "application/xml", file.clone()).await.expect(200);
    assert_eq!(
        (
            &imported["statements"][0]["result"],
            &imported["statements"][0]["lines_imported"]
        ),
        (&json!("imported"), &json!(2))
    );
    let again = import(&books, "application/xml", file).await.expect(200);
    assert_eq!(
        (
            &again["statements"][0]["result"],
            &again["statements"][0]["lines_imported"]
        ),
        (&json!("repeated"), &json!(0))
    );
    // Another statement that brings a line again.
    let more = camt("S2", "10.00", "115.00", &[first, second, entry("8.00", "R3", "x", "y")]);
    let more = import(&books, "application/xml", more).await.expect(200);
    let report = &more["statements"][0];
    assert_eq!(
        (
            &report["lines_imported"],
            report["lines_repeated"].as_array().unwrap().len()
        ),
        (&json!(1), 2)
    );
    let page = books
        .erp
        .get("/v1/bank-statement-lines?status=unmatched")
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let statements = books.erp.get("/v1/bank-statements").await.expect(200);
    assert_eq!(statements["items"][0]["closing_balance"], "107.00");
}

#[tokio::test]
async fn faults_refuse_the_whole_file() {
    let books = Books::open().await;
    let wrong = camt(
        "S1",
        "10.00",
        "100.00",
        &[entry("100.00", "R1", "x", "y"), entry("1,00", "R2", "x", "y")],
    );
    let problem = import(&books, "application/xml", wrong)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/Document/BkToCstmrStmt/Stmt[1]/Ntry[2]/Amt", "invalid_amount"),
            ("/Document/BkToCstmrStmt/Stmt[1]", "balance_differs")
        ]
    );
    import(&books, "application/xml", "<a>")
        .await
        .expect_problem(400, "malformed_xml");
    import(&books, "application/xml", "<a/>")
        .await
        .expect_problem(422, "not_camt053");
    import(&books, "text/csv", "a;b")
        .await
        .expect_problem(422, "no_csv_format");
    let page = books.erp.get("/v1/bank-statement-lines").await.expect(200);
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn csv_comes_in_by_the_mapping_of_the_account() {
    let books = Books::open().await;
    let mapping = json!({ "encoding": "windows-1252", "separator": ";", "skipped_lines": 1, "date_format": "dd.mm.yyyy", "decimal": "comma",
        "columns": { "date": "Datum", "debit": "Soll", "credit": "Haben", "counterparty_name": "Name", "reference": ["Zweck", "Zweck2"] } });
    let path = format!("/v1/bank-accounts/{BANK}");
    let bad = books.erp.patch(
        &path,
        json!({ "csv_format": { "encoding": "utf-8", "separator": "ab", "date_format": "yyyymmdd",
        "decimal": "point", "columns": { "date": "D", "amount": "A", "debit": "B" } } }),
    );
    let problem = bad.await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/csv_format/separator", "invalid_input"),
            ("/csv_format/columns", "amount_columns")
        ]
    );
    books
        .erp
        .patch(&path, json!({ "csv_format": mapping }))
        .await
        .expect(200);
    let file = b"Konto 1\r\nDatum;Name;Zweck;Zweck2;Soll;Haben\r\n10.03.2026;M\xfcller;Rechnung;A-1;;1.190,00\r\n10.03.2026;Bank;Entgelt;;3,00;\r\n10.03.2026;Bank;Entgelt;;3,00;\r\n".to_vec();
    let imported = import(&books, "text/csv", file.clone()).await.expect(200);
    assert_eq!(imported["statements"][0]["lines_imported"], 3);
    let page = books
        .erp
        .get("/v1/bank-statement-lines?q=M%C3%BCller")
        .await
        .expect(200);
    assert_eq!(
        (
            &page["items"][0]["amount"],
            &page["items"][0]["reference"],
            &page["items"][0]["date"]
        ),
        (&json!("1190.00"), &json!("Rechnung A-1"), &json!("2026-03-10"))
    );
    let again = import(&books, "text/csv", file).await.expect(200);
    assert_eq!(again["statements"][0]["result"], "repeated");
}

#[tokio::test]
async fn a_line_that_names_its_invoice_is_booked_by_one_click() {
    let books = Books::open().await;
    let more = json!({ "discount": "0.02", "discount_until": "2026-03-15" });
    let item = books.item("invoice", "INV-2026-7", "1190.00", more).await;
    let file = camt(
        "S1",
        "0.00",
        "1166.20",
        &[entry(
            "1166.20",
            "R1",
            "ALFREDS FUTTERKISTE",
            "Payment inv 2026/7, thanks",
        )],
    );
    import(&books, "application/xml", file).await.expect(200);
    let id = line(&books, "thanks").await;
    let suggestion = best(&books, &id).await;
    assert_eq!(
        (
            &suggestion["kind"],
            &suggestion["score"],
            &suggestion["allocations"][0]["discount"],
            &suggestion["party_name"]
        ),
        (
            &json!("allocation"),
            &json!(100),
            &json!("23.80"),
            &json!("Alfreds Futterkiste")
        )
    );
    let path = format!("/v1/bank-statement-lines/{id}");
    let booked = books.erp.post(&format!("{path}/book"), json!({})).await.expect(200);
    assert_eq!(booked["status"], "booked");
    assert_eq!(books.open_amount(item).await, "0.00");
    books
        .erp
        .post(&format!("{path}/book"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let undone = books
        .erp
        .post(&format!("{path}/undo"), json!({ "reason": "wrong customer" }))
        .await
        .expect(200);
    assert_eq!(
        (&undone["status"], &undone["payment_id"]),
        (&json!("unmatched"), &Value::Null)
    );
    assert_eq!(books.open_amount(item).await, "1190.00");
    books.assert_subledgers();
}

#[tokio::test]
async fn several_invoices_come_to_the_amount() {
    let books = Books::open().await;
    books.invoice("INV-1001", "70.00").await;
    books.invoice("INV-1002", "50.00").await;
    books.invoice("INV-1003", "11.00").await;
    let entries = [
        entry("120.00", "R1", "x", "INV-1001 + INV-1002"),
        entry("61.00", "R2", "Alfreds Futterkiste", "sundry"),
    ];
    import(&books, "application/xml", camt("S1", "0.00", "181.00", &entries))
        .await
        .expect(200);
    let both = best(&books, &line(&books, "INV-1001").await).await;
    assert_eq!(
        (both["allocations"].as_array().unwrap().len(), &both["score"]),
        (2, &json!(85))
    );
    let id = line(&books, "sundry").await;
    let some = best(&books, &id).await;
    let amounts: Vec<&Value> = some["allocations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["amount"])
        .collect();
    assert_eq!(amounts, [&json!("50.00"), &json!("11.00")]);
    // That is a guess, and not taken by itself.
    let path = format!("/v1/bank-statement-lines/{id}/book");
    books
        .erp
        .post(&path, json!({}))
        .await
        .expect_problem(409, "no_clear_suggestion");
    let chosen = json!({ "party_type": "customer", "party_id": books.customer,
        "allocations": [{ "open_item_id": some["allocations"][0]["open_item_id"] }, { "open_item_id": some["allocations"][1]["open_item_id"] }] });
    books.erp.post(&path, chosen).await.expect(200);
    assert_eq!(
        books.balances(),
        lines(&[("1020", "61"), ("1100", "70"), ("3020", "-131")])
    );
}

#[tokio::test]
async fn a_payment_that_is_there_is_matched_and_not_made_again() {
    let books = Books::open().await;
    let payment = books.receive("77.00", json!({ "date": "2026-03-09" })).await;
    let entries = [entry("77.00", "R1", "x", "first"), entry("77.00", "R2", "x", "second")];
    import(&books, "application/xml", camt("S1", "0.00", "154.00", &entries))
        .await
        .expect(200);
    let id = line(&books, "first").await;
    let suggestion = best(&books, &id).await;
    assert_eq!(
        (&suggestion["kind"], &suggestion["payment_id"], &suggestion["score"]),
        (&json!("payment"), &payment["id"], &json!(87))
    );
    let path = format!("/v1/bank-statement-lines/{id}");
    let matched = books.erp.post(&format!("{path}/book"), json!({})).await.expect(200);
    assert_eq!(
        (&matched["status"], &matched["payment_id"]),
        (&json!("matched"), &payment["id"])
    );
    let other = format!("/v1/bank-statement-lines/{}/book", line(&books, "second").await);
    let body = json!({ "payment_id": payment["id"] });
    books.erp.post(&other, body).await.expect_problem(409, "payment_taken");
    // Letting it go leaves the payment as it is.
    books
        .erp
        .post(&format!("{path}/undo"), json!({ "reason": "mistake" }))
        .await
        .expect(200);
    let payment = books.erp.get(&given::path("payments", &payment)).await.expect(200);
    assert_eq!(payment["status"], "posted");
}

#[tokio::test]
async fn charges_go_by_rule_and_unmatched_lines_block_the_period() {
    let books = Books::open().await;
    let rule = json!({ "name": "Account charges", "contains": "charges", "direction": "out", "account_id": books.accounts()["6040"] });
    books.erp.post("/v1/bank-posting-rules", rule).await.expect(201);
    import(
        &books,
        "application/xml",
        camt(
            "S1",
            "10.00",
            "7.00",
            &[entry("-3.00", "R1", "Bank", "Monthly CHARGES")],
        ),
    )
    .await
    .expect(200);
    // Any posting makes the year with its periods.
    books.invoice("A-1", "1.00").await;
    let periods = books.erp.get("/v1/periods?limit=500").await.expect(200);
    let march = periods["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|period| period["starts_on"] == "2026-03-01")
        .unwrap();
    let checklist = format!("{}/checklist", given::path("periods", march));
    let blocked = books.erp.get(&checklist).await.expect(200);
    let codes = |checklist: &Value| -> Vec<String> {
        checklist["blockers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(
        codes(&blocked).contains(&"unmatched_bank_lines".to_owned()),
        "{blocked:#}"
    );

    let path = format!("/v1/bank-statement-lines/{}/book", line(&books, "charges").await);
    let shown = books
        .erp
        .post(&format!("{path}?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(shown["entries"][0]["lines"].as_array().unwrap().len(), 2);
    let booked = books.erp.post(&path, json!({})).await.expect(200);
    let payment = books
        .erp
        .get(&format!("/v1/payments/{}", booked["payment_id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(
        books.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-3"), ("6040", "3")])
    );
    let open = books.erp.get(&checklist).await.expect(200);
    assert!(!codes(&open).contains(&"unmatched_bank_lines".to_owned()), "{open:#}");
}
