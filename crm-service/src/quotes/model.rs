//! The words of quotes: what goes over the wire.

use super::status::{ApprovalState, QuoteAction, QuoteState};
use crate::catalogue::PriceTrace;
use crate::customers::email::Email;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::http::{present, same_revision};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Discount, Quantity, Resource, Total, UnitPrice};
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of a quote to be.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteLineIn {
    /// Minted here when absent; the order's line has it as well.
    pub id: Option<Uuid>,
    /// Of the catalogue, and still sold.
    pub product_id: Uuid,
    /// More than zero.
    pub quantity: Quantity,
    /// Absent for today's list price of the customer's tier.
    pub unit_price: Option<UnitPrice>,
    #[serde(default)]
    pub discount: Discount,
}

/// A quote to be made: a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Tea for 40 shops")]
    pub title: String,
    pub customer_id: Uuid,
    /// One of the customer's contacts.
    pub contact_id: Option<Uuid>,
    /// One of the customer's deals.
    pub deal_id: Option<Uuid>,
    /// Absent: that of the deal, else the company's.
    pub currency: Option<Currency>,
    /// Of the document; absent for the customer's.
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$", example = "de")]
    pub language: Option<String>,
    /// Last day, in the company's time zone; in 30 days when absent.
    pub valid_until: Option<NaiveDate>,
    /// When the customer wants it.
    pub requested_date: Option<NaiveDate>,
    /// Above the lines of the document.
    #[schema(min_length = 1, max_length = 5000)]
    pub introduction: Option<String>,
    /// Below the lines of the document.
    #[schema(min_length = 1, max_length = 20_000)]
    pub terms: Option<String>,
    /// Absent: those of the deal.
    #[schema(max_items = 500)]
    pub lines: Option<Vec<QuoteLineIn>>,
    /// Absent: who makes it; for a client with a key, whom the deal or the customer belongs to.
    pub owner_id: Option<Uuid>,
    /// Absent: the owner's.
    pub team_id: Option<Uuid>,
}

/// Changes of a draft.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub contact_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    pub deal_id: Option<Option<Uuid>>,
    #[schema(nullable = false)]
    pub currency: Option<Currency>,
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$")]
    pub language: Option<Option<String>>,
    #[schema(nullable = false)]
    pub valid_until: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    pub requested_date: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 5000)]
    pub introduction: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 20_000)]
    pub terms: Option<Option<String>>,
    /// Replaces all lines. A line that is named by its id keeps the list price that it has.
    #[schema(nullable = false, max_items = 500)]
    pub lines: Option<Vec<QuoteLineIn>>,
    /// Find all list prices anew, as of today.
    #[serde(default)]
    pub reprice: bool,
}

/// What the next version of a quote is like.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteVersionIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// In 30 days when absent.
    pub valid_until: Option<NaiveDate>,
    /// Find all list prices anew, as of today; else the version keeps the prices.
    #[serde(default)]
    pub reprice: bool,
}

/// What the approver should know.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteNoteIn {
    #[schema(min_length = 1, max_length = 1000)]
    pub note: Option<String>,
}

/// Why a quote is sent back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRejectIn {
    #[schema(min_length = 1, max_length = 1000, pattern = r"\S")]
    pub reason: String,
}

/// How a quote is sent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteSendIn {
    /// Mail its document to the customer; needs `emails:send`. Absent: it reaches them in another way.
    #[schema(nullable = false)]
    pub email: Option<QuoteEmailIn>,
}

/// The message that a quote is sent with: its document goes along as a file.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteEmailIn {
    /// A contact of the customer, to whom it goes without `to`; absent: the quote's.
    pub contact_id: Option<Uuid>,
    /// The contact's address when absent.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub to: Vec<Email>,
    #[serde(default)]
    #[schema(max_items = 10)]
    pub cc: Vec<Email>,
    /// Number and title of the quote when absent.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\x00-\x1f]*$")]
    pub subject: Option<String>,
    /// A line that names the quote and its validity when absent.
    #[schema(min_length = 1, max_length = 100_000)]
    pub text: Option<String>,
    /// Code of a template, instead of subject and text; in the language of the document. Beside what every
    /// template knows it has `values.number`, `values.title`, `values.valid_until` and `values.total`.
    #[schema(max_length = 60)]
    pub template: Option<String>,
    /// Why it goes out although somebody whom it reaches has withdrawn consent to e-mail: an offer that they
    /// asked for. Without it it is refused (409 `consent_withdrawn`), and the quote not sent.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "asked for by phone")]
    pub despite_withdrawn: Option<String>,
}

/// How a quote is accepted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteAcceptIn {
    /// Id of the order; minted here when absent.
    pub order_id: Option<Uuid>,
    /// Submit the order at once (`true` when absent); needs `orders:submit`.
    #[schema(nullable = false)]
    pub submit: Option<bool>,
    /// When the customer wants it; absent: as the quote says, if that is still ahead.
    pub requested_date: Option<NaiveDate>,
    /// What another system calls the order; unique.
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    #[schema(min_length = 1, max_length = 1000)]
    pub note: Option<String>,
}

/// Why the customer declined.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteDeclineIn {
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: Option<String>,
}

/// A line of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuoteLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    /// Of the product when it was priced; so are name and unit.
    pub sku: String,
    pub name: String,
    pub unit: String,
    pub quantity: Quantity,
    /// Null when nobody named one and no price list has one.
    pub unit_price: Option<UnitPrice>,
    /// Whether somebody named the price; else it came from a price list.
    pub price_given: bool,
    /// What the price lists say, whether or not that is the price.
    pub list_price: Option<UnitPrice>,
    pub discount: Discount,
    /// How much the line is below the list price, the named price and the discount taken together;
    /// rounded up. Without a list price it is the discount.
    pub discount_from_list: Discount,
    /// `round(quantity × unit price × (1 − discount))`, half to even; null without a price.
    pub line_total: Option<Amount>,
    /// Which price answered.
    pub price_trace: Option<PriceTrace>,
}

/// A request to let a discount pass, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuoteApproval {
    pub id: Uuid,
    pub state: ApprovalState,
    /// The greatest of the lines.
    pub discount: Discount,
    /// Whether it is for the quote as it is now: a change asks for another.
    pub current: bool,
    pub note: Option<String>,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_note: Option<String>,
}

/// A version of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Quote {
    pub id: Uuid,
    /// Of the first version; the same for all.
    pub root_id: Uuid,
    /// Counts the versions from 1.
    pub version_number: i32,
    /// The version before it.
    pub supersedes_id: Option<Uuid>,
    /// The version after it.
    pub superseded_by: Option<Uuid>,
    /// Drawn when the first version is sent; all versions share it.
    pub number: Option<String>,
    pub title: String,
    pub state: QuoteState,
    pub customer_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub deal_id: Option<Uuid>,
    pub currency: Currency,
    /// Of the document; null for the customer's.
    pub language: Option<String>,
    /// Last day, in the company's time zone.
    pub valid_until: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub introduction: Option<String>,
    pub terms: Option<String>,
    pub lines: Vec<QuoteLine>,
    /// Over the lines that have a price.
    pub total: Total,
    /// The greatest `discount_from_list` of the lines.
    pub greatest_discount: Discount,
    pub approvals: Vec<QuoteApproval>,
    /// SHA-256 of what was sent, the document included.
    pub content_hash: Option<String>,
    pub sent_at: Option<DateTime<Utc>>,
    pub sent_by: Option<String>,
    /// When it was accepted or declined.
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_note: Option<String>,
    /// The order that it was accepted with.
    pub order_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub allowed_actions: Vec<QuoteAction>,
    pub version: i64,
    /// Counts every change; begins the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Quote {
    const PATH: &'static str = "quotes";
    const TYPE: &'static str = "quote";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
    fn matches(&self, tag: &str) -> bool {
        same_revision(tag, self.revision)
    }
}

impl Emitted for Quote {
    const EVENT: &'static str = "quote.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
