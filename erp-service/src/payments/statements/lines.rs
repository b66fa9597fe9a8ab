//! Lines of bank statements as records, and what can be done with them.

use super::booking::{self, BookLineIn, UndoLineIn};
use super::suggest::{self, Suggestion};
use crate::may;
use crate::payments::documents::{may_write_off, shown};
use crate::schema::bank_statement_lines as table;
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Limit, OptionalBody, OrNotFound, Page, Path, Problem, Query, Read,
    Resource, Result, Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Matched with a payment that was there, or booked as a new one.
    BankLineStatus { Unmatched = "unmatched", Matched = "matched", Booked = "booked" }
}

/// A line of a bank statement.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = table)]
pub struct BankStatementLine {
    pub id: Uuid,
    pub statement_id: Uuid,
    pub bank_account_id: Uuid,
    pub position: i32,
    #[diesel(column_name = booked_on)]
    pub date: NaiveDate,
    #[diesel(column_name = value_on)]
    pub value_date: Option<NaiveDate>,
    pub currency: Currency,
    /// Money in is positive.
    pub amount: Amount,
    pub counterparty_name: Option<String>,
    pub counterparty_iban: Option<String>,
    pub reference: Option<String>,
    pub end_to_end_id: Option<String>,
    pub bank_reference: Option<String>,
    pub transaction_code: Option<String>,
    pub status: BankLineStatus,
    /// The payment that explains it.
    pub payment_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BankLinesQuery {
    bank_account_id: Option<Uuid>,
    statement_id: Option<Uuid>,
    #[param(inline)]
    status: Option<BankLineStatus>,
    payment_id: Option<Uuid>,
    date_from: Option<NaiveDate>,
    date_to: Option<NaiveDate>,
    /// Finds in reference and counterparty.
    q: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

/// What a line may be, the likeliest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Suggestions {
    pub items: Vec<Suggestion>,
}

impl BankStatementLine {
    /// With the digits of its currency.
    pub(super) fn shown(self) -> Self {
        BankStatementLine {
            amount: shown(self.currency, self.amount.value()),
            ..self
        }
    }
}

impl Resource for BankStatementLine {
    const PATH: &'static str = "bank-statement-lines";
    const TYPE: &'static str = "bank_statement_line";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_bank_statement_lines)
        .add(get_bank_statement_line)
        .add(list_bank_statement_line_suggestions)
        .add(book_bank_statement_line)
        .add(undo_bank_statement_line);
}

#[utoipa::path(tag = "bank statements", params(BankLinesQuery), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "A page of lines", body = Page<BankStatementLine>)))]
#[get("/bank-statement-lines")]
async fn list_bank_statement_lines(
    read: Read<may::ReadBankStatements>,
    query: Query<BankLinesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = table::table.select(BankStatementLine::as_select()).into_boxed();
        if let Some(account) = query.bank_account_id {
            found = found.filter(table::bank_account_id.eq(account));
        }
        if let Some(statement) = query.statement_id {
            found = found.filter(table::statement_id.eq(statement));
        }
        if let Some(status) = query.status {
            found = found.filter(table::status.eq(status));
        }
        if let Some(payment) = query.payment_id {
            found = found.filter(table::payment_id.eq(payment));
        }
        if let Some(from) = query.date_from {
            found = found.filter(table::booked_on.ge(from));
        }
        if let Some(to) = query.date_to {
            found = found.filter(table::booked_on.le(to));
        }
        if let Some(text) = &query.q {
            let pattern = text.contains();
            found = found.filter(
                table::reference
                    .ilike(pattern.clone())
                    .or(table::counterparty_name.ilike(pattern)),
            );
        }
        let page: Result<Page<BankStatementLine>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: table::id as Uuid => |l: &BankStatementLine| l.id, [
            "date" => table::booked_on as NaiveDate => |l: &BankStatementLine| l.date,
            "created_at" => table::created_at as DateTime<Utc> => |l: &BankStatementLine| l.created_at,
        ]);
        Ok(page?.map(BankStatementLine::shown))
    })
    .await
}

#[utoipa::path(tag = "bank statements", params(IdPath), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "The line", body = BankStatementLine)))]
#[get("/bank-statement-lines/{id}")]
async fn get_bank_statement_line(read: Read<may::ReadBankStatements>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| Ok(find(conn, path.id)?.shown())).await
}

/// What a line may be: open items that it pays, a payment that is there already, a posting rule. Each with a score of
/// 0 to 100 and its reasons.
#[utoipa::path(tag = "bank statements", params(IdPath), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "Suggestions, the likeliest first", body = Suggestions)))]
#[get("/bank-statement-lines/{id}/suggestions")]
async fn list_bank_statement_line_suggestions(
    read: Read<may::ReadBankStatements>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let line = find(conn, path.id)?;
        let items = suggest::suggestions(conn, &line)?;
        Ok(Suggestions { items })
    })
    .await
}

/// Book a line: as the best suggestion (no body; it must be clear), as a payment that is there (`payment_id`), as a new
/// payment of a party, or to accounts.
#[utoipa::path(tag = "bank statements", params(IdPath), request_body = BookLineIn, security(("api_key" = ["payments:post"])),
    responses((status = 200, description = "The line with its payment", body = BankStatementLine)))]
#[post("/bank-statement-lines/{id}/book")]
async fn book_bank_statement_line(
    command: Command<may::PostPayments>,
    path: Path<IdPath>,
    body: OptionalBody<BookLineIn>,
) -> Result<Answer, Problem> {
    may_write_off(&command, &body.0.allocations)?;
    command.run(move |tx| booking::book(tx, path.id, &body.0)).await
}

/// Take back what a line was booked as: a payment that it made is reversed, one that was there is let go.
#[utoipa::path(tag = "bank statements", params(IdPath), request_body = UndoLineIn, security(("api_key" = ["postings:reverse"])),
    responses((status = 200, description = "The line, unmatched again", body = BankStatementLine)))]
#[post("/bank-statement-lines/{id}/undo")]
async fn undo_bank_statement_line(
    command: Command<may::ReversePostings>,
    path: Path<IdPath>,
    body: Body<UndoLineIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| booking::undo(tx, path.id, &body.0)).await
}

fn find(conn: &mut PgConnection, id: Uuid) -> Result<BankStatementLine> {
    table::table
        .find(id)
        .select(BankStatementLine::as_select())
        .first(conn)
        .or_not_found("bank statement line")
}
