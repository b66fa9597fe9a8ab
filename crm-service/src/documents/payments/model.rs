use crate::documents::show;
use crate::json::AsJson;
use crate::replica::replica;
use crate::schema::payments;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::{Amount, Currency, Cursor, Limit, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Whether the customer paid or was paid back.
    PaymentDirection { In = "in", Out = "out" }
}

text_enum! {
    /// A reversed payment bounced or was a mistake.
    PaymentStatus { Posted = "posted", Reversed = "reversed" }
}

text_enum! {
    /// How it was paid.
    PaymentMethod {
        BankTransfer = "bank_transfer",
        DirectDebit = "direct_debit",
        Card = "card",
        Cheque = "cheque",
        Cash = "cash",
        Other = "other",
    }
}

/// A payment of a customer as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub payment: PaymentDocument,
}

/// The payment. What is not listed here is ignored: the ERP may say more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentDocument {
    pub id: Uuid,
    #[schema(max_length = 60)]
    pub number: Option<String>,
    pub status: PaymentStatus,
    pub direction: PaymentDirection,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub amount: Amount,
    /// What is on account: not allocated.
    pub unallocated: Amount,
    pub date: NaiveDate,
    /// What stands on the transfer.
    #[schema(max_length = 500)]
    pub reference: Option<String>,
    pub method: PaymentMethod,
    /// What it cleared.
    #[serde(default)]
    #[schema(max_items = 5000)]
    pub allocations: Vec<PaymentAllocation>,
    #[schema(max_length = 200)]
    pub external_ref: Option<String>,
    pub reversed_on: Option<NaiveDate>,
    #[schema(max_length = 1000)]
    pub reversal_reason: Option<String>,
}

/// What a payment cleared of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentAllocation {
    pub id: Uuid,
    /// e.g. `invoice`.
    #[schema(max_length = 60)]
    pub document_type: String,
    pub document_id: Uuid,
    #[schema(max_length = 200)]
    pub document_number: Option<String>,
    pub date: NaiveDate,
    /// The document's.
    pub currency: Currency,
    /// What the document lost: paid, discount and write-off.
    pub cleared: Amount,
    #[serde(default)]
    pub discount: Amount,
    #[serde(default)]
    pub written_off: Amount,
    /// What of the payment went into it, in the payment's currency.
    pub paid: Amount,
    /// When it was undone.
    pub undone_on: Option<NaiveDate>,
}

/// A payment of a customer. The ERP is its master.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Payment {
    #[serde(flatten)]
    pub document: PaymentDocument,
    /// The ERP's version of the record.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(Payment, id: document.id, path: "payments", type: "payment");

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payments, treat_none_as_null = true)]
pub struct PaymentRow {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub direction: PaymentDirection,
    pub status: PaymentStatus,
    pub number: Option<String>,
    pub date: NaiveDate,
    pub is_open: bool,
    pub document: AsJson<PaymentDocument>,
    pub source_version: i64,
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PaymentsQuery {
    pub customer_id: Option<Uuid>,
    #[param(inline)]
    pub direction: Option<PaymentDirection>,
    #[param(inline)]
    pub status: Option<PaymentStatus>,
    /// Whether something of it is on account.
    pub open: Option<bool>,
    pub number: Option<SearchText>,
    pub date_from: Option<NaiveDate>,
    pub date_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CustomerPaymentsQuery {
    #[param(inline)]
    direction: Option<PaymentDirection>,
    #[param(inline)]
    status: Option<PaymentStatus>,
    /// Whether something of it is on account.
    open: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl PaymentDocument {
    /// The payment with the digits of the currencies.
    pub fn shown(mut self) -> Self {
        show(self.currency, [&mut self.amount, &mut self.unallocated]);
        show(self.currency, self.allocations.iter_mut().map(|one| &mut one.paid));
        for one in &mut self.allocations {
            show(
                one.currency,
                [&mut one.cleared, &mut one.discount, &mut one.written_off],
            );
        }
        self
    }
}

impl CustomerPaymentsQuery {
    pub fn of(self, customer_id: Uuid) -> PaymentsQuery {
        PaymentsQuery {
            customer_id: Some(customer_id),
            direction: self.direction,
            status: self.status,
            open: self.open,
            limit: self.limit,
            cursor: self.cursor,
            sort: self.sort,
            ..PaymentsQuery::default()
        }
    }
}

impl From<&Payment> for PaymentRow {
    fn from(payment: &Payment) -> Self {
        let document = &payment.document;
        PaymentRow {
            id: document.id,
            customer_id: document.customer_id,
            direction: document.direction,
            status: document.status,
            number: document.number.clone(),
            date: document.date,
            is_open: !document.unallocated.value().is_zero(),
            document: AsJson(document.clone()),
            source_version: payment.source_version,
            as_of: payment.as_of,
            revision: payment.revision,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

impl From<PaymentRow> for Payment {
    fn from(row: PaymentRow) -> Self {
        Payment {
            document: row.document.0.shown(),
            source_version: row.source_version,
            as_of: row.as_of,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
