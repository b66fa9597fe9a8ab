use crate::inventory::lots::LotQuantity;
use crate::purchasing::orders::PurchaseOrder;
use crate::schema::{receipt_lines, receipts};
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
#[diesel(table_name = receipts)]
pub struct ReceiptRow {
    pub id: Uuid,
    pub number: String,
    pub order_id: Uuid,
    pub supplier_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub received_on: NaiveDate,
    pub supplier_reference: Option<String>,
    pub external_ref: Option<String>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

/// A line with what became of it.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = receipt_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub receipt_id: Uuid,
    pub position: i32,
    pub order_line_id: Uuid,
    pub product_id: Option<Uuid>,
    pub quantity: Quantity,
    pub amount: Decimal,
    pub value: Decimal,
    pub billed_quantity: Quantity,
    pub billed_value: Decimal,
    pub returned_quantity: Quantity,
    pub returned_value: Decimal,
    pub returned_billed_quantity: Quantity,
    pub lots: Value,
}

impl LineRow {
    /// Neither billed nor sent back.
    pub fn unbilled(&self) -> Quantity {
        self.quantity - self.billed_quantity - self.returned_quantity
    }

    /// What GRNI still holds for it.
    pub fn unbilled_value(&self) -> Decimal {
        self.value - self.billed_value - self.returned_value
    }

    /// Not sent back.
    pub fn kept(&self) -> Quantity {
        self.quantity - self.returned_quantity - self.returned_billed_quantity
    }
}

/// A posted receipt.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Receipt {
    pub id: Uuid,
    pub number: Option<String>,
    /// The purchase order.
    pub order_id: Uuid,
    pub supplier_id: Uuid,
    /// Absent when nothing but services came.
    pub warehouse_id: Option<Uuid>,
    pub date: NaiveDate,
    /// The supplier's delivery note.
    pub supplier_reference: Option<String>,
    pub external_ref: Option<String>,
    pub lines: Vec<ReceiptLine>,
    pub created_by: Uuid,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReceiptLine {
    pub id: Uuid,
    /// Line of the purchase order.
    pub line_id: Uuid,
    pub product_id: Option<Uuid>,
    pub quantity: Quantity,
    /// At the order's price, in the base currency.
    pub value: Amount,
    pub billed_quantity: Quantity,
    pub returned_quantity: Quantity,
    pub lots: Vec<LotQuantity>,
}

/// A new receipt beside its order as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PostedReceipt {
    #[serde(flatten)]
    pub receipt: Receipt,
    /// The order after the receipt.
    pub order: PurchaseOrder,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptIn {
    pub id: Option<Uuid>,
    /// Posting date; default today, not in the future.
    pub date: Option<NaiveDate>,
    /// Where it came in; absent: where the order's lines say.
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 100)]
    pub supplier_reference: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// What came; absent: all that is still to come (to the warehouse).
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<ReceiptLineIn>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptLineIn {
    /// Line of the purchase order.
    pub line_id: Uuid,
    pub quantity: Quantity,
    /// Of tracked products: lots for the whole quantity.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lots: Vec<LotQuantity>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptsQuery {
    /// Receipts of this purchase order.
    pub order_id: Option<Uuid>,
    pub supplier_id: Option<Uuid>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for Receipt {
    const PATH: &'static str = "receipts";
    const TYPE: &'static str = "receipt";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Receipt {
    const EVENT: &'static str = "receipt.posted";
    fn version(&self) -> i64 {
        self.revision
    }
}

impl Resource for PostedReceipt {
    const PATH: &'static str = Receipt::PATH;
    const TYPE: &'static str = Receipt::TYPE;
    fn id(&self) -> Uuid {
        self.receipt.id
    }
    fn revision(&self) -> i64 {
        self.receipt.revision
    }
}
