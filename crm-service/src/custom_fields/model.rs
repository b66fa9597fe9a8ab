//! The definition of a custom field.

use crate::json::AsJson;
use crate::schema::custom_fields;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::tx::Emitted;
use service_kit::{Currency, Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// The kind of record that a field is of.
    RecordType { Customer = "customer", Lead = "lead", Deal = "deal", Quote = "quote", Order = "order" }
}

text_enum! {
    /// What can stand in a field.
    FieldType {
        Text = "text",
        /// A decimal as text, such as `"12.5"`.
        Number = "number",
        /// A decimal as text, in the currency of the field.
        Money = "money",
        Date = "date",
        /// One of the options.
        Choice = "choice",
        /// Several of the options.
        MultiChoice = "multi_choice",
        Boolean = "boolean",
        /// The id of a record.
        Reference = "reference",
    }
}

text_enum! {
    /// What a reference refers to.
    ReferredType { Customer = "customer", Contact = "contact", User = "user", Product = "product", Order = "order" }
}

/// One of the values of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChoiceOption {
    /// What stands in the record.
    #[schema(
        min_length = 1,
        max_length = 60,
        pattern = r"^[A-Za-z0-9][A-Za-z0-9_ .+-]*$",
        example = "emea"
    )]
    pub value: String,
    /// What people read; the value when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub label: Option<String>,
}

/// A field to be defined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomFieldIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    pub record_type: RecordType,
    /// What programs call it; it never changes.
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9_]{0,39}$", example = "sales_region")]
    pub key: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub label: String,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    /// Never changes.
    pub r#type: FieldType,
    /// Of a choice or multi_choice.
    #[schema(max_items = 200)]
    pub options: Option<Vec<ChoiceOption>>,
    /// Of money.
    pub currency: Option<Currency>,
    /// Of a reference.
    pub refers_to: Option<ReferredType>,
}

/// Changes of a definition. Key and type stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomFieldPatch {
    #[schema(nullable = false, min_length = 1, max_length = 100, pattern = r"\S")]
    pub label: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<Option<String>>,
    /// All options from now on. Records keep a value that is no option any more until it is changed.
    #[schema(nullable = false, max_items = 200)]
    pub options: Option<Vec<ChoiceOption>>,
}

/// A field that a company has defined for its records.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = custom_fields, treat_none_as_null = true)]
pub struct CustomField {
    pub id: Uuid,
    pub record_type: RecordType,
    /// What programs call it.
    pub key: String,
    /// What people call it.
    pub label: String,
    pub description: Option<String>,
    #[diesel(column_name = kind)]
    pub r#type: FieldType,
    /// Of a choice or multi_choice.
    #[schema(value_type = Option<Vec<ChoiceOption>>)]
    pub options: Option<AsJson<Vec<ChoiceOption>>>,
    /// Of money.
    pub currency: Option<Currency>,
    /// Of a reference.
    pub refers_to: Option<ReferredType>,
    /// Since when it takes no new values.
    pub retired_at: Option<DateTime<Utc>>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl CustomField {
    /// The options, of whatever type it is.
    pub fn choices(&self) -> &[ChoiceOption] {
        self.options.as_ref().map_or(&[], |options| &options.0)
    }

    pub fn is_option(&self, value: &str) -> bool {
        self.choices().iter().any(|option| option.value == value)
    }
}

impl Resource for CustomField {
    const PATH: &'static str = "custom-fields";
    const TYPE: &'static str = "custom_field";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for CustomField {
    const EVENT: &'static str = "custom_field.changed";
    fn version(&self) -> i64 {
        self.revision
    }
}
