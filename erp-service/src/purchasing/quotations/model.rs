use crate::purchasing::orders::PurchaseOrder;
use crate::schema::{quotation_answers, quotation_lines, quotation_suppliers, requests_for_quotation};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Problem, Quantity, Resource, Sort, UnitPrice, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    QuotationStatus { Draft = "draft", Sent = "sent", Awarded = "awarded", Cancelled = "cancelled" }
}

text_enum! {
    QuotationAction { Send = "send", Answer = "answer", Award = "award", Cancel = "cancel" }
}

impl QuotationStatus {
    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [QuotationAction] {
        use QuotationAction::{Answer, Award, Cancel, Send};
        match self {
            QuotationStatus::Draft => &[Send, Cancel],
            QuotationStatus::Sent => &[Answer, Award, Cancel],
            QuotationStatus::Awarded | QuotationStatus::Cancelled => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with the current status and what is open.
    pub fn check(self, action: QuotationAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(action.as_str(), self.as_str(), &names))
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = requests_for_quotation, treat_none_as_null = true)]
pub(super) struct RequestRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub status: QuotationStatus,
    pub note: Option<String>,
    pub answer_by: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub created_by: Uuid,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quotation_lines)]
pub(super) struct LineRow {
    pub id: Uuid,
    pub request_id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub quantity: Quantity,
    pub requisition_line_id: Option<Uuid>,
    pub awarded_quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quotation_suppliers)]
pub(super) struct AskedRow {
    pub request_id: Uuid,
    pub supplier_id: Uuid,
    pub declined: bool,
    pub answered_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quotation_answers)]
pub(super) struct AnswerRow {
    pub line_id: Uuid,
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub unit_price: UnitPrice,
    pub lead_time_days: Option<i32>,
    pub valid_to: Option<NaiveDate>,
    pub note: Option<String>,
}

/// A request for quotation with its answers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestForQuotation {
    pub id: Uuid,
    /// Given when it is sent.
    pub number: Option<String>,
    pub status: QuotationStatus,
    pub note: Option<String>,
    /// When answers are expected.
    pub answer_by: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub lines: Vec<QuotationLine>,
    pub suppliers: Vec<QuotationSupplier>,
    pub created_by: Uuid,
    pub allowed_actions: Vec<QuotationAction>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotationLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub quantity: Quantity,
    pub requisition_line_id: Option<Uuid>,
    pub awarded_quantity: Quantity,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotationSupplier {
    pub supplier_id: Uuid,
    pub declined: bool,
    pub answered_at: Option<DateTime<Utc>>,
    pub answers: Vec<QuotationAnswer>,
}

/// What a supplier asks for a line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotationAnswer {
    pub line_id: Uuid,
    pub currency: Currency,
    pub unit_price: UnitPrice,
    pub lead_time_days: Option<i32>,
    /// Last day on which it holds.
    pub valid_to: Option<NaiveDate>,
    pub note: Option<String>,
}

/// The answers side by side: one row for each line and supplier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotationComparison {
    pub request_for_quotation_id: Uuid,
    pub number: Option<String>,
    /// In which the answers are compared.
    pub base_currency: Currency,
    /// By the rates of this day.
    pub date: NaiveDate,
    pub rows: Vec<QuotationComparisonRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuotationComparisonRow {
    pub position: i32,
    pub line_id: Uuid,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub quantity: Quantity,
    pub supplier_id: Uuid,
    pub supplier_name: String,
    /// Absent: no answer for this line.
    pub unit_price: Option<UnitPrice>,
    pub currency: Option<Currency>,
    pub line_total: Option<Amount>,
    /// The line total in the base currency; absent also where there is no rate.
    pub base_total: Option<Amount>,
    pub lead_time_days: Option<i32>,
    pub valid_to: Option<NaiveDate>,
    /// Nobody asks less for the line, in the base currency.
    pub cheapest: bool,
    /// Nobody delivers the line sooner.
    pub fastest: bool,
    pub note: Option<String>,
}

/// An awarded request beside its new orders.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AwardedRequest {
    #[serde(flatten)]
    pub request: RequestForQuotation,
    /// One for each supplier and currency.
    pub orders: Vec<PurchaseOrder>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestForQuotationIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
    pub answer_by: Option<NaiveDate>,
    /// Where it is needed; absent: the default warehouse.
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// Send it at once.
    #[serde(default)]
    pub send: bool,
    #[schema(min_items = 1, max_items = 50)]
    pub supplier_ids: Vec<Uuid>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<QuotationLineIn>,
}

/// A product, or something in words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotationLineIn {
    pub product_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    pub quantity: Quantity,
    /// The line of a requisition that it is for.
    pub requisition_line_id: Option<Uuid>,
}

/// What one supplier answers; it replaces an earlier answer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotationAnswersIn {
    pub supplier_id: Uuid,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    /// The supplier offers nothing.
    #[serde(default)]
    pub declined: bool,
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lines: Vec<QuotationAnswerIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotationAnswerIn {
    pub line_id: Uuid,
    pub unit_price: UnitPrice,
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<i32>,
    pub valid_to: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwardIn {
    /// Submit the purchase orders for approval at once.
    #[serde(default)]
    pub submit: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub awards: Vec<AwardLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwardLineIn {
    pub line_id: Uuid,
    pub supplier_id: Uuid,
    /// Absent: all that is not awarded yet.
    pub quantity: Option<Quantity>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestsQuery {
    /// Finds in number, note and reference.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<QuotationStatus>,
    /// Requests that this supplier was asked in.
    pub supplier_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for RequestForQuotation {
    const PATH: &'static str = "requests-for-quotation";
    const TYPE: &'static str = "request_for_quotation";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for RequestForQuotation {
    const EVENT: &'static str = "request_for_quotation.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Resource for AwardedRequest {
    const PATH: &'static str = RequestForQuotation::PATH;
    const TYPE: &'static str = RequestForQuotation::TYPE;
    fn id(&self) -> Uuid {
        self.request.id
    }
    fn revision(&self) -> i64 {
        self.request.revision
    }
}
