//! The verbs of customers.

use crate::custom_fields::CustomValues;
use crate::customers::depth::Depth;
use crate::customers::duplicates;
use crate::customers::model::{Customer, CustomerCore, CustomerIn, CustomerKind, CustomerPatch, CustomerStatus, set};
use crate::customers::timeline::Entry;
use crate::customers::whole::{Whole, WholeParts};
use crate::customers::{queries, rules, timeline};
use serde_json::json;
use service_kit::users::AssignIn;
use service_kit::{Error, Faults, Owned, Problem, Put, Resource, Result, Tx};
use uuid::Uuid;

/// The event that tells the whole customer.
pub const CHANGED: &str = "customer.changed";

/// Makes a customer, unless one who may be the same is there and duplicates are not allowed.
pub fn create(tx: &mut Tx<'_>, input: &CustomerIn, allow_duplicate: bool) -> Result<Customer> {
    create_with(tx, input, allow_duplicate, Faults::default())
}

/// As [`create`], of an input with faults that are known already.
pub fn create_with(tx: &mut Tx<'_>, input: &CustomerIn, allow_duplicate: bool, faults: Faults) -> Result<Customer> {
    let id = tx.mint(input.id);
    match insert(tx, id, input, allow_duplicate, faults)? {
        Some(customer) => Ok(customer),
        None => {
            let detail = "there is a customer with this id; PUT it to change it";
            Err(Problem::conflict("duplicate", detail).into())
        }
    }
}

pub fn put(tx: &mut Tx<'_>, id: Uuid, input: &CustomerIn, allow_duplicate: bool) -> Result<Put<Customer>> {
    if input.id.is_some_and(|given| given != id) {
        let mut faults = Faults::default();
        faults.add("/id", "id_mismatch", "the id is not that of the path");
        faults.check()?;
    }
    let Some(before) = queries::lock_if_there(tx, id)? else {
        // Nothing inserted means that a twin was faster: look again.
        let made = insert(tx, id, input, allow_duplicate, Faults::default())?.ok_or(Error::Stale)?;
        return Ok(Put::Created(made));
    };
    let (mut owned, mut faults) = (before.core.owned(), Faults::default());
    let said = Owned {
        owner_id: input.owner_id.or(owned.owner_id),
        team_id: input.team_id.or(owned.team_id),
    };
    if said != owned {
        let given = Owned::given(tx, input.owner_id, input.team_id, &mut faults)?;
        owned = given.unwrap_or(owned);
    }
    let whole = Whole::of(tx, before.core.clone(), &before, input, owned, faults)?;
    if !whole.changes_parts() && whole.customer.core == before.core {
        return Ok(Put::Unchanged(before));
    }
    tx.require_match(&before)?;
    whole.store_parts(tx)?;
    let after = save(tx, &before, whole.customer)?;
    tell_changes(tx, &before, &after)?;
    Ok(Put::Updated(after))
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &CustomerPatch) -> Result<Customer> {
    let before = queries::lock(tx, id)?;
    tx.require_match(&before)?;
    patched(tx, before, patch)
}

/// Gives a locked customer what a patch says of it.
pub fn patched(tx: &mut Tx<'_>, before: Customer, patch: &CustomerPatch) -> Result<Customer> {
    patched_with(tx, before, patch, &WholeParts::default(), Faults::default())
}

/// As [`patched`], with lists of parts, of an input with faults that are known already.
pub fn patched_with(
    tx: &mut Tx<'_>,
    before: Customer,
    patch: &CustomerPatch,
    parts: &WholeParts,
    mut faults: Faults,
) -> Result<Customer> {
    let mut after = before.clone();
    let core = &mut after.core;
    set(&mut core.name, &patch.name);
    set(&mut core.kind, &patch.kind);
    set(&mut core.email, &patch.email);
    set(&mut core.phone, &patch.phone);
    set(&mut core.tax_id, &patch.tax_id);
    set(&mut core.external_ref, &patch.external_ref);
    let grade = patch.grade.unwrap_or(core.grade);
    rules::grade(core, grade, patch.grade_effective_from, tx.today(), &mut faults);
    Depth::from(patch).apply(tx, core, &mut faults)?;
    let plans = parts.plan(tx, &mut after, &mut faults);
    faults.check()?;
    if after == before {
        return Ok(before);
    }
    plans.store(tx)?;
    let after = save(tx, &before, after)?;
    tell_changes(tx, &before, &after)?;
    Ok(after)
}

/// Makes a locked customer what it was once.
pub fn put_back(tx: &mut Tx<'_>, before: &Customer, core: CustomerCore, parts: &WholeParts) -> Result<Customer> {
    let (mut after, mut faults) = (Customer { core, ..before.clone() }, Faults::default());
    let plans = parts.plan(tx, &mut after, &mut faults);
    faults.check()?;
    plans.store(tx)?;
    let after = save(tx, before, after)?;
    tell_changes(tx, before, &after)?;
    Ok(after)
}

/// Gives a customer to somebody else.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &AssignIn) -> Result<Customer> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    let mut after = before.clone();
    after.core.give_to(Owned::assigned(tx, to)?);
    if after == before {
        return Ok(before);
    }
    let after = save(tx, &before, after)?;
    let entry = Entry::here(tx, id, "customer_assigned", &after)
        .summary("Customer assigned to somebody else")
        .data(json!({ "owner_id": after.core.owner_id, "team_id": after.core.team_id }));
    timeline::add(tx, entry)?;
    Ok(after)
}

pub fn archive(tx: &mut Tx<'_>, id: Uuid) -> Result<Customer> {
    turn(
        tx,
        id,
        CustomerStatus::Active,
        CustomerStatus::Archived,
        "archive",
        "restore",
    )
}

pub fn restore(tx: &mut Tx<'_>, id: Uuid) -> Result<Customer> {
    turn(
        tx,
        id,
        CustomerStatus::Archived,
        CustomerStatus::Active,
        "restore",
        "archive",
    )
}

fn turn(
    tx: &mut Tx<'_>,
    id: Uuid,
    from: CustomerStatus,
    to: CustomerStatus,
    verb: &str,
    instead: &str,
) -> Result<Customer> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    if before.core.status != from {
        return Err(Problem::illegal_transition(verb, before.core.status.as_str(), &[instead]).into());
    }
    let mut after = before.clone();
    after.core.status = to;
    let after = save(tx, &before, after)?;
    let (kind, summary) = match to {
        CustomerStatus::Archived => ("customer_archived", "Customer archived: no new orders"),
        CustomerStatus::Active => ("customer_restored", "Customer restored"),
    };
    let entry = Entry::here(tx, id, kind, &after).summary(summary);
    timeline::add(tx, entry)?;
    Ok(after)
}

/// Stores a locked customer under its next version, and tells the world.
pub fn save(tx: &mut Tx<'_>, before: &Customer, mut after: Customer) -> Result<Customer> {
    after.bump(tx.now());
    queries::update(tx, &after.core)?;
    duplicates::keys::store(tx, &after)?;
    tx.audit(Some(before), &after)?;
    emit(tx, &after)?;
    Ok(after)
}

/// The event tells what the CRM owns; the credit facts are the ERP's to tell.
pub fn emit(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    let mut data = serde_json::to_value(customer)?;
    if let Some(fields) = data.as_object_mut() {
        fields.shift_remove("credit");
    }
    tx.emit(CHANGED, customer.id(), customer.core.version, data);
    Ok(())
}

/// Stores a new customer; `None` when there is one with this id.
fn insert(
    tx: &mut Tx<'_>,
    id: Uuid,
    input: &CustomerIn,
    allow_duplicate: bool,
    mut faults: Faults,
) -> Result<Option<Customer>> {
    let core = blank(tx, id, input.kind);
    let empty = Customer::empty(core.clone());
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, Owned::default(), &mut faults)?;
    let whole = Whole::of(tx, core, &empty, input, owned, faults)?;
    duplicates::check(tx, &whole.customer, allow_duplicate)?;
    if !queries::insert(tx, &whole.customer.core)? {
        return Ok(None);
    }
    whole.store_parts(tx)?;
    let customer = whole.customer;
    duplicates::keys::store(tx, &customer)?;
    tx.audit(None, &customer)?;
    emit(tx, &customer)?;
    let entry =
        Entry::here(tx, id, "customer_created", &customer).summary(format!("Customer created: {}", customer.core.name));
    timeline::add(tx, entry)?;
    Ok(Some(customer))
}

/// A customer of whom nothing is known yet.
fn blank(tx: &Tx<'_>, id: Uuid, kind: CustomerKind) -> CustomerCore {
    let now = tx.now();
    CustomerCore {
        id,
        name: String::new(),
        kind,
        status: CustomerStatus::Active,
        email: None,
        phone: None,
        tax_id: None,
        grade: None,
        grade_effective_from: None,
        external_ref: None,
        owner_id: None,
        team_id: None,
        tags: Vec::new(),
        parent_id: None,
        language: None,
        custom_fields: CustomValues::default(),
        merged_into: None,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

fn tell_changes(tx: &mut Tx<'_>, before: &Customer, after: &Customer) -> Result<()> {
    let (before, now) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let counted = ["version", "revision", "updated_at"];
    let fields: Vec<&str> = now
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, value)| !counted.contains(&field.as_str()) && before.get(field) != Some(value))
        .map(|(field, _)| field.as_str())
        .collect();
    let words = fields.join(", ").replace('_', " ");
    let entry = Entry::here(tx, after.id(), "customer_changed", after)
        .summary(format!("Customer changed: {words}"))
        .data(json!({ "fields": fields }));
    Ok(timeline::add(tx, entry)?)
}
