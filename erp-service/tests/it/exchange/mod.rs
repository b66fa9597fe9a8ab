//! Lists as CSV, out and in.

mod exports;
mod files;
mod imports;
mod masters;
mod opening;
mod prices;
mod products;
mod resumed;

use reqwest::Method;
use serde_json::Value;
use service_kit::testing::{Client, Reply};

/// Sends a file; `query` says of what kind.
pub async fn send(erp: &Client, query: &str, file: impl Into<Vec<u8>>) -> Reply {
    let request = erp.request(Method::POST, &format!("/v1/imports?{query}"));
    erp.send(request.header("Content-Type", "text/csv").body(file.into()))
        .await
}

/// Sends a file that is read to its end; the import.
pub async fn import(erp: &Client, kind: &str, file: &str) -> Value {
    let made = send(erp, &format!("kind={kind}"), file).await.expect(201);
    assert_eq!(made["status"], "completed");
    made
}

/// (created, updated, unchanged, rejected).
pub fn counts(import: &Value) -> (i64, i64, i64, i64) {
    let count = |name: &str| import[name].as_i64().expect("a count");
    let all = (
        count("created"),
        count("updated"),
        count("unchanged"),
        count("rejected"),
    );
    assert_eq!(all.0 + all.1 + all.2 + all.3, count("rows"));
    all
}

/// All answers to the rows of an import.
pub async fn rows(erp: &Client, import: &Value) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let id = import["id"].as_str().expect("an id");
        let path = format!("/v1/imports/{id}/rows?limit=500{cursor}");
        let page = erp.get(&path).await.expect(200);
        rows.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// For each row: its result and the (column, code) of each of its faults.
pub fn shown(rows: &[Value]) -> Vec<(String, Vec<(String, String)>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| {
            let faults = row["faults"].as_array().into_iter().flatten();
            let faults = faults
                .map(|fault| (text(&fault["column"]), text(&fault["code"])))
                .collect();
            (text(&row["result"]), faults)
        })
        .collect()
}

pub fn good(result: &str) -> (String, Vec<(String, String)>) {
    (result.to_owned(), Vec::new())
}

pub fn bad(faults: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
    let faults = faults
        .iter()
        .map(|(column, code)| ((*column).to_owned(), (*code).to_owned()));
    ("rejected".to_owned(), faults.collect())
}

/// A list as CSV: its lines.
pub async fn export(erp: &Client, path: &str) -> Vec<Vec<String>> {
    let reply = ask_for_csv(erp, path).await;
    assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let text = reply.expect(200);
    lines(text.as_str().expect("text"))
}

pub async fn ask_for_csv(erp: &Client, path: &str) -> Reply {
    erp.send(erp.request(Method::GET, path).header("Accept", "text/csv"))
        .await
}

/// A file as fields; enough for what the tests write.
pub fn lines(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => line.push(std::mem::take(&mut field)),
            ('\n', false) => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            ('\r', false) => {}
            (c, _) => field.push(c),
        }
    }
    assert!(
        field.is_empty() && line.is_empty() && !quoted,
        "the file ends within a line"
    );
    lines
}

/// The column of a table with this name, without the name.
pub fn column(table: &[Vec<String>], name: &str) -> Vec<String> {
    let index = table[0].iter().position(|column| column == name);
    let index = index.unwrap_or_else(|| panic!("no column {name} in {:?}", table[0]));
    table[1..].iter().map(|line| line[index].clone()).collect()
}
