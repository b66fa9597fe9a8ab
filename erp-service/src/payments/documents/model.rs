use crate::ledger::CashFlowCategory;
use crate::payments::parties::PartyType;
use crate::payments::settlement::Wanted;
use crate::schema::payments;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Whether money comes in or goes out.
    Direction { In = "in", Out = "out" }
}

text_enum! {
    /// How it is paid.
    PaymentMethod {
        BankTransfer = "bank_transfer",
        DirectDebit = "direct_debit",
        Card = "card",
        Cheque = "cheque",
        Cash = "cash",
        Other = "other",
    }
}

text_enum! {
    /// A reversed payment bounced or was a mistake.
    PaymentStatus { Posted = "posted", Reversed = "reversed" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentIn {
    pub id: Option<Uuid>,
    pub direction: Direction,
    /// With `party_id`; without both, `postings` say what the money was for.
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    /// Default: that of the currency.
    pub bank_account_id: Option<Uuid>,
    /// Must be that of the bank account; default: that of the bank account, else the base currency.
    pub currency: Option<Currency>,
    /// What the party paid or gets, in the bank account's currency.
    pub amount: Amount,
    /// What the bank kept of it (in) or took on top (out).
    pub bank_charges: Option<Amount>,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    /// What stands on the transfer.
    #[schema(min_length = 1, max_length = 500)]
    pub reference: Option<String>,
    /// Default `bank_transfer`.
    pub method: Option<PaymentMethod>,
    /// Default: what the accounts on the other side say.
    pub cash_flow_category: Option<CashFlowCategory>,
    /// What it clears; the rest stays on account.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub allocations: Vec<AllocationIn>,
    /// The customer's prepayment that it is for: what the allocations leave, up to what is still to come for it, becomes an
    /// advance instead of standing on account.
    pub prepayment_id: Option<Uuid>,
    /// Without a party: the accounts that it is for; they come to the amount.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub postings: Vec<PostingIn>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

/// What of a payment (or of another item) clears which item. Give the item or its document.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationIn {
    pub open_item_id: Option<Uuid>,
    /// Its items, the earliest due first.
    pub document_id: Option<Uuid>,
    /// What is paid of it, in the item's currency; default: as much as there is money for.
    pub amount: Option<Amount>,
    /// The same in the currency of the money, where that is another; default: by the day's rate.
    pub paid: Option<Amount>,
    /// Cash discount in the item's currency; default: what comes with paying in time. `"0"` takes none.
    pub discount: Option<Amount>,
    /// Small difference that is not collected, in the item's currency, within the company's limit. Needs
    /// `receivables:write_off`.
    pub write_off: Option<Amount>,
}

/// An account that a payment without a party is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingIn {
    pub account_id: Uuid,
    /// In the payment's currency; negative for the other side.
    pub amount: Amount,
    #[schema(min_length = 1, max_length = 200)]
    pub description: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
}

/// Clears items with what a payment has on account.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationsIn {
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub allocations: Vec<AllocationIn>,
}

/// What a payment cleared of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentAllocation {
    pub id: Uuid,
    pub open_item_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub date: NaiveDate,
    /// The item's.
    pub currency: Currency,
    /// What the item lost: paid, discount and write-off.
    pub cleared: Amount,
    pub discount: Amount,
    pub written_off: Amount,
    /// What of the payment went into it, in the payment's currency.
    pub paid: Amount,
    /// Realised, in the base currency; a gain is positive.
    pub exchange_difference: Amount,
    pub journal_entry_id: Uuid,
    /// When it was undone.
    pub undone_on: Option<NaiveDate>,
}

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Payment {
    pub id: Uuid,
    /// `null` only in a dry run.
    pub number: Option<String>,
    pub status: PaymentStatus,
    pub direction: Direction,
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    pub bank_account_id: Uuid,
    pub currency: Currency,
    pub amount: Amount,
    pub bank_charges: Amount,
    /// The amount in the base currency, at the rate of its date.
    pub base_amount: Amount,
    /// What is on account: not allocated.
    pub unallocated: Amount,
    /// The open item that holds what is on account, once there was something.
    pub open_item_id: Option<Uuid>,
    pub date: NaiveDate,
    pub reference: Option<String>,
    pub method: PaymentMethod,
    pub cash_flow_category: Option<CashFlowCategory>,
    pub allocations: Vec<PaymentAllocation>,
    pub postings: Vec<PostingIn>,
    pub external_ref: Option<String>,
    pub journal_entry_id: Uuid,
    pub reversed_on: Option<NaiveDate>,
    pub reversal_reason: Option<String>,
    pub reversal_entry_id: Option<Uuid>,
    pub allowed_actions: Vec<&'static str>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payments)]
pub struct PaymentRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub status: PaymentStatus,
    pub direction: Direction,
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    pub bank_account_id: Uuid,
    pub currency: Currency,
    pub amount: Decimal,
    pub bank_charges: Decimal,
    pub base_amount: Decimal,
    pub bank_charges_base: Decimal,
    pub posted_on: NaiveDate,
    pub reference: Option<String>,
    pub method: PaymentMethod,
    pub cash_flow_category: Option<CashFlowCategory>,
    pub postings: Value,
    pub external_ref: Option<String>,
    pub entry_id: Uuid,
    pub reversed_on: Option<NaiveDate>,
    pub reversal_reason: Option<String>,
    pub reversal_entry_id: Option<Uuid>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentsQuery {
    #[param(inline)]
    pub direction: Option<Direction>,
    #[param(inline)]
    pub status: Option<PaymentStatus>,
    #[param(inline)]
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    /// The same as `party_id`, of customers only.
    pub customer_id: Option<Uuid>,
    pub bank_account_id: Option<Uuid>,
    pub currency: Option<Currency>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    /// Finds in number and reference.
    pub q: Option<SearchText>,
    pub external_ref: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl PaymentRow {
    /// +1 for money that comes in: what it settles is owed to us.
    pub(super) fn sign(&self) -> Decimal {
        self.direction.sign()
    }
}

impl Direction {
    pub fn sign(self) -> Decimal {
        match self {
            Direction::In => Decimal::ONE,
            Direction::Out => Decimal::NEGATIVE_ONE,
        }
    }
}

impl AllocationIn {
    /// What is asked of one item, at its place in the input.
    pub(in crate::payments) fn wanted(&self, pointer: String, item_id: Uuid) -> Wanted {
        wanted(self, pointer, item_id)
    }
}

pub(in crate::payments) fn wanted(input: &AllocationIn, pointer: String, item_id: Uuid) -> Wanted {
    let value = |amount: Option<Amount>| amount.map(|amount| amount.value());
    Wanted {
        pointer,
        item_id,
        amount: value(input.amount),
        paid: value(input.paid),
        discount: value(input.discount),
        write_off: value(input.write_off),
    }
}

/// An amount with the digits of its currency.
pub(in crate::payments) fn shown(currency: Currency, amount: Decimal) -> Amount {
    Amount::money(currency, amount).unwrap_or_default()
}

impl Resource for Payment {
    const PATH: &'static str = "payments";
    const TYPE: &'static str = "payment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Payment {
    const EVENT: &'static str = "payment.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
