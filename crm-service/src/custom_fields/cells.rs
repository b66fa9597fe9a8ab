//! Custom fields as they stand in a file: one column for each, empty to take the value away.

use super::model::{CustomField, FieldType, RecordType};
use super::values::of_keys;
use diesel::PgConnection;
use serde_json::{Map, Value, json};
use service_kit::exchange::Fields;
use std::collections::BTreeMap;

/// What the names of their columns begin with.
pub const COLUMNS: &str = "custom_fields.";

/// The definitions of fields, by their keys.
pub type Definitions = BTreeMap<String, CustomField>;

/// The cells of a row, by the keys of their fields.
#[derive(Debug, Clone, Default)]
pub struct CustomCells(BTreeMap<String, String>);

impl CustomCells {
    pub fn of(fields: &mut Fields<'_>) -> Self {
        let cells = fields.open().into_iter();
        CustomCells(cells.map(|(column, text)| (key_of(&column).to_owned(), text)).collect())
    }

    /// Says in the body of a request what the cells say; what a field cannot hold is told by its checks.
    pub fn write(&self, body: &mut Map<String, Value>, definitions: &Definitions) {
        if self.0.is_empty() {
            return;
        }
        let values = self.0.iter().map(|(key, text)| {
            let value = match definitions.get(key) {
                _ if text.trim().is_empty() => Value::Null,
                Some(field) => value_of(field, text),
                None => Value::from(text.as_str()),
            };
            (key.clone(), value)
        });
        body.insert("custom_fields".to_owned(), Value::Object(values.collect()));
    }
}

/// The definitions behind the cells of rows.
///
/// # Errors
/// When the database refuses.
pub fn definitions<'a>(
    conn: &mut PgConnection,
    of: RecordType,
    rows: impl Iterator<Item = &'a CustomCells>,
) -> diesel::QueryResult<Definitions> {
    let mut keys: Vec<&str> = rows.flat_map(|cells| cells.0.keys().map(String::as_str)).collect();
    keys.sort_unstable();
    keys.dedup();
    of_keys(conn, of, &keys)
}

/// What the values of a record contain that has this text in this column; `None` when there is no such field.
pub fn containing(definitions: &Definitions, column: &str, text: &str) -> Option<Value> {
    let key = key_of(column);
    let field = definitions.get(key)?;
    Some(json!({ key: value_of(field, text) }))
}

fn key_of(column: &str) -> &str {
    column.strip_prefix(COLUMNS).unwrap_or(column)
}

fn value_of(field: &CustomField, text: &str) -> Value {
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
