//! Closing and opening periods.

use super::checks::{self, Check, Checklist, ChecklistItem, ClosingPeriod};
use super::model::{AcceptedWarning, ClosePeriod, FiscalYearStatus, Period, PeriodRow, PeriodStatus};
use super::queries;
use crate::company;
use crate::ledger::numbers;
use crate::schema::periods;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use service_kit::{Faults, Problem, Result, Tx};
use uuid::Uuid;

/// What is in the way of closing a period.
pub fn checklist(conn: &mut PgConnection, id: Uuid, all: &[&[Check]]) -> Result<Checklist> {
    let period = queries::period(conn, id)?;
    let closing = closing(conn, &period)?;
    checks::run(conn, &closing, all)
}

fn closing(conn: &mut PgConnection, period: &PeriodRow) -> Result<ClosingPeriod> {
    Ok(ClosingPeriod {
        id: period.id,
        starts_on: period.starts_on,
        ends_on: period.ends_on,
        fiscal_year_id: period.fiscal_year_id,
        base_currency: company::settings(conn)?.base_currency,
    })
}

pub fn start_closing(tx: &mut Tx<'_>, id: Uuid) -> Result<Period> {
    let (all, before) = hold(tx, id)?;
    require(&before, "start-closing")?;
    refuse_unfinished(tx, &before)?;
    refuse_earlier_open(&all, &before)?;
    let status = Status {
        status: PeriodStatus::Closing,
        accepted: Value::Array(Vec::new()),
        closed: None,
        reopen_reason: before.reopen_reason.clone(),
    };
    save(tx, &before, status)
}

/// Closes a period when no check stands in the way.
pub fn close(tx: &mut Tx<'_>, id: Uuid, input: &ClosePeriod, registered: &[&[Check]]) -> Result<Period> {
    let (all, before) = hold(tx, id)?;
    require(&before, "close")?;
    refuse_unfinished(tx, &before)?;
    refuse_earlier_open(&all, &before)?;
    refuse_unknown(&input.accept, registered)?;
    let period = queries::period(tx, id)?;
    let closing = closing(tx, &period)?;
    let found = checks::run(tx, &closing, registered)?;
    if !found.blockers.is_empty() {
        let detail = format!("{} in the way: {}", count(&found.blockers), named(&found.blockers));
        return Err(refused("period_blocked", detail, &found).into());
    }
    let accepted = |item: &ChecklistItem| input.accept.iter().any(|accepted| accepted.code == item.code);
    let open: Vec<ChecklistItem> = found.warnings.iter().filter(|item| !accepted(item)).cloned().collect();
    if !open.is_empty() {
        let detail = format!("accept with a reason: {}", named(&open));
        return Err(refused("warnings_not_accepted", detail, &found).into());
    }
    // Of what was accepted, that which was there.
    let accepted: Vec<&AcceptedWarning> = input
        .accept
        .iter()
        .filter(|accepted| found.warnings.iter().any(|item| item.code == accepted.code))
        .collect();
    let status = Status {
        status: PeriodStatus::Closed,
        accepted: json!(accepted),
        closed: Some((tx.now(), tx.actor().id)),
        reopen_reason: None,
    };
    save(tx, &before, status)
}

/// Opens a period again: one that is closing, or the last closed one.
pub fn reopen(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<Period> {
    let (all, before) = hold(tx, id)?;
    require(&before, "reopen")?;
    let later = all
        .iter()
        .find(|other| other.starts_on > before.starts_on && other.status == PeriodStatus::Closed);
    if let Some(later) = later {
        let last = all
            .iter()
            .rfind(|other| other.status == PeriodStatus::Closed)
            .unwrap_or(later);
        let detail = format!("only the last closed period opens again, that of {}", last.starts_on);
        return Err(Problem::conflict("later_period_closed", detail)
            .fact("last_closed_period_id", last.id.to_string())
            .into());
    }
    let year = queries::year(tx, before.fiscal_year_id)?;
    if year.status == FiscalYearStatus::Closed {
        let detail = format!("the fiscal year {} is closed: open it first", year.name);
        return Err(Problem::conflict("fiscal_year_closed", detail).into());
    }
    let status = Status {
        status: PeriodStatus::Open,
        accepted: Value::Array(Vec::new()),
        closed: None,
        reopen_reason: Some(reason.to_owned()),
    };
    save(tx, &before, status)
}

/// Holds the numbers of the year and all periods: from here nothing is posted into the year, and what was posted
/// before is committed and seen.
fn hold(tx: &mut Tx<'_>, id: Uuid) -> Result<(Vec<PeriodRow>, Period)> {
    let period = queries::period(tx, id)?;
    let year = queries::year(tx, period.fiscal_year_id)?;
    numbers::hold(tx, year.id, year.starts_on)?;
    let all = queries::lock_all(tx)?;
    let period = all.iter().find(|row| row.id == id).cloned();
    let period = Period::from(period.ok_or_else(|| Problem::not_found("period"))?);
    tx.match_if_given(&period)?;
    Ok((all, period))
}

fn require(period: &Period, action: &str) -> Result<(), Problem> {
    let allowed: Vec<&str> = period.allowed_actions.iter().map(String::as_str).collect();
    match allowed.contains(&action) {
        true => Ok(()),
        false => Err(Problem::illegal_transition(action, period.status.as_str(), &allowed)),
    }
}

fn refuse_unfinished(tx: &Tx<'_>, period: &Period) -> Result<(), Problem> {
    if period.ends_on < tx.today() {
        return Ok(());
    }
    let detail = format!("it ends on {}", period.ends_on);
    Err(Problem::conflict("period_not_over", detail))
}

fn refuse_earlier_open(all: &[PeriodRow], period: &Period) -> Result<(), Problem> {
    let earlier = |other: &&PeriodRow| other.starts_on < period.starts_on && other.status != PeriodStatus::Closed;
    match all.iter().find(earlier) {
        None => Ok(()),
        Some(first) => {
            let detail = format!(
                "periods close in their order: that of {} is {}",
                first.starts_on, first.status
            );
            let fact = first.id.to_string();
            Err(Problem::conflict("earlier_period_open", detail).fact("first_open_period_id", fact))
        }
    }
}

fn refuse_unknown(accept: &[AcceptedWarning], registered: &[&[Check]]) -> Result<(), Problem> {
    let mut faults = Faults::default();
    for (index, accepted) in accept.iter().enumerate() {
        let known = registered
            .iter()
            .copied()
            .flatten()
            .find(|check| check.code == accepted.code);
        match known.map(|check| check.kind) {
            None => faults.add(
                format!("/accept/{index}/code"),
                "unknown_value",
                "there is no such check",
            ),
            Some(checks::CheckKind::Blocker) => {
                let message = "a blocker cannot be accepted";
                faults.add(format!("/accept/{index}/code"), "blocker", message);
            }
            Some(checks::CheckKind::Warning) => {}
        }
    }
    faults.check()
}

fn refused(code: &str, detail: String, found: &Checklist) -> Problem {
    Problem::conflict(code, detail)
        .fact("blockers", json!(found.blockers))
        .fact("warnings", json!(found.warnings))
}

fn named(items: &[ChecklistItem]) -> String {
    let names: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
    names.join(", ")
}

fn count(items: &[ChecklistItem]) -> String {
    match items.len() {
        1 => "one check is".to_owned(),
        n => format!("{n} checks are"),
    }
}

struct Status {
    status: PeriodStatus,
    accepted: Value,
    /// When and by whom.
    closed: Option<(DateTime<Utc>, Uuid)>,
    reopen_reason: Option<String>,
}

fn save(tx: &mut Tx<'_>, before: &Period, new: Status) -> Result<Period> {
    let row: PeriodRow = diesel::update(periods::table.find(before.id))
        .set((
            periods::status.eq(new.status),
            periods::accepted.eq(new.accepted),
            periods::closed_at.eq(new.closed.map(|(at, _)| at)),
            periods::closed_by.eq(new.closed.map(|(_, by)| by)),
            periods::reopen_reason.eq(new.reopen_reason),
            periods::revision.eq(periods::revision + 1),
            periods::updated_at.eq(tx.now()),
        ))
        .returning(PeriodRow::as_returning())
        .get_result(&mut **tx)?;
    let after = Period::from(row);
    tx.changed(Some(before), &after)?;
    Ok(after)
}
