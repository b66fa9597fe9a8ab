//! The words of analyses: what goes over the wire.

use crate::analytics::figure::Figure;
use crate::analytics::sales::SalesBy;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::{Amount, Currency, Cursor, Limit, Quantity, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    AnalysisKind { Abc = "abc", Xyz = "xyz", Bcg = "bcg", Rfm = "rfm" }
}

text_enum! {
    /// What is put into classes.
    AnalysisSubject { Customer = "customer", Product = "product", Category = "category" }
}

text_enum! {
    /// What part of the records an analysis is over.
    AnalysisSees { Own = "own", Team = "team", All = "all" }
}

impl AnalysisSubject {
    pub fn dimension(self) -> SalesBy {
        match self {
            AnalysisSubject::Customer => SalesBy::Customer,
            AnalysisSubject::Product => SalesBy::Product,
            AnalysisSubject::Category => SalesBy::Category,
        }
    }
}

/// Where classes begin; those that the kind of analysis does not ask for are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisThresholds {
    /// ABC: below this cumulative share is A; 0.8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a_share: Option<Fraction>,
    /// ABC: below this cumulative share is B; 0.95 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b_share: Option<Fraction>,
    /// XYZ: up to this variation is X; 0.5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_variation: Option<Quantity>,
    /// XYZ: up to this variation is Y; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_variation: Option<Quantity>,
    /// BCG: from this part of the largest on it is large; 0.5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_size: Option<Fraction>,
    /// RFM: how many scores there are; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 2, maximum = 9)]
    pub scores: Option<i32>,
}

/// An analysis to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisRunIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    pub kind: AnalysisKind,
    /// Absent: products for XYZ, categories for BCG, else customers.
    pub subject: Option<AnalysisSubject>,
    pub from: NaiveDate,
    /// At most five years after `from`.
    pub to: NaiveDate,
    /// With BCG: the earlier period that growth is measured against.
    pub against_from: Option<NaiveDate>,
    pub against_to: Option<NaiveDate>,
    #[serde(default)]
    pub thresholds: AnalysisThresholds,
}

/// How much is in a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnalysisClass {
    pub class: String,
    pub count: i64,
    /// In the company's currency.
    pub net: Amount,
    /// Lines without a price or a rate, which `net` leaves out.
    pub unvalued: i64,
    /// Those in the class: they are `count`, and their `net`s add up to it.
    #[serde(default)]
    pub rows: String,
}

/// An analysis as it was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnalysisRun {
    pub id: Uuid,
    pub kind: AnalysisKind,
    pub subject: AnalysisSubject,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub against_from: Option<NaiveDate>,
    pub against_to: Option<NaiveDate>,
    pub thresholds: AnalysisThresholds,
    pub currency: Currency,
    /// Over whose records: those of all, of the maker's team, or the maker's own.
    pub sees: AnalysisSees,
    /// Who made it, unless it is over everything.
    pub owner_id: Option<Uuid>,
    /// Of all in it.
    pub net: Amount,
    /// BCG: of the earlier period.
    pub net_before: Option<Amount>,
    /// BCG: of the whole, which each is measured by; `null` when there was nothing before.
    pub growth: Option<Figure>,
    pub classes: Vec<AnalysisClass>,
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

impl Resource for AnalysisRun {
    const PATH: &'static str = "analysis-runs";
    const TYPE: &'static str = "analysis_run";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// Somebody or something in an analysis; figures that its kind does not have are `null`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnalysisItem {
    pub position: i32,
    /// `null`: what has no category.
    pub subject_id: Option<Uuid>,
    pub name: Option<String>,
    pub class: String,
    /// In the company's currency; `null` when nothing has a price and a rate.
    pub net: Option<Amount>,
    pub unvalued: i64,
    pub orders: i64,
    pub quantity: Figure,
    /// ABC: the share of all that is larger.
    pub share_before: Option<Figure>,
    /// XYZ: standard deviation ÷ mean of the monthly quantity.
    pub variation: Option<Figure>,
    /// BCG: net of the earlier period.
    pub net_before: Option<Amount>,
    /// BCG: `null` when there was nothing before.
    pub growth: Option<Figure>,
    /// BCG: net ÷ the largest.
    pub relative_size: Option<Figure>,
    pub last_order_on: Option<NaiveDate>,
    /// RFM: 1 is the worst.
    pub recency: Option<i32>,
    pub frequency: Option<i32>,
    pub monetary: Option<i32>,
    /// The order lines that `net` is made of, as they are now.
    pub rows: Option<String>,
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
}

/// Somebody or something whose class is another than in an earlier analysis.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AnalysisChange {
    pub subject_id: Uuid,
    pub name: Option<String>,
    /// In the earlier one; `null`: was not in it.
    pub class_before: Option<String>,
    pub class: Option<String>,
    pub net_before: Option<Amount>,
    pub net: Option<Amount>,
    /// The earlier analysis.
    pub against: Uuid,
    /// The state that the later one is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AnalysisRunsQuery {
    #[param(inline)]
    pub kind: Option<AnalysisKind>,
    #[param(inline)]
    pub subject: Option<AnalysisSubject>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AnalysisItemsQuery {
    /// Only this class, such as `A`, `star` or `555`.
    #[param(min_length = 1, max_length = 20, pattern = "^[A-Za-z0-9_]+$")]
    pub class: Option<String>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AnalysisChangesQuery {
    /// An earlier analysis of the same kind and subject; the last one before it when absent.
    pub against: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}
