//! The words of deals: what goes over the wire.

use super::pipelines::model::{DealField, StepEvidence};
use super::status::{DealAction, DealState};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::http::{Resource, present};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Discount, Quantity, UnitPrice};
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of a deal to be.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealLineIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// Of the catalogue.
    pub product_id: Uuid,
    /// More than zero.
    pub quantity: Quantity,
    /// Absent for today's list price of the customer's tier.
    pub unit_price: Option<UnitPrice>,
    #[serde(default)]
    pub discount: Discount,
}

/// A deal to be opened.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Tea for 40 shops")]
    pub name: String,
    pub customer_id: Uuid,
    /// One of the customer's contacts.
    pub contact_id: Option<Uuid>,
    /// The default one when absent. The deal enters the first stage of what is published.
    pub pipeline_id: Option<Uuid>,
    /// The company's currency when absent.
    pub currency: Option<Currency>,
    /// Absent: the sum of the lines, and unknown without lines. Not negative.
    pub amount: Option<Amount>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lines: Vec<DealLineIn>,
    pub expected_close_on: Option<NaiveDate>,
    /// Where it comes from.
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<String>,
    /// What is to be done next.
    #[schema(min_length = 1, max_length = 500)]
    pub next_step: Option<String>,
    /// By when; with `next_step`.
    pub next_step_on: Option<NaiveDate>,
    /// Absent: who opens it; for a client with a key, whom the customer belongs to.
    pub owner_id: Option<Uuid>,
    /// Absent: the owner's.
    pub team_id: Option<Uuid>,
}

/// Changes of an open deal.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub contact_id: Option<Option<Uuid>>,
    #[schema(nullable = false)]
    pub currency: Option<Currency>,
    /// `null`: the sum of the lines again.
    #[serde(default, deserialize_with = "present")]
    pub amount: Option<Option<Amount>>,
    /// Replaces all lines. A line that is named by its id keeps the list price that it has.
    #[schema(nullable = false, max_items = 500)]
    pub lines: Option<Vec<DealLineIn>>,
    #[serde(default, deserialize_with = "present")]
    pub expected_close_on: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub next_step: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub next_step_on: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub competitor: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub competitor_id: Option<Option<Uuid>>,
}

/// The proof of a step.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDoneIn {
    /// Key of the step.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub step: String,
    /// Of the call or the document; absent for a field that is filled.
    pub evidence_id: Option<Uuid>,
}

/// The proof of the step in the path.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepEvidenceIn {
    /// Of the call or the document; absent for a field that is filled.
    pub evidence_id: Option<Uuid>,
}

/// Where a deal goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealMoveIn {
    /// Key of the stage.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", example = "qualified")]
    pub stage: String,
    /// Steps that are done with it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub evidence: Vec<StepDoneIn>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealWinIn {
    /// Today when absent; not in the future.
    pub closed_on: Option<NaiveDate>,
    /// Steps that are done with it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub evidence: Vec<StepDoneIn>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealLoseIn {
    /// Code of one of the loss reasons.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", example = "price")]
    pub reason: String,
    /// Who won it instead.
    #[schema(min_length = 1, max_length = 200)]
    pub competitor: Option<String>,
    pub competitor_id: Option<Uuid>,
    /// Today when absent; not in the future.
    pub closed_on: Option<NaiveDate>,
    /// Steps that are done with it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub evidence: Vec<StepDoneIn>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealVersionIn {
    /// Key of the stage in the published version; absent: the one with the key of where the deal is.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub stage: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DealAssignIn {
    pub owner_id: Uuid,
    /// Absent: the owner's.
    pub team_id: Option<Uuid>,
}

/// A line of a deal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DealLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Null when no price list had one.
    pub unit_price: Option<UnitPrice>,
    /// Whether somebody named the price; else it came from a price list.
    pub price_given: bool,
    pub discount: Discount,
    /// `round(quantity × unit price × (1 − discount))`, half to even; null without a price.
    pub line_total: Option<Amount>,
}

/// A step of the deal's pipeline, and whether it is done.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DealStep {
    /// Key of the stage that it is of.
    pub stage: String,
    pub key: String,
    pub name: String,
    pub evidence: StepEvidence,
    /// The field that is to be filled.
    pub field: Option<DealField>,
    /// Needed to go on from its stage, or past it, and to win.
    pub required: bool,
    /// Also needed to lose the deal in that stage.
    pub on_loss: bool,
    pub done: bool,
    /// The call or the document.
    pub evidence_id: Option<Uuid>,
    pub completed_at: Option<DateTime<Utc>>,
    pub completed_by: Option<String>,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deal {
    pub id: Uuid,
    pub name: String,
    pub customer_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub state: DealState,
    pub pipeline_id: Uuid,
    /// Number of the version that it entered.
    pub pipeline_version: i32,
    /// Key of the stage that it is in, or was in when it closed.
    pub stage: String,
    pub stage_name: String,
    pub stage_entered_at: DateTime<Utc>,
    /// When it has been in the stage for too long.
    pub ages_at: Option<DateTime<Utc>>,
    /// Keys of the stages that it may go to.
    pub next_stages: Vec<String>,
    pub currency: Currency,
    /// `null`: nobody knows yet.
    pub amount: Option<Amount>,
    /// Whether somebody named the amount; else it is the sum of the lines.
    pub amount_given: bool,
    /// That of the stage.
    pub probability: Fraction,
    /// `round(amount × probability)`, half to even.
    pub weighted_amount: Option<Amount>,
    pub expected_close_on: Option<NaiveDate>,
    pub source: Option<String>,
    pub campaign: Option<String>,
    pub next_step: Option<String>,
    pub next_step_on: Option<NaiveDate>,
    /// Code of the reason that it was lost for.
    pub loss_reason: Option<String>,
    pub competitor: Option<String>,
    pub competitor_id: Option<Uuid>,
    pub closed_on: Option<NaiveDate>,
    /// What it was worth in the company's currency on the day it closed; `null` when there was no
    /// amount or no rate.
    pub base_amount: Option<Amount>,
    pub base_currency: Option<Currency>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub lines: Vec<DealLine>,
    /// All steps of its pipeline, in order.
    pub steps: Vec<DealStep>,
    pub allowed_actions: Vec<DealAction>,
    pub version: i64,
    /// Counts every change; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Deal {
    const PATH: &'static str = "deals";
    const TYPE: &'static str = "deal";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Deal {
    const EVENT: &'static str = "deal.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
