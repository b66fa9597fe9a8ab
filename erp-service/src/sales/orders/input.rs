//! What comes in.

use super::model::{ChangeKind, ChargeKind, ShippingAddress};
use crate::company::InvoicingPolicy;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use service_kit::money::Currency;
use service_kit::{Amount, Discount, Quantity, UnitPrice};
use utoipa::ToSchema;
use uuid::Uuid;

/// An order of the back office.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOrderIn {
    pub id: Option<Uuid>,
    pub customer_id: Uuid,
    pub currency: Currency,
    /// Default: today.
    pub order_date: Option<NaiveDate>,
    pub requested_date: Option<NaiveDate>,
    /// Where to reserve; absent: the default warehouse.
    pub warehouse_id: Option<Uuid>,
    /// 0 to 9; higher gets scarce stock first.
    #[schema(minimum = 0, maximum = 9)]
    pub priority: Option<i16>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// Confirm at once: number it, check credit, reserve.
    #[serde(default)]
    pub confirm: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SalesOrderLineIn>,
    /// Freight and whatever else is charged beside the goods.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub charges: Vec<ChargeIn>,
    /// What of it may be invoiced; absent: as the company's settings say.
    pub invoicing_policy: Option<InvoicingPolicy>,
    /// Whether prices and charges have the tax in them.
    #[serde(default)]
    pub prices_include_tax: bool,
    /// Absent: wherever the customer's records say.
    pub shipping_address: Option<ShippingAddress>,
    /// The customer's legal entity that buys; absent: its default one.
    pub legal_entity_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// A promise that is held for the customer: what it holds is reserved for this order first. One that has
    /// expired is no matter, the order goes on without it.
    pub promise_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOrderLineIn {
    pub id: Option<Uuid>,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Absent: the ERP prices the line at confirmation, by the order date.
    pub unit_price: Option<UnitPrice>,
    pub discount: Option<Discount>,
}

/// Freight or another charge beside the goods.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeIn {
    pub id: Option<Uuid>,
    pub kind: ChargeKind,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub description: String,
    /// More than 0; net, or gross where prices include tax.
    pub amount: Amount,
    /// Decides the tax, as a product's does.
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<String>,
}

/// Changes of a draft; `lines` replaces them all.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOrderPatch {
    #[schema(nullable = false)]
    pub order_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub requested_date: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub warehouse_id: Option<Option<Uuid>>,
    #[schema(minimum = 0, maximum = 9, nullable = false)]
    pub priority: Option<i16>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<Option<String>>,
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<SalesOrderLineIn>>,
    /// Replaces them all.
    #[schema(max_items = 20, nullable = false)]
    pub charges: Option<Vec<ChargeIn>>,
    #[schema(nullable = false)]
    pub invoicing_policy: Option<InvoicingPolicy>,
    #[schema(nullable = false)]
    pub prices_include_tax: Option<bool>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub shipping_address: Option<Option<ShippingAddress>>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub legal_entity_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub department_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub project_id: Option<Option<Uuid>>,
}

/// Changes of a confirmed order; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOrderAmendment {
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub requested_date: Option<Option<NaiveDate>>,
    #[schema(minimum = 0, maximum = 9, nullable = false)]
    pub priority: Option<i16>,
    #[serde(default, deserialize_with = "service_kit::http::present")]
    pub shipping_address: Option<Option<ShippingAddress>>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lines: Vec<LineAmendment>,
    /// New lines.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub add: Vec<SalesOrderLineIn>,
    /// Ids of lines of which nothing was delivered or invoiced.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub remove: Vec<Uuid>,
    /// Ask the price rules again for all lines that are not invoiced and are given no price here.
    #[serde(default)]
    pub reprice: bool,
}

/// Changes of a line; what is absent stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineAmendment {
    pub line_id: Uuid,
    /// At least what is delivered and invoiced.
    #[schema(nullable = false)]
    pub quantity: Option<Quantity>,
    /// Frozen once something is invoiced.
    #[schema(nullable = false)]
    pub unit_price: Option<UnitPrice>,
    /// Frozen once something is invoiced.
    #[schema(nullable = false)]
    pub discount: Option<Discount>,
}

/// An order as the CRM submitted it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmittedOrder {
    /// Version of the CRM's part; newer applies.
    #[schema(minimum = 1)]
    pub source_version: i64,
    /// Apply regardless of version (resynchronisation).
    #[serde(default)]
    pub replace: bool,
    pub customer_id: Uuid,
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// The accepted quote that promised these lines: a product that was retired since is no reason to reject them.
    pub quote_id: Option<Uuid>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SubmittedLine>,
    pub cancellation_request: Option<CancellationRequest>,
    /// All changes that were asked for since; those that are answered already change nothing.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub change_requests: Vec<ChangeRequestIn>,
}

/// The customer wants a submitted order changed. The ERP grants or refuses each request.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequestIn {
    /// Minted in the CRM; answered once.
    pub id: Uuid,
    pub requested_at: DateTime<Utc>,
    pub kind: ChangeKind,
    /// With `quantity`; with `cancel` when only this line is to go.
    pub line_id: Option<Uuid>,
    /// With `quantity`: what is wanted of the line instead.
    pub quantity: Option<Quantity>,
    /// With `date`; absent: no date any more.
    pub requested_date: Option<NaiveDate>,
    /// With `address`.
    pub shipping_address: Option<ShippingAddress>,
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmittedLine {
    /// Minted in the CRM, shared.
    pub id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub unit_price: Option<UnitPrice>,
    pub discount: Option<Discount>,
}

/// The customer wants out of an order that was submitted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationRequest {
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
}

/// Why something is done.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonIn {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Why something is done, where that may stay open.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalReasonIn {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}
