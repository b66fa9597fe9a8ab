use crate::schema::{tax_codes, tax_rates};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::TaxRate;
use service_kit::http::{SearchText, present};
use service_kit::{Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Output tax is owed on sales; input tax comes back on purchases.
    TaxKind { Output = "output", Input = "input" }
}

text_enum! {
    /// A retired code is refused in new rules.
    TaxCodeStatus { Active = "active", Retired = "retired" }
}

/// A rate and the days that it holds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = tax_rates)]
#[serde(deny_unknown_fields)]
pub struct RatePeriod {
    /// As a fraction: `"0.19"` is 19 %.
    pub rate: TaxRate,
    pub valid_from: NaiveDate,
    /// Last day, included; `null`: without end.
    pub valid_to: Option<NaiveDate>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tax_codes)]
pub(super) struct TaxCodeRow {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub kind: TaxKind,
    pub report_code: Option<String>,
    pub reverse_charge: bool,
    pub reverse_report_code: Option<String>,
    pub status: TaxCodeStatus,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A tax code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxCode {
    pub id: Uuid,
    /// What entries, rules and reports call it.
    pub code: String,
    pub name: String,
    pub kind: TaxKind,
    /// Where the tax return wants it.
    pub report_code: Option<String>,
    /// The buyer owes the tax.
    pub reverse_charge: bool,
    /// Of an input code with reverse charge: where the tax return wants the side that is owed.
    pub reverse_report_code: Option<String>,
    pub status: TaxCodeStatus,
    /// By date; they never overlap.
    pub rates: Vec<RatePeriod>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxCodeIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S+$")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    pub kind: TaxKind,
    #[schema(min_length = 1, max_length = 40)]
    pub report_code: Option<String>,
    #[serde(default)]
    pub reverse_charge: bool,
    #[schema(min_length = 1, max_length = 40)]
    pub reverse_report_code: Option<String>,
    #[schema(min_items = 1, max_items = 100)]
    pub rates: Vec<RatePeriod>,
}

/// Code, kind and reverse charge stay: entries were made by them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxCodePatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 40)]
    pub report_code: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 40)]
    pub reverse_report_code: Option<Option<String>>,
    #[schema(nullable = false)]
    pub status: Option<TaxCodeStatus>,
    /// All rates, by date.
    #[schema(min_items = 1, max_items = 100, nullable = false)]
    pub rates: Option<Vec<RatePeriod>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TaxCodesQuery {
    /// Finds in code and name.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub kind: Option<TaxKind>,
    #[param(inline)]
    pub status: Option<TaxCodeStatus>,
    pub report_code: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `code`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl TaxCodeRow {
    pub(super) fn with(self, rates: Vec<RatePeriod>) -> TaxCode {
        TaxCode {
            id: self.id,
            code: self.code,
            name: self.name,
            kind: self.kind,
            report_code: self.report_code,
            reverse_charge: self.reverse_charge,
            reverse_report_code: self.reverse_report_code,
            status: self.status,
            rates,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Resource for TaxCode {
    const PATH: &'static str = "tax-codes";
    const TYPE: &'static str = "tax_code";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
