use crate::inventory::lots::LotQuantity;
use crate::schema::{supplier_return_lines, supplier_returns};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::tx::Emitted;
use service_kit::{Amount, Cursor, Limit, Quantity, Resource, Sort};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_returns)]
pub struct ReturnRow {
    pub id: Uuid,
    pub number: String,
    pub receipt_id: Uuid,
    pub order_id: Uuid,
    pub supplier_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub returned_on: NaiveDate,
    pub reason: String,
    pub replacement: bool,
    pub external_ref: Option<String>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_return_lines)]
pub struct ReturnLineRow {
    pub id: Uuid,
    pub return_id: Uuid,
    pub position: i32,
    pub receipt_line_id: Uuid,
    pub order_line_id: Uuid,
    pub product_id: Option<Uuid>,
    pub quantity: Quantity,
    pub value: Decimal,
    pub unbilled_quantity: Quantity,
    pub unbilled_value: Decimal,
    pub expected_amount: Decimal,
    pub expected_credit: Decimal,
    pub credited_quantity: Quantity,
    pub credited_amount: Decimal,
    pub credited: Decimal,
    pub lots: Value,
}

impl ReturnLineRow {
    /// What the supplier still has to credit.
    pub fn to_credit(&self) -> Quantity {
        self.quantity - self.unbilled_quantity - self.credited_quantity
    }
}

/// A posted return to a supplier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierReturn {
    pub id: Uuid,
    pub number: Option<String>,
    pub receipt_id: Uuid,
    pub order_id: Uuid,
    pub supplier_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub date: NaiveDate,
    pub reason: String,
    /// Whether the supplier delivers again.
    pub replacement: bool,
    pub external_ref: Option<String>,
    pub lines: Vec<SupplierReturnLine>,
    pub created_by: Uuid,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierReturnLine {
    pub id: Uuid,
    /// Line of the receipt.
    pub line_id: Uuid,
    pub product_id: Option<Uuid>,
    pub quantity: Quantity,
    /// What left stock, in the base currency.
    pub value: Amount,
    /// Of it, what the supplier had not billed yet.
    pub unbilled_quantity: Quantity,
    /// What the supplier has to credit, net, in the base currency.
    pub expected_credit: Amount,
    pub credited_quantity: Quantity,
    pub lots: Vec<LotQuantity>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierReturnIn {
    pub id: Option<Uuid>,
    /// What goes back was in it.
    pub receipt_id: Uuid,
    /// Posting date; default today, not in the future.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// The supplier delivers again.
    #[serde(default)]
    pub replacement: bool,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SupplierReturnLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierReturnLineIn {
    /// Line of the receipt.
    pub line_id: Uuid,
    pub quantity: Quantity,
    /// Of tracked products: those that it must come from, the rest goes first expired, first out.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lots: Vec<LotQuantity>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierReturnsQuery {
    pub receipt_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    pub supplier_id: Option<Uuid>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for SupplierReturn {
    const PATH: &'static str = "supplier-returns";
    const TYPE: &'static str = "supplier_return";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SupplierReturn {
    const EVENT: &'static str = "supplier_return.posted";
    fn version(&self) -> i64 {
        self.revision
    }
}
