//! Taking back what an import did to a customer.

use crate::customers::addresses::{Address, AddressIn};
use crate::customers::contacts::{Contact, ContactIn};
use crate::customers::merge::moves::MOVES;
use crate::customers::model::{Customer, CustomerCore, CustomerStatus};
use crate::customers::whole::WholeParts;
use crate::customers::{actions, duplicates, queries};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::exchange::{ImportUndoOutcome, Noted};
use service_kit::{Problem, Result, Tx};
use std::sync::LazyLock;
use uuid::Uuid;

/// How a customer was, as far as an import changes it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Before {
    core: CustomerCore,
    /// Absent where the import left them alone.
    #[serde(default)]
    contacts: Option<Vec<Contact>>,
    #[serde(default)]
    addresses: Option<Vec<Address>>,
}

impl From<&Customer> for Before {
    fn from(customer: &Customer) -> Self {
        Before {
            core: customer.core.clone(),
            contacts: Some(customer.contacts.clone()),
            addresses: Some(customer.addresses.clone()),
        }
    }
}

pub fn take_back(tx: &mut Tx<'_>, change: &Noted) -> Result<ImportUndoOutcome> {
    let now = queries::lock(tx, change.record_id)?;
    // It counts the changes of the parts too.
    if now.core.version != change.version {
        return Err(Problem::conflict("changed_since", "the customer was changed since").into());
    }
    let Some(before) = change.before::<Before>()? else {
        if is_in_use(tx, change.record_id)? {
            return Err(Problem::conflict("in_use", "something hangs on the customer").into());
        }
        let core = CustomerCore {
            status: CustomerStatus::Archived,
            external_ref: None,
            ..now.core.clone()
        };
        actions::put_back(tx, &now, core, &WholeParts::nothing())?;
        // The corrected file is no duplicate of what was taken back.
        duplicates::keys::forget(tx, change.record_id)?;
        return Ok(ImportUndoOutcome::Withdrawn);
    };
    let core = CustomerCore {
        version: now.core.version,
        revision: now.core.revision,
        updated_at: now.core.updated_at,
        ..before.core
    };
    let parts = WholeParts {
        contacts: before.contacts.map(|all| all.iter().map(ContactIn::from).collect()),
        addresses: before.addresses.map(|all| all.iter().map(AddressIn::from).collect()),
    };
    actions::put_back(tx, &now, core, &parts)?;
    Ok(ImportUndoOutcome::Restored)
}

/// Whether anything hangs on a customer but what it was made with.
fn is_in_use(tx: &mut Tx<'_>, id: Uuid) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let own = [
            // What was added since would have raised the customer's version.
            "contacts",
            "addresses",
            "legal_entities",
            // What comes by itself is nobody's reason to keep a customer.
            "timeline_entries",
            "customer_keys",
            "customer_credits",
            "soft_demand",
            "segment_members",
            "grade_proposals",
        ];
        let tables = MOVES.iter().map(|each| each.table).filter(|table| !own.contains(table));
        let hangs = tables.map(|table| format!("EXISTS (SELECT FROM {table} WHERE customer_id = who.id)"));
        format!(
            "SELECT {} OR EXISTS (SELECT FROM customers WHERE parent_id = who.id OR merged_into = who.id) AS found
             FROM (SELECT $1::uuid AS id) who",
            hangs.collect::<Vec<_>>().join(" OR ")
        )
    });
    let row: Found = sql(&TEXT).bind::<SqlUuid, _>(id).row(tx)?;
    Ok(row.found)
}
