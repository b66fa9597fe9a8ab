//! Where one record names another: a foreign one is as good as none.

use super::requests::{Requests, kind, path, said, send};
use super::snapshots::query;
use super::{Made, Person};
use crate::testing::TestService;
use crate::testing::conventions::{Findings, Operation, text};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

/// In each parameter of a query and each field of a body.
pub(super) async fn assert_unknown(
    requests: &Requests<'_>,
    test: &TestService,
    viewer: &Person,
    others: &[&Person],
    findings: &mut Findings,
) {
    for operation in &requests.operations {
        let about = kind(operation);
        let at = match &about {
            None => Some(operation.path.clone()),
            Some(kind) => viewer.ids(kind).last().map(|id| path(operation, id)),
        };
        let Some(at) = at else { continue };
        for other in others {
            let owned = other.made.iter().filter(|made| requests.is_owned(made.kind));
            for made in owned.clone().collect::<Vec<_>>() {
                match operation.method == Method::GET {
                    true => parameters(requests, viewer, operation, &at, made, findings).await,
                    false => fields(requests, test, viewer, operation, &at, made, findings).await,
                }
            }
            if operation.method == Method::GET {
                searches(requests, viewer, operation, &at, other.mark, findings).await;
            }
        }
    }
}

/// `?customer_id=` and the like.
async fn parameters(
    requests: &Requests<'_>,
    viewer: &Person,
    operation: &Operation,
    at: &str,
    made: &Made,
    findings: &mut Findings,
) {
    let uuids = operation
        .parameters("query")
        .filter(|parameter| requests.resolved(&parameter["schema"])["format"] == "uuid");
    for name in uuids.map(|parameter| text(&parameter["name"])).collect::<Vec<_>>() {
        let nobodys = Uuid::now_v7().to_string();
        let ask = async |id: &str| {
            let given = with(&query(requests, operation), &name, id);
            said(requests, &viewer.client.get(&format!("{at}{given}")).await, id)
        };
        let (foreign, unknown) = (ask(&made.id).await, ask(&nobodys).await);
        let what = format!("{}, {name} of {}", operation.name(), made.kind);
        findings.check(
            foreign == unknown,
            &what,
            format_args!("{foreign:?} is not {unknown:?}"),
        );
    }
}

/// Text to search for: a word that stands in what others have made.
async fn searches(
    requests: &Requests<'_>,
    viewer: &Person,
    operation: &Operation,
    at: &str,
    mark: &str,
    findings: &mut Findings,
) {
    let searches = operation.parameters("query").any(|parameter| parameter["name"] == "q");
    if !searches {
        return;
    }
    let ask = async |word: &str| {
        let given = with(&query(requests, operation), "q", word);
        said(requests, &viewer.client.get(&format!("{at}{given}")).await, word)
    };
    let (foreign, unknown) = (ask(mark).await, ask("Quinacridone").await);
    let what = format!("{}, a word of {mark}", operation.name());
    findings.check(
        foreign == unknown,
        &what,
        format_args!("{foreign:?} is not {unknown:?}"),
    );
}

fn with(query: &str, name: &str, value: &str) -> String {
    match query.is_empty() {
        true => format!("?{name}={value}"),
        false => format!("{query}&{name}={value}"),
    }
}

/// Fields of a body, one at a time; as a dry run, so that nothing depends on what went before.
async fn fields(
    requests: &Requests<'_>,
    test: &TestService,
    viewer: &Person,
    operation: &Operation,
    at: &str,
    made: &Made,
    findings: &mut Findings,
) {
    let Some(body) = requests.body(operation, &viewer.making(test)) else {
        return;
    };
    let mut pointers = Vec::new();
    if let Some(schema) = operation.body() {
        collect(requests, schema, &body, String::new(), &mut pointers);
    }
    for pointer in pointers {
        let nobodys = Uuid::now_v7().to_string();
        let at = format!("{at}?dry_run=true");
        let ask = async |id: &str| {
            let mut body = body.clone();
            put(&mut body, &pointer, Value::from(id));
            said(requests, &send(&viewer.client, operation, &at, Some(&body)).await, id)
        };
        let (foreign, unknown) = (ask(&made.id).await, ask(&nobodys).await);
        // What is made by the dry run has ids and instants of its own: what counts is that it was refused alike.
        let same = match (foreign.0, unknown.0) {
            (200..=299, 200..=299) => true,
            _ => foreign == unknown,
        };
        let what = format!("{}, {pointer} naming one of the {}", operation.name(), made.kind);
        findings.check(same, &what, format_args!("{foreign:?} is not {unknown:?}"));
    }
}

/// The fields that hold an id, other than the record's own. Of a list, the first item if there is one.
fn collect(requests: &Requests<'_>, schema: &Value, body: &Value, at: String, pointers: &mut Vec<String>) {
    let schema = requests.resolved(schema);
    if at.matches('/').count() > 4 {
        return;
    }
    if schema["format"] == "uuid" && !at.ends_with("/id") {
        pointers.push(at);
        return;
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let inner = &body[name];
        let leaf = requests.resolved(field)["format"] == "uuid";
        if leaf || !inner.is_null() {
            collect(requests, field, inner, format!("{at}/{name}"), pointers);
        }
    }
    if schema["items"].is_object() && !body[0].is_null() {
        collect(requests, &schema["items"], &body[0], format!("{at}/0"), pointers);
    }
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    match body.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => {
            if let Some(item) = name.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                *item = value;
            }
        }
        _ => {}
    }
}
