//! The words of templates.

use crate::schema::{quote_template_versions, quote_templates};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::{Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Where a version of a template stands.
    QuoteTemplateState { Draft = "draft", Published = "published", Retired = "retired" }
}

/// A template to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteTemplateIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// There is one template for each.
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$", example = "de")]
    pub language: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// Of the first version; absent to begin with the built-in one.
    #[schema(min_length = 1, max_length = 200_000)]
    pub html: Option<String>,
    /// Publish it at once; else it is a draft.
    #[serde(default)]
    pub publish: bool,
}

/// The next version of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteTemplateDraftIn {
    #[schema(min_length = 1, max_length = 200_000)]
    pub html: String,
}

/// A version of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = quote_template_versions)]
pub struct QuoteTemplateVersion {
    pub id: Uuid,
    pub template_id: Uuid,
    /// Counts the versions from 1.
    pub number: i32,
    pub state: QuoteTemplateState,
    pub html: String,
    pub published_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quote_templates)]
pub struct TemplateRow {
    pub id: Uuid,
    pub language: String,
    pub name: String,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What the documents of quotes in a language look like.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuoteTemplate {
    pub id: Uuid,
    pub language: String,
    pub name: String,
    /// What quotes are shown by; null while the built-in one is.
    pub published: Option<QuoteTemplateVersion>,
    /// What is published next.
    pub draft: Option<QuoteTemplateVersion>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for QuoteTemplate {
    const PATH: &'static str = "quote-templates";
    const TYPE: &'static str = "quote_template";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
