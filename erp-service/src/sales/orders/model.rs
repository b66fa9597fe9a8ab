//! The words of sales orders: what goes over the wire.

use super::status::{Action, Lifecycle, Progress, Status};
use crate::company::InvoicingPolicy;
use crate::taxes::TaxCodeRate;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::tx::Emitted;
use service_kit::{Amount, Discount, Quantity, Resource, Total, UnitPrice, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct Hold {
    /// `credit`, `credit_hold`, `credit_currency`, `price`, `manual` and others.
    pub code: String,
    pub reason: String,
    pub placed_at: DateTime<Utc>,
}

/// Why the ERP rejected an order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct RejectionReason {
    /// The line at fault; absent when it is the order as a whole.
    pub line: Option<Uuid>,
    pub code: String,
    pub message: String,
}

/// The answer to a cancellation that the CRM asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct Cancellation {
    /// `granted` or `refused`.
    pub state: String,
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
    pub answered_at: DateTime<Utc>,
}

/// A sales order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct SalesOrder {
    /// The same in both systems.
    pub id: Uuid,
    /// Given when the order becomes binding.
    pub number: Option<String>,
    /// Where it was entered: `crm` or `erp`.
    pub origin: String,
    pub status: Status,
    pub lifecycle: Lifecycle,
    pub delivery: Progress,
    pub invoicing: Progress,
    pub payment: Progress,
    pub holds: Vec<Hold>,
    pub customer_id: Uuid,
    pub currency: String,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub priority: i16,
    pub external_ref: Option<String>,
    /// Of the charges and the lines that have a price; the tax is an estimate for the order date.
    pub total: Total,
    pub lines: Vec<SalesOrderLine>,
    pub charges: Vec<Charge>,
    pub invoicing_policy: InvoicingPolicy,
    pub prices_include_tax: bool,
    /// Gross that is still to be invoiced; counts towards the customer's exposure.
    pub uninvoiced: Amount,
    pub shipping_address: Option<ShippingAddress>,
    pub legal_entity_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// The promise that it makes use of.
    pub promise_id: Option<Uuid>,
    /// Why it was rejected; empty otherwise.
    pub rejection: Vec<RejectionReason>,
    pub cancellation: Option<Cancellation>,
    /// What the CRM asked to change, each with its answer.
    pub change_requests: Vec<ChangeRequest>,
    /// Why it was closed or cancelled here.
    pub end_reason: Option<String>,
    pub deliveries: Vec<DeliveryOfOrder>,
    pub allowed_actions: Vec<Action>,
    /// Version of the CRM's part that this order was decided on.
    pub source_version: Option<i64>,
    pub version: i64,
    pub revision: i64,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct SalesOrderLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub unit: Option<String>,
    /// As agreed, or found by the price rules.
    pub unit_price: Option<UnitPrice>,
    /// What the price lists say for the order date.
    pub list_price: Option<UnitPrice>,
    /// Whether the agreed price is another than the list price.
    pub price_differs: bool,
    /// Which rule gave the list price.
    pub price_explanation: Option<String>,
    pub discount: Discount,
    /// round(quantity × unit price × (1 − discount)), half to even.
    pub line_total: Option<Amount>,
    pub reserved_quantity: Quantity,
    pub backordered_quantity: Quantity,
    pub delivered_quantity: Quantity,
    pub invoiced_quantity: Quantity,
    /// What came back of what was delivered.
    pub returned_quantity: Quantity,
    /// What may be invoiced now, by the order's policy: less what is invoiced already, and less
    /// what came back before it was.
    pub to_invoice_quantity: Quantity,
    /// As estimated for the order date; the invoice decides at its tax point.
    pub taxes: Vec<TaxCodeRate>,
}

text_enum! {
    /// What is charged beside the goods.
    ChargeKind { Freight = "freight", Other = "other" }
}

/// Freight or another charge beside the goods.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct Charge {
    pub id: Uuid,
    pub kind: ChargeKind,
    pub description: String,
    /// Net, or gross where prices include tax.
    pub amount: Amount,
    pub tax_class: Option<String>,
    /// As estimated for the order date.
    pub taxes: Vec<TaxCodeRate>,
    /// How much of the amount is invoiced.
    pub invoiced_amount: Amount,
}

text_enum! {
    /// What the CRM asks to change.
    ChangeKind { Quantity = "quantity", Date = "date", Address = "address", Cancel = "cancel" }
}

text_enum! {
    /// The answer to a request.
    Answered { Granted = "granted", Refused = "refused" }
}

/// A change that the CRM asked for, with its answer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct ChangeRequest {
    pub id: Uuid,
    pub requested_at: DateTime<Utc>,
    pub kind: ChangeKind,
    pub line_id: Option<Uuid>,
    pub quantity: Option<Quantity>,
    pub requested_date: Option<NaiveDate>,
    pub shipping_address: Option<ShippingAddress>,
    pub reason: Option<String>,
    pub state: Answered,
    /// Why it was refused.
    pub answer: Option<String>,
    pub answered_at: DateTime<Utc>,
}

/// Where an order goes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ShippingAddress {
    /// Who takes it there.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Street, house number and whatever else stands above the city; may have several lines.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S")]
    pub street: String,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub city: String,
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<String>,
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country: String,
}

/// A delivery as its order shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct DeliveryOfOrder {
    pub id: Uuid,
    pub number: String,
    pub date: NaiveDate,
    pub lines: Vec<DeliveredLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct DeliveredLine {
    pub line_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
}

impl Resource for SalesOrder {
    const PATH: &'static str = "sales-orders";
    const TYPE: &'static str = "sales_order";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SalesOrder {
    const EVENT: &'static str = "sales_order.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
