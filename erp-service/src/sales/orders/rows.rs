//! The rows behind a sales order, and how the record is put together from them.

use super::decision::AskedLine;
use super::model::{DeliveryOfOrder, SalesOrder, SalesOrderLine};
use super::status::{Lifecycle, Progress, State};
use crate::company::InvoicingPolicy;
use crate::schema::{sales_order_lines, sales_orders};
use crate::taxes::Rounding;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::money::Currency;
use service_kit::{Amount, Discount, Error, Quantity, Result, Total, UnitPrice};
use uuid::Uuid;

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
    pub invoicing: String,
    pub payment: String,
    pub invoicing_policy: InvoicingPolicy,
    pub prices_include_tax: bool,
    pub tax_rounding: Rounding,
    pub uninvoiced_gross: Decimal,
    pub charges: Value,
    pub change_requests: Value,
    pub shipping_address: Option<Value>,
    pub legal_entity_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub promise_id: Option<Uuid>,
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
    pub invoiced_quantity: Quantity,
    pub returned_quantity: Quantity,
    pub returned_uninvoiced_quantity: Quantity,
    pub taxes: Value,
}

impl LineRow {
    /// A line as asked for, of a product that is known; nothing is priced and nothing reserved yet.
    pub(super) fn asked(order_id: Uuid, position: i32, line: &AskedLine) -> Self {
        LineRow {
            id: line.id,
            order_id,
            position,
            product_id: line.product_id,
            known_product_id: Some(line.product_id),
            quantity: line.quantity,
            unit: None,
            unit_price: line.unit_price,
            list_price: None,
            price_explanation: None,
            discount: line.discount,
            line_total: None,
            reserved_quantity: Quantity::ZERO,
            backordered_quantity: Quantity::ZERO,
            delivered_quantity: Quantity::ZERO,
            invoiced_quantity: Quantity::ZERO,
            returned_quantity: Quantity::ZERO,
            returned_uninvoiced_quantity: Quantity::ZERO,
            taxes: Value::Array(Vec::new()),
        }
    }

    /// What is neither delivered, nor reserved, nor waited for.
    pub fn idle_quantity(&self) -> Quantity {
        self.quantity - self.delivered_quantity - self.reserved_quantity - self.backordered_quantity
    }

    /// What will have been invoiced when all is done: what was ordered, and once the order is
    /// closed, what was delivered; less what came back before it was invoiced.
    pub fn billable_quantity(&self, lifecycle: Lifecycle) -> Quantity {
        let basis = match lifecycle {
            Lifecycle::Draft | Lifecycle::Confirmed => self.quantity,
            Lifecycle::Closed => self.delivered_quantity,
            Lifecycle::Rejected | Lifecycle::Cancelled => Quantity::ZERO,
        };
        basis.less(self.returned_uninvoiced_quantity)
    }

    /// What may be invoiced now.
    pub fn to_invoice(&self, policy: InvoicingPolicy, lifecycle: Lifecycle) -> Quantity {
        let basis = match (lifecycle, policy) {
            (Lifecycle::Confirmed, InvoicingPolicy::Ordered) => self.quantity,
            (Lifecycle::Confirmed | Lifecycle::Closed, _) => self.delivered_quantity,
            _ => Quantity::ZERO,
        };
        basis
            .less(self.returned_uninvoiced_quantity)
            .less(self.invoiced_quantity)
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
        let unknown = || Error::Bug("a sales order is in an unknown state".into());
        // An unknown currency stands on a rejected order; its amounts show cents.
        let currency = row.currency.parse::<Currency>().unwrap_or(Currency::USD);
        let money =
            |value| Amount::money(currency, value).ok_or_else(|| Error::Bug("an amount beyond its bounds".into()));
        let lines = lines
            .into_iter()
            .map(|line| {
                let to_invoice = line.to_invoice(row.invoicing_policy, state.lifecycle);
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
                    invoiced_quantity: line.invoiced_quantity,
                    returned_quantity: line.returned_quantity,
                    to_invoice_quantity: to_invoice,
                    taxes: serde_json::from_value(line.taxes)?,
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
            invoicing: Progress::from_name(&row.invoicing).ok_or_else(unknown)?,
            payment: Progress::from_name(&row.payment).ok_or_else(unknown)?,
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
            charges: serde_json::from_value(row.charges)?,
            invoicing_policy: row.invoicing_policy,
            prices_include_tax: row.prices_include_tax,
            uninvoiced: money(row.uninvoiced_gross)?,
            shipping_address: row.shipping_address.map(serde_json::from_value).transpose()?,
            legal_entity_id: row.legal_entity_id,
            department_id: row.department_id,
            project_id: row.project_id,
            promise_id: row.promise_id,
            rejection: serde_json::from_value(row.rejection)?,
            cancellation: row.cancellation.map(serde_json::from_value).transpose()?,
            change_requests: serde_json::from_value(row.change_requests)?,
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
