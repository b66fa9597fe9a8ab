//! Input is checked against the very schema that the OpenAPI document shows.

use crate::decimal::{DecimalError, FORMATS};
use crate::money::Currency;
use crate::problem::{Faults, Problem};
use chrono::{DateTime, Datelike, Timelike};
use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The schemas of all request bodies and of all parameters in paths and queries, each compiled when
/// it is first needed: compiled, those of a whole service take several times the memory of the rest.
pub struct Validators {
    bodies: HashMap<String, Arc<Schema>>,
    /// By operation, such as `GET /v1/products`.
    parameters: HashMap<String, Vec<Parameter>>,
}

struct Parameter {
    /// `path` or `query`.
    place: String,
    name: String,
    schema: Arc<Schema>,
}

impl Validators {
    /// Those of an OpenAPI 3.1 document.
    pub fn of_document(document: &Arc<Value>) -> Self {
        let mut schemas = Schemas {
            document,
            known: HashMap::new(),
        };
        let (mut bodies, mut parameters) = (HashMap::new(), HashMap::new());
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let content = operation["requestBody"]["content"].as_object();
                for (_, media) in content.into_iter().flatten() {
                    let reference = media["schema"]["$ref"].as_str().unwrap_or_default();
                    if let Some(name) = reference.strip_prefix("#/components/schemas/") {
                        bodies.insert(name.to_owned(), schemas.schema(&media["schema"]));
                    }
                }
                let name = format!("{} {path}", method.to_uppercase());
                parameters.insert(name, schemas.parameters(operation));
            }
        }
        Validators { bodies, parameters }
    }

    /// Compiles all of them: for tests, so that none is found wanting in front of a user.
    ///
    /// # Errors
    /// Names a schema that does not compile, which is a bug in its attributes.
    pub fn compile_all(&self) -> Result<(), String> {
        let parameters = self.parameters.values().flatten().map(|parameter| &parameter.schema);
        self.bodies.values().chain(parameters).try_for_each(|schema| {
            schema.validator().map_err(str::to_owned)?;
            Ok(())
        })
    }

    /// Checks a body against the schema of that name.
    ///
    /// # Errors
    /// 422 with every fault; 500 when there is no such schema, which is a bug.
    pub fn check(&self, name: &str, body: &Value) -> Result<(), Problem> {
        let mut faults = Faults::default();
        refuse_nul(body, &mut String::new(), &mut faults);
        let schema = self.bodies.get(name).ok_or("it is not in the document");
        let validator = schema.and_then(|schema| schema.validator()).map_err(|error| {
            tracing::error!(schema = name, error, "a body cannot be checked");
            Problem::internal()
        })?;
        let errors = validator.iter_errors(body).take(Faults::MOST);
        errors.for_each(|error| describe(&error, &mut faults));
        // A negative quantity fails its pattern too; that it is out of range says more.
        faults.prefer("out_of_range", "bad_format");
        faults.check()
    }

    /// Whether an operation has this parameter in its query.
    pub(crate) fn has_parameter(&self, method: &str, path: &str, name: &str) -> bool {
        let known = self.parameters.get(&format!("{method} {path}"));
        let mut known = known.into_iter().flatten();
        known.any(|parameter| parameter.place == "query" && parameter.name == name)
    }

    /// Checks what stands in a path or a query against the parameters of its operation. Names that
    /// the operation does not have are left to the type that reads them.
    ///
    /// # Errors
    /// Every fault (of 20), in words.
    pub fn check_parameters<'a>(
        &self,
        method: &str,
        path: &str,
        place: &str,
        values: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), String> {
        let known = self.parameters.get(&format!("{method} {path}"));
        let faults: Vec<String> = values
            .filter_map(|(name, text)| {
                let mut known = known.into_iter().flatten();
                let parameter = known.find(|parameter| parameter.place == place && parameter.name == name)?;
                let fault = parameter.fault(text)?;
                Some(format!("{name}: {fault}"))
            })
            .take(20)
            .collect();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults.join("; ")),
        }
    }
}

impl Parameter {
    /// A parameter is text; where the schema wants a number or a boolean, the text is read as one.
    fn fault(&self, text: &str) -> Option<String> {
        if text.contains('\0') {
            return Some("the character U+0000 is not allowed".to_owned());
        }
        let validator = match self.schema.validator() {
            Ok(validator) => validator,
            Err(error) => {
                tracing::error!(parameter = self.name, error, "a parameter cannot be checked");
                return Some("this parameter cannot be checked".to_owned());
            }
        };
        let value = Value::from(text);
        let Err(error) = validator.validate(&value) else {
            return None;
        };
        let scalar = serde_json::from_str::<Value>(text).ok();
        let error = match scalar.filter(|scalar| scalar.is_number() || scalar.is_boolean()) {
            Some(scalar) => match validator.validate(&scalar) {
                Ok(()) => return None,
                Err(error) => in_words(&error),
            },
            None => in_words(&error),
        };
        Some(error)
    }
}

/// A schema of the document.
struct Schema {
    document: Arc<Value>,
    schema: Value,
    /// Compiled when first needed, or why that cannot be.
    validator: OnceLock<Result<Validator, String>>,
}

impl Schema {
    fn validator(&self) -> Result<&Validator, &str> {
        let compiled = self.validator.get_or_init(|| self.compile());
        compiled.as_ref().map_err(String::as_str)
    }

    fn compile(&self) -> Result<Validator, String> {
        let mut whole = self.schema.clone();
        let schemas = &self.document["components"]["schemas"];
        whole["components"] = json!({ "schemas": reachable(&self.schema, schemas) });
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_format("date-time", is_instant)
            .with_format(Currency::FORMAT, |text: &str| text.parse::<Currency>().is_ok());
        for (format, parse) in FORMATS {
            // What is malformed the pattern refuses.
            options = options.with_format(*format, move |text: &str| {
                !matches!(parse(text), Err(DecimalError::OutOfRange { .. }))
            });
        }
        let compiled = options.build(&whole);
        compiled.map_err(|error| format!("schema {}: {error}", self.schema))
    }
}

/// Collects the schemas of a document, each once.
struct Schemas<'a> {
    document: &'a Arc<Value>,
    known: HashMap<String, Arc<Schema>>,
}

impl Schemas<'_> {
    fn schema(&mut self, schema: &Value) -> Arc<Schema> {
        let new = || {
            Arc::new(Schema {
                document: self.document.clone(),
                schema: schema.clone(),
                validator: OnceLock::new(),
            })
        };
        self.known.entry(schema.to_string()).or_insert_with(new).clone()
    }

    fn parameters(&mut self, operation: &Value) -> Vec<Parameter> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["in"] == "path" || parameter["in"] == "query")
            .map(|parameter| Parameter {
                place: parameter["in"].as_str().unwrap_or_default().to_owned(),
                name: parameter["name"].as_str().unwrap_or_default().to_owned(),
                schema: self.schema(&parameter["schema"]),
            })
            .collect()
    }
}

/// The schemas that a schema refers to, directly or not: a validator keeps what it is given.
fn reachable(schema: &Value, schemas: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|name| name.strip_prefix("#/components/schemas/"));
                if let Some(name) = name.filter(|name| !found.contains_key(*name)) {
                    found.insert(name.to_owned(), schemas[name].clone());
                    open.push(&schemas[name]);
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

/// RFC 3339, and still so when shown in UTC: an offset can move the year out of 0000 to 9999.
fn is_instant(text: &str) -> bool {
    let Ok(instant) = DateTime::parse_from_rfc3339(text) else {
        return false;
    };
    let utc = instant.to_utc();
    let strict = text.is_ascii() && matches!(text.as_bytes().get(10), Some(b'T' | b't'));
    let leap_second = utc.nanosecond() >= 1_000_000_000;
    let possible = !leap_second || (utc.hour(), utc.minute()) == (23, 59);
    strict && possible && (0..=9999).contains(&utc.year())
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
        ValidationErrorKind::Format { format } => {
            let text = error.instance().as_str().unwrap_or_default();
            let decimal = FORMATS.iter().find(|(name, _)| name == format);
            match decimal.map(|(_, parse)| parse(text)) {
                Some(Err(bounds)) => faults.add(pointer, "out_of_range", bounds.to_string()),
                _ if format == Currency::FORMAT => {
                    faults.add(pointer, "unknown_value", "not an ISO 4217 currency code in use")
                }
                _ => faults.add(pointer, "bad_format", in_words(error)),
            }
        }
        kind => faults.add(pointer, code_of(kind), in_words(error)),
    }
}

fn in_words(error: &ValidationError<'_>) -> String {
    let text = error.masked_with("the value").to_string();
    text.chars().take(300).collect()
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

#[cfg(test)]
mod tests {
    use super::is_instant;

    #[test]
    fn an_instant_has_a_year_of_four_digits_in_utc() {
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01t00:00:00.123456789z",
            "9999-12-31T23:59:59+00:01",
            "0000-01-01T00:01:00+00:01",
            "2026-07-01T01:59:60+02:00",
        ] {
            assert!(is_instant(text), "{text}");
        }
        for text in [
            "",
            "2026-01-01",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+0000",
            "2026-13-01T00:00:00Z",
            "2026-01-01T12:00:60Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
            "+10000-01-01T00:00:00Z",
        ] {
            assert!(!is_instant(text), "{text}");
        }
    }
}
