//! What stock does to the ledger: its account by product category and warehouse, against what it
//! moved for.
//!
//! ```text
//! let issued = levels::issue_reserved(tx, &Issue::new(warehouse, &demand, document))?;
//! let mut entry = Entry::new(Journal::Stock, &on, source, "Delivery DN-000001");
//! posting::add(&mut entry, &rules, &facts, posting::at(warehouse), posting::gone(&issued.values), Role::CostOfGoodsSold, base)?;
//! posting::post(tx, entry)?;
//! ```

use super::levels::Values;
use crate::catalog::ProductFacts;
use crate::ledger::{self, Entry, Facts, Posted, Role, Rules, Sum};
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A stored value as it is shown: with the digits of the base currency.
pub fn shown(base: Currency, value: Amount) -> Amount {
    Amount::money(base, value.value()).unwrap_or(value)
}

/// Where stock lies, for its account.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub warehouse_id: Uuid,
    /// [`Role::Stock`], or [`Role::StockInTransit`] for a warehouse of kind `transit`.
    pub role: Role,
}

/// In an ordinary warehouse.
pub fn at(warehouse_id: Uuid) -> Place {
    Place {
        warehouse_id,
        role: Role::Stock,
    }
}

/// On its way between warehouses.
pub fn in_transit(warehouse_id: Uuid) -> Place {
    Place {
        warehouse_id,
        role: Role::StockInTransit,
    }
}

/// The values of an issue with the sign that they have for stock.
pub fn gone(values: &Values) -> impl Iterator<Item = (Uuid, Decimal)> {
    values.iter().map(|(product, value)| (*product, -*value))
}

/// Adds what happened to stock, product by product: positive values debit stock and credit the
/// account of `contra`, negative ones the other way round. Products of one account are one line.
///
/// # Errors
/// 409 `posting_rule_missing`.
pub fn add(
    entry: &mut Entry,
    rules: &Rules,
    facts: &HashMap<Uuid, ProductFacts>,
    place: Place,
    values: impl IntoIterator<Item = (Uuid, Decimal)>,
    contra: Role,
    base: Currency,
) -> Result<()> {
    let mut by_category: BTreeMap<Option<Uuid>, (Decimal, Decimal)> = BTreeMap::new();
    for (product, value) in values {
        let category = facts.get(&product).and_then(|facts| facts.category_id);
        let (came, went) = by_category.entry(category).or_default();
        match value.is_sign_negative() {
            true => *went -= value,
            false => *came += value,
        }
    }
    for (category_id, (came, went)) in by_category {
        let facts = Facts {
            category_id,
            warehouse_id: Some(place.warehouse_id),
            tax_code: None,
        };
        let (stock, contra) = (rules.account(place.role, &facts)?, rules.account(contra, &facts)?);
        if !came.is_zero() {
            entry.debit(&stock, Sum::base(base, came));
            entry.credit(&contra, Sum::base(base, came));
        }
        if !went.is_zero() {
            entry.debit(&contra, Sum::base(base, went));
            entry.credit(&stock, Sum::base(base, went));
        }
    }
    Ok(())
}

/// Adds goods that went from one place to another: debits the stock account there, credits the one
/// here, by product category. Values are positive.
///
/// # Errors
/// 409 `posting_rule_missing`.
pub fn between(
    entry: &mut Entry,
    rules: &Rules,
    facts: &HashMap<Uuid, ProductFacts>,
    (from, to): (Place, Place),
    values: &Values,
    base: Currency,
) -> Result<()> {
    let mut by_category: BTreeMap<Option<Uuid>, Decimal> = BTreeMap::new();
    for (product, value) in values {
        let category = facts.get(product).and_then(|facts| facts.category_id);
        *by_category.entry(category).or_default() += value;
    }
    for (category_id, value) in by_category {
        let account = |place: Place| {
            let facts = Facts {
                category_id,
                warehouse_id: Some(place.warehouse_id),
                tax_code: None,
            };
            rules.account(place.role, &facts)
        };
        let (here, there) = (account(from)?, account(to)?);
        entry.debit(&there, Sum::base(base, value));
        entry.credit(&here, Sum::base(base, value));
    }
    Ok(())
}

/// Posts the entry, unless nothing in it was worth anything. Do it last.
///
/// # Errors
/// See [`ledger::post`].
pub fn post(tx: &mut Tx<'_>, entry: Entry) -> Result<Option<Posted>> {
    match entry.lines.iter().all(|line| line.sum.is_zero()) {
        true => Ok(None),
        false => ledger::post(tx, entry).map(Some),
    }
}
