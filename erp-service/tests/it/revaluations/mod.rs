//! Tests of the module through HTTP. Documents in foreign currency are written past the service.

use crate::ledger::books::{Books, lines};
use crate::{given, shop};
use serde_json::{Value, json};
use uuid::Uuid;

/// A line: (account, amount in the base currency, currency, amount in it, open item).
type Line<'a> = (&'a str, &'a str, &'a str, &'a str, Option<Uuid>);

/// What one party owes in euros, to be named by lines.
fn item(books: &Books, side: &str, account: &str, amount: &str, date: &str) -> Uuid {
    let id = Uuid::now_v7();
    let insert = format!(
        "SELECT make_fiscal_year('{date}');
         INSERT INTO open_items (id, side, party_id, account_id, document_type, document_id, currency, amount, posted_on, due_on, created_at, updated_at)
         SELECT '{id}', '{side}', '{id}', id, 'invoice', '{id}', 'EUR', {amount}, '{date}', '{date}', now(), now() FROM accounts WHERE code = '{account}'"
    );
    books.sql(&insert).unwrap();
    id
}

fn post(books: &Books, date: &str, lines: &[Line<'_>]) {
    let id = Uuid::now_v7();
    let lines: Vec<String> = (1..)
        .zip(lines)
        .map(|(position, (account, base, currency, amount, item))| {
            let item = item.map_or("NULL".to_owned(), |item| format!("'{item}'"));
            format!(
                "SELECT '{id}'::uuid, {position}, '{date}'::date, (SELECT id FROM accounts WHERE code = '{account}'),
                 greatest({base}, 0), greatest(-({base}), 0), '{currency}', {amount}, {item}::uuid"
            )
        })
        .collect();
    let statements = format!(
        "SELECT make_fiscal_year('{date}');
         INSERT INTO journal_entries (id, number, journal, status, posted_on, description, source_type, source_id, created_by, created_at, updated_at)
         VALUES ('{id}', '{id}', 'SAL', 'posted', '{date}', 'past the service', 'test', '{id}', '{id}', now(), now());
         INSERT INTO journal_entry_lines (entry_id, position, posted_on, account_id, debit, credit, currency, amount, open_item_id) {}",
        lines.join(" UNION ALL ")
    );
    books.sql(&statements).unwrap();
}

/// An invoice of 1,000 euros at 1.10.
fn invoice(books: &Books, date: &str) -> Uuid {
    let id = item(books, "receivable", "1100", "1000", date);
    post(
        books,
        date,
        &[
            ("1100", "1100", "EUR", "1000", Some(id)),
            ("4010", "-1100", "EUR", "-1000", None),
        ],
    );
    id
}

async fn rate(books: &Books, date: &str, rate: &str) {
    let body = json!({ "date": date, "reference": "EUR", "currency": "USD", "rate": rate });
    books.erp.post("/v1/exchange-rates", body).await.expect(201);
}

async fn revalue(books: &Books, date: &str) -> Value {
    books
        .erp
        .post("/v1/revaluations", json!({ "date": date }))
        .await
        .expect(201)
}

/// What an account comes to at the end of a day.
fn balance(books: &Books, account: &str, date: &str) -> String {
    let query = format!(
        "SELECT coalesce(sum(l.debit - l.credit), 0)::numeric(20, 2) FROM journal_entry_lines l
         JOIN accounts a ON a.id = l.account_id WHERE a.code = '{account}' AND l.posted_on <= '{date}'"
    );
    books.rows(&query).remove(0)
}

async fn entry(books: &Books, id: &Value) -> Value {
    let path = format!("/v1/journal-entries/{}", id.as_str().unwrap());
    books.erp.get(&path).await.expect(200)
}

#[tokio::test]
async fn the_worked_example() {
    let books = Books::open().await;
    let euros = invoice(&books, "2026-03-05");
    rate(&books, "2026-03-31", "1.12").await;
    let march = revalue(&books, "2026-03-31").await;
    assert_eq!(
        (&march["gain"], &march["loss"], &march["reversed_on"], &march["number"]),
        (
            &json!("20.00"),
            &json!("0.00"),
            &json!("2026-04-01"),
            &json!("REV-2026-000001")
        )
    );
    let shown = &march["lines"][0];
    for (field, value) in [
        ("kind", "receivable"),
        ("currency", "EUR"),
        ("amount", "1000.00"),
        ("rate", "1.12"),
        ("book_value", "1100.00"),
        ("value", "1120.00"),
        ("difference", "20.00"),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(shown["open_item_id"], json!(euros));
    let posted = entry(&books, &march["entry_id"]).await;
    assert_eq!(posted["kind"], "revaluation");
    assert_eq!(lines(&posted), [("1100", "20.00", "0.00"), ("4210", "0.00", "20.00")]);
    let reversal = entry(&books, &march["reversal_entry_id"]).await;
    assert_eq!(
        (&reversal["date"], &reversal["reversal_of"]),
        (&json!("2026-04-01"), &march["entry_id"])
    );
    assert_eq!(lines(&reversal), [("1100", "0.00", "20.00"), ("4210", "20.00", "0.00")]);
    assert_eq!(
        (
            balance(&books, "1100", "2026-03-31"),
            balance(&books, "1100", "2026-04-01")
        ),
        ("1120.00".to_owned(), "1100.00".to_owned())
    );
    // EUR 600 received at 1.08: bank 648, realised −12.
    post(
        &books,
        "2026-04-10",
        &[
            ("1020", "648", "EUR", "600", None),
            ("1100", "-660", "EUR", "-600", Some(euros)),
            ("6300", "12", "USD", "12", None),
        ],
    );
    rate(&books, "2026-04-30", "1.15").await;
    let april = revalue(&books, "2026-04-30").await;
    assert_eq!((&april["gain"], &april["loss"]), (&json!("20.00"), &json!("0.00")));
    assert_eq!(april["lines"][0]["value"], "460.00");
    assert_eq!(balance(&books, "1100", "2026-04-30"), "460.00");
    assert_eq!(balance(&books, "4210", "2026-04-30"), "-20.00");
    assert_eq!(balance(&books, "1100", "2026-05-01"), "440.00");
    // What is open, and at which value a payment clears it, has not changed.
    let open = books.rows("SELECT (open_amount, open_base_amount, revalued_base) FROM open_items");
    assert_eq!(open, ["(400.0000,440.0000,0.0000)"]);
    books.assert_sound();
    let path = given::path("revaluations", &april);
    assert_eq!(books.erp.get(&path).await.expect(200), april);
    let listed = books.erp.get("/v1/revaluations?sort=-date").await.expect(200);
    let dates: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|r| &r["date"]).collect();
    assert_eq!(dates, ["2026-04-30", "2026-03-31"]);
}

#[tokio::test]
async fn payables_and_bank_accounts_are_revalued_and_advances_are_not() {
    let books = Books::open().await;
    let bank = "INSERT INTO accounts (code, name, kind, currency, liquid, cash_flow_category)
                VALUES ('1025', 'Bank in euros', 'asset', 'EUR', true, 'operating')";
    books.sql(bank).unwrap();
    let bill = item(&books, "payable", "2010", "500", "2026-03-06");
    post(
        &books,
        "2026-03-06",
        &[
            ("6030", "550", "EUR", "500", None),
            ("2010", "-550", "EUR", "-500", Some(bill)),
        ],
    );
    let advance = item(&books, "advances_received", "2150", "300", "2026-03-07");
    post(
        &books,
        "2026-03-07",
        &[
            ("1025", "330", "EUR", "300", None),
            ("2150", "-330", "EUR", "-300", Some(advance)),
        ],
    );
    // Of an invoice in the base currency there is nothing to revalue.
    books.entry("2026-03-08", &[("1020", "100"), ("4010", "-100")]).await;
    rate(&books, "2026-03-31", "1.13").await;
    let done = revalue(&books, "2026-03-31").await;
    let shown: Vec<(&str, &str, &str)> = done["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["account"].as_str().unwrap(),
                line["amount"].as_str().unwrap(),
                line["difference"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("2010", "-500.00", "-15.00"), ("1025", "300.00", "9.00")]);
    assert_eq!((&done["gain"], &done["loss"]), (&json!("9.00"), &json!("15.00")));
    let posted = entry(&books, &done["entry_id"]).await;
    assert_eq!(
        lines(&posted),
        [
            ("2010", "0.00", "15.00"),
            ("1025", "9.00", "0.00"),
            ("4210", "0.00", "9.00"),
            ("6310", "15.00", "0.00"),
        ]
    );
    assert_eq!(balance(&books, "2010", "2026-04-01"), "-550.00");
    assert_eq!(balance(&books, "2150", "2026-03-31"), "-330.00");
    books.assert_sound();
}

#[tokio::test]
async fn what_counts_is_what_was_open_that_day() {
    let books = Books::open().await;
    let euros = invoice(&books, "2026-03-05");
    // All of it is paid before anybody revalues March.
    post(
        &books,
        "2026-04-02",
        &[
            ("1020", "1080", "EUR", "1000", None),
            ("1100", "-1100", "EUR", "-1000", Some(euros)),
            ("6300", "20", "USD", "20", None),
        ],
    );
    invoice(&books, "2026-04-01");
    rate(&books, "2026-03-31", "1.05").await;
    let dry = books
        .erp
        .post("/v1/revaluations?dry_run=true", json!({ "date": "2026-03-31" }));
    let dry = dry.await.expect(200);
    assert_eq!((&dry["loss"], &dry["number"]), (&json!("50.00"), &Value::Null));
    let dates: Vec<&Value> = dry["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["date"])
        .collect();
    assert_eq!(dates, ["2026-03-31", "2026-04-01"]);
    assert_eq!(books.erp.get("/v1/revaluations").await.expect(200)["items"], json!([]));
    let done = revalue(&books, "2026-03-31").await;
    assert_eq!((&done["loss"], &done["gain"]), (&json!("50.00"), &json!("0.00")));
    assert_eq!(done["lines"].as_array().unwrap().len(), 1);
    assert_eq!(balance(&books, "1100", "2026-03-31"), "1050.00");
    let open = books.rows("SELECT revalued_base FROM open_items");
    assert_eq!(open, ["0.0000", "0.0000"]);
    books.assert_sound();
}

#[tokio::test]
async fn a_date_is_revalued_once_and_not_before_it_is_over() {
    let books = Books::open().await;
    let erp = &books.erp;
    let done = revalue(&books, "2026-03-31").await;
    assert_eq!((&done["entry_id"], &done["lines"]), (&Value::Null, &json!([])));
    let again = erp.post("/v1/revaluations", json!({ "date": "2026-03-31" })).await;
    let problem = again.expect_problem(409, "already_revalued");
    assert_eq!(problem["revaluation_id"], done["id"]);
    let today = chrono::Utc::now().date_naive() + chrono::Days::new(1);
    let future = erp.post("/v1/revaluations", json!({ "date": today })).await;
    let problem = future.expect_problem(422, "future_date");
    assert_eq!(given::faults(&problem), [("/date", "future_date")]);
    // Without a rate there is no value.
    invoice(&books, "2026-04-05");
    rate(&books, "2026-04-22", "1.12").await;
    let missing = erp.post("/v1/revaluations", json!({ "date": "2026-04-30" })).await;
    let problem = missing.expect_problem(422, "rate_missing");
    assert_eq!(
        (&problem["from"], &problem["to"], &problem["date"]),
        (&json!(["EUR"]), &json!("USD"), &json!("2026-04-30"))
    );
    let taken = json!({ "date": "2026-04-29", "id": shop::id(&done) });
    erp.post("/v1/revaluations", taken)
        .await
        .expect_problem(409, "duplicate");
    books
        .sql("UPDATE periods SET status = 'closed', closed_at = now(), closed_by = gen_random_uuid() WHERE starts_on <= '2026-04-01'")
        .unwrap();
    let closed = erp.post("/v1/revaluations", json!({ "date": "2026-04-29" })).await;
    closed.expect_problem(409, "period_closed");
    books.assert_sound();
}
