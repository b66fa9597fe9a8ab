//! What the tests of figures share: orders as the sync leaves them, rows of a figure, CSV, SQL by hand.

use crate::sales::new_id;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::testing::{Client, TestService};
use std::collections::BTreeMap;

/// What an order's fulfilment needs at least.
pub const FULFILMENT: &str = r#"{"number": null, "status": "confirmed", "as_of": "2026-01-15T10:00:00Z", "source_version": 1, "holds": [], "lines": [], "deliveries": []}"#;

pub fn run(crm: &TestService, statements: &str) {
    try_run(crm, statements).unwrap();
}

pub fn try_run(crm: &TestService, statements: &str) -> diesel::QueryResult<()> {
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    conn.batch_execute(statements)
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    value: String,
}

/// What a statement that was written by hand says: two columns of text, `key` and `value`.
pub fn by_hand(crm: &TestService, statement: &str) -> BTreeMap<String, String> {
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    let rows: Vec<Pair> = diesel::sql_query(statement).load(&mut conn).unwrap();
    rows.into_iter().map(|row| (row.key, row.value)).collect()
}

/// An order of one line, as the ERP's report leaves it; answers its id.
pub fn order(crm: &TestService, customer: &str, more: &Order<'_>) -> String {
    let (order, line) = (new_id(), new_id());
    let quote = |value: Option<&str>| value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
    let price = quote(more.price);
    run(
        crm,
        &format!(
            "INSERT INTO orders (id, origin, status, customer_id, currency, order_date, net, submitted_at, fulfilment,
                 source_version, version, revision, created_at, updated_at, owner_id, team_id)
             VALUES ('{order}', 'crm', '{}', '{customer}', '{}', '{}', coalesce({price}, '0')::numeric, now(), '{FULFILMENT}',
                 1, 1, 1, now(), now(), {}, {});
             INSERT INTO order_lines (id, order_id, position, product_id, quantity, unit_price, price_given, discount, line_total)
             VALUES ('{line}', '{order}', 1, '{}', 1, {price}, false, 0, {price});",
            more.status,
            more.currency,
            more.date,
            quote(more.owner),
            quote(more.team),
            more.product,
        ),
    );
    order
}

pub struct Order<'a> {
    pub status: &'a str,
    pub currency: &'a str,
    pub date: &'a str,
    pub price: Option<&'a str>,
    pub owner: Option<&'a str>,
    pub team: Option<&'a str>,
    pub product: &'a str,
}

impl Default for Order<'_> {
    fn default() -> Self {
        Order {
            status: "accepted",
            currency: "USD",
            date: "2026-03-10",
            price: Some("100"),
            owner: None,
            team: None,
            product: "00000000-0000-7000-8000-00000000aaaa",
        }
    }
}

pub fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or(Decimal::ZERO, |text| text.parse().unwrap())
}

/// All rows of a list, page by page.
pub async fn all(client: &Client, path: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}&limit=500{cursor}")).await.expect(200);
        rows.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// How many rows a figure's path leads to, and what their `field` adds up to.
pub async fn added_up(client: &Client, figure: &Value, field: &str) -> (i64, Decimal) {
    let rows = all(client, figure["rows"].as_str().expect("a path")).await;
    let sum = rows.iter().map(|row| decimal(&row[field])).sum();
    (i64::try_from(rows.len()).unwrap(), sum)
}

/// How many rows a path leads to, and what they add up to at a JSON pointer.
pub async fn sum_at(client: &Client, path: &Value, pointer: &str) -> (i64, Decimal) {
    let rows = all(client, path.as_str().expect("a path")).await;
    let sum = rows.iter().filter_map(|row| row.pointer(pointer)).map(decimal).sum();
    (i64::try_from(rows.len()).unwrap(), sum)
}

/// Compares a report as CSV with the same as JSON, cell by cell; answers how many rows there were.
pub async fn same_as_csv(client: &Client, path: &str, field: &str) -> usize {
    let request = client.request(Method::GET, path).header("Accept", "text/csv");
    let text = client.send(request).await.expect(200);
    let mut records = parsed(text.as_str().expect("CSV is text")).into_iter();
    let header = records.next().expect("a header");
    let rows = match field {
        "items" => all(client, path).await,
        _ => client.get(path).await.expect(200)[field].as_array().unwrap().clone(),
    };
    let records: Vec<Vec<String>> = records.collect();
    assert_eq!(records.len(), rows.len(), "{path}");
    for (record, row) in records.iter().zip(&rows) {
        for (name, cell) in header.iter().zip(record) {
            let value = name.split('.').fold(row, |value, part| &value[part]);
            let shown = match value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert!(
                name == "as_of" || *cell == shown,
                "{path}: {name} is {cell:?}, not {shown:?}"
            );
        }
    }
    rows.len()
}

/// CSV by the book: quotes, commas and line breaks in cells.
pub fn parsed(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            ('\r', false) => {}
            (c, _) => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}
