//! The words of orders: what goes over the wire.

use super::fulfilment::Fulfilment;
use super::status::{CancellationState, ChangeKind, OrderAction, OrderOrigin, OrderStatus};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::{Amount, Currency, Cursor, Discount, Limit, Owned, Quantity, Resource, Sort, Total, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A line to be ordered.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderLineIn {
    /// Minted here when absent; the same in both systems.
    pub id: Option<Uuid>,
    /// Need not be known here yet: the ERP decides.
    pub product_id: Uuid,
    /// More than zero.
    pub quantity: Quantity,
    /// A promise that the ERP keeps; absent for the list price at the order date.
    pub unit_price: Option<UnitPrice>,
    #[serde(default)]
    pub discount: Discount,
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderIn {
    /// Minted here when absent; the same in both systems.
    pub id: Option<Uuid>,
    pub customer_id: Uuid,
    /// Whose order it is: an active user. Absent: who places it; for a client with a key, the customer's owner.
    pub owner_id: Option<Uuid>,
    /// Absent: the team of the owner.
    pub team_id: Option<Uuid>,
    pub currency: Currency,
    /// Today in the company's time zone when absent.
    pub order_date: Option<NaiveDate>,
    /// When the customer wants it; not before the order date.
    pub requested_date: Option<NaiveDate>,
    /// What another system calls this order; unique.
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<OrderLineIn>,
    /// Submit it at once; needs the permission `orders:submit` as well.
    #[serde(default)]
    pub submit: bool,
}

/// The whole content of a draft, to be put in place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPutIn {
    pub customer_id: Uuid,
    pub currency: Currency,
    /// Absent: today for a new order, else as it is.
    pub order_date: Option<NaiveDate>,
    /// When the customer wants it; not before the order date.
    pub requested_date: Option<NaiveDate>,
    /// What another system calls this order; unique.
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<OrderLineIn>,
}

/// Changes of a draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPatch {
    #[schema(nullable = false)]
    pub customer_id: Option<Uuid>,
    #[schema(nullable = false)]
    pub currency: Option<Currency>,
    #[schema(nullable = false)]
    pub order_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    pub requested_date: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<Option<String>>,
    /// Replaces all lines.
    #[schema(nullable = false, min_items = 1, max_items = 500)]
    pub lines: Option<Vec<OrderLineIn>>,
}

/// Why an order is to be cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderCancelIn {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// What the copy is called.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderCopyIn {
    /// Id of the new order; minted here when absent.
    pub id: Option<Uuid>,
}

/// A line of an order. What the ERP did about it stands in `fulfilment.lines` under the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Null until the line is priced.
    pub unit_price: Option<UnitPrice>,
    pub discount: Discount,
    /// `round(quantity × unit price × (1 − discount))`, half to even; null until priced.
    pub line_total: Option<Amount>,
}

/// A reason why the ERP refused an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRejection {
    /// Id of the line at fault; absent when it is the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Uuid>,
    #[schema(max_length = 100)]
    pub code: String,
    #[schema(max_length = 1000)]
    pub message: String,
}

/// A request to cancel a submitted order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCancellation {
    pub state: CancellationState,
    /// Of the request; of the answer, once the ERP has answered with one.
    pub reason: Option<String>,
    pub requested_at: Option<DateTime<Utc>>,
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingAddress {
    /// Who takes it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[schema(min_length = 1, max_length = 300, pattern = r"\S")]
    pub street: String,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country: String,
}

/// Changes of a submitted order that are wanted; the ERP answers each.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequestsIn {
    #[schema(min_items = 1, max_items = 100)]
    pub requests: Vec<ChangeRequestIn>,
}

/// One change that is wanted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRequestIn {
    /// Minted here when absent; the same in both systems.
    pub id: Option<Uuid>,
    pub kind: ChangeKind,
    /// With `quantity`; with `cancel` when only this line is to go.
    pub line_id: Option<Uuid>,
    /// With `quantity`: what is wanted of the line instead.
    pub quantity: Option<Quantity>,
    /// With `date`; absent: no date any more.
    pub requested_date: Option<NaiveDate>,
    /// With `address`.
    pub shipping_address: Option<ShippingAddress>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// A change that was asked for, with the ERP's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangeRequest {
    pub id: Uuid,
    pub requested_at: DateTime<Utc>,
    pub kind: ChangeKind,
    #[serde(default)]
    pub line_id: Option<Uuid>,
    #[serde(default)]
    pub quantity: Option<Quantity>,
    #[serde(default)]
    pub requested_date: Option<NaiveDate>,
    #[serde(default)]
    pub shipping_address: Option<ShippingAddress>,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    pub state: CancellationState,
    /// Why it was refused.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub answer: Option<String>,
    #[serde(default)]
    pub answered_at: Option<DateTime<Utc>>,
}

/// An order with everything that came back from the ERP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    pub id: Uuid,
    pub origin: OrderOrigin,
    pub status: OrderStatus,
    pub customer_id: Uuid,
    /// Whose order it is.
    pub owner_id: Option<Uuid>,
    /// The owner's team when it was assigned.
    pub team_id: Option<Uuid>,
    pub currency: Currency,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub external_ref: Option<String>,
    /// The quote that was accepted with it: its prices are promises, and its lines stay.
    #[serde(default)]
    pub quote_id: Option<Uuid>,
    /// Over the lines that have a price.
    pub total: Total,
    pub lines: Vec<OrderLine>,
    /// Why the ERP refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rejection: Option<Vec<OrderRejection>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cancellation: Option<OrderCancellation>,
    /// What was asked to be changed since it was submitted, each with the ERP's answer.
    #[serde(default)]
    pub change_requests: Vec<ChangeRequest>,
    /// What the ERP reports; absent until it has decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub fulfilment: Option<Fulfilment>,
    pub allowed_actions: Vec<OrderAction>,
    pub submitted_at: Option<DateTime<Utc>>,
    /// Counts the changes made here; `source_version` in the ERP.
    pub version: i64,
    /// Counts every change; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Order {
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.owner_id,
            team_id: self.team_id,
        }
    }
}

impl Resource for Order {
    const PATH: &'static str = "orders";
    const TYPE: &'static str = "order";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OrdersQuery {
    /// Finds the text anywhere in the ERP's number or the `external_ref`.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<OrderStatus>,
    pub customer_id: Option<Uuid>,
    /// Orders of this user.
    pub owner_id: Option<Uuid>,
    /// Orders that belong to this team.
    pub team_id: Option<Uuid>,
    /// The order that this quote was accepted with.
    pub quote_id: Option<Uuid>,
    pub external_ref: Option<SearchText>,
    #[param(inline)]
    pub origin: Option<OrderOrigin>,
    /// Orders of this day or later.
    pub order_date_from: Option<NaiveDate>,
    /// Orders of this day or earlier.
    pub order_date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `order_date`, with `-` for descending.
    pub sort: Option<Sort>,
}
