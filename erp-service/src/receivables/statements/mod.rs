//! Statements: what a customer was told to owe between two days, and what made it so.
//!
//! A line is an entry that changed what the customer owes: an invoice, a credit note, a payment with the discount and the
//! difference that came with it, a refund, a write-off, an opening item, or what took one of these back. What only moves
//! within the account, as a payment on account that is allocated, is no line. The running balance is the customer's part of the
//! receivable accounts, in the currency of the documents; `base` figures are those of the ledger, revaluations included.
//!
//! Nothing is added up from the beginning: a balance of the past is what is open now less what has moved since, and only items
//! that have moved since are read (`open_items.moved_on`).

mod queries;

use crate::ledger::ageing::{AgeingTotals, Buckets, days_overdue};
use crate::ledger::reports::{ReportFormat, consistent, span};
use crate::ledger::{path_of, shown};
use crate::{company, may};
use actix_web::get;
use chrono::NaiveDate;
use diesel::PgConnection;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Answer, Currency, IdPath, Path, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StatementQuery {
    /// Default: the beginning of the fiscal year.
    from: Option<NaiveDate>,
    /// Default today.
    to: Option<NaiveDate>,
    /// Default: the only one that the customer has documents in, else the base currency. `currencies` of the answer names all.
    currency: Option<Currency>,
    /// `csv` for the lines as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// What a customer owed, what made it so, and what of it is open, in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerStatement {
    pub customer_id: Uuid,
    pub customer_name: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub currency: Currency,
    /// All that the customer has documents in: each is a statement of its own.
    pub currencies: Vec<Currency>,
    pub base_currency: Currency,
    /// Before `from`; what the customer owes is positive.
    pub opening_balance: Amount,
    pub debit: Amount,
    pub credit: Amount,
    /// After `to`.
    pub closing_balance: Amount,
    /// The same in the base currency, as the ledger has it.
    pub opening_base_balance: Amount,
    pub closing_base_balance: Amount,
    /// By date.
    pub lines: Vec<StatementLine>,
    /// What is open after `to`, by how long it is overdue then.
    pub ageing: AgeingTotals,
    /// What is open after `to`, by due date; its sum is the closing balance.
    pub open_items: Vec<StatementItem>,
}

/// A document that changed what the customer owes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatementLine {
    pub date: NaiveDate,
    /// `invoice`, `credit_note`, `payment`, `refund`, `write_off`, `bad_debt`, `opening_item` and others.
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    /// It takes the document back.
    pub reversal: bool,
    pub description: String,
    /// The first day that something of it is due.
    pub due_on: Option<NaiveDate>,
    pub debit: Amount,
    pub credit: Amount,
    /// After this line.
    pub balance: Amount,
    /// Of the credit: cash discount, and what was written off.
    pub discount: Amount,
    pub written_off: Amount,
    /// Realised with it, in the base currency; a gain is positive.
    pub exchange_difference: Amount,
    pub entry_id: Uuid,
    pub entry_number: Option<String>,
    /// The document.
    pub link: String,
    /// The journal entry.
    pub entry_link: String,
}

/// What was open of a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatementItem {
    pub open_item_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub date: NaiveDate,
    pub due_on: NaiveDate,
    /// Signed: a credit or money on account is negative.
    pub amount: Amount,
    pub open_amount: Amount,
    /// 0: not due.
    pub days_overdue: i64,
    /// Whether it was disputed on that day.
    pub disputed: bool,
    pub link: String,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(get_customer_statement);
}

/// A customer's statement: opening balance, every document with the running balance, closing balance, and what is open.
#[utoipa::path(tag = "reports", params(IdPath, StatementQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The statement in one currency", body = CustomerStatement)))]
#[get("/customers/{id}/statement")]
async fn get_customer_statement(
    read: Read<may::ReadReports>,
    path: Path<IdPath>,
    query: Query<StatementQuery>,
) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| statement(conn, path.id, &query, today)))
        .await
}

fn statement(
    conn: &mut PgConnection,
    customer_id: Uuid,
    query: &StatementQuery,
    today: NaiveDate,
) -> Result<CustomerStatement> {
    let customer_name = queries::customer_name(conn, customer_id)?;
    let (from, to) = span(conn, query.from, query.to, today)?;
    let base = company::settings(conn)?.base_currency;
    let currencies = queries::currencies(conn, customer_id)?;
    let currency = query.currency.unwrap_or(match currencies[..] {
        [only] => only,
        _ => base,
    });
    let account = queries::Account { customer_id, currency };
    let balances = queries::balances(conn, account, from, to)?;
    let (mut balance, mut debit, mut credit) = (balances.opening, Decimal::ZERO, Decimal::ZERO);
    let mut lines = Vec::new();
    for moved in queries::movements(conn, account, from, to)? {
        balance += moved.amount;
        debit += moved.amount.max(Decimal::ZERO);
        credit -= moved.amount.min(Decimal::ZERO);
        lines.push(line(moved, balance, currency, base)?);
    }
    let mut buckets = Buckets::default();
    let mut open_items = Vec::new();
    for item in queries::open_on(conn, account, to)? {
        let days = days_overdue(item.open, item.due_on, to);
        buckets.add(days, item.open);
        open_items.push(StatementItem {
            open_item_id: item.id,
            link: path_of(&item.document_type, item.document_id),
            document_type: item.document_type,
            document_id: item.document_id,
            document_number: item.document_number,
            instalment: item.instalment,
            date: item.posted_on,
            due_on: item.due_on,
            amount: shown(currency, item.amount)?,
            open_amount: shown(currency, item.open)?,
            days_overdue: days,
            disputed: item.disputed,
        });
    }
    Ok(CustomerStatement {
        customer_id,
        customer_name,
        from,
        to,
        currency,
        currencies,
        base_currency: base,
        opening_balance: shown(currency, balances.opening)?,
        debit: shown(currency, debit)?,
        credit: shown(currency, credit)?,
        closing_balance: shown(currency, balances.closing)?,
        opening_base_balance: shown(base, balances.opening_base)?,
        closing_base_balance: shown(base, balances.closing_base)?,
        lines,
        ageing: buckets.shown(currency)?,
        open_items,
    })
}

fn line(moved: queries::Movement, balance: Decimal, currency: Currency, base: Currency) -> Result<StatementLine> {
    let document_type = match (moved.source_type.as_str(), moved.kind.as_deref()) {
        ("payment", Some("out")) => "refund",
        ("clearing", Some("difference")) => "write_off",
        ("clearing", Some("bad_debt")) => "bad_debt",
        (other, _) => other,
    };
    Ok(StatementLine {
        date: moved.posted_on,
        document_type: document_type.to_owned(),
        document_id: moved.source_id,
        document_number: moved.source_number,
        reversal: moved.reversal,
        description: moved.description,
        due_on: moved.due_on,
        debit: shown(currency, moved.amount.max(Decimal::ZERO))?,
        credit: shown(currency, -moved.amount.min(Decimal::ZERO))?,
        balance: shown(currency, balance)?,
        discount: shown(currency, moved.discount)?,
        written_off: shown(currency, moved.written_off)?,
        exchange_difference: shown(base, moved.exchange_difference)?,
        entry_id: moved.entry_id,
        entry_number: moved.entry_number,
        link: path_of(&moved.source_type, moved.source_id),
        entry_link: path_of("journal_entry", moved.entry_id),
    })
}
