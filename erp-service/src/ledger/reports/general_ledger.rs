use super::{consistent, span, sums};
use crate::company;
use crate::ledger::accounts::{Account, AccountKind};
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
    /// Code of the account; it or its id is required.
    account: Option<SearchText>,
    account_id: Option<Uuid>,
    /// Default: the beginning of the fiscal year.
    from: Option<NaiveDate>,
    /// Default today.
    to: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// The lines of an account with its running balance; one page of them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GeneralLedger {
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub kind: AccountKind,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The base currency.
    pub base_currency: Currency,
    /// Balance before `from`; a debit is positive.
    pub opening_balance: Amount,
    /// All debits from `from` to `to`, those of other pages too.
    pub debit: Amount,
    pub credit: Amount,
    /// Balance after `to`.
    pub closing_balance: Amount,
    pub items: Vec<GeneralLedgerLine>,
    pub next_cursor: Option<String>,
}

/// A line of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GeneralLedgerLine {
    pub date: NaiveDate,
    pub entry_id: Uuid,
    pub position: i32,
    /// Number of the entry.
    pub number: Option<String>,
    pub journal: String,
    /// That of the line, else that of the entry.
    pub description: String,
    pub debit: Amount,
    pub credit: Amount,
    /// After this line; a debit is positive.
    pub balance: Amount,
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

/// The lines of an account by date, with its running balance, and the entries and documents that they come from.
#[utoipa::path(tag = "reports", params(GeneralLedgerQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "A page of lines", body = GeneralLedger)))]
#[get("/reports/general-ledger")]
async fn get_general_ledger(read: Read<may::ReadReports>, query: Query<GeneralLedgerQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| report(conn, &query, today)))
        .await
}

fn report(conn: &mut PgConnection, query: &GeneralLedgerQuery, today: NaiveDate) -> Result<GeneralLedger> {
    let (limit, cursor) = (query.limit.unwrap_or_default(), query.cursor.as_ref());
    let after: Option<Key> = cursor.map(|cursor| cursor.decode(SORT)).transpose()?;
    let account = account(conn, query)?;
    let (from, to) = span(conn, query.from, query.to, today)?;
    let base = company::settings(conn)?.base_currency;
    let opening = balance_before(conn, account.id, from)?;
    let moved = sums::of_one(conn, account.id, Some(from), to)?;
    let rows = lines(conn, account.id, (from, to), after, limit)?;
    let mut balance = match after {
        Some(after) => balance_after(conn, account.id, after)?,
        None => opening,
    };
    let page = Page::from_rows(rows, limit, |last| {
        Cursor::encode(SORT, &(last.posted_on, last.entry_id, last.position))
    });
    let items = page.items.into_iter().map(|row| {
        balance += row.debit - row.credit;
        Ok(GeneralLedgerLine {
            link: path_of("journal_entry", row.entry_id),
            source_link: path_of(&row.source_type, row.source_id),
            date: row.posted_on,
            entry_id: row.entry_id,
            position: row.position,
            number: row.number,
            journal: row.journal,
            description: row.description,
            debit: shown(base, row.debit)?,
            credit: shown(base, row.credit)?,
            balance: shown(base, balance)?,
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
    Ok(GeneralLedger {
        account_id: account.id,
        account: account.code,
        account_name: account.name,
        kind: account.kind,
        from,
        to,
        base_currency: base,
        opening_balance: shown(base, opening)?,
        debit: shown(base, moved.debit)?,
        credit: shown(base, moved.credit)?,
        closing_balance: shown(base, opening + moved.balance())?,
        items,
        next_cursor: page.next_cursor,
    })
}

fn account(conn: &mut PgConnection, query: &GeneralLedgerQuery) -> Result<Account> {
    let found = accounts::table.select(Account::as_select());
    let account = match (query.account_id, &query.account) {
        (Some(id), None) => found.filter(accounts::id.eq(id)).first(conn),
        (None, Some(code)) => found.filter(accounts::code.eq(code.as_str())).first(conn),
        _ => {
            let detail = "account: name the account by its code, or by account_id";
            return Err(Problem::bad_request("invalid_parameter", detail).into());
        }
    };
    match account.or_not_found("account") {
        // The path is right, what it asks for is not.
        Err(service_kit::Error::Problem(problem)) if problem.status == 404 => {
            Err(Problem::bad_request("unknown_account", "account: there is no such account").into())
        }
        other => other,
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

fn lines(
    conn: &mut PgConnection,
    account: Uuid,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<Key>,
    limit: Limit,
) -> Result<Vec<LineRow>> {
    // Before the first line there is none of position 0.
    let (date, entry, position) = after.unwrap_or((from, Uuid::nil(), 0));
    let rows = sql("SELECT l.posted_on, l.entry_id, l.position, e.number, e.journal, coalesce(l.description, e.description) AS description,
                l.debit, l.credit, l.currency, l.amount, l.department_id, l.project_id, e.source_type, e.source_id, e.source_number
         FROM journal_entry_lines l JOIN journal_entries e ON e.id = l.entry_id
         WHERE l.account_id = $1 AND l.posted_on >= $2 AND l.posted_on <= $3 AND (l.posted_on, l.entry_id, l.position) > ($4, $5, $6)
         ORDER BY l.posted_on, l.entry_id, l.position LIMIT $7")
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(date.max(from))
    .bind::<Date, _>(to)
    .bind::<Date, _>(date)
    .bind::<SqlUuid, _>(entry)
    .bind::<Integer, _>(position)
    .bind::<BigInt, _>(limit.plus_one())
    .rows(conn)?;
    Ok(rows)
}
