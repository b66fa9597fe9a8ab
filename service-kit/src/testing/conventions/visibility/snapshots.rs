//! Everything that somebody can read, at two moments.

use super::Person;
use super::requests::{Requests, kind, path};
use crate::testing::Client;
use crate::testing::conventions::{Findings, Operation, text};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// What each read answers, as JSON and as CSV.
pub(super) struct Snapshot(BTreeMap<String, (u16, String)>);

impl Snapshot {
    pub(super) async fn of(requests: &Requests<'_>, client: &Client, seen: &[&Person]) -> Self {
        let mut answers = BTreeMap::new();
        for operation in requests
            .operations
            .iter()
            .filter(|operation| operation.method == Method::GET)
        {
            for path in paths(requests, operation, seen) {
                for media in ["application/json", "text/csv"] {
                    if media == "text/csv" && !operation.gives_csv() {
                        continue;
                    }
                    let request = client.request(Method::GET, &path).header("Accept", media);
                    let reply = client.send(request).await;
                    let mut body = reply.body;
                    forget(&mut body, requests.told.changing);
                    answers.insert(
                        format!("GET {path} as {media}"),
                        (reply.status.as_u16(), body.to_string()),
                    );
                }
            }
        }
        Snapshot(answers)
    }

    /// What others have done meanwhile cannot be told from it.
    pub(super) fn compare(&self, later: &Snapshot, who: &str, findings: &mut Findings) {
        for (what, before) in &self.0 {
            let what = format!("{what}, for {who}");
            let Some(after) = later.0.get(what.trim_end_matches(&format!(", for {who}"))) else {
                findings.add(&what, "is not there any more");
                continue;
            };
            findings.check(
                before == after,
                &what,
                format_args!("shows what others did:\n  {before:?}\n  {after:?}"),
            );
        }
    }
}

/// The paths of an operation: of each record in sight that it can be about.
fn paths(requests: &Requests<'_>, operation: &Operation, seen: &[&Person]) -> Vec<String> {
    let query = query(requests, operation);
    let Some(kind) = kind(operation) else {
        return vec![format!("{}{query}", operation.path)];
    };
    let mut paths: Vec<String> = seen
        .iter()
        .flat_map(|person| person.ids(&kind))
        .map(|id| format!("{}{query}", path(operation, id)))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// What a list or report cannot do without.
pub(super) fn query(requests: &Requests<'_>, operation: &Operation) -> String {
    if let Some(told) = (requests.told.query)(&operation.path) {
        return format!("?{told}");
    }
    let needed = operation
        .parameters("query")
        .filter(|parameter| parameter["required"] == true);
    let given = needed.map(|parameter| {
        let schema = requests.resolved(&parameter["schema"]);
        let value = match (schema["format"].as_str(), schema["enum"][0].as_str()) {
            (Some("date"), _) => "2026-01-31",
            (_, Some(word)) => word,
            _ => "EUR",
        };
        format!("{}={value}", text(&parameter["name"]))
    });
    let given: Vec<String> = given.collect();
    match given.is_empty() {
        true => String::new(),
        false => format!("?{}", given.join("&")),
    }
}

/// Leaves out what differs from one moment to the next; of a table, its columns.
pub(super) fn forget(body: &mut Value, changing: &[&str]) {
    match body {
        Value::String(table) if table.contains(',') => {
            let names: Vec<String> = cells(table.lines().next().unwrap_or_default());
            let changes = |name: &String| changing.contains(&name.rsplit('.').next().unwrap_or_default());
            if names.iter().any(changes) {
                let kept = table.lines().map(|line| {
                    let cells = cells(line).into_iter().zip(&names);
                    let kept = cells.filter(|(_, name)| !changes(name)).map(|(cell, _)| cell);
                    kept.collect::<Vec<_>>().join(",")
                });
                *table = kept.collect::<Vec<_>>().join("\n");
            }
        }
        Value::Object(fields) => {
            fields.retain(|name, _| !changing.contains(&name.as_str()) && name != "request_id");
            fields.values_mut().for_each(|field| forget(field, changing));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, changing)),
        _ => {}
    }
}

/// Each list shows who sees all the records of everybody, and each of them can be read: else there
/// would be nothing to leak, and the test would show nothing.
pub(super) async fn assert_lists_show(
    requests: &Requests<'_>,
    all: &Client,
    everybody: &[&Person],
    findings: &mut Findings,
) {
    for kind in requests.told.owned {
        let mut made = 0;
        for person in everybody {
            for id in person.ids(kind) {
                made += 1;
                for operation in &requests.operations {
                    let reads = operation.method == Method::GET && operation.path.ends_with(&format!("/{kind}/{{id}}"));
                    if reads {
                        let reply = all.get(&path(operation, id)).await;
                        let what = format!("{} of {}", operation.name(), person.mark);
                        findings.check(reply.status == 200, &what, format_args!("answered {}", reply.body));
                    }
                }
            }
        }
        findings.check(made > 0, kind, "nobody has made one");
        let list = requests
            .operations
            .iter()
            .find(|operation| operation.method == Method::GET && operation.path == format!("/v1/{kind}"));
        if let Some(list) = list {
            let answer = all
                .get(&format!("{}{}", list.path, query(requests, list)))
                .await
                .body
                .to_string();
            for id in everybody.iter().flat_map(|person| person.ids(kind)) {
                findings.check(
                    answer.contains(id),
                    &list.name(),
                    "does not show who sees all what somebody has made",
                );
            }
        }
    }
}

/// The cells of a line; what stands in quotes is one.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for letter in line.chars() {
        quoted ^= letter == '"';
        match (letter, quoted, cells.last_mut()) {
            (',', false, _) => cells.push(String::new()),
            (_, _, Some(cell)) => cell.push(letter),
            (_, _, None) => {}
        }
    }
    cells
}
