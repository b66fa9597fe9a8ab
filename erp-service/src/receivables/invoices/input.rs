//! What comes in.

use super::model::{InvoiceKind, InvoiceStatus};
use crate::sales::orders::ChargeKind;
use chrono::NaiveDate;
use serde::Deserialize;
use service_kit::http::{SearchText, present};
use service_kit::{Amount, Currency, Cursor, Discount, Limit, Quantity, Sort, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A document with free lines.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceIn {
    pub id: Option<Uuid>,
    /// Default: an invoice. A credit note of its own is an open credit of the customer.
    pub kind: Option<InvoiceKind>,
    pub customer_id: Uuid,
    pub currency: Currency,
    /// Day of the document and of its posting; default today.
    pub date: Option<NaiveDate>,
    #[serde(default)]
    pub prices_include_tax: bool,
    /// Default: the customer's, else the company's.
    pub payment_terms_id: Option<Uuid>,
    /// Default: the customer's default one.
    pub legal_entity_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    #[schema(min_length = 1, max_length = 4000)]
    pub notes: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// Post it at once.
    #[serde(default)]
    pub post: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<InvoiceLineIn>,
}

/// A free line: of a product, or of an account, or plain revenue.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceLineIn {
    pub product_id: Option<Uuid>,
    /// Where it is posted; default: by the posting rules.
    pub account_id: Option<Uuid>,
    /// Default: the product's name.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub description: Option<String>,
    pub quantity: Quantity,
    #[schema(min_length = 1, max_length = 20)]
    pub unit: Option<String>,
    pub unit_price: UnitPrice,
    pub discount: Option<Discount>,
    /// Default: the product's.
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
}

/// Changes of a draft; `lines` replaces the lines of a document with free lines.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoicePatch {
    #[schema(nullable = false)]
    pub date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    pub payment_terms_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    pub legal_entity_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 4000)]
    pub notes: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub department_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    pub project_id: Option<Option<Uuid>>,
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<InvoiceLineIn>>,
}

/// What to invoice of an order; everything that may be unless it says otherwise.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderInvoiceIn {
    pub id: Option<Uuid>,
    /// Day of the document and of its posting; default today.
    pub date: Option<NaiveDate>,
    /// Default: the customer's, else the company's.
    pub payment_terms_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 4000)]
    pub notes: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// Post it at once.
    #[serde(default)]
    pub post: bool,
    /// Only these lines and quantities; default: all that may be invoiced.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<OrderInvoiceLineIn>>,
    /// Freight and other charges that are not invoiced yet go along, unless this is `false`.
    pub charges: Option<bool>,
    /// Freight and other charges that the order does not have: known only when it was shipped.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub extra_charges: Vec<ExtraChargeIn>,
    /// Advances of the order are deducted, unless this is `false`.
    pub deduct_advances: Option<bool>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderInvoiceLineIn {
    /// Line of the sales order.
    pub line_id: Uuid,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraChargeIn {
    pub kind: ChargeKind,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub description: String,
    /// More than 0; net, or gross where the order's prices include tax.
    pub amount: UnitPrice,
    /// Decides the tax, as a product's does.
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceRunIn {
    /// What was delivered up to this day; default today.
    pub up_to: Option<NaiveDate>,
    /// Day of the invoices; default today.
    pub date: Option<NaiveDate>,
    pub customer_id: Option<Uuid>,
    /// Most orders in one run; run again for the rest.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoicePostingIn {
    /// Day of the document and of its posting; default: as the draft says.
    pub date: Option<NaiveDate>,
}

/// What of an invoice to credit; all that is left unless it names lines.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditNoteIn {
    pub id: Option<Uuid>,
    /// Default today, not before the invoice.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    #[schema(min_length = 1, max_length = 4000)]
    pub notes: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<CreditLineIn>>,
}

/// A quantity at the invoice's price, or an amount, or all that is left of the line.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditLineIn {
    /// Line of the invoice.
    pub line_id: Uuid,
    pub quantity: Option<Quantity>,
    /// Net, or gross where the invoice's prices include tax.
    pub amount: Option<Amount>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceCancellationIn {
    pub id: Option<Uuid>,
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InvoicesQuery {
    #[param(inline)]
    pub kind: Option<InvoiceKind>,
    #[param(inline)]
    pub status: Option<InvoiceStatus>,
    /// Only those of which something is open, or nothing.
    pub open: Option<bool>,
    pub customer_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    /// Credit notes of this invoice.
    pub credited_invoice_id: Option<Uuid>,
    pub currency: Option<Currency>,
    pub number: Option<SearchText>,
    pub external_ref: Option<SearchText>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    /// Finds in number and external_ref.
    pub q: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}
