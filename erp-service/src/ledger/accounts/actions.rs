use super::chart::Chart;
use super::model::{Account, AccountIn, AccountPatch, AccountStatus};
use crate::schema::{accounts, journal_entry_lines, posting_rules};
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Error, Faults, Problem, Put, Result, Tx};
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &AccountIn) -> Result<Account> {
    let mut chart = Chart::locked(tx)?;
    let id = tx.mint(input.id);
    if chart.get(id).is_some() {
        return Err(crate::catalog::products::taken("/id", "an account with this id exists"));
    }
    create_in(tx, &mut chart, id, input)
}

pub fn put(tx: &mut Tx<'_>, id: Uuid, input: &AccountIn) -> Result<Put<Account>> {
    let mut chart = Chart::locked(tx)?;
    let Some(current) = chart.get(id).cloned() else {
        return create_in(tx, &mut chart, id, input).map(Put::Created);
    };
    let wanted = AccountIn {
        id: Some(id),
        ..input.clone()
    };
    if current.as_input() == wanted {
        return Ok(Put::Unchanged(current));
    }
    change(tx, &mut chart, current, &wanted).map(Put::Updated)
}

pub fn update(tx: &mut Tx<'_>, id: Uuid, patch: &AccountPatch) -> Result<Account> {
    let mut chart = Chart::locked(tx)?;
    let current = chart.get(id).cloned().ok_or_else(|| Problem::not_found("account"))?;
    let wanted = current.with(patch.clone());
    change(tx, &mut chart, current, &wanted)
}

fn create_in(tx: &mut Tx<'_>, chart: &mut Chart, id: Uuid, input: &AccountIn) -> Result<Account> {
    let mut faults = Faults::default();
    chart.check(id, input, &mut faults);
    checked(faults)?;
    let account = insert(tx, id, input)?;
    chart.put(account.clone());
    Ok(account)
}

fn change(tx: &mut Tx<'_>, chart: &mut Chart, current: Account, wanted: &AccountIn) -> Result<Account> {
    tx.require_match(&current)?;
    if current.as_input() == *wanted {
        return Ok(current);
    }
    let mut faults = Faults::default();
    chart.check(current.id, wanted, &mut faults);
    checked(faults)?;
    let after = store(tx, &current, wanted)?;
    chart.put(after.clone());
    Ok(after)
}

/// A code that is taken is a conflict, anything else a broken rule.
fn checked(faults: Faults) -> Result<()> {
    faults.check().map_err(|mut problem| {
        if problem.code == "duplicate" {
            problem.status = 409;
        }
        Error::from(problem)
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, id: Uuid, input: &AccountIn) -> Result<Account> {
    let account: Account = diesel::insert_into(accounts::table)
        .values((
            accounts::id.eq(id),
            accounts::code.eq(&input.code),
            accounts::name.eq(&input.name),
            accounts::kind.eq(input.kind),
            accounts::parent_id.eq(input.parent_id),
            accounts::heading.eq(input.heading),
            accounts::control.eq(input.control),
            accounts::currency.eq(input.currency),
            accounts::liquid.eq(input.liquid),
            accounts::cash_flow_category.eq(input.cash_flow_category),
            accounts::created_at.eq(tx.now()),
            accounts::updated_at.eq(tx.now()),
        ))
        .returning(Account::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(None, &account)?;
    Ok(account)
}

pub(super) fn store(tx: &mut Tx<'_>, before: &Account, wanted: &AccountIn) -> Result<Account> {
    let after: Account = diesel::update(accounts::table.find(before.id))
        .set((
            accounts::code.eq(&wanted.code),
            accounts::name.eq(&wanted.name),
            accounts::kind.eq(wanted.kind),
            accounts::parent_id.eq(wanted.parent_id),
            accounts::heading.eq(wanted.heading),
            accounts::control.eq(wanted.control),
            accounts::currency.eq(wanted.currency),
            accounts::liquid.eq(wanted.liquid),
            accounts::cash_flow_category.eq(wanted.cash_flow_category),
            accounts::version.eq(accounts::version + 1),
            accounts::revision.eq(accounts::revision + 1),
            accounts::updated_at.eq(tx.now()),
        ))
        .returning(Account::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}

pub(super) fn has_entries(conn: &mut PgConnection, id: Uuid) -> QueryResult<bool> {
    let lines = journal_entry_lines::table.filter(journal_entry_lines::account_id.eq(id));
    select(exists(lines)).get_result(conn)
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

/// Takes an account out of use: no posting rule may name it, nothing below it be in use and, on the balance
/// sheet, nothing be left on it.
pub fn retire(tx: &mut Tx<'_>, id: Uuid) -> Result<Account> {
    let chart = Chart::locked(tx)?;
    let current = chart.get(id).cloned().ok_or_else(|| Problem::not_found("account"))?;
    tx.match_if_given(&current)?;
    if current.status == AccountStatus::Retired {
        return Ok(current);
    }
    let ruled = posting_rules::table.filter(posting_rules::account_id.eq(id));
    if select(exists(ruled)).get_result(&mut **tx)? {
        let detail = "posting rules name the account: let them name another first";
        return Err(Problem::conflict("account_in_rules", detail).into());
    }
    let Answer { yes: below } =
        sql("SELECT EXISTS (SELECT FROM accounts WHERE parent_id = $1 AND status = 'active') AS yes")
            .bind::<SqlUuid, _>(id)
            .row(tx)?;
    if below {
        return Err(Problem::conflict("has_children", "there are accounts in use below it").into());
    }
    let Answer { yes: left } = sql(
        "SELECT coalesce(sum(debit) <> sum(credit), false) AS yes FROM account_months m
         JOIN accounts a ON a.id = m.account_id WHERE m.account_id = $1 AND a.kind IN ('asset', 'liability', 'equity')",
    )
    .bind::<SqlUuid, _>(id)
    .row(tx)?;
    if left {
        return Err(Problem::conflict("balance_not_zero", "the account has a balance").into());
    }
    set_status(tx, &current, AccountStatus::Retired)
}

pub fn reactivate(tx: &mut Tx<'_>, id: Uuid) -> Result<Account> {
    let chart = Chart::locked(tx)?;
    let current = chart.get(id).cloned().ok_or_else(|| Problem::not_found("account"))?;
    tx.match_if_given(&current)?;
    match current.status {
        AccountStatus::Active => Ok(current),
        AccountStatus::Retired => set_status(tx, &current, AccountStatus::Active),
    }
}

fn set_status(tx: &mut Tx<'_>, before: &Account, status: AccountStatus) -> Result<Account> {
    let after: Account = diesel::update(accounts::table.find(before.id))
        .set((
            accounts::status.eq(status),
            accounts::version.eq(accounts::version + 1),
            accounts::revision.eq(accounts::revision + 1),
            accounts::updated_at.eq(tx.now()),
        ))
        .returning(Account::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}
