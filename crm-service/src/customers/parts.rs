//! What contacts, addresses and legal entities do alike, as parts of a customer.
//!
//! Each verb locks the customer, changes the part, and lets the customer tell the world: one
//! version, one event, for whatever changed.

use crate::customers::model::Customer;
use crate::customers::timeline::Entry;
use crate::customers::{actions, queries, rules, timeline};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;
use service_kit::{Answer, Error, Faults, OrNotFound, Problem, Resource, Result, Sight, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// A part of a customer that is a record of its own.
pub trait Part: Resource + Clone + PartialEq + Sized {
    type In;

    /// What people call it, e.g. `legal entity`.
    const WORDS: &'static str;
    /// The field of the customer that lists it, e.g. `legal_entities`.
    const FIELD: &'static str;
    /// Kinds of timeline entries: added, changed, removed.
    const KINDS: [&'static str; 3];

    fn all(customer: &Customer) -> &Vec<Self>;
    fn all_mut(customer: &mut Customer) -> &mut Vec<Self>;

    fn given_id(input: &Self::In) -> Option<Uuid>;
    fn new(input: &Self::In, id: Uuid, customer_id: Uuid, now: DateTime<Utc>) -> Self;
    fn customer_id(&self) -> Uuid;
    fn created_at(&self) -> DateTime<Utc>;
    fn updated_at(&self) -> DateTime<Utc>;
    fn revised(self, revision: i64, updated_at: DateTime<Utc>) -> Self;
    /// Names it in a sentence of the timeline.
    fn label(&self) -> String;

    fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Self>;
    fn insert(&self, conn: &mut PgConnection) -> QueryResult<usize>;
    fn update(&self, conn: &mut PgConnection) -> QueryResult<usize>;
    fn delete(&self, conn: &mut PgConnection) -> QueryResult<usize>;
}

/// A customer has at most this many parts of a kind: the whole record travels with every event.
pub const MOST: usize = 200;

/// A part is seen with its customer.
pub fn get<P: Part>(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<P> {
    let part = P::find(conn, id).or_not_found(P::WORDS)?;
    match queries::standing(conn, sight, part.customer_id())? {
        Some(_) => Ok(part),
        None => Err(Problem::not_found(P::WORDS).into()),
    }
}

pub fn add<P: Part>(tx: &mut Tx<'_>, customer_id: Uuid, input: &P::In) -> Result<P> {
    let before = queries::lock(tx, customer_id)?;
    let part = P::new(input, tx.mint(P::given_id(input)), customer_id, tx.now());
    let mut after = before.clone();
    let all = P::all_mut(&mut after);
    if all.len() >= MOST {
        let detail = format!("a customer has at most {MOST} of {}", P::FIELD);
        return Err(Problem::rule("too_many", detail).into());
    }
    all.push(part.clone());
    sort(all);
    check(&after, part.id())?;
    part.insert(tx)?;
    tx.audit(None, &part)?;
    tell(tx, &part, 0, "added")?;
    actions::save(tx, &before, after)?;
    Ok(part)
}

pub fn change<P: Part>(tx: &mut Tx<'_>, id: Uuid, apply: impl Fn(&mut P)) -> Result<P> {
    let (before, old) = lock::<P>(tx, id)?;
    tx.require_match(&old)?;
    let mut new = old.clone();
    apply(&mut new);
    if new == old {
        return Ok(old);
    }
    let new = new.revised(old.revision() + 1, tx.now());
    let mut after = before.clone();
    for part in P::all_mut(&mut after).iter_mut().filter(|part| part.id() == id) {
        *part = new.clone();
    }
    check(&after, id)?;
    new.update(tx)?;
    tx.audit(Some(&old), &new)?;
    tell(tx, &new, 1, "changed")?;
    actions::save(tx, &before, after)?;
    Ok(new)
}

pub fn remove<P: Part>(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let (before, old) = lock::<P>(tx, id)?;
    tx.match_if_given(&old)?;
    let mut after = before.clone();
    P::all_mut(&mut after).retain(|part| part.id() != id);
    old.delete(tx)?;
    audit_removal(tx, &old)?;
    let gone = old.clone().revised(old.revision() + 1, tx.now());
    tell(tx, &gone, 2, "removed")?;
    actions::save(tx, &before, after)?;
    Ok(Answer::no_content())
}

/// The customer, locked, and the part as it is under that lock.
fn lock<P: Part>(tx: &mut Tx<'_>, id: Uuid) -> Result<(Customer, P)> {
    let seen = P::find(tx, id).or_not_found(P::WORDS)?;
    let customer = match queries::lock(tx, seen.customer_id()) {
        Err(Error::Problem(problem)) => {
            return Err(match problem.code == "merged" {
                // It moved to the survivor in between: look again.
                true => Error::Stale,
                false => Problem::not_found(P::WORDS).into(),
            });
        }
        other => other?,
    };
    let part = P::all(&customer).iter().find(|part| part.id() == id).cloned();
    // Removed by another between the two looks.
    let part = part.ok_or_else(|| Problem::not_found(P::WORDS))?;
    Ok((customer, part))
}

/// The faults of the customer as it would be; those of this part point into the body.
fn check(after: &Customer, id: Uuid) -> Result<()> {
    let mut faults = Faults::default();
    rules::legal_entities(&after.legal_entities, &mut faults, |entity| {
        (entity == id).then(String::new)
    });
    Ok(faults.check()?)
}

fn tell<P: Part>(tx: &mut Tx<'_>, part: &P, kind: usize, verb: &str) -> Result<()> {
    let mut words = P::WORDS.to_owned();
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let entry = Entry::here(tx, part.customer_id(), P::KINDS[kind], part)
        .summary(format!("{words} {verb}: {}", part.label()))
        .data(json!({ "label": part.label() }));
    Ok(timeline::add(tx, entry)?)
}

fn audit_removal<P: Part>(tx: &mut Tx<'_>, old: &P) -> Result<()> {
    let fields = serde_json::to_value(old)?;
    let changes = fields.as_object().into_iter().flatten();
    let changes = changes.map(|(field, from)| (field.clone(), json!({ "from": from, "to": null })));
    tx.audit_changes(P::TYPE, old.id(), old.revision() + 1, changes.collect());
    Ok(())
}

/// The order in which a customer shows its parts: oldest first.
pub fn sort<P: Part>(parts: &mut [P]) {
    parts.sort_by_key(|part| (part.created_at(), part.id()));
}

/// What it takes to make a customer's parts of one kind those of an input.
pub struct Plan<P> {
    /// In the order of the input, as they will be.
    pub given: Vec<P>,
    insert: Vec<P>,
    update: Vec<(P, P)>,
    delete: Vec<P>,
}

/// Finds out which parts of the input are there already: by id, else by having the same content,
/// so that a repeat of the same input changes nothing.
pub fn plan<P: Part>(tx: &Tx<'_>, customer_id: Uuid, existing: &[P], inputs: &[P::In], faults: &mut Faults) -> Plan<P> {
    let mut named = HashSet::new();
    for (index, id) in inputs
        .iter()
        .enumerate()
        .filter_map(|(i, input)| Some((i, P::given_id(input)?)))
    {
        if !named.insert(id) {
            let pointer = format!("/{}/{index}/id", P::FIELD);
            faults.add(pointer, "duplicate", "this id stands in the list twice");
        }
    }
    let (mut left, now) = (existing.to_vec(), tx.now());
    let mut plan = Plan {
        given: Vec::new(),
        insert: Vec::new(),
        update: Vec::new(),
        delete: Vec::new(),
    };
    let as_given = |input: &P::In, old: &P| {
        P::new(input, old.id(), customer_id, old.created_at()).revised(old.revision(), old.updated_at())
    };
    for input in inputs {
        let found = match P::given_id(input) {
            Some(id) => left.iter().position(|old| old.id() == id),
            None => left
                .iter()
                .position(|old| !named.contains(&old.id()) && as_given(input, old) == *old),
        };
        let part = match found.map(|index| left.remove(index)) {
            None => {
                let part = P::new(input, tx.mint(P::given_id(input)), customer_id, now);
                plan.insert.push(part.clone());
                part
            }
            Some(old) => match as_given(input, &old) {
                same if same == old => old,
                new => {
                    let new = new.revised(old.revision() + 1, now);
                    plan.update.push((old, new.clone()));
                    new
                }
            },
        };
        plan.given.push(part);
    }
    plan.delete = left;
    plan
}

impl<P: Part> Plan<P> {
    pub fn changes(&self) -> bool {
        !(self.insert.is_empty() && self.update.is_empty() && self.delete.is_empty())
    }

    pub fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        for old in &self.delete {
            old.delete(tx)?;
            audit_removal(tx, old)?;
        }
        for (old, new) in &self.update {
            new.update(tx)?;
            tx.audit(Some(old), new)?;
        }
        for new in &self.insert {
            new.insert(tx)?;
            tx.audit(None, new)?;
        }
        Ok(())
    }
}

/// The four statements of a [`Part`] on its table.
macro_rules! stored_in {
    ($table:ident) => {
        fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Self> {
            $table::table.find(id).select(Self::as_select()).first(conn)
        }
        fn insert(&self, conn: &mut PgConnection) -> QueryResult<usize> {
            diesel::insert_into($table::table).values(self).execute(conn)
        }
        fn update(&self, conn: &mut PgConnection) -> QueryResult<usize> {
            diesel::update($table::table.find(self.id))
                .set(self)
                .execute(conn)
        }
        fn delete(&self, conn: &mut PgConnection) -> QueryResult<usize> {
            diesel::delete($table::table.find(self.id)).execute(conn)
        }
    };
}
pub(super) use stored_in;

/// What a [`Part`] answers from its own fields.
macro_rules! told_by_fields {
    () => {
        fn customer_id(&self) -> Uuid {
            self.customer_id
        }
        fn created_at(&self) -> DateTime<Utc> {
            self.created_at
        }
        fn updated_at(&self) -> DateTime<Utc> {
            self.updated_at
        }
        fn revised(self, revision: i64, updated_at: DateTime<Utc>) -> Self {
            Self {
                revision,
                updated_at,
                ..self
            }
        }
        fn given_id(input: &Self::In) -> Option<Uuid> {
            input.id
        }
    };
}
pub(super) use told_by_fields;
