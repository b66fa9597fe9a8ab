//! What cannot be taken out of a warehouse.

use crate::inventory::levels::{self, Demand, Issue, Level};
use crate::inventory::lots;
use rust_decimal::Decimal;
use service_kit::{Problem, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Stock that is reserved, or that a later day needs, cannot be taken away; all shortages at once.
/// Nobody has reserved what has expired.
///
/// # Errors
/// 409 `insufficient_stock`.
pub fn refuse(tx: &mut Tx<'_>, more: &Demand, issue: &Issue<'_>, locked: &BTreeMap<Uuid, Level>) -> Result<()> {
    let least = levels::least_on_hand_since(tx, locked, issue.document.date)?;
    let has_expired = locked.values().any(|level| !level.expired.is_zero());
    let expired = match has_expired && !issue.demand.is_empty() {
        true => lots::of_expired(tx, issue)?,
        false => Demand::new(),
    };
    let value_of = |demand: &Demand, product| demand.get(product).map_or(Decimal::ZERO, |quantity| quantity.value());
    let short: Vec<_> = issue
        .demand
        .iter()
        .filter_map(|(product, gone)| {
            let gone = gone.value() - value_of(more, product);
            let free = locked.get(product).map_or(Decimal::ZERO, |level| level.free().value());
            let free = free + value_of(&expired, product);
            let available = least.get(product).copied().map_or(free, |least| least.min(free));
            (gone > available)
                .then(|| serde_json::json!({ "product_id": product, "wanted": gone.normalize(), "available": available.normalize() }))
        })
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => Err(
            Problem::conflict("insufficient_stock", "less is free than is to be taken away")
                .fact("products", short)
                .into(),
        ),
    }
}
