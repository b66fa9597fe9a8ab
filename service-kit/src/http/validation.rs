//! Input is checked against the very schema that the OpenAPI document shows.

use crate::problem::{Faults, Problem};
use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use std::collections::HashMap;

/// One compiled schema for each request body.
pub struct Validators(HashMap<String, Validator>);

impl Validators {
    /// Compiles the schemas of all request bodies in an OpenAPI 3.1 document.
    ///
    /// # Errors
    /// Names a schema that does not compile, which is a bug in its attributes.
    pub fn of_document(document: &Value) -> Result<Self, String> {
        let mut validators = HashMap::new();
        let operations = document["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(_, item)| item.as_object().into_iter().flatten());
        for (_, operation) in operations {
            let Some(content) = operation["requestBody"]["content"].as_object() else {
                continue;
            };
            for (_, media) in content {
                let reference = media["schema"]["$ref"].as_str().unwrap_or_default();
                let Some(name) = reference.strip_prefix("#/components/schemas/") else {
                    continue;
                };
                if validators.contains_key(name) {
                    continue;
                }
                let schema =
                    json!({ "$ref": reference, "components": { "schemas": document["components"]["schemas"] } });
                let validator = jsonschema::options()
                    .with_draft(Draft::Draft202012)
                    .should_validate_formats(true)
                    .build(&schema)
                    .map_err(|error| format!("schema {name}: {error}"))?;
                validators.insert(name.to_owned(), validator);
            }
        }
        Ok(Validators(validators))
    }

    /// Checks a body against the schema of that name.
    ///
    /// # Errors
    /// 422 with every fault.
    pub fn check(&self, name: &str, body: &Value) -> Result<(), Problem> {
        let mut faults = Faults::default();
        refuse_nul(body, &mut String::new(), &mut faults);
        match self.0.get(name) {
            Some(validator) => validator
                .iter_errors(body)
                .for_each(|error| describe(&error, &mut faults)),
            None => tracing::error!(schema = name, "a body is read whose schema is not in the document"),
        }
        faults.check()
    }
}

/// PostgreSQL text cannot hold U+0000, so no string may.
fn refuse_nul(value: &Value, pointer: &mut String, faults: &mut Faults) {
    let length = pointer.len();
    match value {
        Value::String(text) if text.contains('\0') => {
            faults.add(
                pointer.as_str(),
                "invalid_character",
                "the character U+0000 is not allowed",
            );
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                refuse_nul(item, pointer, faults);
                pointer.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                pointer.push('/');
                pointer.push_str(&escape(name));
                if name.contains('\0') {
                    faults.add(
                        pointer.as_str(),
                        "invalid_character",
                        "the character U+0000 is not allowed",
                    );
                }
                refuse_nul(field, pointer, faults);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn describe(error: &ValidationError<'_>, faults: &mut Faults) {
    let pointer = error.instance_path().as_str();
    let message = || {
        let text = error.masked_with("the value").to_string();
        text.chars().take(300).collect::<String>()
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.add(
                format!("{pointer}/{}", escape(name)),
                "required",
                format!("{name} is required"),
            );
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let name: String = name.chars().take(100).collect();
                faults.add(
                    format!("{pointer}/{}", escape(&name)),
                    "unknown_field",
                    format!("there is no field {name:?} here"),
                );
            }
        }
        // A nullable object: what counts is why it is not that object.
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            let branch = context.iter().rfind(|errors| {
                !errors.iter().any(|e| {
                    matches!(e.kind(), ValidationErrorKind::Type { .. }) && e.instance_path() == error.instance_path()
                })
            });
            match branch {
                Some(errors) => errors.iter().for_each(|error| describe(error, faults)),
                None => faults.add(pointer, "wrong_type", "the value has the wrong type"),
            }
        }
        kind => faults.add(pointer, code_of(kind), message()),
    }
}

fn code_of(kind: &ValidationErrorKind) -> &'static str {
    match kind.keyword() {
        "type" => "wrong_type",
        "minLength" | "minItems" => "too_short",
        "maxLength" | "maxItems" => "too_long",
        "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" => "out_of_range",
        "enum" | "const" => "unknown_value",
        "pattern" | "format" => "bad_format",
        "uniqueItems" => "duplicate",
        _ => "invalid",
    }
}
