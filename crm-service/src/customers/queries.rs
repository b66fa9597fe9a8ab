//! The SQL of customers.

use crate::customers::addresses::Address;
use crate::customers::contacts::Contact;
use crate::customers::credit::{CreditRow, CustomerCredit};
use crate::customers::legal_entities::LegalEntity;
use crate::customers::model::{Customer, CustomerCore, CustomerStatus};
use crate::schema::{addresses, contacts, customer_credits, customers, legal_entities};
use diesel::prelude::*;
use service_kit::{OrNotFound, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// What other modules need to know of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Standing {
    pub name: String,
    pub status: CustomerStatus,
    /// The tier whose prices apply, as the ERP last told it.
    pub tier: Option<String>,
}

/// The standing of a customer, if there is such a customer.
pub fn standing(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Standing>> {
    customers::table
        .left_join(customer_credits::table)
        .filter(customers::id.eq(id))
        .select((customers::name, customers::status, customer_credits::tier.nullable()))
        .first(conn)
        .optional()
}

pub fn get(conn: &mut PgConnection, id: Uuid) -> QueryResult<Customer> {
    let core = customers::table
        .find(id)
        .select(CustomerCore::as_select())
        .first(conn)?;
    with_parts(conn, core)
}

/// The customer, locked against other changes of it, its parts or its credit facts.
///
/// Not against being referred to: orders are entered meanwhile.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Customer> {
    let core = customers::table
        .find(id)
        .select(CustomerCore::as_select())
        .for_no_key_update()
        .first(conn)?;
    with_parts(conn, core)
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

/// # Errors
/// 404 when there is no such customer.
pub fn require(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    let customer = customers::table.find(id).select(customers::id);
    customer.first::<Uuid>(conn).or_not_found("customer").map(drop)
}
