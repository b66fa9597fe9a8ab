//! A row of the file.

use crate::custom_fields::cells::{CustomCells, Definitions};
use crate::leads::model::{LeadIn, phone_key};
use serde_json::{Map, Value};
use service_kit::exchange::{Fields, Match, Shape};
use uuid::Uuid;

pub struct Row {
    pub by: Match,
    /// As an input has them.
    fields: Map<String, Value>,
    pub owner_id: Option<Uuid>,
    pub custom: CustomCells,
    pub allow_duplicate: bool,
}

/// What a lead keeps.
const LEAD: [(&str, Shape); 13] = [
    ("external_ref", Shape::Code),
    ("name", Shape::Text),
    ("company", Shape::Text),
    ("job_title", Shape::Text),
    ("email", Shape::Code),
    ("phone", Shape::Code),
    ("country", Shape::Code),
    ("postal_code", Shape::Code),
    ("region", Shape::Text),
    ("city", Shape::Text),
    ("message", Shape::Text),
    ("source", Shape::Text),
    ("campaign", Shape::Text),
];
/// What its touch keeps besides.
const TOUCH: [(&str, Shape); 7] = [
    ("utm_source", Shape::Text),
    ("utm_medium", Shape::Text),
    ("utm_campaign", Shape::Text),
    ("utm_term", Shape::Text),
    ("utm_content", Shape::Text),
    ("referrer", Shape::Text),
    ("landing_page", Shape::Text),
];

pub fn read(fields: &mut Fields<'_>) -> Option<Row> {
    let by = fields.matched_by("external_ref");
    let owner_id = fields.optional::<Uuid>("owner_id").flatten();
    let mut object = fields.object(&LEAD);
    object.extend(fields.object(&TOUCH));
    if let Some(Value::String(country)) = object.get_mut("country") {
        country.make_ascii_uppercase();
    }
    let custom = CustomCells::of(fields);
    // The rules of the request, which name every fault.
    fields.body::<LeadIn>(object.clone()).map(|_| Row {
        by,
        fields: object,
        owner_id,
        custom,
        allow_duplicate: fields.settings().allow_duplicate,
    })
}

impl Row {
    /// What the file may have only once.
    pub fn key(&self) -> String {
        let (email, phone) = self.identity();
        match &self.by {
            Match::Id(id) => id.to_string(),
            Match::Key { column, text } => match column.as_str() {
                "email" => text.to_lowercase(),
                "phone" => phone_key(text).unwrap_or_else(|| text.clone()),
                _ => text.clone(),
            },
            Match::Nobody => email.or(phone).unwrap_or_else(|| {
                let text = |field: &str| self.text(field).unwrap_or_default();
                format!("name: {}, {}", text("name"), text("company"))
            }),
        }
    }

    /// The forms of e-mail address and telephone number by which somebody is known again.
    pub fn identity(&self) -> (Option<String>, Option<String>) {
        (
            self.text("email").map(str::to_lowercase),
            self.text("phone").and_then(phone_key),
        )
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// The body of a request that says the same.
    pub fn body(&self, definitions: &Definitions) -> Map<String, Value> {
        let mut body = self.fields.clone();
        self.custom.write(&mut body, definitions);
        body
    }

    /// The body of a change that says the same of the lead.
    pub fn patch(&self, definitions: &Definitions) -> Map<String, Value> {
        let mut body = self.body(definitions);
        body.retain(|field, _| !TOUCH.iter().any(|(name, _)| name == field));
        body
    }
}
