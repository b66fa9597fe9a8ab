use crate::receivables::taxation::{InvoiceTax, money};
use crate::schema::{advances, prepayments};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::decimal::Fraction;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Result, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// How far a prepayment is received.
    PrepaymentStatus {
        Requested = "requested",
        PartiallyReceived = "partially_received",
        Received = "received",
        Cancelled = "cancelled",
    }
}

/// What to ask for before the invoice: a fraction of the order's total, or an amount.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepaymentIn {
    pub id: Option<Uuid>,
    /// Of the order's gross total: `"0.3"` is 30 %.
    pub fraction: Option<Fraction>,
    /// Gross, in the order's currency.
    pub amount: Option<Amount>,
    /// Default today.
    pub date: Option<NaiveDate>,
    /// Default: the day of the request.
    pub due_on: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 4000)]
    pub notes: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepaymentCancellationIn {
    /// Posting date of what is given back; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// A request for money before the invoice, with what came for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prepayment {
    pub id: Uuid,
    pub number: Option<String>,
    pub status: PrepaymentStatus,
    pub customer_id: Uuid,
    pub order_id: Uuid,
    pub date: NaiveDate,
    pub due_on: NaiveDate,
    pub currency: Currency,
    /// What is asked for.
    pub gross: Amount,
    pub received: Amount,
    pub advances: Vec<Advance>,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    /// Why it was cancelled.
    pub reason: Option<String>,
    pub allowed_actions: Vec<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Money that came in advance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Advance {
    pub id: Uuid,
    /// e.g. `payment`.
    pub document_type: String,
    pub document_id: Uuid,
    pub date: NaiveDate,
    pub gross: Amount,
    /// As it was taxed when it came.
    pub taxes: Vec<InvoiceTax>,
    /// The open item of what is not tax.
    pub item_id: Uuid,
    /// Gross that no invoice has cleared yet.
    pub open_gross: Amount,
    pub entry_id: Uuid,
    /// Given back as a credit.
    pub cancelled_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = prepayments)]
pub(super) struct PrepaymentRow {
    pub id: Uuid,
    pub number: String,
    pub status: PrepaymentStatus,
    pub customer_id: Uuid,
    pub order_id: Uuid,
    pub date: NaiveDate,
    pub due_on: NaiveDate,
    pub currency: Currency,
    pub gross: Decimal,
    pub received_gross: Decimal,
    pub notes: Option<String>,
    pub external_ref: Option<String>,
    pub reason: Option<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = advances)]
pub(super) struct AdvanceRow {
    pub id: Uuid,
    pub prepayment_id: Uuid,
    pub customer_id: Uuid,
    pub order_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub received_on: NaiveDate,
    pub currency: Currency,
    pub gross: Decimal,
    pub taxes: Value,
    pub taxes_open: Value,
    pub item_id: Uuid,
    pub open_gross: Decimal,
    pub entry_id: Uuid,
    pub cancelled_on: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PrepaymentsQuery {
    #[param(inline)]
    pub status: Option<PrepaymentStatus>,
    pub customer_id: Option<Uuid>,
    pub order_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl AdvanceRow {
    pub fn taxes_open(&self) -> Result<Vec<InvoiceTax>> {
        Ok(serde_json::from_value(self.taxes_open.clone())?)
    }

    fn shown(self, base: Currency) -> Result<Advance> {
        let currency = self.currency;
        let taxes: Vec<InvoiceTax> = serde_json::from_value(self.taxes)?;
        Ok(Advance {
            id: self.id,
            document_type: self.document_type,
            document_id: self.document_id,
            date: self.received_on,
            gross: money(currency, self.gross)?,
            taxes: taxes
                .into_iter()
                .map(|tax| tax.shown(currency, base))
                .collect::<Result<_, _>>()?,
            item_id: self.item_id,
            open_gross: money(currency, self.open_gross)?,
            entry_id: self.entry_id,
            cancelled_on: self.cancelled_on,
        })
    }
}

impl Prepayment {
    /// Puts the record together from its rows.
    pub(super) fn from_rows(row: PrepaymentRow, advances: Vec<AdvanceRow>, base: Currency) -> Result<Self> {
        let actions: &[&str] = match row.status {
            PrepaymentStatus::Cancelled => &[],
            PrepaymentStatus::Received => &["cancel"],
            _ => &["receive", "cancel"],
        };
        Ok(Prepayment {
            id: row.id,
            number: Some(row.number).filter(|number| !number.starts_with("dry run")),
            status: row.status,
            customer_id: row.customer_id,
            order_id: row.order_id,
            date: row.date,
            due_on: row.due_on,
            currency: row.currency,
            gross: money(row.currency, row.gross)?,
            received: money(row.currency, row.received_gross)?,
            advances: advances
                .into_iter()
                .map(|advance| advance.shown(base))
                .collect::<Result<_>>()?,
            notes: row.notes,
            external_ref: row.external_ref,
            reason: row.reason,
            allowed_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Resource for Prepayment {
    const PATH: &'static str = "prepayments";
    const TYPE: &'static str = "prepayment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Prepayment {
    const EVENT: &'static str = "prepayment.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
