//! The words of assignment rules.

use crate::customers::country::Country;
use crate::schema::lead_assignment_rules;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::{Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Which of the members gets a lead.
    AssignmentMethod {
        /// Each in turn.
        RoundRobin = "round_robin",
        /// Who has the fewest open leads.
        ByLoad = "by_load",
    }
}

/// A rule for the leads of a territory.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = lead_assignment_rules, treat_none_as_null = true)]
pub struct LeadAssignmentRule {
    pub id: Uuid,
    pub name: String,
    /// The first rule that fits decides.
    pub position: i32,
    /// In the language of filters.
    pub condition: Option<String>,
    /// Any of these; empty: all.
    pub countries: Vec<Country>,
    /// How the postal code starts; empty: all.
    pub postal_prefixes: Vec<String>,
    /// Any of these, whatever their capitals; empty: all.
    pub regions: Vec<String>,
    pub method: AssignmentMethod,
    /// Users, in the order of their turns.
    pub members: Vec<Uuid>,
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LeadAssignmentRule {
    const PATH: &'static str = "lead-assignment-rules";
    const TYPE: &'static str = "lead_assignment_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// The beginning of a postal code.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct PostalPrefix(pub String);

impl utoipa::PartialSchema for PostalPrefix {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text(20, "10")
    }
}

impl ToSchema for PostalPrefix {}

/// The name of a region.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct RegionName(pub String);

impl utoipa::PartialSchema for RegionName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text(100, "Bavaria")
    }
}

impl ToSchema for RegionName {}

fn text(longest: usize, example: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(1))
        .max_length(Some(longest))
        .pattern(Some(r"\S"))
        .examples([example])
        .into()
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadAssignmentRuleIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Germany, north")]
    pub name: String,
    #[schema(minimum = 1, maximum = 10_000)]
    pub position: i32,
    /// In the language of filters, such as `score >= 50`.
    #[schema(min_length = 1, max_length = 4_000)]
    pub condition: Option<String>,
    #[serde(default)]
    #[schema(max_items = 249)]
    pub countries: Vec<Country>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub postal_prefixes: Vec<PostalPrefix>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub regions: Vec<RegionName>,
    pub method: AssignmentMethod,
    /// Active users.
    #[schema(min_items = 1, max_items = 200)]
    pub members: Vec<Uuid>,
    /// `true` when absent.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadAssignmentRulePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub position: Option<i32>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 4_000)]
    pub condition: Option<Option<String>>,
    #[schema(nullable = false, max_items = 249)]
    pub countries: Option<Vec<Country>>,
    #[schema(nullable = false, max_items = 500)]
    pub postal_prefixes: Option<Vec<PostalPrefix>>,
    #[schema(nullable = false, max_items = 500)]
    pub regions: Option<Vec<RegionName>>,
    #[schema(nullable = false)]
    pub method: Option<AssignmentMethod>,
    #[schema(nullable = false, min_items = 1, max_items = 200)]
    pub members: Option<Vec<Uuid>>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}
