use super::status::{Lifecycle, PurchaseOrderAction, PurchaseOrderStatus, ReceiptProgress, State};
use crate::schema::{purchase_order_lines, purchase_orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::http::{SearchText, present};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Quantity, Resource, Sort, Total, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The row, without what the database derives.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = purchase_orders, treat_none_as_null = true)]
pub struct OrderRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub lifecycle: Lifecycle,
    pub receipt: ReceiptProgress,
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub order_date: NaiveDate,
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub supplier_reference: Option<String>,
    pub note: Option<String>,
    pub net: Decimal,
    pub value: Option<Decimal>,
    pub approved_value: Option<Decimal>,
    pub rejection: Option<String>,
    pub end_reason: Option<String>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub submitted_by: Option<Uuid>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = purchase_order_lines, treat_none_as_null = true)]
pub struct LineRow {
    pub id: Uuid,
    pub order_id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub unit: Option<String>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub price_source: String,
    pub supplier_sku: Option<String>,
    pub line_total: Decimal,
    pub expected_on: NaiveDate,
    pub warehouse_id: Option<Uuid>,
    pub over_receipt_tolerance: Option<Fraction>,
    pub received_quantity: Quantity,
    pub returned_quantity: Quantity,
    pub replaced_quantity: Quantity,
    pub billed_quantity: Quantity,
    pub matched_expected: Decimal,
    pub matched_difference: Decimal,
    pub requisition_line_id: Option<Uuid>,
}

/// A purchase order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PurchaseOrder {
    pub id: Uuid,
    /// Given by the approval.
    pub number: Option<String>,
    pub status: PurchaseOrderStatus,
    pub receipt: ReceiptProgress,
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub order_date: NaiveDate,
    /// When the last of it is expected.
    pub expected_date: Option<NaiveDate>,
    /// Where it goes unless a line says otherwise.
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    /// The supplier's number of this order.
    pub supplier_reference: Option<String>,
    pub note: Option<String>,
    /// Tax is what the bill says; here it is 0.
    pub total: Total,
    pub approval: PurchaseApproval,
    pub lines: Vec<PurchaseOrderLine>,
    /// Why it was closed or cancelled.
    pub end_reason: Option<String>,
    pub allowed_actions: Vec<PurchaseOrderAction>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Who did what to make it binding; values are net, in the base currency. Keys, not names.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PurchaseApproval {
    /// What it is worth; known once it was submitted.
    pub value: Option<Amount>,
    /// Worth more than this, it has to be approved again.
    pub approved_value: Option<Amount>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub submitted_by: Option<Uuid>,
    pub approved_by: Option<Uuid>,
    pub approved_at: Option<DateTime<Utc>>,
    /// Why it was rejected last.
    pub rejection: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PurchaseOrderLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub unit: Option<String>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    /// Where the price comes from, in words.
    pub price_source: String,
    pub supplier_sku: Option<String>,
    pub line_total: Amount,
    pub expected_date: NaiveDate,
    pub warehouse_id: Option<Uuid>,
    /// Fraction that may come on top; `null`: as the settings say.
    pub over_receipt_tolerance: Option<Fraction>,
    pub received_quantity: Quantity,
    /// Sent back.
    pub returned_quantity: Quantity,
    /// Of it, to be delivered again.
    pub replaced_quantity: Quantity,
    pub billed_quantity: Quantity,
    /// Still to come.
    pub open_quantity: Quantity,
    pub requisition_line_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseOrderIn {
    pub id: Option<Uuid>,
    pub supplier_id: Uuid,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    /// Absent: today.
    pub order_date: Option<NaiveDate>,
    /// Absent: the default warehouse.
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub supplier_reference: Option<String>,
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
    /// Submit it for approval at once.
    #[serde(default)]
    pub submit: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<PurchaseOrderLineIn>,
}

/// A product, or an expense in words.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseOrderLineIn {
    /// When the order is changed: the line that this one replaces.
    pub id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    /// Where an expense is posted to; absent: as the posting rules say.
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    /// Absent: what the supplier asks for the product.
    pub unit_price: Option<UnitPrice>,
    /// Absent: the order's date and the lead time.
    pub expected_date: Option<NaiveDate>,
    /// Absent: the order's.
    pub warehouse_id: Option<Uuid>,
    /// Fraction that may come on top; absent: as the settings say.
    pub over_receipt_tolerance: Option<Fraction>,
    /// The line of a requisition that it fulfils.
    #[serde(skip)]
    pub requisition_line_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseOrderPatch {
    #[schema(nullable = false)]
    pub order_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    pub warehouse_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub supplier_reference: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<Option<String>>,
    /// All of them, each with its id or new; those that are not named go, unless something of them
    /// was received or billed.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<PurchaseOrderLineIn>>,
}

/// A reason that must be given.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseReason {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// A reason that may be given.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionalPurchaseReason {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PurchaseOrdersQuery {
    /// Finds in number, references and note.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<PurchaseOrderStatus>,
    pub supplier_id: Option<Uuid>,
    /// Orders with a line of this product.
    pub product_id: Option<Uuid>,
    pub external_ref: Option<SearchText>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `order_date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for PurchaseOrder {
    const PATH: &'static str = "purchase-orders";
    const TYPE: &'static str = "purchase_order";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for PurchaseOrder {
    const EVENT: &'static str = "purchase_order.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl OrderRow {
    pub fn state(&self) -> State {
        State {
            lifecycle: self.lifecycle,
            receipt: self.receipt,
        }
    }
}

impl LineRow {
    /// Still to come.
    pub fn open_quantity(&self) -> Quantity {
        let due = self.quantity + self.replaced_quantity;
        match due > self.received_quantity {
            true => due - self.received_quantity,
            false => Quantity::ZERO,
        }
    }
}

fn shown(currency: Currency, value: Decimal) -> Amount {
    Amount::money(currency, value).unwrap_or(Amount::ZERO)
}

impl PurchaseOrder {
    pub fn from_rows(row: &OrderRow, lines: &[LineRow], base: Currency) -> Self {
        let value = |value: Option<Decimal>| value.map(|value| shown(base, value));
        let net = shown(row.currency, row.net);
        PurchaseOrder {
            id: row.id,
            // A dry run draws none.
            number: row.number.clone().filter(|number| !number.starts_with("dry run")),
            status: row.state().status(),
            receipt: row.receipt,
            supplier_id: row.supplier_id,
            currency: row.currency,
            order_date: row.order_date,
            expected_date: lines.iter().map(|line| line.expected_on).max(),
            warehouse_id: row.warehouse_id,
            external_ref: row.external_ref.clone(),
            supplier_reference: row.supplier_reference.clone(),
            note: row.note.clone(),
            total: Total {
                net,
                tax: shown(row.currency, Decimal::ZERO),
                gross: net,
            },
            approval: PurchaseApproval {
                value: value(row.value),
                approved_value: value(row.approved_value),
                created_by: row.created_by,
                changed_by: row.changed_by,
                submitted_by: row.submitted_by,
                approved_by: row.approved_by,
                approved_at: row.approved_at,
                rejection: row.rejection.clone(),
            },
            lines: lines
                .iter()
                .map(|line| PurchaseOrderLine::from_row(row, line))
                .collect(),
            end_reason: row.end_reason.clone(),
            allowed_actions: row.state().allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl PurchaseOrderLine {
    fn from_row(order: &OrderRow, line: &LineRow) -> Self {
        let over = matches!(order.lifecycle, Lifecycle::Closed | Lifecycle::Cancelled);
        PurchaseOrderLine {
            id: line.id,
            position: line.position,
            product_id: line.product_id,
            description: line.description.clone(),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            unit: line.unit.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            price_source: line.price_source.clone(),
            supplier_sku: line.supplier_sku.clone(),
            line_total: shown(order.currency, line.line_total),
            expected_date: line.expected_on,
            warehouse_id: line.warehouse_id,
            over_receipt_tolerance: line.over_receipt_tolerance,
            received_quantity: line.received_quantity,
            returned_quantity: line.returned_quantity,
            replaced_quantity: line.replaced_quantity,
            billed_quantity: line.billed_quantity,
            open_quantity: if over { Quantity::ZERO } else { line.open_quantity() },
            requisition_line_id: line.requisition_line_id,
        }
    }
}
