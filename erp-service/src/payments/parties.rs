//! Whom money comes from and goes to.

use crate::customers;
use crate::ledger::open_items::Side;
use crate::purchasing::suppliers;
use diesel::prelude::*;
use service_kit::{Faults, Result, Tx, text_enum};
use uuid::Uuid;

text_enum! {
    /// What a party of a payment is.
    PartyType { Customer = "customer", Supplier = "supplier" }
}

impl PartyType {
    /// The subledger that it belongs to.
    pub fn side(self) -> Side {
        match self {
            PartyType::Customer => Side::Receivable,
            PartyType::Supplier => Side::Payable,
        }
    }

    pub fn of_side(side: Side) -> Self {
        match side {
            Side::Receivable | Side::AdvancesReceived => PartyType::Customer,
            Side::Payable | Side::AdvancesPaid => PartyType::Supplier,
        }
    }
}

/// Locks a party first of all, so that whoever decides on its credit waits; a fault when it is unknown.
pub(super) fn lock(tx: &mut Tx<'_>, party: PartyType, id: Uuid, pointer: &str, faults: &mut Faults) -> Result<()> {
    let known = match party {
        PartyType::Customer => customers::lock_terms(tx, id)?.is_some(),
        PartyType::Supplier => suppliers::hold(tx, id).optional()?.is_some(),
    };
    if !known {
        faults.add(
            pointer,
            &format!("unknown_{party}"),
            format!("there is no such {party}"),
        );
    }
    Ok(())
}
