use super::model::{Revaluation, RevaluationIn, RevaluationSummary};
use super::queries::{self, Position, Revalued};
use crate::currencies;
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Account, Entry, EntryKind, Journal, PostingDay, Role, Source, Sum, open_items};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Error, Faults, Problem, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Posts what the rates of a day make of everything open in foreign currency, and takes it back on
/// the next day.
pub(super) fn run(tx: &mut Tx<'_>, input: &RevaluationIn) -> Result<Revaluation> {
    let next = day_after(tx, input.date)?;
    let on = ledger::posting_day(tx, Some(input.date))?;
    if let Some(id) = queries::of_date(tx, on.date)? {
        let problem = Problem::conflict("already_revalued", format!("there is a revaluation of {}", on.date));
        return Err(problem.fact("revaluation_id", id.to_string()).into());
    }
    let lines = revalue(tx, &on)?;
    let id = tx.mint(input.id);
    let number = numbers::draw(tx, Series::Revaluation, &on)?;
    let entries = post(tx, &on, next, Source::new("revaluation", id, number.clone()), &lines)?;
    let base = on.base_currency;
    let sum = |side: fn(&Decimal) -> bool| {
        let sum: Decimal = lines.iter().map(Revalued::difference).filter(side).sum();
        Amount::money(base, sum.abs()).ok_or_else(|| Problem::rule("out_of_range", "the sum is too large"))
    };
    let summary = RevaluationSummary {
        id,
        number: number.clone(),
        date: on.date,
        reversed_on: entries.as_ref().map_or(next, |entries| entries.reversed_on),
        currency: base,
        gain: sum(Decimal::is_sign_positive)?,
        loss: sum(Decimal::is_sign_negative)?,
        entry_id: entries.as_ref().map(|entries| entries.entry_id),
        reversal_entry_id: entries.as_ref().map(|entries| entries.reversal_id),
        revision: 1,
        created_at: tx.now(),
    };
    // A dry run has no number.
    queries::insert(tx, &summary, number.as_deref().unwrap_or_default(), &lines)?;
    let revaluation = Revaluation {
        lines: lines.iter().map(|line| line.shown(base)).collect(),
        summary,
    };
    tx.audit(None, &revaluation)?;
    Ok(revaluation)
}

/// The day of the reversal, which must not lie in the future.
fn day_after(tx: &Tx<'_>, date: NaiveDate) -> Result<NaiveDate> {
    let today = tx.today();
    match date.succ_opt() {
        Some(next) if next <= today => Ok(next),
        _ => {
            let mut faults = Faults::default();
            let message = format!("must be before today, {today}: the reversal is of the day after");
            faults.add("/date", "future_date", message);
            faults.check()?;
            Err(Error::Bug("a fault is a fault".to_owned()))
        }
    }
}

/// Everything open in foreign currency at the rates of the day; its items stay locked.
fn revalue(tx: &mut Tx<'_>, on: &PostingDay) -> Result<Vec<Revalued>> {
    let items: Vec<Uuid> = queries::positions(tx, on.date)?
        .iter()
        .filter_map(|position| position.open_item_id)
        .collect();
    open_items::lock(tx, &items)?;
    let positions: Vec<Position> = queries::positions(tx, on.date)?;
    let rates = rates(tx, &positions, on)?;
    let revalued = positions.into_iter().map(|position| {
        let rate = rates[position.currency.code()];
        Ok(Revalued {
            revalued: currencies::convert(position.amount, rate, on.base_currency)?,
            rate,
            position,
        })
    });
    revalued.collect()
}

/// The rate of each currency; all that are missing are named together.
fn rates(tx: &mut Tx<'_>, positions: &[Position], on: &PostingDay) -> Result<BTreeMap<&'static str, Decimal>> {
    let wanted: BTreeMap<&str, Currency> = positions.iter().map(|p| (p.currency.code(), p.currency)).collect();
    let (mut rates, mut missing) = (BTreeMap::new(), Vec::new());
    for currency in wanted.into_values() {
        match currencies::rate(tx, currency, on.base_currency, on.date) {
            Ok(rate) => drop(rates.insert(currency.code(), rate)),
            Err(Error::Problem(problem)) if problem.code == "rate_missing" => missing.push(currency.code()),
            Err(other) => return Err(other),
        }
    }
    if missing.is_empty() {
        return Ok(rates);
    }
    let detail = format!(
        "there is no exchange rate to {} of {} or the {} days before from {}",
        on.base_currency,
        on.date,
        currencies::MOST_DAYS_OLD,
        missing.join(", ")
    );
    let problem = Problem::rule("rate_missing", detail)
        .fact("from", missing)
        .fact("to", on.base_currency.code())
        .fact("date", on.date.to_string());
    Err(problem.into())
}

/// The entries of a run.
struct Entries {
    entry_id: Uuid,
    reversal_id: Uuid,
    reversed_on: NaiveDate,
}

/// `None` when no value has changed.
fn post(
    tx: &mut Tx<'_>,
    on: &PostingDay,
    next: NaiveDate,
    source: Source,
    lines: &[Revalued],
) -> Result<Option<Entries>> {
    let changed: Vec<&Revalued> = lines.iter().filter(|line| !line.difference().is_zero()).collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let rules = ledger::rules(tx)?;
    let (gain, loss) = (rules.of(Role::UnrealisedGain)?, rules.of(Role::UnrealisedLoss)?);
    let description = format!("Revaluation at {}", on.date);
    let mut entry = Entry::new(Journal::General, on, source, description.clone()).kind(EntryKind::Revaluation);
    let (mut gains, mut losses) = (Decimal::ZERO, Decimal::ZERO);
    for line in changed {
        let (position, difference) = (&line.position, line.difference());
        let account = Account {
            id: position.account_id,
            code: position.account.clone(),
            name: position.account_name.clone(),
            rule: None,
        };
        // What is owed stays; only what it is worth changes.
        let sum = Sum {
            base: difference,
            amount: Decimal::ZERO,
            currency: position.currency,
        };
        let posted = entry.debit(&account, sum).revaluation();
        if let Some(item) = position.open_item_id {
            posted.item(item);
        }
        match difference.is_sign_positive() {
            true => gains += difference,
            false => losses -= difference,
        }
    }
    entry.credit(&gain, Sum::base(on.base_currency, gains));
    entry.debit(&loss, Sum::base(on.base_currency, losses));
    let posted = ledger::post(tx, entry)?;
    let (reversal, day) = ledger::reverse(tx, posted.id, Some(next), &description)?;
    Ok(Some(Entries {
        entry_id: posted.id,
        reversal_id: reversal.id,
        reversed_on: day.date,
    }))
}
