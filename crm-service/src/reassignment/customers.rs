//! Customers that change hands, with what hangs on them.

use super::choice::{self, Choice};
use super::model::{ReassignIn, Reassigned};
use crate::customers::model::{Customer, CustomerCore};
use crate::customers::timeline::{self, Entry};
use crate::customers::{self, actions as customer_actions};
use crate::filter::{self, Filter, Scope};
use crate::schema::customers as table;
use crate::{activities, deals, quotes};
use diesel::prelude::*;
use serde_json::json;
use service_kit::{Faults, Owned, Result, Tx, visible};
use std::collections::HashMap;
use uuid::Uuid;

pub fn reassign(tx: &mut Tx<'_>, input: &ReassignIn) -> Result<Reassigned> {
    let mut faults = Faults::default();
    let to = Owned::given(tx, Some(input.owner_id), input.team_id, &mut faults)?.unwrap_or_default();
    let choice = Choice {
        kind: "customer",
        ids: input.customer_ids.as_deref(),
        filter: input.filter.as_deref(),
    };
    let ids = choice.ids(&mut faults, |text, _| found(tx, text))?;
    let before = locked(tx, &ids)?;
    choice.name_missing(before.iter().map(|customer| customer.core.id), &mut faults);
    faults.check()?;
    let owners: HashMap<Uuid, Option<Uuid>> = before.iter().map(|c| (c.core.id, c.core.owner_id)).collect();
    let known: Vec<Uuid> = before.iter().map(|customer| customer.core.id).collect();
    let (changing, unchanged): (Vec<Customer>, Vec<Customer>) =
        before.into_iter().partition(|customer| customer.core.owned() != to);
    let customers = give(tx, changing, to)?;
    let deals = give_deals(tx, input, &known, &owners, to)?;
    let quotes = give_quotes(tx, input, &known, &owners, to)?;
    let activities = give_activities(tx, input, &known, &owners, to)?;
    Ok(Reassigned {
        owner_id: to.owner_id,
        team_id: to.team_id,
        customers,
        unchanged: unchanged.into_iter().map(|customer| customer.core.id).collect(),
        deals,
        quotes,
        activities,
    })
}

/// The customers in sight that a filter finds.
fn found(tx: &mut Tx<'_>, text: &str) -> Result<Vec<Uuid>> {
    let sight = tx.sight();
    let scope = Scope::within(tx, sight.clone());
    let filter = Filter::of(tx, &filter::CUSTOMERS, text, "/filter")?.sql(&scope);
    Ok(table::table
        .filter(table::merged_into.is_null())
        .filter(visible!(&sight, table))
        .filter(filter)
        .order(table::id)
        .limit(i64::try_from(choice::MOST + 1).unwrap_or(i64::MAX))
        .select(table::id)
        .load(&mut **tx)?)
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
    let open = deals::assignment::open_of(tx, of, choice::most_along())?;
    choice::check_size("/deals", open.len())?;
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

fn give_quotes(tx: &mut Tx<'_>, input: &ReassignIn, of: &[Uuid], owners: &Owners, to: Owned) -> Result<Vec<Uuid>> {
    if !input.quotes.moves() {
        return Ok(Vec::new());
    }
    let open = quotes::assignment::open_of(tx, of, choice::most_along())?;
    choice::check_size("/quotes", open.len())?;
    let moved: Vec<_> = open
        .into_iter()
        .filter(|quote| quote.owned() != to)
        .filter(|quote| {
            let customers = owner_of(owners, Some(quote.row.customer_id));
            input.quotes.takes(quote.row.owner_id, customers)
        })
        .collect();
    quotes::assignment::assign_all(tx, &moved, to)?;
    Ok(moved.iter().map(|quote| quote.row.id).collect())
}

fn give_activities(tx: &mut Tx<'_>, input: &ReassignIn, of: &[Uuid], owners: &Owners, to: Owned) -> Result<Vec<Uuid>> {
    if !input.activities.moves() {
        return Ok(Vec::new());
    }
    let open = activities::assignment::open_of(tx, of, choice::most_along())?;
    choice::check_size("/activities", open.len())?;
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
