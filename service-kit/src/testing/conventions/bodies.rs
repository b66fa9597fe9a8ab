//! Bodies with one fault each, derived from the schema.

use serde_json::{Value, json};

/// A body that is wrong at one place.
pub(super) struct FaultyBody {
    pub pointer: String,
    pub body: Value,
}

/// For each field of the schema: the wrong type, and what its kind invites.
pub(super) fn faulty_bodies(document: &Value, schema: &Value) -> Vec<FaultyBody> {
    let mut fields = Vec::new();
    collect(document, schema, &mut Vec::new(), &mut fields);
    let faults = fields.into_iter().flat_map(|(path, schema)| {
        bad_values(&schema).into_iter().map(move |bad| FaultyBody {
            pointer: path.iter().map(|step| format!("/{}", step.name())).collect(),
            body: path.iter().rev().fold(bad, |inner, step| step.around(inner)),
        })
    });
    faults.collect()
}

#[derive(Clone)]
enum Step {
    Field(String),
    FirstItem,
}

impl Step {
    fn name(&self) -> &str {
        match self {
            Step::Field(name) => name,
            Step::FirstItem => "0",
        }
    }

    fn around(&self, inner: Value) -> Value {
        match self {
            Step::Field(name) => json!({ name: inner }),
            Step::FirstItem => json!([inner]),
        }
    }
}

/// All places of a body with the schemas that hold there.
fn collect(document: &Value, schema: &Value, path: &mut Vec<Step>, fields: &mut Vec<(Vec<Step>, Value)>) {
    if path.len() > 6 {
        return;
    }
    let schema = resolved(document, schema);
    if !path.is_empty() {
        fields.push((path.clone(), schema.clone()));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(Step::Field(name.clone()));
        collect(document, property, path, fields);
        path.pop();
    }
    if schema["items"].is_object() {
        path.push(Step::FirstItem);
        collect(document, &schema["items"], path, fields);
        path.pop();
    }
}

/// The schema without references; of a nullable one, that which is not null.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let branches = ["oneOf", "anyOf", "allOf"].iter().find_map(|k| schema[k].as_array());
        schema = match (schema["$ref"].as_str(), branches) {
            (Some(reference), _) => document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(&Value::Null),
            (None, Some(branches)) => match branches.iter().find(|b| b["type"] != "null") {
                Some(branch) => branch,
                None => return schema,
            },
            (None, None) => return schema,
        };
    }
    schema
}

fn is(schema: &Value, kind: &str) -> bool {
    let kinds = &schema["type"];
    *kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
}

fn bad_values(schema: &Value) -> Vec<Value> {
    // Free JSON takes anything.
    if schema["type"].is_null() {
        return Vec::new();
    }
    let mut bad = Vec::new();
    if !is(schema, "array") {
        bad.push(json!([["wrong"]]));
    }
    if !is(schema, "object") {
        bad.push(json!({ "wrong": "type" }));
    }
    if !is(schema, "boolean") {
        bad.push(json!(true));
    }
    if !is(schema, "string") {
        bad.push(json!("text"));
    } else {
        bad.push(json!("a\u{0}b"));
        let longest = schema["maxLength"].as_u64();
        if let Some(longest) = longest.filter(|longest| *longest < 100_000) {
            bad.push(json!("1".repeat(longest as usize + 1)));
        }
        if schema["minLength"].as_u64().is_some_and(|n| n > 0) {
            bad.push(json!(""));
        }
        if schema["pattern"].as_str().is_some_and(|p| p.contains("[0-9]")) {
            bad.extend(["1e5", "1_000", "+1", "NaN", "1,5", ".5", " 1", "٣"].map(Value::from));
        }
        if !schema["enum"].is_null() || !schema["format"].is_null() {
            bad.push(json!("nothing of that kind"));
        }
    }
    if is(schema, "integer") {
        bad.extend([json!(1.5), json!("1")]);
    }
    bad
}
