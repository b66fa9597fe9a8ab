//! An order as it is stored: its row, its lines, and how it is shown.

use super::fulfilment::Fulfilment;
use super::model::{ChangeRequest, Order, OrderCancellation, OrderLine, OrderRejection};
use super::status::{CancellationState, OrderOrigin, OrderStatus, State};
use crate::json::AsJson;
use crate::schema::{order_lines, orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use service_kit::{Amount, Currency, Discount, Error, Owned, Problem, Quantity, Result, Total, UnitPrice};
use uuid::Uuid;

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
    pub change_requests: Option<AsJson<Vec<ChangeRequest>>>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
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
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.row.owner_id,
            team_id: self.row.team_id,
        }
    }

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
            owner_id: row.owner_id,
            team_id: row.team_id,
            currency: row.currency,
            order_date: row.order_date,
            requested_date: row.requested_date,
            external_ref: row.external_ref.clone(),
            quote_id: row.quote_id,
            total: Total::new(row.currency, row.net).ok_or_else(unstorable)?,
            lines: lines.collect::<Result<_>>()?,
            rejection: row.rejection.clone().map(|told| told.0),
            cancellation: row.cancellation_state.map(|state| OrderCancellation {
                state,
                reason: row.cancellation_reason.clone(),
                requested_at: row.cancellation_requested_at,
            }),
            change_requests: row.change_requests.clone().map(|asked| asked.0).unwrap_or_default(),
            fulfilment: row.fulfilment.clone().map(|told| told.0.shown(row.currency)),
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
