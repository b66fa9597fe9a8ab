use crate::schema::{supplier_credit_note_lines, supplier_credit_notes};
use crate::taxes::DocumentTax;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Quantity, Resource, Sort, Total, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_credit_notes)]
pub(super) struct NoteRow {
    pub id: Uuid,
    pub number: String,
    pub supplier_id: Uuid,
    pub supplier_number: String,
    pub bill_id: Option<Uuid>,
    pub currency: Currency,
    pub credit_date: NaiveDate,
    pub posted_on: NaiveDate,
    pub rate: Decimal,
    pub reason: Option<String>,
    pub external_ref: Option<String>,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub taxes: Value,
    pub entry_id: Option<Uuid>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_credit_note_lines)]
pub(super) struct NoteLineRow {
    pub id: Uuid,
    pub note_id: Uuid,
    pub position: i32,
    pub return_line_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_total: Decimal,
}

/// A credit note of a supplier; amounts are positive.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierCreditNote {
    pub id: Uuid,
    /// Ours.
    pub number: Option<String>,
    pub supplier_id: Uuid,
    /// The supplier's own; unique per supplier.
    pub supplier_number: String,
    /// Cleared first.
    pub bill_id: Option<Uuid>,
    pub currency: Currency,
    pub credit_date: NaiveDate,
    pub posted_on: NaiveDate,
    pub reason: Option<String>,
    pub external_ref: Option<String>,
    pub total: Total,
    pub taxes: Vec<DocumentTax>,
    pub lines: Vec<SupplierCreditNoteLine>,
    pub journal_entry_id: Option<Uuid>,
    pub created_by: Uuid,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierCreditNoteLine {
    pub id: Uuid,
    pub return_line_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_total: Amount,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierCreditNoteIn {
    pub id: Option<Uuid>,
    pub supplier_id: Uuid,
    /// The supplier's own number; unique per supplier.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub supplier_number: String,
    /// The bill that it corrects; absent: those that billed what was sent back.
    pub bill_id: Option<Uuid>,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    /// The day that the credit note bears.
    pub credit_date: NaiveDate,
    /// Posting date; default today, not in the future.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// What it says it comes to; refused when the lines come to something else.
    pub gross: Option<Amount>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SupplierCreditNoteLineIn>,
}

/// A line of a supplier return, or an amount in words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierCreditNoteLineIn {
    pub return_line_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    /// Where the amount is posted to; absent: as the posting rules say of purchase expenses.
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    /// Net; absent: what the return expects.
    pub unit_price: Option<UnitPrice>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierCreditNotesQuery {
    pub supplier_id: Option<Uuid>,
    pub bill_id: Option<Uuid>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `credit_date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for SupplierCreditNote {
    const PATH: &'static str = "supplier-credit-notes";
    const TYPE: &'static str = "supplier_credit_note";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SupplierCreditNote {
    const EVENT: &'static str = "supplier_credit_note.posted";
    fn version(&self) -> i64 {
        self.revision
    }
}
