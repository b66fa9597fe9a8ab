//! The merge itself.

use super::moves::{self, Moved};
use crate::customers::model::{Customer, CustomerStatus};
use crate::customers::timeline::{self, Entry};
use crate::customers::{actions, depth, queries};
use crate::schema::customers;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use serde_json::json;
use service_kit::db::sql;
use service_kit::{Problem, Result, Tx};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The event that tells it; its data is the customer as it was, with `merged_into`.
const MERGED: &str = "customer.merged";
/// As many tags as a customer can have.
const TAGS: usize = 50;

/// Makes a customer part of another, and answers with that one and with what has moved and is to be told.
///
/// # Errors
/// 404 for what is out of sight; 409 `merged` when one of them has become part of another already.
pub fn merge(tx: &mut Tx<'_>, from: Uuid, into: Uuid) -> Result<(Customer, Moved)> {
    if from == into {
        queries::lock(tx, from)?;
        let mut faults = service_kit::Faults::default();
        faults.add("/into", "same_customer", "a customer does not become part of itself");
        faults.check()?;
    }
    let (gone, kept) = lock_both(tx, from, into)?;
    tx.match_if_given(&gone)?;
    if kept.core.status == CustomerStatus::Archived {
        return Err(Problem::illegal_transition("merge into it", "archived", &["restore"]).into());
    }
    check_size(&gone, &kept)?;
    depth::lock_trees(tx)?;
    let mut after = kept.clone();
    let above = is_above(tx, gone.core.id, kept.core.id)?;
    if above {
        // It takes the place of the other in the tree, so that no circle comes about.
        after.core.parent_id = gone.core.parent_id;
    }
    take_over(&gone, &mut after);
    let left = leave(tx, &gone, into)?;
    if above {
        diesel::update(customers::table.find(into))
            .set(customers::parent_id.eq(after.core.parent_id))
            .execute(&mut **tx)?;
    }
    diesel::update(
        customers::table
            .filter(customers::parent_id.eq(from))
            .filter(customers::id.ne(into)),
    )
    .set((
        customers::parent_id.eq(into),
        customers::revision.eq(customers::revision + 1),
    ))
    .execute(&mut **tx)?;
    let moved = moves::apply(tx, from, into)?;
    queries::load_parts(tx, &mut after)?;
    let after = actions::save(tx, &kept, after)?;
    tell(tx, &gone, &left, &after)?;
    Ok((after, moved))
}

/// Both, locked in the order of their ids. The one that goes is held alone: nobody refers to it meanwhile.
fn lock_both(tx: &mut Tx<'_>, from: Uuid, into: Uuid) -> Result<(Customer, Customer)> {
    let (mut gone, mut kept) = (None, None);
    for id in [from.min(into), from.max(into)] {
        match id == from {
            true => gone = Some(queries::lock_alone(tx, id)?),
            false => kept = Some(queries::lock(tx, id)?),
        }
    }
    let both = gone.zip(kept);
    both.ok_or_else(|| Problem::not_found("customer").into())
}

fn check_size(gone: &Customer, kept: &Customer) -> Result<()> {
    const MOST: usize = crate::customers::parts::MOST;
    let counts = [
        ("contacts", gone.contacts.len() + kept.contacts.len()),
        ("addresses", gone.addresses.len() + kept.addresses.len()),
        ("legal_entities", gone.legal_entities.len() + kept.legal_entities.len()),
    ];
    match counts.iter().find(|(_, count)| *count > MOST) {
        Some((what, count)) => {
            let detail = format!("together they have {count} {what}; a customer has at most {MOST}");
            Err(Problem::rule("too_many", detail).into())
        }
        None => Ok(()),
    }
}

/// Whether one company is above another, directly or not.
fn is_above(conn: &mut PgConnection, above: Uuid, below: Uuid) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let row: Found = sql("WITH RECURSIVE ancestors (id) AS (
             SELECT parent_id FROM customers WHERE id = $1
             UNION
             SELECT c.parent_id FROM customers c JOIN ancestors a ON c.id = a.id WHERE c.parent_id IS NOT NULL)
         SELECT EXISTS (SELECT FROM ancestors WHERE id = $2) AS found")
    .bind::<SqlUuid, _>(below)
    .bind::<SqlUuid, _>(above)
    .row(conn)?;
    Ok(row.found)
}

/// What the survivor does not have, it takes.
fn take_over(gone: &Customer, kept: &mut Customer) {
    let (theirs, core) = (&gone.core, &mut kept.core);
    core.email = core.email.take().or_else(|| theirs.email.clone());
    core.phone = core.phone.take().or_else(|| theirs.phone.clone());
    core.tax_id = core.tax_id.take().or_else(|| theirs.tax_id.clone());
    let known: BTreeSet<String> = core.tags.iter().map(|tag| tag.to_lowercase()).collect();
    let new = theirs.tags.iter().filter(|tag| !known.contains(&tag.to_lowercase()));
    core.tags
        .extend(new.take(TAGS - core.tags.len().min(TAGS)).cloned().collect::<Vec<_>>());
    core.tags.sort_by_cached_key(|tag| tag.to_lowercase());
    for (key, value) in &theirs.custom_fields.0 {
        core.custom_fields.0.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// Makes a signpost of the customer, and of those that pointed at it.
fn leave(tx: &mut Tx<'_>, gone: &Customer, into: Uuid) -> Result<Customer> {
    let mut left = gone.clone();
    left.bump(tx.now());
    left.core.status = CustomerStatus::Archived;
    left.core.parent_id = None;
    left.core.merged_into = Some(into);
    queries::update(tx, &left.core)?;
    diesel::update(customers::table.filter(customers::merged_into.eq(left.core.id)))
        .set(customers::merged_into.eq(into))
        .execute(&mut **tx)?;
    Ok(left)
}

fn tell(tx: &mut Tx<'_>, gone: &Customer, left: &Customer, after: &Customer) -> Result<()> {
    tx.audit(Some(gone), left)?;
    let mut data = serde_json::to_value(left)?;
    if let Some(fields) = data.as_object_mut() {
        fields.shift_remove("credit");
    }
    tx.emit(MERGED, left.core.id, left.core.version, data);
    let entry = Entry::here(tx, after.core.id, "customer_merged", after)
        .summary(format!("{} became part of this customer", gone.core.name))
        .data(json!({ "customer_id": gone.core.id, "name": gone.core.name }));
    Ok(timeline::add(tx, entry)?)
}
