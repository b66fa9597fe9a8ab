//! A row of the file.

use super::parts::{self, PartCells};
use crate::custom_fields::cells::{CustomCells, Definitions};
use crate::customers::addresses::AddressKind;
use crate::customers::model::CustomerPatch;
use serde_json::{Map, Value, json};
use service_kit::exchange::{Fields, Match, Shape};
use uuid::Uuid;

pub struct Row {
    pub by: Match,
    /// The core's fields, as a patch has them.
    fields: Map<String, Value>,
    pub owner_id: Option<Uuid>,
    pub custom: CustomCells,
    pub contact: Option<PartCells>,
    pub addresses: Vec<(AddressKind, PartCells)>,
    pub allow_duplicate: bool,
}

pub fn read(fields: &mut Fields<'_>) -> Option<Row> {
    let by = fields.matched_by("external_ref");
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
        ("language", Shape::Code),
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
    let custom = CustomCells::of(fields);
    let contact = parts::contact(fields);
    let addresses = parts::addresses(fields);
    // The rules of the request, which name every fault.
    fields.body::<CustomerPatch>(object.clone()).map(|_| Row {
        by,
        fields: object,
        owner_id,
        custom,
        contact,
        addresses,
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

impl Row {
    /// What the file may have only once.
    pub fn key(&self) -> String {
        match &self.by {
            Match::Id(id) => id.to_string(),
            Match::Key { column, text } => match column.as_str() {
                "email" => text.to_lowercase(),
                "tax_id" => text.to_uppercase(),
                _ => text.clone(),
            },
            Match::Nobody => format!(
                "name: {}",
                self.fields.get("name").and_then(Value::as_str).unwrap_or_default()
            ),
        }
    }

    /// The body of a request that says the same of the core.
    pub fn body(&self, definitions: &Definitions) -> Map<String, Value> {
        let mut body = self.fields.clone();
        self.custom.write(&mut body, definitions);
        body
    }
}
