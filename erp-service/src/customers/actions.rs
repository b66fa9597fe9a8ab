use super::OWNER_PATH;
use super::balance::note_balance_changed;
use super::input::{CustomerPatch, ReplicatedCustomer};
use super::model::{CrmPart, CustomerRow, CustomerWithExposure, OwnPart};
use super::queries;
use crate::sales::credit;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, OrNotFound, Problem, Put, Result, Tx};
use uuid::Uuid;

/// Applies the CRM's part: newer wins, equal or older leaves what is stored.
///
/// Another grade may be another tier, and a merge makes one balance of two: both are told, for they are the ERP's.
pub(super) fn apply(tx: &mut Tx<'_>, id: Uuid, input: &ReplicatedCustomer) -> Result<Put<CustomerWithExposure>> {
    let survivor = survivor(tx, id, input)?;
    let Some(row) = queries::lock(tx, id).optional()? else {
        return create(tx, id, input, survivor).map(Put::Created);
    };
    let mut part = input.part();
    part.merged_into = survivor;
    if survivor.is_some() {
        // Open orders end under this name, with the legal entities that they were made with.
        part.legal_entities = row.replicated.legal_entities.clone();
        part.contacts = row.replicated.contacts.clone();
        part.addresses = row.replicated.addresses.clone();
    }
    let newer = input.source_version > row.source_version;
    let different = (input.source_version, &part) != (row.source_version, &row.replicated);
    let today = tx.today();
    if !(newer || input.replace && different) {
        return Ok(Put::Unchanged(queries::with_exposure(tx, row, today)?));
    }
    let stamp = (input.source_version, input.as_of.unwrap_or_else(|| tx.now()));
    let now = tx.now();
    let exposure = credit::exposure(tx, id, today)?;
    let graded = |part: &CrmPart| (part.grade.clone(), part.grade_effective_from);
    let (regraded, merged) = (
        graded(&part) != graded(&row.replicated),
        part.merged_into != row.replicated.merged_into,
    );
    let before = queries::shown(tx, row, &exposure, today)?;
    let after = queries::apply(tx, id, &part, stamp, now)?;
    // Nothing but the row differs, so one look at the exposure is enough.
    let after = queries::shown(tx, after, &exposure, today)?;
    tx.audit(Some(&before), &after)?;
    if let Some(survivor) = survivor.filter(|_| merged) {
        queries::shorten(tx, id, survivor)?;
    }
    if merged || regraded && after.customer.tiers != before.customer.tiers {
        note_balance_changed(tx, &[id])?;
    }
    let row = queries::row(tx, id)?;
    Ok(Put::Updated(queries::with_exposure(tx, row, today)?))
}

/// The customer that this one turned out to be, or what that one turned out to be since; it is locked, because its
/// balance changes.
fn survivor(tx: &mut Tx<'_>, id: Uuid, input: &ReplicatedCustomer) -> Result<Option<Uuid>> {
    let Some(into) = input.merged_into.filter(|into| *into != id) else {
        return Ok(None);
    };
    let known = queries::survivor(tx, into).optional()?;
    let survivor = known.ok_or_else(|| Problem::reference_missing("customer", into))?;
    // A chain that leads back here is none.
    if survivor == id {
        return Ok(None);
    }
    let (first, second) = (id.min(survivor), id.max(survivor));
    for id in [first, second] {
        queries::lock(tx, id).optional()?;
    }
    Ok(Some(survivor))
}

/// A new customer has no terms of its own yet; the CRM learns that from the event.
fn create(
    tx: &mut Tx<'_>,
    id: Uuid,
    input: &ReplicatedCustomer,
    survivor: Option<Uuid>,
) -> Result<CustomerWithExposure> {
    let stamp = (input.source_version, input.as_of.unwrap_or_else(|| tx.now()));
    let now = tx.now();
    let mut part = input.part();
    part.merged_into = survivor;
    let row = queries::insert(tx, id, part, stamp, now)?.ok_or(Error::Stale)?;
    let today = tx.today();
    let customer = queries::with_exposure(tx, row, today)?;
    tx.changed(None, &customer)?;
    Ok(customer)
}

/// Changes the terms.
pub(super) fn change_terms(tx: &mut Tx<'_>, id: Uuid, patch: &CustomerPatch) -> Result<CustomerWithExposure> {
    match set_terms(tx, id, patch, true)? {
        Put::Created(customer) | Put::Updated(customer) | Put::Unchanged(customer) => Ok(customer),
    }
}

/// Changes the terms, whatever they were before: for imports.
///
/// # Errors
/// 404; 422 with every fault.
pub fn import_terms(tx: &mut Tx<'_>, id: Uuid, patch: &CustomerPatch) -> Result<Put<CustomerWithExposure>> {
    set_terms(tx, id, patch, false)
}

fn set_terms(tx: &mut Tx<'_>, id: Uuid, patch: &CustomerPatch, matching: bool) -> Result<Put<CustomerWithExposure>> {
    let row = queries::lock(tx, id).or_not_found("customer")?;
    let foreign = patch.of_the_crm();
    if !foreign.is_empty() {
        let problem = Problem::not_owner("crm", &format!("{OWNER_PATH}/{id}"));
        return Err(problem.fact("fields", foreign).into());
    }
    let today = tx.today();
    let exposure = credit::exposure(tx, id, today)?;
    let before = queries::shown(tx, row.clone(), &exposure, today)?;
    if matching {
        tx.require_match(&before)?;
    }
    let base = before.customer.credit_currency;
    check(patch, &row, base)?;
    let own = patch.applied_to(&row.own);
    if own == row.own {
        return Ok(Put::Unchanged(before));
    }
    let now = tx.now();
    let after = queries::set_own(tx, id, &own, now)?;
    let after = queries::shown(tx, after, &exposure, today)?;
    tx.changed(Some(&before), &after)?;
    Ok(Put::Updated(after))
}

/// Puts a customer on credit hold, unless it is.
///
/// # Errors
/// 404.
pub fn hold_credit(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<()> {
    let row = queries::lock(tx, id).or_not_found("customer")?;
    if row.own.credit_hold {
        return Ok(());
    }
    let own = OwnPart {
        credit_hold: true,
        credit_hold_reason: Some(reason.to_owned()),
        ..row.own.clone()
    };
    let (today, now) = (tx.today(), tx.now());
    let exposure = credit::exposure(tx, id, today)?;
    let before = queries::shown(tx, row, &exposure, today)?;
    let after = queries::set_own(tx, id, &own, now)?;
    let after = queries::shown(tx, after, &exposure, today)?;
    tx.changed(Some(&before), &after)
}

fn check(patch: &CustomerPatch, row: &CustomerRow, base: Currency) -> Result<(), Problem> {
    let mut faults = Faults::default();
    if let Some(Some(limit)) = patch.credit_limit {
        if limit.value() < Decimal::ZERO {
            faults.add("/credit_limit", "out_of_range", "must not be negative");
        } else if base.round(limit.value()) != limit.value() {
            let digits = base.minor_digits();
            let message = format!("{base} has {digits} digits after the point");
            faults.add("/credit_limit", "out_of_range", message);
        }
    }
    let own = patch.applied_to(&row.own);
    let reasons = [
        (
            "/tier_reason",
            &patch.tier_reason,
            own.tier.is_some(),
            "there is no tier",
        ),
        (
            "/credit_hold_reason",
            &patch.credit_hold_reason,
            own.credit_hold,
            "there is no credit hold",
        ),
        (
            "/blocked_reason",
            &patch.blocked_reason,
            own.blocked,
            "the customer is not blocked",
        ),
    ];
    if matches!(patch.tier_valid_to, Some(Some(_))) && own.tier.is_none() {
        faults.add("/tier_valid_to", "reason_without_cause", "there is no tier");
    }
    for (pointer, reason, reasonable, message) in reasons {
        if matches!(reason, Some(Some(_))) && !reasonable {
            faults.add(pointer, "reason_without_cause", message);
        }
    }
    faults.check()
}
