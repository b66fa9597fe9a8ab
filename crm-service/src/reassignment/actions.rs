//! The verb.

use super::model::{ReassignIn, Reassigned};
use crate::customers::model::{Customer, CustomerCore};
use crate::customers::timeline::{self, Entry};
use crate::customers::{self, actions as customer_actions};
use crate::filter::{self, Filter, Scope};
use crate::schema::customers as table;
use crate::{activities, deals};
use diesel::prelude::*;
use serde_json::json;
use service_kit::{Faults, Owned, Result, Tx, visible};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Customers at once.
const MOST: usize = 1_000;
/// Deals, and activities, at once.
const MOST_ALONG: usize = 5_000;

pub fn reassign(tx: &mut Tx<'_>, input: &ReassignIn) -> Result<Reassigned> {
    let mut faults = Faults::default();
    let to = Owned::given(tx, Some(input.owner_id), input.team_id, &mut faults)?.unwrap_or_default();
    let ids = match (&input.customer_ids, &input.filter) {
        (Some(ids), None) => ids.clone(),
        (None, Some(text)) => found(tx, text, &mut faults)?,
        (Some(_), Some(_)) => {
            faults.add("/filter", "ambiguous", "give customer_ids or filter");
            Vec::new()
        }
        (None, None) => {
            faults.add("/customer_ids", "required", "give customer_ids or filter");
            Vec::new()
        }
    };
    let before = locked(tx, &ids)?;
    if input.customer_ids.is_some() {
        name_missing(&ids, &before, &mut faults);
    }
    faults.check()?;
    let owners: HashMap<Uuid, Option<Uuid>> = before.iter().map(|c| (c.core.id, c.core.owner_id)).collect();
    let known: Vec<Uuid> = before.iter().map(|customer| customer.core.id).collect();
    let (changing, unchanged): (Vec<Customer>, Vec<Customer>) =
        before.into_iter().partition(|customer| customer.core.owned() != to);
    let customers = give(tx, changing, to)?;
    let deals = give_deals(tx, input, &known, &owners, to)?;
    let activities = give_activities(tx, input, &known, &owners, to)?;
    Ok(Reassigned {
        owner_id: to.owner_id,
        team_id: to.team_id,
        customers,
        unchanged: unchanged.into_iter().map(|customer| customer.core.id).collect(),
        deals,
        activities,
    })
}

/// The customers in sight that a filter finds.
fn found(tx: &mut Tx<'_>, text: &str, faults: &mut Faults) -> Result<Vec<Uuid>> {
    let sight = tx.sight();
    let scope = Scope::within(tx, sight.clone());
    let filter = Filter::of(tx, &filter::CUSTOMERS, text, "/filter")?.sql(&scope);
    let found: Vec<Uuid> = table::table
        .filter(table::merged_into.is_null())
        .filter(visible!(&sight, table))
        .filter(filter)
        .order(table::id)
        .limit(i64::try_from(MOST + 1).unwrap_or(i64::MAX))
        .select(table::id)
        .load(&mut **tx)?;
    if found.len() > MOST {
        faults.add(
            "/filter",
            "too_many",
            format!("it finds more than {MOST} customers; narrow it"),
        );
    }
    Ok(found)
}

/// The customers that are there and in sight, locked in the order of their ids.
fn locked(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Customer>> {
    let sight = tx.sight();
    let cores: Vec<CustomerCore> = table::table
        .filter(table::id.eq_any(ids))
        .filter(table::merged_into.is_null())
        .filter(visible!(&sight, table))
        .order(table::id)
        .select(CustomerCore::as_select())
        .for_no_key_update()
        .load(&mut **tx)?;
    Ok(customers::queries::all_with_parts(tx, cores)?)
}

fn name_missing(ids: &[Uuid], there: &[Customer], faults: &mut Faults) {
    let there: HashSet<Uuid> = there.iter().map(|customer| customer.core.id).collect();
    let mut seen = HashSet::new();
    for (index, id) in ids.iter().enumerate() {
        let pointer = format!("/customer_ids/{index}");
        if !there.contains(id) {
            faults.add(pointer, "unknown_customer", "there is no such customer");
        } else if !seen.insert(id) {
            faults.add(pointer, "duplicate", "this customer stands there already");
        }
    }
}

fn give(tx: &mut Tx<'_>, customers: Vec<Customer>, to: Owned) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = customers.iter().map(|customer| customer.core.id).collect();
    diesel::update(table::table.filter(table::id.eq_any(&ids)))
        .set((
            table::owner_id.eq(to.owner_id),
            table::team_id.eq(to.team_id),
            table::version.eq(table::version + 1),
            table::revision.eq(table::revision + 1),
            table::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let mut entries = Vec::new();
    for before in customers {
        let mut after = before.clone();
        after.core.give_to(to);
        after.bump(tx.now());
        tx.audit(Some(&before), &after)?;
        customer_actions::emit(tx, &after)?;
        let entry = Entry::here(tx, after.core.id, "customer_assigned", &after)
            .summary("Customer assigned to somebody else")
            .data(json!({ "owner_id": to.owner_id, "team_id": to.team_id }));
        entries.push(entry);
    }
    timeline::add_all(tx, &entries)?;
    Ok(ids)
}

type Owners = HashMap<Uuid, Option<Uuid>>;

fn give_deals(tx: &mut Tx<'_>, input: &ReassignIn, of: &[Uuid], owners: &Owners, to: Owned) -> Result<Vec<Uuid>> {
    if !input.deals.moves() {
        return Ok(Vec::new());
    }
    let open = deals::assignment::open_of(tx, of, most())?;
    check_size("/deals", open.len())?;
    let moved: Vec<_> = open
        .into_iter()
        .filter(|deal| deal.owned() != to)
        .filter(|deal| {
            input
                .deals
                .takes(deal.row.owner_id, owner_of(owners, Some(deal.row.customer_id)))
        })
        .collect();
    deals::assignment::assign_all(tx, &moved, to)?;
    Ok(moved.iter().map(|deal| deal.row.id).collect())
}

fn give_activities(tx: &mut Tx<'_>, input: &ReassignIn, of: &[Uuid], owners: &Owners, to: Owned) -> Result<Vec<Uuid>> {
    if !input.activities.moves() {
        return Ok(Vec::new());
    }
    let open = activities::assignment::open_of(tx, of, most())?;
    check_size("/activities", open.len())?;
    let moved: Vec<_> = open
        .into_iter()
        .filter(|row| (row.owner_id, row.team_id) != (to.owner_id, to.team_id))
        .filter(|row| input.activities.takes(row.owner_id, owner_of(owners, row.customer_id)))
        .collect();
    let ids = moved.iter().map(|row| row.id).collect();
    activities::assignment::assign_all(tx, moved, to)?;
    Ok(ids)
}

fn owner_of(owners: &Owners, customer: Option<Uuid>) -> Option<Uuid> {
    customer.and_then(|customer| owners.get(&customer).copied().flatten())
}

fn most() -> i64 {
    i64::try_from(MOST_ALONG + 1).unwrap_or(i64::MAX)
}

fn check_size(pointer: &str, count: usize) -> Result<()> {
    let mut faults = Faults::default();
    if count > MOST_ALONG {
        faults.add(
            pointer,
            "too_many",
            format!("more than {MOST_ALONG} would go along; take fewer customers"),
        );
    }
    Ok(faults.check()?)
}
