//! The rows of documents and their lines.

use super::model::{InvoiceKind, InvoiceStatus, LineKind};
use crate::sales::orders::ChargeKind;
use crate::schema::{invoice_lines, invoices};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::{Currency, Discount, Quantity, UnitPrice};
use uuid::Uuid;

/// The row of an invoice or credit note.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = invoices, treat_none_as_null = true)]
pub struct InvoiceRow {
    pub id: Uuid,
    pub kind: InvoiceKind,
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub customer_id: Uuid,
    pub order_id: Option<Uuid>,
    pub credited_invoice_id: Option<Uuid>,
    pub return_id: Option<Uuid>,
    pub date: NaiveDate,
    pub currency: Currency,
    pub prices_include_tax: bool,
    pub payment_terms_id: Option<Uuid>,
    pub legal_entity_id: Option<Uuid>,
    pub party: Option<Value>,
    pub exchange_rate: Option<Decimal>,
    pub taxes: Value,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub base_gross: Option<Decimal>,
    pub advances: Value,
    pub advances_gross: Decimal,
    pub open_amount: Decimal,
    pub credited_gross: Decimal,
    pub discount_taken_back: Decimal,
    pub discount_parts: Value,
    pub reason: Option<String>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub entry_id: Option<Uuid>,
    pub posted_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The row of a line.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = invoice_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub invoice_id: Uuid,
    pub position: i32,
    pub kind: LineKind,
    pub order_line_id: Option<Uuid>,
    pub charge_id: Option<Uuid>,
    pub charge_kind: Option<ChargeKind>,
    pub delivery_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub account_id: Option<Uuid>,
    pub credited_line_id: Option<Uuid>,
    pub description: String,
    pub quantity: Quantity,
    pub unit: Option<String>,
    pub unit_price: UnitPrice,
    pub discount: Discount,
    pub amount: Decimal,
    pub net: Decimal,
    pub base_net: Decimal,
    pub tax_class: Option<String>,
    pub taxes: Value,
    pub tax_point: Option<NaiveDate>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub credited_quantity: Quantity,
    pub credited_amount: Decimal,
    pub credited_net: Decimal,
    pub credited_base_net: Decimal,
}

impl InvoiceRow {
    /// What remains to be paid by its items when it is posted.
    pub fn payable(&self) -> Decimal {
        self.gross - self.advances_gross - self.discount_taken_back
    }
}

impl LineRow {
    /// A line of nothing, to be filled in.
    pub fn new(invoice_id: Uuid, position: i32, kind: LineKind, description: String) -> Self {
        LineRow {
            id: Uuid::now_v7(),
            invoice_id,
            position,
            kind,
            order_line_id: None,
            charge_id: None,
            charge_kind: None,
            delivery_id: None,
            product_id: None,
            account_id: None,
            credited_line_id: None,
            description,
            quantity: Quantity::ZERO,
            unit: None,
            unit_price: UnitPrice::ZERO,
            discount: Discount::ZERO,
            amount: Decimal::ZERO,
            net: Decimal::ZERO,
            base_net: Decimal::ZERO,
            tax_class: None,
            taxes: Value::Array(Vec::new()),
            tax_point: None,
            department_id: None,
            project_id: None,
            credited_quantity: Quantity::ZERO,
            credited_amount: Decimal::ZERO,
            credited_net: Decimal::ZERO,
            credited_base_net: Decimal::ZERO,
        }
    }
}
