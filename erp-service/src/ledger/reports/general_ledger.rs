use super::{ReportFormat, consistent, span, sums};
use crate::company;
use crate::ledger::accounts::Account;
use crate::ledger::entries::path_of;
use crate::ledger::shown;
use crate::may;
use crate::schema::accounts;
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::http::SearchText;
use service_kit::{Amount, Answer, Currency, Cursor, Limit, OrNotFound, Page, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct GeneralLedgerQuery {
    /// Code of the account, or its id. Without one the lines of all accounts are answered, without balances.
    account: Option<SearchText>,
    account_id: Option<Uuid>,
    /// Default: the beginning of the fiscal year.
    from: Option<NaiveDate>,
    /// Default today.
    to: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `csv` for the rows as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// The lines of an account with its running balance, or of all accounts; one page of them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GeneralLedger {
    /// `null`: all accounts.
    pub account_id: Option<Uuid>,
    /// Code of the account.
    pub account: Option<String>,
    pub account_name: Option<String>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The base currency.
    pub base_currency: Currency,
    /// Balance of the account before `from`; a debit is positive.
    pub opening_balance: Option<Amount>,
    /// All debits from `from` to `to`, those of other pages too.
    pub debit: Amount,
    pub credit: Amount,
    /// Balance of the account after `to`.
    pub closing_balance: Option<Amount>,
    pub items: Vec<GeneralLedgerLine>,
    pub next_cursor: Option<String>,
}

/// A line of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GeneralLedgerLine {
    pub date: NaiveDate,
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub entry_id: Uuid,
    pub position: i32,
    /// Number of the entry.
    pub number: Option<String>,
    pub journal: String,
    /// That of the line, else that of the entry.
    pub description: String,
    pub debit: Amount,
    pub credit: Amount,
    /// Of the account after this line; a debit is positive.
    pub balance: Option<Amount>,
    pub currency: Currency,
    /// In its own currency; a debit is positive.
    pub amount: Amount,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    /// The document that it comes from.
    pub source_link: String,
    /// The entry.
    pub link: String,
}

#[derive(Debug, Clone, QueryableByName)]
struct LineRow {
    #[diesel(sql_type = Date)]
    posted_on: NaiveDate,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Text)]
    account_name: String,
    #[diesel(sql_type = SqlUuid)]
    entry_id: Uuid,
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Text)]
    journal: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Numeric)]
    debit: Decimal,
    #[diesel(sql_type = Numeric)]
    credit: Decimal,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    department_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    project_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    source_type: String,
    #[diesel(sql_type = SqlUuid)]
    source_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    source_number: Option<String>,
}

/// Where a page begins: after this line.
type Key = (NaiveDate, Uuid, i32);

const SORT: &str = "general-ledger";

pub fn routes(routes: &mut Routes) {
    routes.add(get_general_ledger);
}

/// The lines of an account by date, with its running balance, and the entries and documents that they come from; or, for
/// an export of the books, the lines of all accounts.
#[utoipa::path(tag = "reports", params(GeneralLedgerQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "A page of lines", body = GeneralLedger)))]
#[get("/reports/general-ledger")]
async fn get_general_ledger(read: Read<may::ReadReports>, query: Query<GeneralLedgerQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| report(conn, &query, today)))
        .await
}

fn report(conn: &mut PgConnection, query: &GeneralLedgerQuery, today: NaiveDate) -> Result<GeneralLedger> {
    let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
    let after: Option<Key> = cursor.map(|cursor| cursor.decode(SORT)).transpose()?;
    let account = account(conn, query)?;
    let (from, to) = span(conn, query.from, query.to, today)?;
    let base = company::settings(conn)?.base_currency;
    let account_id = account.as_ref().map(|account| account.id);
    let rows = lines(conn, account_id, (from, to), after, limit)?;
    let page = Page::from_rows(rows, limit, |last| {
        Cursor::encode(SORT, &(last.posted_on, last.entry_id, last.position))
    });
    let (opening, moved, mut balance) = match account_id {
        Some(id) => {
            let opening = balance_before(conn, id, from)?;
            let balance = after.map_or(Ok(opening), |after| balance_after(conn, id, after))?;
            (Some(opening), sums::of_one(conn, id, Some(from), to)?, Some(balance))
        }
        None => (None, sums::total(conn, from, to)?, None),
    };
    let items = page.items.into_iter().map(|row| {
        balance = balance.map(|balance| balance + row.debit - row.credit);
        Ok(GeneralLedgerLine {
            link: path_of("journal_entry", row.entry_id),
            source_link: path_of(&row.source_type, row.source_id),
            date: row.posted_on,
            account_id: row.account_id,
            account: row.account,
            account_name: row.account_name,
            entry_id: row.entry_id,
            position: row.position,
            number: row.number,
            journal: row.journal,
            description: row.description,
            debit: shown(base, row.debit)?,
            credit: shown(base, row.credit)?,
            balance: balance.map(|balance| shown(base, balance)).transpose()?,
            currency: row.currency,
            amount: shown(row.currency, row.amount)?,
            department_id: row.department_id,
            project_id: row.project_id,
            source_type: row.source_type,
            source_id: row.source_id,
            source_number: row.source_number,
        })
    });
    let items = items.collect::<Result<_>>()?;
    let closing = opening.map(|opening| shown(base, opening + moved.balance()));
    Ok(GeneralLedger {
        account_id,
        account: account.as_ref().map(|account| account.code.clone()),
        account_name: account.map(|account| account.name),
        from,
        to,
        base_currency: base,
        opening_balance: opening.map(|opening| shown(base, opening)).transpose()?,
        debit: shown(base, moved.debit)?,
        credit: shown(base, moved.credit)?,
        closing_balance: closing.transpose()?,
        items,
        next_cursor: page.next_cursor,
    })
}

fn account(conn: &mut PgConnection, query: &GeneralLedgerQuery) -> Result<Option<Account>> {
    let found = accounts::table.select(Account::as_select());
    let account = match (query.account_id, &query.account) {
        (Some(id), None) => found.filter(accounts::id.eq(id)).first(conn),
        (None, Some(code)) => found.filter(accounts::code.eq(code.as_str())).first(conn),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let detail = "account: name the account by its code or by its id, not both";
            return Err(Problem::bad_request("invalid_parameter", detail).into());
        }
    };
    match account.or_not_found("account") {
        // The path is right, what it asks for is not.
        Err(service_kit::Error::Problem(problem)) if problem.status == 404 => {
            Err(Problem::bad_request("unknown_account", "account: there is no such account").into())
        }
        other => other.map(Some),
    }
}

fn balance_before(conn: &mut PgConnection, account: Uuid, day: NaiveDate) -> Result<Decimal> {
    match day.pred_opt() {
        Some(before) => Ok(sums::of_one(conn, account, None, before)?.balance()),
        None => Ok(Decimal::ZERO),
    }
}

/// The balance after a line, which is computed anew: entries may have been posted before it since.
fn balance_after(conn: &mut PgConnection, account: Uuid, (date, entry, position): Key) -> Result<Decimal> {
    #[derive(QueryableByName)]
    struct Moved {
        #[diesel(sql_type = Numeric)]
        moved: Decimal,
    }
    let on_the_day: Moved = sql(
        "SELECT coalesce(sum(debit - credit), 0) AS moved FROM journal_entry_lines
         WHERE account_id = $1 AND posted_on = $2 AND (entry_id, position) <= ($3, $4)",
    )
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(date)
    .bind::<SqlUuid, _>(entry)
    .bind::<Integer, _>(position)
    .row(conn)?;
    Ok(balance_before(conn, account, date)? + on_the_day.moved)
}

const OF_ACCOUNT: &str = "
    SELECT l.posted_on, l.account_id, a.code AS account, a.name AS account_name, l.entry_id, l.position, e.number, e.journal,
           coalesce(l.description, e.description) AS description, l.debit, l.credit, l.currency, l.amount, l.department_id,
           l.project_id, e.source_type, e.source_id, e.source_number
    FROM journal_entry_lines l JOIN journal_entries e ON e.id = l.entry_id JOIN accounts a ON a.id = l.account_id
    WHERE l.account_id = $1 AND l.posted_on >= $2 AND l.posted_on <= $3 AND (l.posted_on, l.entry_id, l.position) > ($4, $5, $6)
    ORDER BY l.posted_on, l.entry_id, l.position LIMIT $7";

const OF_ALL: &str = "
    SELECT l.posted_on, l.account_id, a.code AS account, a.name AS account_name, l.entry_id, l.position, e.number, e.journal,
           coalesce(l.description, e.description) AS description, l.debit, l.credit, l.currency, l.amount, l.department_id,
           l.project_id, e.source_type, e.source_id, e.source_number
    FROM journal_entry_lines l JOIN journal_entries e ON e.id = l.entry_id JOIN accounts a ON a.id = l.account_id
    WHERE l.posted_on >= $1 AND l.posted_on <= $2 AND (l.posted_on, l.entry_id, l.position) > ($3, $4, $5)
    ORDER BY l.posted_on, l.entry_id, l.position LIMIT $6";

fn lines(
    conn: &mut PgConnection,
    account: Option<Uuid>,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<Key>,
    limit: Limit,
) -> Result<Vec<LineRow>> {
    // Before the first line there is none of position 0.
    let (date, entry, position) = after.unwrap_or((from, Uuid::nil(), 0));
    let lines = match account {
        Some(account) => sql(OF_ACCOUNT).bind::<SqlUuid, _>(account),
        None => sql(OF_ALL),
    };
    let rows = lines
        .bind::<Date, _>(date.max(from))
        .bind::<Date, _>(to)
        .bind::<Date, _>(date)
        .bind::<SqlUuid, _>(entry)
        .bind::<Integer, _>(position)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    Ok(rows)
}
