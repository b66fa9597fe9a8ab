//! What invoices and payments tell a customer: what it owes, and since when.

use super::model::CustomerWithExposure;
use super::queries;
use crate::schema::customers;
use diesel::prelude::*;
use serde_json::Value;
use service_kit::tx::Emitted;
use service_kit::{OrNotFound, Result, Tx};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What a document is made out with.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = customers)]
pub struct Billing {
    pub id: Uuid,
    pub name: String,
    pub tax_id: Option<String>,
    pub legal_entities: Value,
    pub addresses: Value,
    /// Those of the customer that it turned out to be, if it did.
    pub payment_terms_id: Option<Uuid>,
    merged_into: Option<Uuid>,
}

/// What documents of the customer are made out with; the customer is locked until the end of the transaction,
/// because its balance will change.
///
/// # Errors
/// When the database refuses.
pub fn lock_billing(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Billing>> {
    let found: Option<Billing> = customers::table
        .find(id)
        .for_no_key_update()
        .select(Billing::as_select())
        .first(conn)
        .optional()?;
    match found.as_ref().and_then(|billing| billing.merged_into) {
        Some(survivor) => {
            let terms = queries::lock_terms(conn, survivor)?;
            Ok(found.map(|billing| Billing {
                payment_terms_id: terms.and_then(|terms| terms.payment_terms_id),
                ..billing
            }))
        }
        None => Ok(found),
    }
}

/// What letters to customers are made out with, by id.
///
/// # Errors
/// When the database refuses.
pub fn billing_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Billing>> {
    let found: Vec<Billing> = customers::table
        .filter(customers::id.eq_any(ids))
        .select(Billing::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|customer| (customer.id, customer)).collect())
}

/// Tells the world that the balances of customers have changed: their version goes up and
/// `customer.credit_changed` carries the new figures. What concerns a customer that turned out to be another concerns
/// that one.
///
/// The row is written, so documents of one customer wait for each other; they do so anyway for the number
/// series that all invoices share. The revision stays: whoever edits the terms is not told that they are stale.
///
/// # Errors
/// When the database refuses.
pub fn note_balance_changed(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    let mut concerned = BTreeSet::new();
    for id in ids {
        concerned.insert(queries::survivor(tx, *id).or_not_found("customer")?);
    }
    for id in &concerned {
        diesel::update(customers::table.find(id))
            .set(customers::version.eq(customers::version + 1))
            .execute(&mut **tx)?;
        let row = queries::row(tx, *id).or_not_found("customer")?;
        let today = tx.today();
        let after = queries::with_exposure(tx, row, today)?;
        let (version, data) = (after.version(), serde_json::to_value(&after)?);
        tx.emit(CustomerWithExposure::EVENT, *id, version, data);
    }
    Ok(())
}
