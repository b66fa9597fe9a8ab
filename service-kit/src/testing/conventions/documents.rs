use super::{Findings, Operation, text};
use crate::auth::{APPLY, Authenticated, Permission, SignedIn};
use crate::http::Validators;
use crate::server::Service;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// The document names things once, names permissions that exist, and bounds every input.
///
/// # Panics
/// Naming everything that is wrong.
pub fn assert_documents(service: &Service) {
    findings(service).assert_none();
}

pub(super) fn findings(service: &Service) -> Findings {
    let mut findings = Findings::default();
    for name in service.clashing_schemas() {
        findings.add(&name, "two different schemas have this name");
    }
    let document = Arc::new(service.document());
    if let Err(fault) = Validators::of_document(&document).compile_all() {
        findings.add(service.name, fault);
    }
    let operations = Operation::all(service);
    findings.check(!operations.is_empty(), service.name, "no operations");
    let mut ids = HashSet::new();
    for operation in &operations {
        let name = operation.name();
        let id = text(&operation.document["operationId"]);
        findings.check(ids.insert(id.clone()), &name, format_args!("operationId {id} is taken"));
        findings.check(
            is_verb_resource(&id),
            &name,
            format_args!("operationId {id:?} is not verb_resource"),
        );
        permission(&mut findings, service, operation);
        parameters(&mut findings, operation);
        if let Some(body) = operation.body() {
            let strict = !operation.applies_replica();
            bounded(&mut findings, &document, body, &format!("{name} body"), strict, 0);
        }
        success(&mut findings, operation);
    }
    references(&mut findings, &document, &document);
    findings
}

fn is_verb_resource(id: &str) -> bool {
    let words: Vec<&str> = id.split('_').collect();
    words.len() >= 2
        && words
            .iter()
            .all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()))
}

fn permission(findings: &mut Findings, service: &Service, operation: &Operation) {
    let (name, scope) = (operation.name(), operation.scope.as_str());
    if operation.open {
        return;
    }
    let everybodys = [Authenticated::NAME, SignedIn::NAME].contains(&scope);
    let known = scope == APPLY || everybodys || service.has_permission(scope);
    findings.check(known, &name, format_args!("there is no permission {scope:?}"));
    let reads = scope.ends_with(":read");
    if operation.method == reqwest::Method::GET {
        let fits = reads || everybodys || scope == "api_keys:manage";
        findings.check(fits, &name, format_args!("reads, but needs {scope}"));
    } else if operation.method != reqwest::Method::POST {
        findings.check(!reads, &name, format_args!("writes, but needs only {scope}"));
    }
}

/// Every placeholder is documented, and no parameter stands there twice.
fn parameters(findings: &mut Findings, operation: &Operation) {
    let name = operation.name();
    let mut seen = HashSet::new();
    for parameter in ["path", "query", "header"]
        .into_iter()
        .flat_map(|place| operation.parameters(place))
    {
        let key = (text(&parameter["in"]), text(&parameter["name"]));
        findings.check(!seen.contains(&key), &name, format_args!("{key:?} is documented twice"));
        seen.insert(key);
    }
    for placeholder in operation.path.split('/').filter_map(|s| s.strip_prefix('{')) {
        let key = ("path".to_owned(), placeholder.trim_end_matches('}').to_owned());
        findings.check(seen.contains(&key), &name, format_args!("{key:?} is not documented"));
    }
}

/// A read documents its success (a write may exist only to name the owner), with its body.
fn success(findings: &mut Findings, operation: &Operation) {
    let responses = operation.document["responses"].as_object().into_iter().flatten();
    let mut successes = responses.filter(|(status, _)| status.starts_with('2')).peekable();
    let reads = operation.method == reqwest::Method::GET;
    findings.check(
        successes.peek().is_some() || !reads,
        &operation.name(),
        "no success is documented",
    );
    for (status, response) in successes {
        let has_body = response["content"]
            .as_object()
            .is_some_and(|content| !content.is_empty());
        findings.check(
            has_body || status == "204",
            &operation.name(),
            format_args!("{status} shows no body"),
        );
    }
}

/// Strings have a longest length, arrays a largest size, and objects (when `strict`) no room for
/// unknown fields.
fn bounded(findings: &mut Findings, document: &Value, schema: &Value, place: &str, strict: bool, depth: u8) {
    if depth > 12 {
        return;
    }
    let down = |findings: &mut Findings, inner: &Value, place: &str| {
        bounded(findings, document, inner, place, strict, depth + 1);
    };
    if let Some(reference) = schema["$ref"].as_str() {
        return down(findings, resolve(document, reference), place);
    }
    for inner in ["oneOf", "anyOf", "allOf"]
        .into_iter()
        .flat_map(|k| schema[k].as_array().into_iter().flatten())
    {
        down(findings, inner, place);
    }
    if is(schema, "string") {
        let limits = ["maxLength", "pattern", "enum", "const", "format"];
        let limited = limits.iter().any(|limit| !schema[limit].is_null());
        findings.check(limited || place.ends_with(']'), place, "the string has no maxLength");
    }
    if is(schema, "array") {
        findings.check(!schema["maxItems"].is_null(), place, "the array has no maxItems");
        down(findings, &schema["items"], &format!("{place}[]"));
    }
    if let Some(properties) = schema["properties"].as_object() {
        let closed = schema["additionalProperties"] == Value::Bool(false);
        findings.check(closed || !strict, place, "the object takes unknown fields");
        for (name, property) in properties {
            down(findings, property, &format!("{place}.{name}"));
        }
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    let kinds = &schema["type"];
    *kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
}

fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let pointer = reference.trim_start_matches('#');
    document.pointer(pointer).unwrap_or(&Value::Null)
}

/// No reference leads nowhere.
fn references(findings: &mut Findings, document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let found = !resolve(document, reference).is_null();
                findings.check(found, reference, "nothing has this name");
            }
            fields.values().for_each(|field| references(findings, document, field));
        }
        Value::Array(items) => items.iter().for_each(|item| references(findings, document, item)),
        _ => {}
    }
}
