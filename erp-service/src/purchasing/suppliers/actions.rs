use super::model::{BankDetails, Supplier, SupplierIn, SupplierPatch, SupplierStatus};
use super::queries;
use crate::schema::suppliers;
use crate::{iban, may};
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Permission, Problem, Put, Result, Tx};
use uuid::Uuid;

/// `None` when the id is taken.
pub(super) fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &SupplierIn) -> Result<Option<Supplier>> {
    let named = refuse_bank_details(tx, (None, None, None), input)?;
    let id = tx.mint(id);
    let inserted = diesel::insert_into(suppliers::table)
        .values((
            suppliers::id.eq(id),
            input,
            suppliers::bank_details_changed_by.eq(named.then_some(tx.actor().id)),
            suppliers::bank_details_changed_at.eq(named.then_some(tx.now())),
            suppliers::created_at.eq(tx.now()),
            suppliers::updated_at.eq(tx.now()),
        ))
        .on_conflict(suppliers::id)
        .do_nothing()
        .execute(&mut **tx)?;
    if inserted == 0 {
        return Ok(None);
    }
    let supplier = queries::find(tx, id)?;
    tx.changed(None, &supplier)?;
    Ok(Some(supplier))
}

pub(super) fn put(tx: &mut Tx<'_>, id: Uuid, input: &SupplierIn) -> Result<Put<Supplier>> {
    let Some(current) = queries::lock(tx, id).optional()? else {
        // A twin may have made it in the meantime: look again.
        let created = create(tx, Some(id), input)?;
        return created.map(Put::Created).ok_or(service_kit::Error::Stale);
    };
    match current.is(input) {
        true => Ok(Put::Unchanged(current)),
        false => update(tx, &current, input).map(Put::Updated),
    }
}

pub(super) fn update(tx: &mut Tx<'_>, before: &Supplier, wanted: &SupplierIn) -> Result<Supplier> {
    tx.require_match(before)?;
    if before.is(wanted) {
        return Ok(before.clone());
    }
    change(tx, before, wanted)
}

/// Makes or changes a supplier, whatever it was before: for imports.
///
/// # Errors
/// 422 when a new supplier lacks something; what the database refuses.
pub fn upsert(tx: &mut Tx<'_>, id: Option<Uuid>, patch: SupplierPatch) -> Result<Put<Supplier>> {
    let reference = patch.external_ref.clone().flatten();
    let current = match (id, &reference) {
        (Some(id), _) => queries::lock(tx, id).optional()?,
        (None, Some(reference)) => queries::lock_by_reference(tx, reference).optional()?,
        (None, None) => None,
    };
    if let Some(before) = current {
        let wanted = before.with(patch);
        return match before.is(&wanted) {
            true => Ok(Put::Unchanged(before)),
            false => change(tx, &before, &wanted).map(Put::Updated),
        };
    }
    let mut faults = Faults::default();
    for (pointer, missing) in [("/name", patch.name.is_none()), ("/currency", patch.currency.is_none())] {
        if missing {
            faults.add(pointer, "required", "a new supplier needs it");
        }
    }
    faults.check()?;
    let (Some(name), Some(currency)) = (patch.name.clone(), patch.currency) else {
        return Err(service_kit::Error::Bug("a supplier without a name".into()));
    };
    let created = create(tx, id, &SupplierIn::new(name, currency).with(patch))?;
    created.map(Put::Created).ok_or(service_kit::Error::Stale)
}

fn change(tx: &mut Tx<'_>, before: &Supplier, wanted: &SupplierIn) -> Result<Supplier> {
    let renamed = refuse_bank_details(tx, before.bank_details(), wanted)?;
    let (by, at) = match renamed {
        true => (Some(tx.actor().id), Some(tx.now())),
        false => (before.bank_details_changed_by, before.bank_details_changed_at),
    };
    diesel::update(suppliers::table.find(before.id))
        .set((
            wanted,
            suppliers::bank_details_changed_by.eq(by),
            suppliers::bank_details_changed_at.eq(at),
            suppliers::version.eq(suppliers::version + 1),
            suppliers::revision.eq(suppliers::revision + 1),
            suppliers::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = queries::find(tx, before.id)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}

/// Whether bank details change: that asks for a permission of its own, and for an IBAN and a BIC that are some.
fn refuse_bank_details(tx: &Tx<'_>, before: BankDetails<'_>, wanted: &SupplierIn) -> Result<bool> {
    if wanted.bank_details() == before {
        return Ok(false);
    }
    if !tx.actor().may(may::ChangeBankDetails::NAME) {
        return Err(may::ChangeBankDetails::refuse(tx.actor()).into());
    }
    let mut faults = Faults::default();
    iban::plain(&mut faults, wanted.iban.as_deref(), wanted.bic.as_deref());
    if wanted.iban.is_none() && (wanted.bic.is_some() || wanted.account_holder.is_some()) {
        faults.add("/iban", "required", "BIC and account holder belong to an IBAN");
    }
    faults.check()?;
    Ok(true)
}

pub(super) fn set_status(tx: &mut Tx<'_>, id: Uuid, action: &str, status: SupplierStatus) -> Result<Supplier> {
    let before = queries::lock(tx, id).or_not_found("supplier")?;
    tx.match_if_given(&before)?;
    if before.status == status {
        let open = match status {
            SupplierStatus::Archived => "restore",
            SupplierStatus::Active => "archive",
        };
        return Err(Problem::illegal_transition(action, status.as_str(), &[open]).into());
    }
    diesel::update(suppliers::table.find(id))
        .set((
            suppliers::status.eq(status),
            suppliers::version.eq(suppliers::version + 1),
            suppliers::revision.eq(suppliers::revision + 1),
            suppliers::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = queries::find(tx, id)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}
