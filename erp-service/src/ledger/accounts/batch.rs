//! Accounts in numbers: the import of a chart.

use super::actions;
use super::chart::Chart;
use super::model::{Account, AccountIn, AccountKind, Control};
use crate::ledger::entries::CashFlowCategory;
use service_kit::problem::Fault;
use service_kit::{Currency, Faults, Result, Tx};
use uuid::Uuid;

/// A row of a chart; `code` is the match key. `None` leaves what is there, or the default of a new account.
#[derive(Debug, Clone, Default)]
pub struct AccountRow {
    pub code: String,
    /// Needed by a new account.
    pub name: Option<String>,
    /// Needed by a new account.
    pub kind: Option<AccountKind>,
    /// Code of the heading above, which exists or stands in an earlier row; `Some(None)` for the top.
    pub parent: Option<Option<String>>,
    pub heading: Option<bool>,
    pub control: Option<Option<Control>>,
    pub currency: Option<Option<Currency>>,
    pub liquid: Option<bool>,
    pub cash_flow_category: Option<Option<CashFlowCategory>>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upserted {
    Created(Uuid),
    Updated(Uuid),
    Unchanged(Uuid),
}

/// A row is applied, or refused with all its faults, whose pointers are columns.
pub type Outcome = std::result::Result<Upserted, Vec<Fault>>;

/// Applies rows in their order; a faulty one holds no other back unless that is below it.
///
/// # Errors
/// When the database refuses.
pub fn upsert_batch(tx: &mut Tx<'_>, rows: &[AccountRow]) -> Result<Vec<Outcome>> {
    let mut chart = Chart::locked(tx)?;
    rows.iter().map(|row| upsert(tx, &mut chart, row)).collect()
}

fn upsert(tx: &mut Tx<'_>, chart: &mut Chart, row: &AccountRow) -> Result<Outcome> {
    let current = chart.by_code(&row.code).cloned();
    let id = current.as_ref().map_or_else(Uuid::now_v7, |account| account.id);
    let mut faults = Faults::default();
    let wanted = wanted(chart, id, current.as_ref(), row, &mut faults);
    if let Some(wanted) = &wanted {
        chart.check(id, wanted, &mut faults);
    }
    if let (Some(current), Some(wanted)) = (&current, &wanted)
        && current.turns_into(wanted)
        && actions::has_entries(tx, id)?
    {
        let message = "the account has entries: its kind, control and currency stay, and it stays a heading or none";
        faults.add("/code", "account_in_use", message);
    }
    if let Err(problem) = faults.check() {
        return Ok(Err(problem.errors));
    }
    let Some(wanted) = wanted else {
        return Ok(Err(Vec::new()));
    };
    let (account, done) = match current {
        Some(current) if current.as_input() == wanted => (current, Upserted::Unchanged(id)),
        Some(current) => (actions::store(tx, &current, &wanted)?, Upserted::Updated(id)),
        None => (actions::insert(tx, id, &wanted)?, Upserted::Created(id)),
    };
    chart.put(account);
    Ok(Ok(done))
}

/// The account as the row wants it; `None` when a new one lacks something.
fn wanted(
    chart: &Chart,
    id: Uuid,
    current: Option<&Account>,
    row: &AccountRow,
    faults: &mut Faults,
) -> Option<AccountIn> {
    let now = current.map(Account::as_input);
    let parent_id = match &row.parent {
        None => now.as_ref().and_then(|now| now.parent_id),
        Some(None) => None,
        Some(Some(code)) => {
            let parent = chart.by_code(code).map(|parent| parent.id);
            if parent.is_none() {
                faults.add("/parent", "unknown_account", format!("there is no account {code}"));
            }
            parent
        }
    };
    let name = row.name.clone().or_else(|| now.as_ref().map(|now| now.name.clone()));
    let kind = row.kind.or(now.as_ref().map(|now| now.kind));
    for (column, missing) in [("/name", name.is_none()), ("/kind", kind.is_none())] {
        if missing {
            faults.add(column, "required", "a new account needs it");
        }
    }
    Some(AccountIn {
        id: Some(id),
        code: row.code.clone(),
        name: name?,
        kind: kind?,
        parent_id,
        heading: row.heading.unwrap_or(now.as_ref().is_some_and(|now| now.heading)),
        control: row.control.unwrap_or(now.as_ref().and_then(|now| now.control)),
        currency: row.currency.unwrap_or(now.as_ref().and_then(|now| now.currency)),
        liquid: row.liquid.unwrap_or(now.as_ref().is_some_and(|now| now.liquid)),
        cash_flow_category: row
            .cash_flow_category
            .unwrap_or(now.as_ref().and_then(|now| now.cash_flow_category)),
    })
}
