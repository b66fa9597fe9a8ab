use super::model::{Invoice, InvoiceReplicaIn};
use super::{queries, told};
use crate::documents::customer_of;
use crate::replica::{Decision, decide, storable};
use service_kit::{Error, Faults, Put, Result, Tx};
use uuid::Uuid;

/// Applies a document as the ERP has it, unless a newer one is stored.
pub fn apply(tx: &mut Tx<'_>, id: Uuid, input: &InvoiceReplicaIn) -> Result<Put<Invoice>> {
    let mut faults = Faults::default();
    if input.invoice.id != id {
        faults.add("/invoice/id", "mismatch", "must be the id in the path");
    }
    faults.check()?;
    let mut document = input.invoice.clone();
    document.customer_id = customer_of(tx, document.customer_id)?;
    let invoice = Invoice {
        due_on: document.due_on(),
        document: document.shown(),
        source_version: input.source_version,
        as_of: storable(input.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let stored = queries::lock(tx, id)?;
    match decide(stored, invoice, input.replace, tx.now()) {
        Decision::Leave(stored) => Ok(Put::Unchanged(stored)),
        Decision::Insert(new) => {
            if !queries::insert(tx, &new)? {
                return Err(Error::Stale);
            }
            tx.audit(None, &new)?;
            told::tell(tx, None, &new)?;
            Ok(Put::Created(new))
        }
        Decision::Update { before, after } => {
            queries::update(tx, &after)?;
            tx.audit(Some(&before), &after)?;
            told::tell(tx, Some(&before), &after)?;
            Ok(Put::Updated(after))
        }
    }
}
