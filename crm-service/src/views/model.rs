//! The words of saved views.

use crate::json::AsJson;
use crate::schema::saved_views;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::{Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Of which list a view is.
    ViewedRecord {
        Customer = "customer",
        Lead = "lead",
        Deal = "deal",
        Quote = "quote",
        Order = "order",
        Activity = "activity",
        Invoice = "invoice",
    }
}

/// A parameter of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewFilter {
    #[schema(min_length = 1, max_length = 60, example = "filter")]
    pub name: String,
    #[schema(min_length = 1, max_length = 4000, example = "grade = \"A\"")]
    pub value: String,
}

/// The name of a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Column(pub String);

impl utoipa::PartialSchema for Column {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(60))
            .examples(["name"])
            .into()
    }
}

impl ToSchema for Column {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedViewIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "My sleeping regulars")]
    pub name: String,
    pub record_type: ViewedRecord,
    /// Parameters of the list, each once; not `limit`, `cursor` or `sort`.
    #[serde(default)]
    #[schema(max_items = 40)]
    pub filters: Vec<ViewFilter>,
    /// An order that the list offers.
    #[schema(min_length = 1, max_length = 60, example = "-created_at")]
    pub sort: Option<String>,
    /// Fields of its records, and `custom.<key>`; none: all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub columns: Vec<Column>,
    /// The team that it is shared with: one's own, for who does not see everything.
    pub team_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedViewPatch {
    #[schema(nullable = false, min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: Option<String>,
    /// All of them from now on.
    #[schema(nullable = false, max_items = 40)]
    pub filters: Option<Vec<ViewFilter>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60)]
    pub sort: Option<Option<String>>,
    /// All of them from now on.
    #[schema(nullable = false, max_items = 100)]
    pub columns: Option<Vec<Column>>,
    /// `null`: shared with nobody.
    #[serde(default, deserialize_with = "present")]
    pub team_id: Option<Option<Uuid>>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = saved_views, treat_none_as_null = true)]
pub struct ViewRow {
    pub id: Uuid,
    pub name: String,
    pub record_type: ViewedRecord,
    pub filters: AsJson<Vec<ViewFilter>>,
    pub sort: Option<String>,
    pub column_names: Vec<String>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A list as somebody likes to see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SavedView {
    pub id: Uuid,
    pub name: String,
    pub record_type: ViewedRecord,
    pub filters: Vec<ViewFilter>,
    pub sort: Option<String>,
    pub columns: Vec<String>,
    /// The list with its filters and order.
    pub path: String,
    /// Who saved it.
    pub owner_id: Option<Uuid>,
    /// The team that it is shared with.
    pub team_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<ViewRow> for SavedView {
    fn from(row: ViewRow) -> Self {
        let sort = row.sort.iter().map(|sort| ("sort", sort.as_str()));
        let filters = row
            .filters
            .0
            .iter()
            .map(|filter| (filter.name.as_str(), filter.value.as_str()));
        let query: Vec<String> = filters
            .chain(sort)
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let list = super::check::path_of(row.record_type);
        SavedView {
            path: match query.is_empty() {
                true => list.to_owned(),
                false => format!("{list}?{}", query.join("&")),
            },
            id: row.id,
            name: row.name,
            record_type: row.record_type,
            filters: row.filters.0,
            sort: row.sort,
            columns: row.column_names,
            owner_id: row.owner_id,
            team_id: row.team_id,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A value as it stands in a query.
fn encoded(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

impl Resource for SavedView {
    const PATH: &'static str = "views";
    const TYPE: &'static str = "saved_view";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SavedViewsQuery {
    #[param(inline)]
    pub record_type: Option<ViewedRecord>,
    /// Part of the name.
    pub q: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `name` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}
