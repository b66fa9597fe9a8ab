//! The SQL of customers.
//!
//! A customer that is out of sight is not there: [`get`], [`lock`], [`require`] and [`standing`] are
//! the only ways to one, and each asks for the sight of whoever acts.

use crate::customers::addresses::Address;
use crate::customers::contacts::Contact;
use crate::customers::credit::{CreditRow, CustomerCredit, Tiers};
use crate::customers::legal_entities::LegalEntity;
use crate::customers::merge;
use crate::customers::model::{Customer, CustomerCore, CustomerStatus};
use crate::schema::{addresses, contacts, customer_credits, customers, legal_entities};
use diesel::pg::Pg;
use diesel::prelude::*;
use service_kit::{OrNotFound, Owned, Problem, Result, Sight, Tx, visible};
use std::collections::HashMap;
use uuid::Uuid;

/// What other modules need to know of a customer.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct Standing {
    pub name: String,
    pub status: CustomerStatus,
    /// The tiers whose prices apply.
    pub tiers: Tiers,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// The customer that it became part of.
    pub merged_into: Option<Uuid>,
}

impl Standing {
    /// Whose a record is that hangs on the customer when nothing else is said.
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.owner_id,
            team_id: self.team_id,
        }
    }
}

/// The standing of a customer, if there is such a customer in sight.
pub fn standing(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<Option<Standing>> {
    let standing: Option<Standing> = customers::table
        .left_join(customer_credits::table)
        .filter(customers::id.eq(id))
        .select((
            customers::name,
            customers::status,
            (customer_credits::tier.nullable(), customer_credits::tiers.nullable()),
            customers::owner_id,
            customers::team_id,
            customers::merged_into,
        ))
        .first(conn)
        .optional()?;
    Ok(standing.filter(|standing| sight.covers(standing.owner_id, standing.team_id)))
}

/// The customer; a merged one leads to its survivor.
///
/// # Errors
/// 404 when there is no such customer in sight, 308 `merged`.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Customer> {
    let core = customers::table
        .find(id)
        .select(CustomerCore::as_select())
        .first(conn)
        .or_not_found("customer")?;
    seen(conn, sight, core, |survivor| merge::moved(survivor, ""))
}

/// The customer, locked against other changes of it, its parts or its credit facts.
///
/// Not against being referred to: orders are entered meanwhile.
///
/// # Errors
/// 404 when there is no such customer in sight, 409 `merged`.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<Customer> {
    lock_if_there(tx, id)?.ok_or_else(|| Problem::not_found("customer").into())
}

/// As [`lock`]; `None` when there is no such customer, seen or unseen.
///
/// # Errors
/// 404 when it is out of sight, 409 `merged`.
pub fn lock_if_there(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<Customer>> {
    let found = customers::table.find(id).select(CustomerCore::as_select());
    let core = found.for_no_key_update().first(&mut **tx).optional()?;
    let sight = tx.sight();
    core.map(|core| seen(tx, &sight, core, merge::refused)).transpose()
}

/// As [`lock`], and nothing comes to refer to the customer either.
///
/// # Errors
/// As [`lock`].
pub fn lock_alone(tx: &mut Tx<'_>, id: Uuid) -> Result<Customer> {
    let found = customers::table.find(id).select(CustomerCore::as_select());
    let core = found.for_update().first(&mut **tx).or_not_found("customer")?;
    let sight = tx.sight();
    seen(tx, &sight, core, merge::refused)
}

/// The customer whole, to somebody who sees it; one that became part of another leads there.
fn seen(
    conn: &mut PgConnection,
    sight: &Sight,
    core: CustomerCore,
    merged: impl Fn(Uuid) -> Problem,
) -> Result<Customer> {
    require_seen(conn, sight, (core.owner_id, core.team_id, core.merged_into), merged)?;
    Ok(with_parts(conn, core)?)
}

/// Owner, team and survivor of a customer.
type Whose = (Option<Uuid>, Option<Uuid>, Option<Uuid>);

/// A merged customer is seen with its survivor.
fn require_seen(conn: &mut PgConnection, sight: &Sight, whose: Whose, merged: impl Fn(Uuid) -> Problem) -> Result<()> {
    let (owner, team, survivor) = whose;
    let (owner, team) = match survivor {
        Some(survivor) => customers::table
            .find(survivor)
            .select((customers::owner_id, customers::team_id))
            .first(conn)?,
        None => (owner, team),
    };
    match survivor {
        _ if !sight.covers(owner, team) => Err(Problem::not_found("customer").into()),
        Some(survivor) => Err(merged(survivor).into()),
        None => Ok(()),
    }
}

/// Gives a customer the parts that stand in the tables.
pub fn load_parts(conn: &mut PgConnection, customer: &mut Customer) -> QueryResult<()> {
    *customer = with_parts(conn, customer.core.clone())?;
    Ok(())
}

fn with_parts(conn: &mut PgConnection, core: CustomerCore) -> QueryResult<Customer> {
    all_with_parts(conn, vec![core])?.pop().ok_or(diesel::NotFound)
}

/// Gives customers their parts, one statement for each kind.
pub fn all_with_parts(conn: &mut PgConnection, cores: Vec<CustomerCore>) -> QueryResult<Vec<Customer>> {
    let ids: Vec<Uuid> = cores.iter().map(|core| core.id).collect();
    let legal_entities = legal_entities::table
        .filter(legal_entities::customer_id.eq_any(&ids))
        .order((legal_entities::created_at, legal_entities::id))
        .select(LegalEntity::as_select())
        .load(conn)?;
    let contacts = contacts::table
        .filter(contacts::customer_id.eq_any(&ids))
        .order((contacts::created_at, contacts::id))
        .select(Contact::as_select())
        .load(conn)?;
    let addresses = addresses::table
        .filter(addresses::customer_id.eq_any(&ids))
        .order((addresses::created_at, addresses::id))
        .select(Address::as_select())
        .load(conn)?;
    let credits = customer_credits::table
        .filter(customer_credits::customer_id.eq_any(&ids))
        .select(CreditRow::as_select())
        .load(conn)?;
    let mut legal_entities = grouped(legal_entities, |entity| entity.customer_id);
    let mut contacts = grouped(contacts, |contact| contact.customer_id);
    let mut addresses = grouped(addresses, |address| address.customer_id);
    let mut credits = grouped(credits, |credit| credit.customer_id);
    let customers = cores.into_iter().map(|core| Customer {
        legal_entities: legal_entities.remove(&core.id).unwrap_or_default(),
        contacts: contacts.remove(&core.id).unwrap_or_default(),
        addresses: addresses.remove(&core.id).unwrap_or_default(),
        credit: credits
            .remove(&core.id)
            .and_then(|mut rows| rows.pop())
            .map(CustomerCredit::from),
        core,
    });
    Ok(customers.collect())
}

fn grouped<T>(rows: Vec<T>, key: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut groups: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// Stores a new customer's core; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, core: &CustomerCore) -> QueryResult<bool> {
    let statement = diesel::insert_into(customers::table).values(core);
    if statement.on_conflict_do_nothing().execute(conn)? == 1 {
        return Ok(true);
    }
    // A twin clashes in its external_ref as well as in its id: the id tells that it is a twin.
    let twin = customers::table.find(core.id).select(customers::id);
    if twin.first::<Uuid>(conn).optional()?.is_some() {
        return Ok(false);
    }
    // Only the external_ref is taken: let its constraint say so.
    statement.execute(conn)?;
    Ok(true)
}

/// Stores the core of a customer that is locked.
pub fn update(conn: &mut PgConnection, core: &CustomerCore) -> QueryResult<usize> {
    diesel::update(customers::table.find(core.id)).set(core).execute(conn)
}

/// What hangs on a customer is asked for; `below` is what follows the customer's id in the path.
///
/// # Errors
/// 404 when there is no such customer in sight, 308 `merged`.
pub fn require(conn: &mut PgConnection, sight: &Sight, id: Uuid, below: &str) -> Result<()> {
    let customer = customers::table
        .find(id)
        .select((customers::owner_id, customers::team_id, customers::merged_into));
    let whose: Whose = customer.first(conn).or_not_found("customer")?;
    require_seen(conn, sight, whose, |survivor| merge::moved(survivor, below))
}

/// The ids of the customers in sight, for the lists of what is seen with its customer; `None` when that is all.
pub fn in_sight(sight: &Sight) -> Option<InSight<'static>> {
    (!sight.sees_all()).then(|| {
        let customers = customers::table.select(customers::id).into_boxed();
        customers.filter(visible!(sight, customers))
    })
}

type InSight<'a> = customers::BoxedQuery<'a, Pg, diesel::sql_types::Uuid>;
