use crate::payments::documents::shown;
use crate::schema::{payment_proposal_lines, payment_proposals, proposed_payments};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::http::present;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// How far a proposal is.
    PaymentProposalStatus {
        Draft = "draft",
        AwaitingApproval = "awaiting_approval",
        Approved = "approved",
        Executed = "executed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// What became of what a supplier was to get.
    ProposedPaymentStatus { Planned = "planned", LeftOut = "left_out", Paid = "paid", Dropped = "dropped" }
}

text_enum! {
    /// What became of an item: left out when proposed, removed by hand, dropped at execution.
    ProposalLineStatus {
        Proposed = "proposed",
        LeftOut = "left_out",
        Removed = "removed",
        Paid = "paid",
        Dropped = "dropped",
    }
}

text_enum! {
    /// Why an item is to be paid: it is due, its cash discount would be lost, or it is a credit that pays for others.
    ProposalReason { Due = "due", Discount = "discount", Credit = "credit" }
}

text_enum! {
    /// Why an item, or all that a supplier would get, is not paid.
    LeftOut {
        Disputed = "disputed",
        SupplierBlocked = "supplier_blocked",
        NoBankDetails = "no_bank_details",
        OtherProposal = "other_proposal",
        BelowMinimum = "below_minimum",
        /// The supplier's credits are worth as much or more.
        CreditsExceed = "credits_exceed",
        Removed = "removed",
        /// At execution: less of it is open than was approved.
        PaidMeanwhile = "paid_meanwhile",
        /// At execution: its cash discount is no longer given.
        DiscountLost = "discount_lost",
        /// At execution: a credit that was to pay for others is used.
        CreditUsed = "credit_used",
    }
}

/// Asks for a proposal.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentProposalIn {
    pub id: Option<Uuid>,
    /// Where the money leaves from.
    pub bank_account_id: Uuid,
    /// When it is to leave; decides on cash discounts. Default today.
    pub pay_date: Option<NaiveDate>,
    /// What is due by then is paid, and what loses its cash discount by then. Default: the pay date.
    pub due_to: Option<NaiveDate>,
    /// Whether cash discounts are taken; default `true`.
    pub take_discount: Option<bool>,
    /// Only these suppliers; none named: all.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub supplier_ids: Vec<Uuid>,
    /// Items in these currencies; default: that of the bank account. Others are paid at the day's rate.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub currencies: Vec<Currency>,
    /// A payment of less is left out; in its own currency.
    pub minimum_amount: Option<Amount>,
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
}

/// Changes lines of a draft.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentProposalPatch {
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<PaymentProposalLinePatch>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentProposalLinePatch {
    pub id: Uuid,
    /// `false` takes the item out, `true` puts it back in.
    #[schema(nullable = false)]
    pub included: Option<bool>,
    /// What is to be paid of it, or used of a credit; `null`: all.
    #[serde(default, deserialize_with = "present")]
    pub amount: Option<Option<Amount>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentProposalReason {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentProposalExecutionIn {
    /// Posting date of the payments; default: the pay date.
    pub date: Option<NaiveDate>,
}

/// A payment proposal without its payments.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentProposalHead {
    pub id: Uuid,
    /// `null` only in a dry run.
    pub number: Option<String>,
    pub status: PaymentProposalStatus,
    pub bank_account_id: Uuid,
    /// Of the bank account.
    pub currency: Currency,
    pub pay_date: NaiveDate,
    pub due_to: NaiveDate,
    pub take_discount: bool,
    pub minimum_amount: Option<Amount>,
    pub supplier_ids: Vec<Uuid>,
    pub currencies: Vec<Currency>,
    pub note: Option<String>,
    /// Why it was rejected or cancelled.
    pub reason: Option<String>,
    /// What it comes to in the base currency, when it was submitted or approved.
    pub value: Option<Amount>,
    pub created_by: Uuid,
    pub submitted_by: Option<Uuid>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<DateTime<Utc>>,
    pub executed_by: Option<Uuid>,
    pub executed_on: Option<NaiveDate>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A payment proposal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PaymentProposal {
    #[serde(flatten)]
    pub head: PaymentProposalHead,
    /// By supplier and currency.
    pub payments: Vec<ProposedPayment>,
    /// What is to be paid, by currency.
    pub totals: Vec<ProposalTotal>,
    /// All of it in the bank account's currency, at the rates of the day.
    pub total: Amount,
    /// What the ledger has on the bank account at the pay date, in its currency.
    pub bank_balance: Amount,
    /// What is left of it; negative when it does not reach. Of an executed proposal the balance has it.
    pub balance_after: Amount,
    /// Suppliers whose bank details changed after the approval: it has to be approved again.
    pub changed_bank_details: Vec<Uuid>,
    pub allowed_actions: Vec<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProposalTotal {
    pub currency: Currency,
    pub payments: i64,
    pub amount: Amount,
    pub discount: Amount,
}

/// What one supplier gets in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProposedPayment {
    pub id: Uuid,
    pub supplier_id: Uuid,
    pub supplier_name: String,
    pub currency: Currency,
    pub amount: Amount,
    pub status: ProposedPaymentStatus,
    /// Why nothing is paid.
    pub left_out: Option<LeftOut>,
    pub iban: Option<String>,
    pub bic: Option<String>,
    pub account_holder: Option<String>,
    /// The payment that came of it.
    pub payment_id: Option<Uuid>,
    pub lines: Vec<PaymentProposalLine>,
}

/// An item in a proposal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PaymentProposalLine {
    pub id: Uuid,
    pub open_item_id: Uuid,
    pub supplier_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    /// The supplier's number of the document.
    pub document_number: Option<String>,
    pub currency: Currency,
    pub due_on: NaiveDate,
    pub discount_until: Option<NaiveDate>,
    pub status: ProposalLineStatus,
    pub reason: ProposalReason,
    pub left_out: Option<LeftOut>,
    /// The same in words.
    pub explanation: String,
    /// When it was proposed; negative of a credit.
    pub open_amount: Amount,
    /// What it adds to the payment; negative of a credit.
    pub amount: Amount,
    pub discount: Amount,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_proposals)]
pub(super) struct ProposalRow {
    pub id: Uuid,
    pub number: String,
    pub status: PaymentProposalStatus,
    pub bank_account_id: Uuid,
    pub pay_date: NaiveDate,
    pub due_to: NaiveDate,
    pub take_discount: bool,
    pub minimum_amount: Option<Decimal>,
    pub supplier_ids: Value,
    pub currencies: Value,
    pub note: Option<String>,
    pub reason: Option<String>,
    pub value: Option<Decimal>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub submitted_by: Option<Uuid>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<DateTime<Utc>>,
    pub executed_by: Option<Uuid>,
    pub executed_on: Option<NaiveDate>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = proposed_payments, treat_none_as_null = true)]
pub(super) struct PaymentPlanRow {
    pub id: Uuid,
    pub proposal_id: Uuid,
    pub position: i32,
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub amount: Decimal,
    pub status: ProposedPaymentStatus,
    pub reason: Option<LeftOut>,
    pub iban: Option<String>,
    pub bic: Option<String>,
    pub account_holder: Option<String>,
    pub payment_id: Option<Uuid>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payment_proposal_lines, treat_none_as_null = true)]
pub(super) struct ProposalLineRow {
    pub id: Uuid,
    pub proposal_id: Uuid,
    pub proposed_payment_id: Uuid,
    pub position: i32,
    pub open_item_id: Uuid,
    pub document_number: Option<String>,
    pub status: ProposalLineStatus,
    pub reason: ProposalReason,
    pub left_out: Option<LeftOut>,
    pub explanation: String,
    pub open_amount: Decimal,
    pub wanted: Option<Decimal>,
    pub amount: Decimal,
    pub discount: Decimal,
    pub holds: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentProposalsQuery {
    #[param(inline)]
    pub status: Option<PaymentProposalStatus>,
    pub bank_account_id: Option<Uuid>,
    /// Those with a payment to this supplier.
    pub supplier_id: Option<Uuid>,
    pub pay_date_from: Option<NaiveDate>,
    pub pay_date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `pay_date`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ProposalLinesQuery {
    pub proposal_id: Option<Uuid>,
    pub supplier_id: Option<Uuid>,
    pub open_item_id: Option<Uuid>,
    #[param(inline)]
    pub status: Option<ProposalLineStatus>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl ProposalRow {
    pub fn head(self, currency: Currency, base: Currency) -> PaymentProposalHead {
        let listed = |value: Value| serde_json::from_value(value).unwrap_or_default();
        PaymentProposalHead {
            id: self.id,
            number: Some(self.number).filter(|number| !number.starts_with("dry run")),
            status: self.status,
            bank_account_id: self.bank_account_id,
            currency,
            pay_date: self.pay_date,
            due_to: self.due_to,
            take_discount: self.take_discount,
            minimum_amount: self.minimum_amount.and_then(|amount| Amount::new(amount).ok()),
            supplier_ids: listed(self.supplier_ids),
            currencies: serde_json::from_value(self.currencies).unwrap_or_default(),
            note: self.note,
            reason: self.reason,
            value: self.value.map(|value| shown(base, value)),
            created_by: self.created_by,
            submitted_by: self.submitted_by,
            approved_by: self.approved_by,
            approved_at: self.approved_at,
            executed_by: self.executed_by,
            executed_on: self.executed_on,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl PaymentProposalStatus {
    /// The legal transitions; `changed`: bank details changed after the approval.
    pub fn allowed_actions(self, changed: bool) -> &'static [&'static str] {
        match (self, changed) {
            (PaymentProposalStatus::Draft, _) => &["edit", "submit", "cancel"],
            (PaymentProposalStatus::AwaitingApproval, _) => &["approve", "reject", "cancel"],
            (PaymentProposalStatus::Approved, false) => &["execute", "reject", "cancel"],
            (PaymentProposalStatus::Approved, true) => &["approve", "reject", "cancel"],
            (PaymentProposalStatus::Executed | PaymentProposalStatus::Cancelled, _) => &[],
        }
    }
}

impl Resource for PaymentProposal {
    const PATH: &'static str = "payment-proposals";
    const TYPE: &'static str = "payment_proposal";
    fn id(&self) -> Uuid {
        self.head.id
    }
    fn revision(&self) -> i64 {
        self.head.revision
    }
}
