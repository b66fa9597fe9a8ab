//! Requests made up from the route table.

use super::snapshots::forget;
use super::{Making, Person, Visibility};
use crate::server::Service;
use crate::testing::conventions::{Findings, Operation, text};
use crate::testing::{Client, Reply, TestService};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(super) struct Requests<'a> {
    pub operations: Vec<Operation>,
    pub document: Value,
    pub told: &'a Visibility,
}

impl<'a> Requests<'a> {
    pub(super) fn of(service: &Service, told: &'a Visibility) -> Self {
        let operations = Operation::all(service).into_iter();
        // Replicas are the integration's, which sees all.
        let operations = operations.filter(|operation| !operation.open && !operation.applies_replica());
        Requests {
            operations: operations.collect(),
            document: service.document(),
            told,
        }
    }

    /// Every kind of record that an operation is about is one that somebody has thought of.
    pub(super) fn assert_registered(&self, findings: &mut Findings) {
        for operation in &self.operations {
            let Some(kind) = kind(operation) else { continue };
            let known = self.is_owned(&kind) || self.told.for_all.contains(&kind.as_str());
            let elsewhere = self.told.elsewhere.iter().any(|(name, _)| *name == kind);
            findings.check(
                known || elsewhere,
                &operation.name(),
                format_args!("nobody has said how one of the {kind} is made, or that all see them"),
            );
        }
    }

    /// Whether everybody makes their own of a kind.
    pub(super) fn is_owned(&self, kind: &str) -> bool {
        self.told.owned.contains(&kind)
    }

    /// A body that an operation takes: as was told, or made up from its schema.
    pub(super) fn body(&self, operation: &Operation, making: &Making<'_>) -> Option<Value> {
        let schema = operation.body()?;
        let told = (self.told.body)(&operation.name(), making);
        Some(told.unwrap_or_else(|| self.example(schema)))
    }

    fn example(&self, schema: &Value) -> Value {
        let schema = self.resolved(schema);
        if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
            return first.clone();
        }
        let is = |kind: &str| {
            let kinds = &schema["type"];
            *kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
        };
        if is("object") || schema["properties"].is_object() {
            let required: BTreeSet<String> = schema["required"].as_array().into_iter().flatten().map(text).collect();
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.filter(|(name, _)| required.contains(*name));
            return Value::Object(
                fields
                    .map(|(name, field)| (name.clone(), self.example(field)))
                    .collect(),
            );
        }
        if is("array") {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            return (0..least).map(|_| self.example(&schema["items"])).collect();
        }
        if is("boolean") {
            return json!(false);
        }
        if is("integer") {
            return schema.get("minimum").cloned().unwrap_or(json!(1));
        }
        let least = schema["minLength"].as_u64().unwrap_or(1).max(1) as usize;
        match schema["format"].as_str() {
            Some("uuid") => json!(Uuid::now_v7()),
            Some("date") => json!("2026-01-31"),
            Some("date-time") => json!("2026-01-31T10:00:00Z"),
            Some(_)
                if schema["pattern"]
                    .as_str()
                    .is_some_and(|pattern| pattern.contains("[0-9]")) =>
            {
                json!("1")
            }
            Some(_) => json!("EUR"),
            None if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains('@')) => json!("x@example.com"),
            None => json!("x".repeat(least)),
        }
    }

    /// The schema without references; of several, the first that is not null.
    pub(super) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        for _ in 0..8 {
            let branches = ["oneOf", "anyOf", "allOf"]
                .iter()
                .find_map(|word| schema[word].as_array());
            let branch = branches.into_iter().flatten().find(|branch| branch["type"] != "null");
            schema = match (schema["$ref"].as_str(), branch) {
                (Some(reference), _) => self
                    .document
                    .pointer(reference.trim_start_matches('#'))
                    .unwrap_or(&Value::Null),
                (None, Some(branch)) => branch,
                (None, None) => return schema,
            };
        }
        schema
    }
}

/// The kind of record that an operation is about: the segment of the path before the first id.
pub(super) fn kind(operation: &Operation) -> Option<String> {
    let mut before = "";
    for segment in operation.path.split('/') {
        if let Some(name) = segment.strip_prefix('{') {
            return operation.is_id(name.trim_end_matches('}')).then(|| before.to_owned());
        }
        before = segment;
    }
    None
}

/// The path with this id for the first placeholder, and something of its type for any other.
pub(super) fn path(operation: &Operation, id: &str) -> String {
    let mut ids = 0;
    let segments = operation.path.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{') else {
            return segment.to_owned();
        };
        let name = name.trim_end_matches('}');
        let schema = operation
            .parameters("path")
            .find(|p| p["name"] == name)
            .map(|p| &p["schema"]);
        match operation.is_id(name) {
            true if ids == 0 => {
                ids += 1;
                id.to_owned()
            }
            // One that nobody has, and the same each time.
            true => Uuid::max().to_string(),
            false if schema.is_some_and(|schema| schema["type"] == "integer") => "1".to_owned(),
            false => "unknown".to_owned(),
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Sends a request that would change what it is about, if it could.
pub(super) async fn send(client: &Client, operation: &Operation, path: &str, body: Option<&Value>) -> Reply {
    let mut request = client.request(operation.method.clone(), path);
    if operation.method != Method::GET && operation.method != Method::POST {
        request = request.header("If-Match", "*");
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    client.send(request).await
}

/// What an answer says, apart from the ids that were asked for and that of the request.
pub(super) fn said(requests: &Requests<'_>, reply: &Reply, asked: &str) -> (u16, Value) {
    let mut body = reply.body.clone();
    forget(&mut body, requests.told.changing);
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
    }
    let plain = body.to_string().replace(asked, "(id)");
    (
        reply.status.as_u16(),
        serde_json::from_str(&plain).unwrap_or(Value::Object(Map::new())),
    )
}

/// A foreign id is answered as one that nobody has, by every operation; and nothing changes.
pub(super) async fn assert_not_there(
    requests: &Requests<'_>,
    test: &TestService,
    viewer: &Person,
    others: &[&Person],
    findings: &mut Findings,
) {
    let before = test.client.get("/v1/audit-log?limit=1").await.body["items"][0]["id"].clone();
    for operation in &requests.operations {
        let Some(kind) = kind(operation).filter(|kind| requests.is_owned(kind)) else {
            continue;
        };
        for other in others {
            // A body of theirs: valid for the record, if it were there.
            let body = requests.body(operation, &other.making(test));
            let nobodys = Uuid::now_v7().to_string();
            let dry = match operation.method == Method::GET {
                true => String::new(),
                false => "?dry_run=true".to_owned(),
            };
            let unknown = send(
                &viewer.client,
                operation,
                &format!("{}{dry}", path(operation, &nobodys)),
                body.as_ref(),
            )
            .await;
            for id in other.ids(&kind) {
                let what = format!("{} ({}) of {}", operation.name(), viewer.mark, other.mark);
                let reply = send(&viewer.client, operation, &path(operation, id), body.as_ref()).await;
                let code = reply.body["code"].as_str().unwrap_or_default();
                let right = matches!(
                    (reply.status.as_u16(), code),
                    (404, "not_found") | (403, "forbidden") | (409, "not_owner")
                );
                let hint = match reply.status.as_u16() {
                    400 | 415 | 422 => "; say what body it takes",
                    _ => "",
                };
                findings.check(
                    right,
                    &what,
                    format_args!("answered {} {code}{hint}: {}", reply.status, reply.body),
                );
                // A PUT makes what is not there: but not what is there for others.
                if operation.method != Method::PUT {
                    let (of_foreign, of_unknown) = (said(requests, &reply, id), said(requests, &unknown, &nobodys));
                    findings.check(
                        of_foreign == of_unknown,
                        &what,
                        format_args!("{of_foreign:?} is not {of_unknown:?}"),
                    );
                }
                findings.check(
                    !reply.body.to_string().contains(other.mark),
                    &what,
                    "shows what is in it",
                );
            }
        }
    }
    let after = test.client.get("/v1/audit-log?limit=1").await.body["items"][0]["id"].clone();
    findings.check(before == after, viewer.mark, "a foreign record was changed");
}
