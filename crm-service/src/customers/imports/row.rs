//! A row of the file.

use super::CUSTOM;
use crate::custom_fields::{CustomField, FieldType};
use crate::customers::model::CustomerPatch;
use serde_json::{Map, Value, json};
use service_kit::exchange::{Fields, Shape};
use std::collections::BTreeMap;
use uuid::Uuid;

/// By what a row finds its customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    Id(Uuid),
    ExternalRef(String),
    Email(String),
    TaxId(String),
    /// Key and text of a custom field.
    Custom(String, String),
    /// Nothing to match by: a new customer.
    Nobody,
}

pub struct Row {
    pub by: Match,
    /// The core's fields, as a patch has them.
    fields: Map<String, Value>,
    pub owner_id: Option<Uuid>,
    /// Custom fields as they stand in the file; an empty one clears.
    custom: BTreeMap<String, String>,
    pub allow_duplicate: bool,
}

pub fn read(fields: &mut Fields<'_>) -> Option<Row> {
    let id = fields.optional::<Uuid>("id").flatten();
    let owner_id = fields.optional::<Uuid>("owner_id").flatten();
    let mut object = fields.object(&[
        ("external_ref", Shape::Code),
        ("name", Shape::Text),
        ("kind", Shape::Code),
        ("email", Shape::Code),
        ("phone", Shape::Code),
        ("tax_id", Shape::Code),
        ("grade", Shape::Code),
        ("grade_effective_from", Shape::Code),
        ("parent_id", Shape::Code),
    ]);
    for column in ["kind", "grade_effective_from"] {
        // An empty cell says nothing here.
        if object.get(column).is_some_and(Value::is_null) {
            object.remove(column);
        }
    }
    if let Some(Value::String(kind)) = object.get_mut("kind") {
        kind.make_ascii_lowercase();
    }
    if let Some(tags) = fields.optional_text("tags", 4_000) {
        object.insert("tags".to_owned(), tags_of(fields, tags.as_deref().unwrap_or_default()));
    }
    let custom: BTreeMap<String, String> = fields
        .open()
        .into_iter()
        .map(|(column, text)| (column.trim_start_matches(CUSTOM).to_owned(), text))
        .collect();
    // The rules of the request, which name every fault.
    let checked = fields.body::<CustomerPatch>(object.clone());
    let by = match id {
        Some(id) => Match::Id(id),
        None => by_key(fields, &object, &custom),
    };
    checked.map(|_| Row {
        by,
        fields: object,
        owner_id,
        custom,
        allow_duplicate: fields.settings().allow_duplicate,
    })
}

fn tags_of(fields: &mut Fields<'_>, text: &str) -> Value {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).unwrap_or_else(|_| {
            fields.fault("tags", "bad_format", "expected JSON, as an export shows it");
            json!([])
        });
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(Value::from).collect()
}

fn by_key(fields: &Fields<'_>, object: &Map<String, Value>, custom: &BTreeMap<String, String>) -> Match {
    let asked = fields.settings().match_by.as_deref().unwrap_or("external_ref");
    let text = |column: &str| object.get(column).and_then(Value::as_str).map(str::to_owned);
    let found = match asked {
        "external_ref" => text(asked).map(Match::ExternalRef),
        "email" => text(asked).map(Match::Email),
        "tax_id" => text(asked).map(Match::TaxId),
        other => {
            let key = other.trim_start_matches(CUSTOM);
            let value = custom.get(key).filter(|value| !value.trim().is_empty());
            value.map(|value| Match::Custom(key.to_owned(), value.trim().to_owned()))
        }
    };
    found.unwrap_or(Match::Nobody)
}

impl Row {
    /// What the file may have only once.
    pub fn key(&self) -> String {
        match &self.by {
            Match::Id(id) => id.to_string(),
            Match::ExternalRef(text) | Match::Custom(_, text) => text.clone(),
            Match::Email(text) => text.to_lowercase(),
            Match::TaxId(text) => text.to_uppercase(),
            Match::Nobody => format!(
                "name: {}",
                self.fields.get("name").and_then(Value::as_str).unwrap_or_default()
            ),
        }
    }

    pub fn custom_keys(&self) -> impl Iterator<Item = String> {
        self.custom.keys().cloned().collect::<Vec<_>>().into_iter()
    }

    /// The body of a request that says the same.
    pub fn body(&self, definitions: &BTreeMap<String, CustomField>) -> Map<String, Value> {
        let mut body = self.fields.clone();
        if !self.custom.is_empty() {
            let values = self.custom.iter().map(|(key, text)| {
                let value = match definitions.get(key) {
                    _ if text.trim().is_empty() => Value::Null,
                    Some(field) => value_of(field, text),
                    None => Value::from(text.as_str()),
                };
                (key.clone(), value)
            });
            body.insert("custom_fields".to_owned(), Value::Object(values.collect()));
        }
        body
    }
}

/// A cell as the value of a custom field; what it cannot be is told by the checks of the field.
pub fn value_of(field: &CustomField, text: &str) -> Value {
    let trimmed = text.trim();
    match field.r#type {
        FieldType::Text => Value::from(text),
        FieldType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Value::Bool(true),
            "false" | "no" | "0" => Value::Bool(false),
            _ => Value::from(trimmed),
        },
        FieldType::MultiChoice if trimmed.starts_with('[') => {
            serde_json::from_str(trimmed).unwrap_or_else(|_| Value::from(trimmed))
        }
        FieldType::MultiChoice => {
            let words = trimmed.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(Value::from).collect()
        }
        _ => Value::from(trimmed),
    }
}
