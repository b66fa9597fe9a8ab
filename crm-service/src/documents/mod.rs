//! Invoices, credit notes and payments of customers, as the ERP last told them.
//!
//! Replicas: the sync alone writes here (permission `integration:apply`), each document by `PUT` under the
//! ERP's id with the ERP's version. A newer version replaces the stored one, an equal or older one changes
//! nothing; `replace: true` (a resync) replaces whatever is different. Other writes answer `409 not_owner` with the
//! path in the ERP. Applying emits no event.
//!
//! What always holds:
//! - Drafts stay in the ERP, and so do payments of suppliers and payments without a party.
//! - The customer is known; a document of an unknown one is refused with `reference_missing`. Orders, products and
//!   credited invoices need not be known yet.
//! - What a change means to people (posted, paid, credited, received, reversed) is told once in the customer's
//!   timeline.
//!
//! Reading order: `invoices`, then `payments`, built alike: `model`, `queries`, `apply`, `told`, `handlers`.

mod invoices;
mod payments;

use crate::customers;
use crate::replica::{Decision, Replica, decide};
use diesel::{PgConnection, QueryResult};
use service_kit::{Amount, Currency, Error, Problem, Put, Result, Routes, Tx};
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    invoices::routes(routes);
    payments::routes(routes);
}

/// The customer that a document of this one belongs to: itself, or the one that it became part of.
fn customer_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Uuid> {
    let missing = || Problem::reference_missing("customer", id);
    Ok(customers::merge::survivor(tx, id)?.ok_or_else(missing)?)
}

/// A document as it is kept: with whom it is told to, beside the rule of [`replica`](crate::replica).
trait Document: Replica {
    fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Self>>;
    /// False when another request told it in the meantime.
    fn insert(conn: &mut PgConnection, new: &Self) -> QueryResult<bool>;
    fn update(conn: &mut PgConnection, after: &Self) -> QueryResult<usize>;
    /// Tells the customer's timeline what has changed.
    fn tell(tx: &mut Tx<'_>, before: Option<&Self>, after: &Self) -> QueryResult<()>;
}

/// Applies a document as the ERP has it, unless a newer one is stored.
fn apply<D: Document>(tx: &mut Tx<'_>, told: D, replace: bool) -> Result<Put<D>> {
    let stored = D::lock(tx, told.id())?;
    match decide(stored, told, replace, tx.now()) {
        Decision::Leave(stored) => Ok(Put::Unchanged(stored)),
        Decision::Insert(new) => {
            if !D::insert(tx, &new)? {
                return Err(Error::Stale);
            }
            tx.audit(None, &new)?;
            D::tell(tx, None, &new)?;
            Ok(Put::Created(new))
        }
        Decision::Update { before, after } => {
            D::update(tx, &after)?;
            tx.audit(Some(&before), &after)?;
            D::tell(tx, Some(&before), &after)?;
            Ok(Put::Updated(after))
        }
    }
}

/// Gives amounts the digits of their currency.
fn show<'a>(currency: Currency, amounts: impl IntoIterator<Item = &'a mut Amount>) {
    for amount in amounts {
        *amount = Amount::money(currency, amount.value()).unwrap_or(*amount);
    }
}
