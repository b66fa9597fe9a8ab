//! What the document of a running instance says of the custom fields that it has.

use super::model::{CustomField, FieldType};
use super::schemas::NAMES;
use super::values::LONGEST;
use crate::schema::custom_fields;
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

/// Replaces the open schemas by those of the fields that are defined.
pub fn describe(conn: &mut PgConnection, document: &mut Value) -> QueryResult<()> {
    let fields: Vec<CustomField> = custom_fields::table
        .order((custom_fields::created_at, custom_fields::id))
        .select(CustomField::as_select())
        .load(conn)?;
    for (record_type, name) in NAMES {
        let Some(schema) = document.pointer_mut(&format!("/components/schemas/{name}")) else {
            continue;
        };
        let own = fields.iter().filter(|field| field.record_type == *record_type);
        let properties: Map<String, Value> = own.map(|field| (field.key.clone(), schema_of(field))).collect();
        schema["properties"] = Value::Object(properties);
        schema["additionalProperties"] = false.into();
    }
    Ok(())
}

fn schema_of(field: &CustomField) -> Value {
    let options = || -> Vec<&str> { field.choices().iter().map(|option| option.value.as_str()).collect() };
    let mut schema = match field.r#type {
        FieldType::Text => {
            json!({ "type": ["string", "null"], "minLength": 1, "maxLength": LONGEST, "pattern": r"\S" })
        }
        FieldType::Number | FieldType::Money => {
            let mut schema = serde_json::to_value(service_kit::Amount::schema()).unwrap_or_default();
            schema["type"] = json!(["string", "null"]);
            schema
        }
        FieldType::Date => json!({ "type": ["string", "null"], "format": "date" }),
        FieldType::Boolean => json!({ "type": ["boolean", "null"] }),
        FieldType::Choice => {
            let offered = options().into_iter().map(Value::from).chain([Value::Null]);
            json!({ "type": ["string", "null"], "enum": offered.collect::<Vec<_>>() })
        }
        FieldType::MultiChoice => json!({
            "type": ["array", "null"], "minItems": 1, "maxItems": options().len(), "uniqueItems": true,
            "items": { "type": "string", "enum": options() },
        }),
        FieldType::Reference => json!({ "type": ["string", "null"], "format": "uuid" }),
    };
    schema["title"] = field.label.clone().into();
    let about = match (field.currency, field.refers_to) {
        (Some(currency), _) => Some(format!("in {currency}")),
        (_, Some(to)) => Some(format!("the id of a {to}")),
        _ => None,
    };
    let about: Vec<String> = about.into_iter().chain(field.description.clone()).collect();
    if !about.is_empty() {
        schema["description"] = about.join("; ").into();
    }
    if field.retired_at.is_some() {
        schema["deprecated"] = true.into();
        // What stands there may be of options that are gone.
        if let Some(fields) = schema.as_object_mut() {
            fields.shift_remove("enum");
        }
    }
    schema
}
