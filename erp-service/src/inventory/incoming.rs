//! What is expected and can still be promised, by day: it stands with the level and travels with its
//! availability.
//!
//! The definition is that of promises (`warehouse/promises/plan.rs`): open supply, less what promises have
//! pegged of it, less what orders wait for, which what comes first serves. It is computed
//! in the database (`promisable_incoming`) and kept in `stock_levels.incoming` by whoever changes one of the
//! three, under the level's lock. Reserving stock that is there changes none of them and costs nothing more.

use super::levels::{self, LevelRow};
use chrono::NaiveDate;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Quantity, Result, Tx};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// Goods that are expected on a day and not promised yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncomingStock {
    /// When a date has passed, the goods are late.
    pub expected_on: NaiveDate,
    pub quantity: Quantity,
}

/// Warehouse and product, in the order in which levels are locked.
pub(super) type Pairs = BTreeSet<(Uuid, Uuid)>;

/// Brings what is incoming up to date and announces the levels where it changed. The levels are locked
/// already: what others have changed is then seen.
///
/// # Errors
/// When the database refuses.
pub fn refresh(tx: &mut Tx<'_>, warehouse_id: Uuid, products: &[Uuid]) -> Result<()> {
    let changed: Vec<LevelRow> = sql(
        "UPDATE stock_levels l SET incoming = i.incoming, version = l.version + 1, updated_at = $1
         FROM (SELECT id, promisable_incoming(product_id, warehouse_id, $2) AS incoming
               FROM stock_levels WHERE warehouse_id = $3 AND product_id = ANY ($4)) i
         WHERE l.id = i.id AND l.incoming <> i.incoming
         RETURNING l.*",
    )
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Array<SqlUuid>, _>(products.to_vec())
    .rows(tx)?;
    levels::announce(tx, changed)
}

/// The same where the levels may not be locked yet, or not be there.
///
/// Purchase orders are locked before their levels here, and after them by a receipt. Both at once on one order
/// is a deadlock, which starts the command again.
pub(super) fn refresh_unlocked(tx: &mut Tx<'_>, pairs: &Pairs) -> Result<()> {
    let mut of_warehouse: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (warehouse, product) in pairs {
        of_warehouse.entry(*warehouse).or_default().push(*product);
    }
    for (warehouse, products) in of_warehouse {
        levels::lock(tx, warehouse, &products)?;
        refresh(tx, warehouse, &products)?;
    }
    Ok(())
}
