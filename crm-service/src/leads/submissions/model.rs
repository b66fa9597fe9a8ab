//! The words of submissions.

use crate::json::AsJson;
use crate::schema::lead_submissions;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::Resource;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use uuid::Uuid;

/// What a form was sent, by the names of its fields: those that the form asks, `utm_source` … `utm_content`, `campaign`,
/// `referrer` and `landing_page`. Anything else is kept, and not looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct LeadSubmissionIn(pub BTreeMap<String, String>);

impl utoipa::PartialSchema for LeadSubmissionIn {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(5_000));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
            .max_properties(Some(100))
            .examples([json!({ "name": "Maria Anders", "email": "maria@example.com", "utm_source": "newsletter" })])
            .into()
    }
}

impl ToSchema for LeadSubmissionIn {}

/// It is here.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadSubmissionReceipt {
    pub id: Uuid,
}

/// What a form was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = lead_submissions)]
pub struct LeadSubmission {
    pub id: Uuid,
    pub form_id: Uuid,
    /// The lead that it touched; of spam, none.
    pub lead_id: Option<Uuid>,
    pub spam: bool,
    /// As they came.
    #[schema(value_type = Object)]
    pub fields: AsJson<BTreeMap<String, String>>,
    pub origin: Option<String>,
    #[serde(skip)]
    pub address_hash: Vec<u8>,
    pub revision: i64,
    pub received_at: DateTime<Utc>,
}

impl Resource for LeadSubmission {
    const PATH: &'static str = "lead-submissions";
    const TYPE: &'static str = "lead_submission";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
