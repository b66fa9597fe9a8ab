//! The words of grades.

use crate::customers::model::Grade;
use crate::json::AsJson;
use crate::schema::{grade_proposals, grade_runs, grade_settings};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What became of a proposal.
    ProposalState {
        Proposed = "proposed",
        Approved = "approved",
        Rejected = "rejected",
        /// A later run looked again.
        Superseded = "superseded",
    }
}

text_enum! {
    /// What may be done with a proposal.
    ProposalAction { Approve = "approve", Reject = "reject" }
}

impl ProposalState {
    pub fn allowed_actions(self) -> Vec<ProposalAction> {
        match self {
            ProposalState::Proposed => vec![ProposalAction::Approve, ProposalAction::Reject],
            _ => Vec::new(),
        }
    }
}

/// From what on a customer has which grade.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, AsChangeset, ToSchema)]
#[diesel(table_name = grade_settings)]
pub struct GradeSettings {
    pub id: Uuid,
    /// How many days count, up to the day of a run.
    pub period_days: i32,
    /// Net, in the company's currency.
    pub a_revenue: Amount,
    /// How many orders.
    pub a_orders: i32,
    pub b_revenue: Amount,
    pub b_orders: i32,
    pub c_revenue: Amount,
    pub c_orders: i32,
    pub revision: i64,
    pub updated_at: DateTime<Utc>,
}

impl Resource for GradeSettings {
    const PATH: &'static str = "grade-settings";
    const TYPE: &'static str = "grade_settings";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// Thresholds that do not rise from A to C.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeSettingsIn {
    #[schema(minimum = 1, maximum = 3660)]
    pub period_days: i32,
    pub a_revenue: Amount,
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub a_orders: i32,
    pub b_revenue: Amount,
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub b_orders: i32,
    pub c_revenue: Amount,
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub c_orders: i32,
}

/// The settings as a run used them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GradeThresholds {
    pub period_days: i32,
    pub a_revenue: Amount,
    pub a_orders: i32,
    pub b_revenue: Amount,
    pub b_orders: i32,
    pub c_revenue: Amount,
    pub c_orders: i32,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeRunIn {
    /// The last day that counts; today when absent, not in the future.
    pub as_of: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = grade_runs)]
pub struct RunRow {
    pub id: Uuid,
    pub as_of: NaiveDate,
    pub currency: Currency,
    pub settings: AsJson<GradeThresholds>,
    pub proposals: i64,
    pub unvalued: i64,
    pub made_by_id: Uuid,
    pub made_by: String,
    pub created_at: DateTime<Utc>,
}

/// A look at what customers bought.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GradeRun {
    pub id: Uuid,
    /// The last day that counts.
    pub as_of: NaiveDate,
    /// That the revenues are in.
    pub currency: Currency,
    pub settings: GradeThresholds,
    /// How many it made.
    pub proposals: i64,
    /// Customers without a proposal because a rate is missing for one of their orders.
    pub unvalued: i64,
    pub made_by: String,
    pub created_at: DateTime<Utc>,
}

impl From<RunRow> for GradeRun {
    fn from(row: RunRow) -> Self {
        GradeRun {
            id: row.id,
            as_of: row.as_of,
            currency: row.currency,
            settings: row.settings.0,
            proposals: row.proposals,
            unvalued: row.unvalued,
            made_by: row.made_by,
            created_at: row.created_at,
        }
    }
}

impl Resource for GradeRun {
    const PATH: &'static str = "grade-runs";
    const TYPE: &'static str = "grade_run";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = grade_proposals, treat_none_as_null = true)]
pub struct ProposalRow {
    pub id: Uuid,
    pub run_id: Uuid,
    pub customer_id: Uuid,
    pub from_grade: Option<Grade>,
    pub to_grade: Grade,
    pub revenue: Amount,
    pub orders: i64,
    pub state: ProposalState,
    pub effective_from: Option<NaiveDate>,
    pub reason: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A grade that is proposed for a customer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GradeProposal {
    pub id: Uuid,
    pub run_id: Uuid,
    pub customer_id: Uuid,
    /// What the customer had when the run looked.
    pub from_grade: Option<Grade>,
    pub to_grade: Grade,
    /// What it comes from; `null` for those who do not see everything.
    #[schema(required = true)]
    pub inputs: Option<GradeInputs>,
    pub state: ProposalState,
    pub allowed_actions: Vec<ProposalAction>,
    /// First day of the grade, once it is approved.
    pub effective_from: Option<NaiveDate>,
    /// Why it was rejected.
    pub reason: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a customer bought in the days that count.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GradeInputs {
    /// Net, in the currency of the run.
    pub revenue: Amount,
    pub orders: i64,
}

impl ProposalRow {
    /// As it shows to somebody who sees all, or does not.
    pub fn shown(self, sees_all: bool) -> GradeProposal {
        GradeProposal {
            id: self.id,
            run_id: self.run_id,
            customer_id: self.customer_id,
            from_grade: self.from_grade,
            to_grade: self.to_grade,
            inputs: sees_all.then_some(GradeInputs {
                revenue: self.revenue,
                orders: self.orders,
            }),
            state: self.state,
            allowed_actions: self.state.allowed_actions(),
            effective_from: self.effective_from,
            reason: self.reason,
            decided_by: self.decided_by,
            decided_at: self.decided_at,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Resource for GradeProposal {
    const PATH: &'static str = "grade-proposals";
    const TYPE: &'static str = "grade_proposal";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for GradeProposal {
    const EVENT: &'static str = "grade_proposal.decided";
    fn version(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeApprovalIn {
    /// First day of the grade: today when absent, at most a year from today.
    pub effective_from: Option<NaiveDate>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeRejectionIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GradeRunsQuery {
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct GradeProposalsQuery {
    pub run_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    #[param(inline)]
    pub state: Option<ProposalState>,
    #[param(inline)]
    pub to_grade: Option<Grade>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}
