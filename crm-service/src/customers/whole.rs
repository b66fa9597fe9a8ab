//! A customer with its parts as an input wants them, and what that takes.

use crate::customers::addresses::{Address, AddressIn};
use crate::customers::contacts::{Contact, ContactIn};
use crate::customers::depth::Depth;
use crate::customers::legal_entities::LegalEntity;
use crate::customers::model::{Customer, CustomerCore, CustomerIn};
use crate::customers::parts::{self, Part, Plan};
use crate::customers::rules;
use service_kit::{Faults, Owned, Result, Tx};

/// A customer as an input wants it whole, and what that takes.
pub struct Whole {
    pub customer: Customer,
    legal_entities: Plan<LegalEntity>,
    contacts: Plan<Contact>,
    addresses: Plan<Address>,
}

impl Whole {
    /// # Errors
    /// 422 with every fault of the input.
    pub fn of(
        tx: &mut Tx<'_>,
        mut core: CustomerCore,
        before: &Customer,
        input: &CustomerIn,
        owned: Owned,
        mut faults: Faults,
    ) -> Result<Self> {
        let id = core.id;
        core.give_to(owned);
        core.name.clone_from(&input.name);
        core.kind = input.kind;
        core.email.clone_from(&input.email);
        core.phone.clone_from(&input.phone);
        core.tax_id.clone_from(&input.tax_id);
        core.external_ref.clone_from(&input.external_ref);
        rules::grade(
            &mut core,
            input.grade,
            input.grade_effective_from,
            tx.today(),
            &mut faults,
        );
        Depth::from(input).apply(tx, &mut core, &mut faults)?;
        let legal_entities = parts::plan(tx, id, &before.legal_entities, &input.legal_entities, &mut faults);
        let contacts = parts::plan(tx, id, &before.contacts, &input.contacts, &mut faults);
        let addresses = parts::plan(tx, id, &before.addresses, &input.addresses, &mut faults);
        rules::legal_entities(&legal_entities.given, &mut faults, |entity| {
            let index = legal_entities.given.iter().position(|given| given.id == entity)?;
            Some(format!("/legal_entities/{index}"))
        });
        faults.check()?;
        let mut customer = Customer {
            core,
            legal_entities: legal_entities.given.clone(),
            contacts: contacts.given.clone(),
            addresses: addresses.given.clone(),
            credit: before.credit.clone(),
        };
        parts::sort(&mut customer.legal_entities);
        parts::sort(&mut customer.contacts);
        parts::sort(&mut customer.addresses);
        Ok(Whole {
            customer,
            legal_entities,
            contacts,
            addresses,
        })
    }

    pub fn changes_parts(&self) -> bool {
        self.legal_entities.changes() || self.contacts.changes() || self.addresses.changes()
    }

    pub fn store_parts(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.legal_entities.apply(tx)?;
        self.contacts.apply(tx)?;
        self.addresses.apply(tx)
    }
}

/// Lists of parts that a customer is to have from now on; those that are absent stay.
#[derive(Debug, Default)]
pub struct WholeParts {
    pub contacts: Option<Vec<ContactIn>>,
    pub addresses: Option<Vec<AddressIn>>,
}

/// What it takes to give a customer these parts.
pub struct PartPlans {
    contacts: Option<Plan<Contact>>,
    addresses: Option<Plan<Address>>,
}

impl WholeParts {
    /// A customer that keeps none.
    pub fn nothing() -> Self {
        WholeParts {
            contacts: Some(Vec::new()),
            addresses: Some(Vec::new()),
        }
    }

    /// Gives them to a customer; they are not stored yet.
    pub fn plan(&self, tx: &Tx<'_>, customer: &mut Customer, faults: &mut Faults) -> PartPlans {
        PartPlans {
            contacts: planned(tx, customer, self.contacts.as_deref(), faults),
            addresses: planned(tx, customer, self.addresses.as_deref(), faults),
        }
    }
}

impl PartPlans {
    pub fn store(&self, tx: &mut Tx<'_>) -> Result<()> {
        if let Some(contacts) = &self.contacts {
            contacts.apply(tx)?;
        }
        if let Some(addresses) = &self.addresses {
            addresses.apply(tx)?;
        }
        Ok(())
    }
}

fn planned<P: Part>(
    tx: &Tx<'_>,
    customer: &mut Customer,
    given: Option<&[P::In]>,
    faults: &mut Faults,
) -> Option<Plan<P>> {
    let plan = parts::plan(tx, customer.core.id, P::all(customer), given?, faults);
    let all = P::all_mut(customer);
    all.clone_from(&plan.given);
    parts::sort(all);
    Some(plan)
}
