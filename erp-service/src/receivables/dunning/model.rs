//! The words of runs and letters: what goes over the wire.

use crate::receivables::party::Party;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Only a draft changes.
    DunningRunStatus { Draft = "draft", Issued = "issued", Discarded = "discarded" }
}

text_enum! {
    /// What became of a letter.
    DunningLetterStatus {
        Draft = "draft",
        /// By hand, with a reason.
        Removed = "removed",
        /// Nothing of it was left to remind of when the run was issued.
        Dropped = "dropped",
        Issued = "issued",
    }
}

text_enum! {
    /// Why an item of a draft is not in the letter that was issued.
    DroppedItem {
        Paid = "paid",
        Disputed = "disputed",
        Exempt = "exempt",
        /// By another run.
        Reminded = "reminded",
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningRunIn {
    pub id: Option<Uuid>,
    /// The day of the letters, on which days overdue are counted; default today.
    pub date: Option<NaiveDate>,
    /// Only these customers; default all.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub customer_ids: Vec<Uuid>,
    /// Only items in this currency.
    pub currency: Option<Currency>,
    /// Only items that do not go above this level.
    #[schema(minimum = 1, maximum = 9)]
    pub maximum_level: Option<i16>,
    /// Of customers that have none of their own; default `en`.
    #[schema(min_length = 2, max_length = 2, pattern = "^[a-z]{2}$")]
    pub language: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningReasonIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// A run without its letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DunningRunSummary {
    pub id: Uuid,
    #[schema(inline)]
    pub status: DunningRunStatus,
    pub date: NaiveDate,
    /// Empty: all.
    pub customer_ids: Vec<Uuid>,
    pub currency: Option<Currency>,
    pub maximum_level: Option<i16>,
    pub language: String,
    /// Letters that are not removed or dropped.
    pub letter_count: i64,
    /// Why it was discarded.
    pub reason: Option<String>,
    pub issued_at: Option<DateTime<Utc>>,
    pub allowed_actions: Vec<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A run with its letters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DunningRun {
    #[serde(flatten)]
    pub summary: DunningRunSummary,
    /// The first 500, by customer; all of them stand at `/v1/dunning-letters?run_id=`.
    pub letters: Vec<DunningLetter>,
}

/// A letter to a customer about items in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DunningLetter {
    pub id: Uuid,
    pub run_id: Uuid,
    /// Given when it is issued.
    pub number: Option<String>,
    #[schema(inline)]
    pub status: DunningLetterStatus,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub date: NaiveDate,
    pub pay_by: NaiveDate,
    /// The highest of its items.
    pub level: i16,
    pub language: String,
    /// Who it goes to.
    pub party: Party,
    /// What is open of its items.
    pub open_amount: Amount,
    /// Unallocated credits of the customer in this currency, which come off.
    pub credits: Amount,
    /// Asked for, not posted.
    pub fee: Amount,
    /// What is open less the credits, with the fee.
    pub total: Amount,
    /// The customer goes on credit hold with it.
    pub credit_hold: bool,
    pub subject: String,
    pub body: String,
    pub items: Vec<DunningLetterItem>,
    /// Why it was removed.
    pub reason: Option<String>,
    pub issued_at: Option<DateTime<Utc>>,
    pub allowed_actions: Vec<String>,
    /// The page to print.
    pub page: String,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a letter reminds of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DunningLetterItem {
    pub open_item_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub date: NaiveDate,
    pub due_on: NaiveDate,
    pub amount: Amount,
    pub open_amount: Amount,
    pub days_overdue: i32,
    pub level_before: i16,
    /// Where it goes with this letter.
    pub level: i16,
    /// Why it is not in the letter that was issued.
    pub dropped: Option<DroppedItem>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DunningRunsQuery {
    #[param(inline)]
    pub status: Option<DunningRunStatus>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DunningLettersQuery {
    pub run_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    #[param(inline)]
    pub status: Option<DunningLetterStatus>,
    #[param(minimum = 1, maximum = 9)]
    pub level: Option<i16>,
    pub currency: Option<Currency>,
    pub number: Option<SearchText>,
    /// Letters about this item.
    pub open_item_id: Option<Uuid>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for DunningRun {
    const PATH: &'static str = "dunning-runs";
    const TYPE: &'static str = "dunning_run";
    fn id(&self) -> Uuid {
        self.summary.id
    }
    fn revision(&self) -> i64 {
        self.summary.revision
    }
}

impl Resource for DunningRunSummary {
    const PATH: &'static str = DunningRun::PATH;
    const TYPE: &'static str = DunningRun::TYPE;
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for DunningRunSummary {
    const EVENT: &'static str = "dunning_run.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Resource for DunningLetter {
    const PATH: &'static str = "dunning-letters";
    const TYPE: &'static str = "dunning_letter";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for DunningLetter {
    const EVENT: &'static str = "dunning_letter.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
