//! The words of invoices: what goes over the wire.

use super::rows::{InvoiceRow, LineRow};
use crate::ledger::open_items::OpenItem;
use crate::receivables::party::Party;
use crate::receivables::taxation::InvoiceTax;
use crate::taxes::TaxCodeRate;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Discount, Error, Quantity, Resource, Result, Total, UnitPrice, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// A credit note takes back what an invoice asked for.
    InvoiceKind { Invoice = "invoice", CreditNote = "credit_note" }
}

text_enum! {
    /// A posted document's status follows what is open of it.
    InvoiceStatus {
        Draft = "draft",
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
    LineKind {
        Product = "product",
        /// Free text; posted to the account that it names, or to revenue.
        Account = "account",
        /// Freight or another charge of the order.
        Charge = "charge",
    }
}

/// An invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invoice {
    pub id: Uuid,
    pub kind: InvoiceKind,
    /// Given at posting, without gaps.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    pub customer_id: Uuid,
    pub order_id: Option<Uuid>,
    /// The invoice that a credit note credits.
    pub credited_invoice_id: Option<Uuid>,
    pub return_id: Option<Uuid>,
    /// Day of the document and of its posting.
    pub date: NaiveDate,
    pub currency: Currency,
    pub prices_include_tax: bool,
    pub payment_terms_id: Option<Uuid>,
    pub legal_entity_id: Option<Uuid>,
    /// Who it is made out to, copied at posting.
    pub party: Option<Party>,
    /// What one unit of its currency is worth in the base currency, from posting on.
    #[schema(value_type = Option<String>)]
    pub exchange_rate: Option<Decimal>,
    pub lines: Vec<InvoiceLine>,
    pub taxes: Vec<InvoiceTax>,
    pub total: Total,
    /// The total in the base currency.
    pub base_gross: Option<Amount>,
    /// Advances that are deducted, gross.
    pub advances: Vec<DeductedAdvance>,
    /// Of a credit note: the share of the cash discount that the customer had taken on what is credited.
    pub discount_taken_back: Amount,
    /// The total less the advances, or less the discount that is taken back.
    pub payable: Amount,
    /// What is still open of it; negative of a credit note.
    pub open_amount: Amount,
    /// Credited by credit notes so far, gross.
    pub credited: Amount,
    /// When how much is due.
    pub instalments: Vec<InvoiceInstalment>,
    /// Payments, credit notes and others that cleared it.
    pub allocations: Vec<InvoiceAllocation>,
    /// Why it was credited.
    pub reason: Option<String>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// The journal entry.
    pub entry_id: Option<Uuid>,
    pub allowed_actions: Vec<InvoiceAction>,
    pub posted_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What may be done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceAction {
    Edit,
    Delete,
    Post,
    Credit,
    Cancel,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceLine {
    pub id: Uuid,
    pub position: i32,
    pub kind: LineKind,
    pub order_line_id: Option<Uuid>,
    pub charge_id: Option<Uuid>,
    pub delivery_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub account_id: Option<Uuid>,
    /// The line that a credit note's line credits.
    pub credited_line_id: Option<Uuid>,
    pub description: String,
    pub quantity: Quantity,
    pub unit: Option<String>,
    pub unit_price: UnitPrice,
    pub discount: Discount,
    /// Net, or gross where prices include tax.
    pub amount: Amount,
    pub net: Amount,
    pub tax_class: Option<String>,
    /// From posting on.
    pub taxes: Vec<TaxCodeRate>,
    /// The day that decides the tax rate; the delivery, else the document's date.
    pub tax_point: Option<NaiveDate>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub credited_quantity: Quantity,
    pub credited_amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeductedAdvance {
    pub advance_id: Uuid,
    pub gross: Amount,
}

/// A part of the document with its due day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceInstalment {
    /// The open item, which payments are allocated to.
    pub item_id: Uuid,
    pub due_on: NaiveDate,
    pub amount: Amount,
    pub open_amount: Amount,
    pub discount_until: Option<NaiveDate>,
    pub discount: Option<Fraction>,
    pub disputed: bool,
    pub dunning_level: i16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceAllocation {
    /// e.g. `payment` or `credit_note`.
    pub document_type: String,
    pub document_id: Uuid,
    pub date: NaiveDate,
    pub amount: Amount,
    /// Of it by a cash discount and by a write-off.
    pub discount: Amount,
    pub written_off: Amount,
}

/// Rows that belong to a document.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    pub lines: Vec<LineRow>,
    pub items: Vec<OpenItem>,
    pub allocations: Vec<AllocationRow>,
}

#[derive(Debug, Clone, diesel::Queryable)]
pub struct AllocationRow {
    pub of_document: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub date: NaiveDate,
    pub amount: Decimal,
    pub discount: Decimal,
    pub written_off: Decimal,
}

impl InvoiceRow {
    pub fn allowed_actions(&self) -> Vec<InvoiceAction> {
        use InvoiceAction::{Cancel, Credit, Delete, Edit, Post};
        match (self.status, self.kind) {
            (InvoiceStatus::Draft, _) => vec![Edit, Delete, Post],
            (_, InvoiceKind::Invoice) if self.credited_gross < self.gross => vec![Credit, Cancel],
            _ => Vec::new(),
        }
    }
}

fn money(currency: Currency, value: Decimal) -> Result<Amount> {
    Amount::money(currency, value).ok_or_else(|| Error::Bug("an amount beyond its bounds".into()))
}

impl Invoice {
    /// Puts the record together from its rows.
    ///
    /// # Errors
    /// When a row holds what it cannot hold, which is a bug.
    pub fn from_rows(row: InvoiceRow, parts: Parts, base: Currency) -> Result<Self> {
        let currency = row.currency;
        let allowed_actions = row.allowed_actions();
        let money = |value| money(currency, value);
        Ok(Invoice {
            lines: parts
                .lines
                .into_iter()
                .map(|line| InvoiceLine::from_row(line, currency))
                .collect::<Result<_>>()?,
            instalments: parts
                .items
                .into_iter()
                .map(|item| InvoiceInstalment::from_item(&item))
                .collect::<Result<_>>()?,
            allocations: parts
                .allocations
                .into_iter()
                .map(|row| {
                    Ok(InvoiceAllocation {
                        document_type: row.document_type,
                        document_id: row.document_id,
                        date: row.date,
                        amount: money(row.amount)?,
                        discount: money(row.discount)?,
                        written_off: money(row.written_off)?,
                    })
                })
                .collect::<Result<_>>()?,
            discount_taken_back: money(row.discount_taken_back)?,
            payable: money(row.payable())?,
            open_amount: money(row.open_amount)?,
            credited: money(row.credited_gross)?,
            total: Total {
                net: money(row.net)?,
                tax: money(row.tax)?,
                gross: money(row.gross)?,
            },
            base_gross: row.base_gross.map(|gross| self::money(base, gross)).transpose()?,
            party: row.party.map(serde_json::from_value).transpose()?,
            taxes: serde_json::from_value::<Vec<InvoiceTax>>(row.taxes)?
                .into_iter()
                .map(|tax| tax.shown(currency, base))
                .collect::<Result<_, _>>()?,
            advances: serde_json::from_value::<Vec<DeductedAdvance>>(row.advances)?
                .into_iter()
                .map(|advance| {
                    let gross = money(advance.gross.value())?;
                    Ok(DeductedAdvance { gross, ..advance })
                })
                .collect::<Result<_>>()?,
            id: row.id,
            kind: row.kind,
            number: row.number,
            status: row.status,
            customer_id: row.customer_id,
            order_id: row.order_id,
            credited_invoice_id: row.credited_invoice_id,
            return_id: row.return_id,
            date: row.date,
            currency,
            prices_include_tax: row.prices_include_tax,
            payment_terms_id: row.payment_terms_id,
            legal_entity_id: row.legal_entity_id,
            exchange_rate: row.exchange_rate.map(|rate| rate.normalize()),
            reason: row.reason,
            notes: row.notes,
            external_ref: row.external_ref,
            department_id: row.department_id,
            project_id: row.project_id,
            entry_id: row.entry_id,
            allowed_actions,
            posted_at: row.posted_at,
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl InvoiceLine {
    fn from_row(row: LineRow, currency: Currency) -> Result<Self> {
        Ok(InvoiceLine {
            id: row.id,
            position: row.position,
            kind: row.kind,
            order_line_id: row.order_line_id,
            charge_id: row.charge_id,
            delivery_id: row.delivery_id,
            product_id: row.product_id,
            account_id: row.account_id,
            credited_line_id: row.credited_line_id,
            description: row.description,
            quantity: row.quantity,
            unit: row.unit,
            unit_price: row.unit_price,
            discount: row.discount,
            amount: money(currency, row.amount)?,
            net: money(currency, row.net)?,
            tax_class: row.tax_class,
            taxes: serde_json::from_value(row.taxes)?,
            tax_point: row.tax_point,
            department_id: row.department_id,
            project_id: row.project_id,
            credited_quantity: row.credited_quantity,
            credited_amount: money(currency, row.credited_amount)?,
        })
    }
}

impl InvoiceInstalment {
    fn from_item(item: &OpenItem) -> Result<Self> {
        Ok(InvoiceInstalment {
            item_id: item.id,
            due_on: item.due_on,
            amount: money(item.currency, item.amount)?,
            open_amount: money(item.currency, item.open_amount)?,
            discount_until: item.discount_until,
            discount: item.discount.and_then(|discount| Fraction::new(discount).ok()),
            disputed: item.disputed,
            dunning_level: item.dunning_level,
        })
    }
}

impl Resource for Invoice {
    const PATH: &'static str = "invoices";
    const TYPE: &'static str = "invoice";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Invoice {
    const EVENT: &'static str = "invoice.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
