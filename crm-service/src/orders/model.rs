//! The words of orders: what goes over the wire and what stands in the tables.

use super::fulfilment::Fulfilment;
use super::json::AsJson;
use super::status::{CancellationState, OrderAction, OrderOrigin, OrderStatus, State};
use crate::schema::{order_lines, orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::{
    Amount, Currency, Cursor, Discount, Error, Limit, Problem, Quantity, Resource, Result, Sort, Total, UnitPrice,
};
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

/// An order with everything that came back from the ERP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    pub id: Uuid,
    pub origin: OrderOrigin,
    pub status: OrderStatus,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub external_ref: Option<String>,
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

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = orders)]
pub struct OrderRow {
    pub id: Uuid,
    pub origin: OrderOrigin,
    pub status: OrderStatus,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub external_ref: Option<String>,
    pub net: Decimal,
    pub submitted_at: Option<DateTime<Utc>>,
    pub cancellation_state: Option<CancellationState>,
    pub cancellation_reason: Option<String>,
    pub cancellation_requested_at: Option<DateTime<Utc>>,
    pub cancellation_version: Option<i64>,
    pub number: Option<String>,
    pub rejection: Option<AsJson<Vec<OrderRejection>>>,
    pub fulfilment: Option<AsJson<Fulfilment>>,
    pub source_version: Option<i64>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Queryable, Selectable)]
#[diesel(table_name = order_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub order_id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub unit_price: Option<UnitPrice>,
    /// Somebody named the price; else it is from a list.
    pub price_given: bool,
    pub discount: Discount,
    pub line_total: Option<Amount>,
}

/// An order as it is stored, with its lines in order.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredOrder {
    pub row: OrderRow,
    pub lines: Vec<LineRow>,
}

impl StoredOrder {
    pub fn state(&self) -> State {
        State {
            id: self.row.id,
            origin: self.row.origin,
            status: self.row.status,
            cancellation_open: self.row.cancellation_state == Some(CancellationState::Requested),
        }
    }

    /// Computes line totals and the sum from quantities, prices and discounts.
    ///
    /// # Errors
    /// 422 `out_of_range` when the sum is too large.
    pub fn compute_totals(&mut self) -> Result<(), Problem> {
        let currency = self.row.currency;
        let mut net = Decimal::ZERO;
        for line in &mut self.lines {
            let total = line
                .unit_price
                .map(|price| currency.line_total(line.quantity, price, line.discount))
                .transpose()?;
            net += total.unwrap_or_default();
            line.line_total = total.map(Amount::new).transpose().map_err(|_| too_large())?;
        }
        self.row.net = within_limit(net)?;
        Ok(())
    }

    /// Counts one more change that was made here.
    pub fn count_own_change(&mut self, now: DateTime<Utc>) {
        self.row.version += 1;
        self.row.revision += 1;
        self.row.updated_at = now;
    }

    /// The order as it is shown.
    ///
    /// # Errors
    /// When a stored sum is out of range, which is a bug.
    pub fn wire(&self) -> Result<Order> {
        let row = &self.row;
        let lines = self.lines.iter().map(|line| {
            let line_total = line
                .line_total
                .map(|total| Amount::money(row.currency, total.value()).ok_or_else(unstorable))
                .transpose()?;
            Ok(OrderLine {
                id: line.id,
                position: line.position,
                product_id: line.product_id,
                quantity: line.quantity,
                unit_price: line.unit_price,
                discount: line.discount,
                line_total,
            })
        });
        Ok(Order {
            id: row.id,
            origin: row.origin,
            status: row.status,
            customer_id: row.customer_id,
            currency: row.currency,
            order_date: row.order_date,
            requested_date: row.requested_date,
            external_ref: row.external_ref.clone(),
            total: Total::new(row.currency, row.net).ok_or_else(unstorable)?,
            lines: lines.collect::<Result<_>>()?,
            rejection: row.rejection.clone().map(|told| told.0),
            cancellation: row.cancellation_state.map(|state| OrderCancellation {
                state,
                reason: row.cancellation_reason.clone(),
                requested_at: row.cancellation_requested_at,
            }),
            fulfilment: row.fulfilment.clone().map(|told| told.0),
            allowed_actions: self.state().allowed_actions(),
            submitted_at: row.submitted_at,
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A sum that its column can hold: less than 10^16.
///
/// # Errors
/// 422 `out_of_range`.
pub fn within_limit(sum: Decimal) -> Result<Decimal, Problem> {
    let limit = Decimal::from(10_000_000_000_000_000_i64);
    match sum.abs() < limit {
        true => Ok(sum),
        false => Err(too_large()),
    }
}

fn too_large() -> Problem {
    Problem::rule("out_of_range", "the total is too large")
}

fn unstorable() -> Error {
    Error::Bug("a stored sum is out of range".to_owned())
}
