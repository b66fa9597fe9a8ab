use super::matching::MatchFinding;
use super::status::{SupplierBillAction, SupplierBillStatus};
use crate::purchasing::taxation;
use crate::schema::{supplier_bill_lines, supplier_bill_matches, supplier_bill_revaluations, supplier_bills};
use crate::taxes::DocumentTax;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::http::{SearchText, present};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Quantity, Resource, Sort, Total, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = supplier_bills, treat_none_as_null = true)]
pub struct BillRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub supplier_id: Uuid,
    pub supplier_number: String,
    pub status: SupplierBillStatus,
    pub currency: Currency,
    pub bill_date: NaiveDate,
    pub due_date: Option<NaiveDate>,
    pub payment_terms_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub note: Option<String>,
    pub net: Decimal,
    pub tax: Decimal,
    pub gross: Decimal,
    pub taxes: Value,
    pub findings: Value,
    pub posted_on: Option<NaiveDate>,
    pub rate: Option<Decimal>,
    pub release_reason: Option<String>,
    pub released_by: Option<Uuid>,
    pub end_reason: Option<String>,
    pub entry_id: Option<Uuid>,
    pub reversal_id: Option<Uuid>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub posted_by: Option<Uuid>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = supplier_bill_lines, treat_none_as_null = true)]
pub struct BillLineRow {
    pub id: Uuid,
    pub bill_id: Uuid,
    pub position: i32,
    pub order_line_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_total: Decimal,
    pub price_difference: Decimal,
    pub revalued: Decimal,
    pub variance: Decimal,
    pub exchange_difference: Decimal,
    pub matched_expected: Decimal,
    pub matched_difference: Decimal,
    pub taxes: Value,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_bill_matches)]
pub struct MatchRow {
    pub id: Uuid,
    pub bill_line_id: Uuid,
    pub order_line_id: Uuid,
    pub receipt_line_id: Option<Uuid>,
    pub quantity: Quantity,
    pub value: Decimal,
    pub net: Decimal,
    pub reversed: bool,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = supplier_bill_revaluations)]
pub struct RevaluationRow {
    pub id: Uuid,
    pub bill_line_id: Uuid,
    pub warehouse_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub value: Decimal,
}

/// A bill of a supplier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierBill {
    pub id: Uuid,
    /// Ours, given by the posting.
    pub number: Option<String>,
    pub supplier_id: Uuid,
    /// The supplier's own; unique per supplier.
    pub supplier_number: String,
    pub status: SupplierBillStatus,
    pub currency: Currency,
    pub bill_date: NaiveDate,
    /// As given; otherwise the payment terms say.
    pub due_date: Option<NaiveDate>,
    pub payment_terms_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub note: Option<String>,
    pub total: Total,
    pub taxes: Vec<DocumentTax>,
    pub lines: Vec<SupplierBillLine>,
    /// What is, or was when it was released, outside of the tolerance.
    pub findings: Vec<MatchFinding>,
    pub posted_on: Option<NaiveDate>,
    /// What one unit of its currency was worth in the base currency.
    pub exchange_rate: Option<String>,
    pub release_reason: Option<String>,
    /// Keys, not names.
    pub released_by: Option<Uuid>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub posted_by: Option<Uuid>,
    /// Why it was cancelled or reversed.
    pub end_reason: Option<String>,
    pub journal_entry_id: Option<Uuid>,
    pub reversal_entry_id: Option<Uuid>,
    pub allowed_actions: Vec<SupplierBillAction>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SupplierBillLine {
    pub id: Uuid,
    pub position: i32,
    pub order_line_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub unit_price: UnitPrice,
    pub line_total: Amount,
    /// How far the price was off, in the base currency: what follows, together.
    pub price_difference: Amount,
    /// Of it, what changed the value of stock.
    pub revalued: Amount,
    /// Of it, what is price variance.
    pub variance: Amount,
    /// By another exchange rate than at the receipt; a loss is positive.
    pub exchange_difference: Amount,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierBillIn {
    pub id: Option<Uuid>,
    pub supplier_id: Uuid,
    /// The supplier's own number; unique per supplier.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub supplier_number: String,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    /// The day that the bill bears; payment terms count from it.
    pub bill_date: NaiveDate,
    /// Absent: as the payment terms say.
    pub due_date: Option<NaiveDate>,
    /// Absent: the supplier's.
    pub payment_terms_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
    /// What the bill says it comes to; refused when the lines come to something else.
    pub gross: Option<Amount>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SupplierBillLineIn>,
}

/// A line of a purchase order, a product, or an expense in words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierBillLineIn {
    /// Line of a purchase order of this supplier.
    pub order_line_id: Option<Uuid>,
    /// A service that was not ordered; goods are billed against an order.
    pub product_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    /// Where an expense is posted to; absent: as the posting rules say.
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    /// Net; absent: the order's.
    pub unit_price: Option<UnitPrice>,
}

/// Fields to change; the bill is a draft again afterwards.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierBillPatch {
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", nullable = false)]
    pub supplier_number: Option<String>,
    #[schema(nullable = false)]
    pub bill_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    pub due_date: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    pub payment_terms_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<Option<String>>,
    /// What the bill says it comes to; refused when the lines come to something else.
    pub gross: Option<Amount>,
    /// Replaces them all.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<SupplierBillLineIn>>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostSupplierBill {
    /// Posting date; default today, not in the future.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSupplierBill {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Posting date; default today, not in the future.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseSupplierBill {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Posting date; default today, not before the original.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierBillsQuery {
    /// Finds in both numbers, reference and note.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<SupplierBillStatus>,
    pub supplier_id: Option<Uuid>,
    pub supplier_number: Option<SearchText>,
    /// Bills with a line of this purchase order.
    pub order_id: Option<Uuid>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `bill_date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for SupplierBill {
    const PATH: &'static str = "supplier-bills";
    const TYPE: &'static str = "supplier_bill";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SupplierBill {
    const EVENT: &'static str = "supplier_bill.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

fn shown(currency: Currency, value: Decimal) -> Amount {
    Amount::money(currency, value).unwrap_or(Amount::ZERO)
}

impl SupplierBill {
    pub(super) fn from_rows(row: &BillRow, lines: &[BillLineRow], base: Currency) -> service_kit::Result<Self> {
        let own = |value| shown(row.currency, value);
        let taxes = taxation::from_json(&row.taxes)?;
        let lines = lines.iter().map(|line| SupplierBillLine {
            id: line.id,
            position: line.position,
            order_line_id: line.order_line_id,
            product_id: line.product_id,
            description: line.description.clone(),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            line_total: own(line.line_total),
            price_difference: shown(base, line.price_difference),
            revalued: shown(base, line.revalued),
            variance: shown(base, line.variance),
            exchange_difference: shown(base, line.exchange_difference),
        });
        Ok(SupplierBill {
            id: row.id,
            // A dry run draws none.
            number: row.number.clone().filter(|number| !number.starts_with("dry run")),
            supplier_id: row.supplier_id,
            supplier_number: row.supplier_number.clone(),
            status: row.status,
            currency: row.currency,
            bill_date: row.bill_date,
            due_date: row.due_date,
            payment_terms_id: row.payment_terms_id,
            external_ref: row.external_ref.clone(),
            note: row.note.clone(),
            total: Total {
                net: own(row.net),
                tax: own(row.tax),
                gross: own(row.gross),
            },
            taxes: taxes.iter().map(|total| DocumentTax::of(row.currency, total)).collect(),
            lines: lines.collect(),
            findings: serde_json::from_value(row.findings.clone())?,
            posted_on: row.posted_on,
            exchange_rate: row.rate.map(|rate| rate.normalize().to_string()),
            release_reason: row.release_reason.clone(),
            released_by: row.released_by,
            created_by: row.created_by,
            changed_by: row.changed_by,
            posted_by: row.posted_by,
            end_reason: row.end_reason.clone(),
            journal_entry_id: row.entry_id,
            reversal_entry_id: row.reversal_id,
            allowed_actions: row.status.allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
