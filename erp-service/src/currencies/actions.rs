use super::ecb;
use super::model::{ExchangeRate, ExchangeRateIn, RateImport, RateSource};
use super::queries::{self, NewRate};
use crate::company;
use diesel::prelude::*;
use serde_json::json;
use service_kit::tx::Emitted;
use service_kit::{Currency, Error, Faults, Problem, Put, Result, Tx};
use uuid::Uuid;

/// The currency of the European Central Bank's rates.
const ECB_REFERENCE: &str = "EUR";

/// Rates in one statement, whose events are held at once; a long history takes several.
const BATCH: usize = 5_000;

/// `None` when the id is taken.
pub(super) fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &ExchangeRateIn) -> Result<Option<ExchangeRate>> {
    let new = checked(tx, input)?;
    let (id, now) = (tx.mint(id), tx.now());
    let Some(created) = queries::insert(tx, id, &new, now)? else {
        return Ok(None);
    };
    tx.changed(None, &created)?;
    Ok(Some(created))
}

pub(super) fn put(tx: &mut Tx<'_>, id: Uuid, input: &ExchangeRateIn) -> Result<Put<ExchangeRate>> {
    let Some(before) = queries::lock(tx, id).optional()? else {
        // A twin may have made it in the meantime: look again.
        return create(tx, Some(id), input)?.map(Put::Created).ok_or(Error::Stale);
    };
    let new = checked(tx, input)?;
    let as_it_is = (before.date, before.reference, before.currency, before.rate);
    let wanted = (new.date, new.reference, new.currency, new.rate);
    if as_it_is == wanted && before.source == RateSource::Manual {
        return Ok(Put::Unchanged(before));
    }
    tx.require_match(&before)?;
    let now = tx.now();
    let after = queries::update(tx, id, &new, now)?;
    tx.changed(Some(&before), &after)?;
    Ok(Put::Updated(after))
}

fn checked(tx: &mut Tx<'_>, input: &ExchangeRateIn) -> Result<NewRate> {
    let company = company::settings(tx)?;
    let reference = input.reference.unwrap_or(company.reference_currency);
    let anchors = [company.reference_currency, company.base_currency];
    let mut faults = Faults::default();
    if reference == input.currency {
        faults.add(
            "/currency",
            "same_currency",
            format!("1 {reference} is always 1 {reference}"),
        );
    } else if !anchors.contains(&reference) && !anchors.contains(&input.currency) {
        let message = format!("one of the two must be {} or {}", anchors[0], anchors[1]);
        faults.add("/reference", "no_reference", message);
    }
    if input.rate.is_zero() {
        faults.add("/rate", "out_of_range", "must be more than 0");
    }
    faults.check()?;
    Ok(NewRate {
        date: input.date,
        reference,
        currency: input.currency,
        rate: input.rate,
    })
}

/// Imports a file of the European Central Bank.
pub(super) fn import(tx: &mut Tx<'_>, text: &str) -> Result<RateImport> {
    let reference: Currency = ECB_REFERENCE.parse().map_err(Error::Bug)?;
    let company = company::settings(tx)?;
    if ![company.reference_currency, company.base_currency].contains(&reference) {
        let detail = format!(
            "the file has rates of 1 {reference}, but the company's reference currency is {}",
            company.reference_currency
        );
        return Err(Problem::conflict("other_reference_currency", detail).into());
    }
    let file = ecb::parse(text, reference)?;
    let (mut created, mut updated, mut kept_manual) = (0_usize, 0_usize, 0_usize);
    let now = tx.now();
    for batch in file.rates.chunks(BATCH) {
        let stored = queries::store_imported(tx, reference, batch, now)?;
        kept_manual += queries::count_manual(tx, reference, batch)?;
        for rate in stored {
            match rate.revision {
                1 => created += 1,
                _ => updated += 1,
            }
            tx.emit(ExchangeRate::EVENT, rate.id, rate.version, serde_json::to_value(&rate)?);
        }
        tx.flush()?;
    }
    let dates = || file.rates.iter().map(|rate| rate.date);
    let (Some(first_date), Some(last_date)) = (dates().min(), dates().max()) else {
        return Err(Error::Bug("a parsed file has no rates".to_owned()));
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let touched = created + updated + kept_manual;
    let done = RateImport {
        reference,
        days: count(file.days),
        first_date,
        last_date,
        created: count(created),
        updated: count(updated),
        unchanged: count(file.rates.len().saturating_sub(touched)),
        kept_manual: count(kept_manual),
        skipped_currencies: file.skipped,
    };
    if created + updated > 0 {
        // One row for the file: its rates stand in their own table.
        tx.audit_changes(
            "exchange_rate_import",
            Uuid::now_v7(),
            1,
            json!({ "import": { "from": null, "to": done } }),
        );
    }
    Ok(done)
}
