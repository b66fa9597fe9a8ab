use super::model::{Payment, PaymentReplicaIn};
use super::{queries, told};
use crate::documents::{self, Document, customer_of};
use crate::replica::storable;
use diesel::{PgConnection, QueryResult};
use service_kit::{Faults, Put, Result, Tx};
use uuid::Uuid;

/// Applies a payment as the ERP has it, unless a newer one is stored.
pub fn apply(tx: &mut Tx<'_>, id: Uuid, input: &PaymentReplicaIn) -> Result<Put<Payment>> {
    let mut faults = Faults::default();
    if input.payment.id != id {
        faults.add("/payment/id", "mismatch", "must be the id in the path");
    }
    faults.check()?;
    let mut document = input.payment.clone();
    document.customer_id = customer_of(tx, document.customer_id)?;
    let payment = Payment {
        document: document.shown(),
        source_version: input.source_version,
        as_of: storable(input.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    documents::apply(tx, payment, input.replace)
}

impl Document for Payment {
    fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Self>> {
        queries::lock(conn, id)
    }

    fn insert(conn: &mut PgConnection, new: &Self) -> QueryResult<bool> {
        queries::insert(conn, new)
    }

    fn update(conn: &mut PgConnection, after: &Self) -> QueryResult<usize> {
        queries::update(conn, after)
    }

    fn tell(tx: &mut Tx<'_>, before: Option<&Self>, after: &Self) -> QueryResult<()> {
        told::tell(tx, before, after)
    }
}
