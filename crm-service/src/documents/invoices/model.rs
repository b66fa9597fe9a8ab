use crate::documents::show;
use crate::json::AsJson;
use crate::replica::replica;
use crate::schema::invoices;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::{Fraction, TaxRate};
use service_kit::http::SearchText;
use service_kit::{Amount, Currency, Cursor, Discount, Limit, Quantity, Sort, Total, UnitPrice, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// A credit note takes back what an invoice asked for.
    InvoiceKind { Invoice = "invoice", CreditNote = "credit_note" }
}

text_enum! {
    /// The status follows what is open.
    InvoiceStatus {
        Posted = "posted",
        PartiallyPaid = "partially_paid",
        /// Nothing is open any more; a credit note is used up or refunded.
        Paid = "paid",
        /// A credit note took it all back.
        Credited = "credited",
    }
}

text_enum! {
    /// What a line is for.
    InvoiceLineKind {
        Product = "product",
        /// Free text.
        Account = "account",
        /// Freight or another charge of the order.
        Charge = "charge",
    }
}

/// An invoice or credit note as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvoiceReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub invoice: InvoiceDocument,
}

/// The document. What is not listed here is ignored: the ERP may say more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceDocument {
    pub id: Uuid,
    pub kind: InvoiceKind,
    #[schema(max_length = 60)]
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub customer_id: Uuid,
    pub order_id: Option<Uuid>,
    /// The invoice that a credit note credits.
    pub credited_invoice_id: Option<Uuid>,
    pub return_id: Option<Uuid>,
    /// Day of the document.
    pub date: NaiveDate,
    pub currency: Currency,
    #[serde(default)]
    pub prices_include_tax: bool,
    /// Who it is made out to.
    pub party: Option<InvoiceParty>,
    #[schema(max_items = 2000)]
    pub lines: Vec<InvoiceLine>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub taxes: Vec<InvoiceTax>,
    pub total: Total,
    /// Advances that are deducted, gross.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub advances: Vec<InvoiceAdvance>,
    /// The total less the advances.
    pub payable: Amount,
    /// What is still open; negative of a credit note.
    pub open_amount: Amount,
    /// Credited by credit notes so far, gross.
    pub credited: Amount,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub instalments: Vec<InvoiceInstalment>,
    /// Payments, credit notes and others that cleared it.
    #[serde(default)]
    #[schema(max_items = 5000)]
    pub allocations: Vec<InvoiceAllocation>,
    /// Why it was credited.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    #[schema(max_length = 200)]
    pub external_ref: Option<String>,
    pub posted_at: Option<DateTime<Utc>>,
}

/// The customer as it was on the day of the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceParty {
    pub legal_entity_id: Option<Uuid>,
    #[schema(max_length = 400)]
    pub name: String,
    #[schema(max_length = 100)]
    pub tax_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceLine {
    pub id: Uuid,
    #[schema(minimum = 0)]
    pub position: i32,
    pub kind: InvoiceLineKind,
    pub order_line_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    #[schema(max_length = 1000)]
    pub description: String,
    pub quantity: Quantity,
    #[schema(max_length = 40)]
    pub unit: Option<String>,
    pub unit_price: UnitPrice,
    #[serde(default)]
    pub discount: Discount,
    /// Net, or gross where prices include tax.
    pub amount: Amount,
    pub net: Amount,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceTax {
    #[schema(max_length = 60)]
    pub code: String,
    #[schema(max_length = 400)]
    pub name: String,
    /// As a fraction: `"0.19"` is 19 %.
    pub rate: TaxRate,
    /// The buyer owes the tax; it is no part of the total.
    #[serde(default)]
    pub reverse_charge: bool,
    /// What it was computed on.
    pub net: Amount,
    pub tax: Amount,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceAdvance {
    pub advance_id: Uuid,
    pub gross: Amount,
}

/// A part of the document with its due day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceInstalment {
    pub due_on: NaiveDate,
    pub amount: Amount,
    pub open_amount: Amount,
    pub discount_until: Option<NaiveDate>,
    pub discount: Option<Fraction>,
    #[serde(default)]
    pub disputed: bool,
    /// The highest reminder that it got.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub dunning_level: i16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceAllocation {
    /// e.g. `payment` or `credit_note`.
    #[schema(max_length = 60)]
    pub document_type: String,
    pub document_id: Uuid,
    pub date: NaiveDate,
    pub amount: Amount,
    /// Of it by a cash discount and by a write-off.
    #[serde(default)]
    pub discount: Amount,
    #[serde(default)]
    pub written_off: Amount,
}

/// An invoice or credit note. The ERP is its master.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Invoice {
    #[serde(flatten)]
    pub document: InvoiceDocument,
    /// When the next open part is due; `null` when nothing is open.
    pub due_on: Option<NaiveDate>,
    /// The ERP's version of the record.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(Invoice, id: document.id, path: "invoices", type: "invoice");

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = invoices, treat_none_as_null = true)]
pub struct InvoiceRow {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub order_id: Option<Uuid>,
    pub kind: InvoiceKind,
    pub status: InvoiceStatus,
    pub number: Option<String>,
    pub date: NaiveDate,
    pub due_on: Option<NaiveDate>,
    pub is_open: bool,
    pub document: AsJson<InvoiceDocument>,
    pub source_version: i64,
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InvoicesQuery {
    pub customer_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    #[param(inline)]
    pub kind: Option<InvoiceKind>,
    #[param(inline)]
    pub status: Option<InvoiceStatus>,
    /// Whether something is still open.
    pub open: Option<bool>,
    pub number: Option<SearchText>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    /// Only what has an open part that is due by this day.
    pub due_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CustomerInvoicesQuery {
    #[param(inline)]
    kind: Option<InvoiceKind>,
    #[param(inline)]
    status: Option<InvoiceStatus>,
    /// Whether something is still open.
    open: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl CustomerInvoicesQuery {
    pub fn of(self, customer_id: Uuid) -> InvoicesQuery {
        InvoicesQuery {
            customer_id: Some(customer_id),
            kind: self.kind,
            status: self.status,
            open: self.open,
            limit: self.limit,
            cursor: self.cursor,
            sort: self.sort,
            ..InvoicesQuery::default()
        }
    }
}

impl InvoiceDocument {
    /// The document with the digits of its currency.
    pub fn shown(mut self) -> Self {
        let (currency, total) = (self.currency, &mut self.total);
        show(currency, [&mut total.net, &mut total.tax, &mut total.gross]);
        show(currency, [&mut self.payable, &mut self.open_amount, &mut self.credited]);
        let lines = self.lines.iter_mut();
        show(currency, lines.flat_map(|line| [&mut line.amount, &mut line.net]));
        let taxes = self.taxes.iter_mut();
        show(currency, taxes.flat_map(|tax| [&mut tax.net, &mut tax.tax]));
        show(currency, self.advances.iter_mut().map(|advance| &mut advance.gross));
        let parts = self.instalments.iter_mut();
        show(
            currency,
            parts.flat_map(|part| [&mut part.amount, &mut part.open_amount]),
        );
        let cleared = self.allocations.iter_mut();
        show(
            currency,
            cleared.flat_map(|one| [&mut one.amount, &mut one.discount, &mut one.written_off]),
        );
        self
    }

    pub fn is_open(&self) -> bool {
        !self.open_amount.value().is_zero()
    }

    pub fn due_on(&self) -> Option<NaiveDate> {
        let open = self
            .instalments
            .iter()
            .filter(|part| !part.open_amount.value().is_zero());
        open.map(|part| part.due_on).min().filter(|_| self.is_open())
    }
}

impl From<&Invoice> for InvoiceRow {
    fn from(invoice: &Invoice) -> Self {
        let document = &invoice.document;
        InvoiceRow {
            id: document.id,
            customer_id: document.customer_id,
            order_id: document.order_id,
            kind: document.kind,
            status: document.status,
            number: document.number.clone(),
            date: document.date,
            due_on: invoice.due_on,
            is_open: document.is_open(),
            document: AsJson(document.clone()),
            source_version: invoice.source_version,
            as_of: invoice.as_of,
            revision: invoice.revision,
            created_at: invoice.created_at,
            updated_at: invoice.updated_at,
        }
    }
}

impl From<InvoiceRow> for Invoice {
    fn from(row: InvoiceRow) -> Self {
        Invoice {
            document: row.document.0.shown(),
            due_on: row.due_on,
            source_version: row.source_version,
            as_of: row.as_of,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
