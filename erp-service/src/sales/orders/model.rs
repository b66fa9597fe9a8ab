use super::status::{Action, Lifecycle, Progress, State, Status};
use crate::schema::{sales_order_lines, sales_orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::money::Currency;
use service_kit::tx::Emitted;
use service_kit::{Amount, Discount, Error, Quantity, Resource, Result, Total, UnitPrice};
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
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SubmittedLine>,
    pub cancellation_request: Option<CancellationRequest>,
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

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct Hold {
    /// `credit`, `credit_hold`, `credit_currency`, `price` or `manual`.
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
    /// Of the lines that have a price.
    pub total: Total,
    pub lines: Vec<SalesOrderLine>,
    /// Why it was rejected; empty otherwise.
    pub rejection: Vec<RejectionReason>,
    pub cancellation: Option<Cancellation>,
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

/// The row behind a sales order.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = sales_orders)]
pub struct OrderRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub origin: String,
    pub lifecycle: String,
    pub delivery: String,
    pub holds: Value,
    pub customer_id: Uuid,
    pub currency: String,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub priority: i16,
    pub external_ref: Option<String>,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub credit_counted: bool,
    pub credit_released: bool,
    pub rejection: Value,
    pub cancellation: Option<Value>,
    pub end_reason: Option<String>,
    pub source_version: Option<i64>,
    pub version: i64,
    pub revision: i64,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The row behind a line.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = sales_order_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub order_id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub known_product_id: Option<Uuid>,
    pub quantity: Quantity,
    pub unit: Option<String>,
    pub unit_price: Option<UnitPrice>,
    pub list_price: Option<UnitPrice>,
    pub price_explanation: Option<String>,
    pub discount: Discount,
    pub line_total: Option<Decimal>,
    pub reserved_quantity: Quantity,
    pub backordered_quantity: Quantity,
    pub delivered_quantity: Quantity,
}

impl LineRow {
    /// What is neither delivered, nor reserved, nor waited for.
    pub fn idle_quantity(&self) -> Quantity {
        self.quantity - self.delivered_quantity - self.reserved_quantity - self.backordered_quantity
    }
}

impl OrderRow {
    /// # Errors
    /// When the row holds a word that is not in the enums, which is a bug.
    pub fn state(&self) -> Result<State> {
        let unknown = || Error::Bug(format!("sales order {} is in an unknown state", self.id));
        Ok(State {
            lifecycle: Lifecycle::from_name(&self.lifecycle).ok_or_else(unknown)?,
            delivery: Progress::from_name(&self.delivery).ok_or_else(unknown)?,
            held: self.holds.as_array().is_some_and(|holds| !holds.is_empty()),
        })
    }
}

impl SalesOrder {
    /// Puts the record together from its rows.
    ///
    /// # Errors
    /// When a row holds what it cannot hold, which is a bug.
    pub fn from_rows(row: OrderRow, lines: Vec<LineRow>, deliveries: Vec<DeliveryOfOrder>) -> Result<Self> {
        let state = row.state()?;
        // An unknown currency stands on a rejected order; its amounts show cents.
        let currency = row.currency.parse::<Currency>().unwrap_or(Currency::USD);
        let money =
            |value| Amount::money(currency, value).ok_or_else(|| Error::Bug("an amount beyond its bounds".into()));
        let lines = lines
            .into_iter()
            .map(|line| {
                Ok(SalesOrderLine {
                    id: line.id,
                    position: line.position,
                    product_id: line.product_id,
                    quantity: line.quantity,
                    unit: line.unit,
                    unit_price: line.unit_price,
                    list_price: line.list_price,
                    price_differs: line
                        .list_price
                        .is_some_and(|list| line.unit_price.is_some_and(|price| price != list)),
                    price_explanation: line.price_explanation,
                    discount: line.discount,
                    line_total: line.line_total.map(money).transpose()?,
                    reserved_quantity: line.reserved_quantity,
                    backordered_quantity: line.backordered_quantity,
                    delivered_quantity: line.delivered_quantity,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(SalesOrder {
            id: row.id,
            number: row.number,
            origin: row.origin,
            status: state.status(),
            lifecycle: state.lifecycle,
            delivery: state.delivery,
            invoicing: Progress::None,
            payment: Progress::None,
            holds: serde_json::from_value(row.holds)?,
            customer_id: row.customer_id,
            currency: row.currency,
            order_date: row.order_date,
            requested_date: row.requested_date,
            warehouse_id: row.warehouse_id,
            priority: row.priority,
            external_ref: row.external_ref,
            total: Total {
                net: money(row.net)?,
                tax: money(row.tax)?,
                gross: money(row.gross)?,
            },
            lines,
            rejection: serde_json::from_value(row.rejection)?,
            cancellation: row.cancellation.map(serde_json::from_value).transpose()?,
            end_reason: row.end_reason,
            deliveries,
            allowed_actions: state.allowed_actions().to_vec(),
            source_version: row.source_version,
            version: row.version,
            revision: row.revision,
            confirmed_at: row.confirmed_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
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
