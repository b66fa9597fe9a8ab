//! The end of a year: its income and expense go to retained earnings.

use super::model::{FiscalYear, FiscalYearStatus, PeriodStatus, YearRow};
use super::queries;
use crate::company;
use crate::ledger::days::PostingDay;
use crate::ledger::entry::{Entry, EntryKind, Journal, Source, Sum};
use crate::ledger::roles::{Account, Role, rules};
use crate::ledger::{numbers, posting};
use crate::schema::fiscal_years;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, Problem, Resource, Result, Tx};
use uuid::Uuid;

#[derive(QueryableByName)]
struct YearResult {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    /// Set where the account takes one currency only.
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<Currency>,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

/// Closes a year whose periods are all closed. Its closing entry is dated on its last day.
pub fn close(tx: &mut Tx<'_>, id: Uuid) -> Result<FiscalYear> {
    let before = hold(tx, id)?;
    require(&before, "close")?;
    if let Some(open) = before
        .periods
        .iter()
        .find(|period| period.status != PeriodStatus::Closed)
    {
        let detail = format!("all periods of the year close first: {} is {}", open.name, open.status);
        return Err(Problem::conflict("periods_open", detail)
            .fact("first_open_period_id", open.id.to_string())
            .into());
    }
    let closing_entry_id = closing_entry(tx, &before)?;
    save(tx, &before, FiscalYearStatus::Closed, closing_entry_id, None)
}

/// Opens the last closed year again; its closing entry is reversed on its own day.
pub fn reopen(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<FiscalYear> {
    let before = hold(tx, id)?;
    require(&before, "reopen")?;
    let later: Option<String> = fiscal_years::table
        .filter(fiscal_years::starts_on.gt(before.starts_on))
        .filter(fiscal_years::status.eq(FiscalYearStatus::Closed))
        .order(fiscal_years::starts_on.desc())
        .select(fiscal_years::name)
        .first(&mut **tx)
        .optional()?;
    if let Some(later) = later {
        let detail = format!("only the last closed year opens again, {later}");
        return Err(Problem::conflict("later_year_closed", detail).into());
    }
    let after = save(tx, &before, FiscalYearStatus::Open, None, Some(reason))?;
    if let Some(entry) = before.closing_entry_id {
        let on = last_day(tx, &before)?;
        posting::reverse_on(tx, entry, &on, reason)?;
    }
    Ok(after)
}

fn hold(tx: &mut Tx<'_>, id: Uuid) -> Result<FiscalYear> {
    let year = queries::year(tx, id)?;
    numbers::hold(tx, id, year.starts_on)?;
    queries::lock_all(tx)?;
    let year = queries::lock_year(tx, id)?;
    tx.match_if_given(&year)?;
    Ok(year)
}

fn require(year: &FiscalYear, action: &str) -> Result<(), Problem> {
    let right = match year.status {
        FiscalYearStatus::Open => action == "close",
        FiscalYearStatus::Closed => action == "reopen",
    };
    let allowed: Vec<&str> = year.allowed_actions.iter().map(String::as_str).collect();
    match right {
        true => Ok(()),
        false => Err(Problem::illegal_transition(action, year.status.as_str(), &allowed)),
    }
}

fn last_day(tx: &mut Tx<'_>, year: &FiscalYear) -> Result<PostingDay> {
    Ok(PostingDay {
        date: year.ends_on,
        fiscal_year_id: year.id,
        label: year.name.clone(),
        base_currency: company::settings(tx)?.base_currency,
    })
}

/// Turns every income and expense account of the year to 0; nothing when there was neither.
fn closing_entry(tx: &mut Tx<'_>, year: &FiscalYear) -> Result<Option<Uuid>> {
    let results: Vec<YearResult> = sql(
        "SELECT a.id, a.code, a.name, a.currency, sum(l.debit - l.credit) AS base, sum(l.amount) AS amount
         FROM accounts a JOIN journal_entry_lines l ON l.account_id = a.id
         WHERE a.kind IN ('income', 'expense') AND l.posted_on BETWEEN $1 AND $2
         GROUP BY a.id, a.code, a.name, a.currency
         HAVING sum(l.debit - l.credit) <> 0 ORDER BY a.code",
    )
    .bind::<Date, _>(year.starts_on)
    .bind::<Date, _>(year.ends_on)
    .rows(tx)?;
    if results.is_empty() {
        return Ok(None);
    }
    let on = last_day(tx, year)?;
    let retained = rules(tx)?.of(Role::RetainedEarnings)?;
    let description = format!("Income and expense of {} to retained earnings", year.name);
    let source = Source::new(FiscalYear::TYPE, year.id, Some(year.name.clone()));
    let mut entry = Entry::new(Journal::Closing, &on, source, description).kind(EntryKind::Closing);
    for result in results {
        let account = Account {
            id: result.id,
            code: result.code,
            name: result.name,
            rule: None,
        };
        let sum = match result.currency {
            Some(currency) => Sum {
                base: result.base,
                amount: result.amount,
                currency,
            },
            None => Sum::base(on.base_currency, result.base),
        };
        entry.credit(&account, sum);
    }
    let result = -entry.balance();
    entry.debit(&retained, Sum::base(on.base_currency, result));
    Ok(Some(posting::post(tx, entry)?.id))
}

fn save(
    tx: &mut Tx<'_>,
    before: &FiscalYear,
    status: FiscalYearStatus,
    closing_entry_id: Option<Uuid>,
    reopen_reason: Option<&str>,
) -> Result<FiscalYear> {
    let row: YearRow = diesel::update(fiscal_years::table.find(before.id))
        .set((
            fiscal_years::status.eq(status),
            fiscal_years::closing_entry_id.eq(closing_entry_id),
            fiscal_years::reopen_reason.eq(reopen_reason),
            fiscal_years::revision.eq(fiscal_years::revision + 1),
            fiscal_years::updated_at.eq(tx.now()),
        ))
        .returning(YearRow::as_returning())
        .get_result(&mut **tx)?;
    let after = queries::complete(tx, row)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}
