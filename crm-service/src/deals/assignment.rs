//! Giving many deals to somebody at once.

use super::editing::words;
use super::model::Deal;
use super::queries;
use super::stored::{DealRow, StoredDeal};
use crate::customers::timeline::{self, Entry};
use crate::schema::deals;
use diesel::prelude::*;
use serde_json::json;
use service_kit::{Owned, Result, Tx, visible};
use uuid::Uuid;

/// The open deals of customers that are in sight of who acts, locked in the order of their ids.
///
/// # Errors
/// When the database refuses.
pub fn open_of(tx: &mut Tx<'_>, customers: &[Uuid], most: i64) -> QueryResult<Vec<StoredDeal>> {
    let sight = tx.sight();
    let rows: Vec<DealRow> = deals::table
        .filter(deals::customer_id.eq_any(customers))
        .filter(deals::state.eq("open"))
        .filter(visible!(&sight, deals))
        .order(deals::id)
        .limit(most)
        .select(DealRow::as_select())
        .for_no_key_update()
        .load(&mut **tx)?;
    queries::with_parts(tx, rows)
}

/// Gives open deals that are locked to somebody; what is told of them follows.
///
/// # Errors
/// When the database refuses.
pub fn assign_all(tx: &mut Tx<'_>, before: &[StoredDeal], to: Owned) -> Result<()> {
    let ids: Vec<Uuid> = before.iter().map(|deal| deal.row.id).collect();
    diesel::update(deals::table.filter(deals::id.eq_any(&ids)))
        .set((
            deals::owner_id.eq(to.owner_id),
            deals::team_id.eq(to.team_id),
            deals::version.eq(deals::version + 1),
            deals::revision.eq(deals::revision + 1),
            deals::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let mut entries = Vec::new();
    for deal in before {
        let mut after = deal.clone();
        (after.row.owner_id, after.row.team_id) = (to.owner_id, to.team_id);
        after.count_change(tx.now());
        let (before, after): (Deal, Deal) = (deal.wire()?, after.wire()?);
        tx.changed(Some(&before), &after)?;
        let entry = Entry::here(tx, after.customer_id, "deal_assigned", &after)
            .summary(format!("Deal assigned: {}", words(&after)))
            .data(json!({ "owner_id": to.owner_id, "team_id": to.team_id }))
            .owned(to.owner_id, to.team_id);
        entries.push(entry);
    }
    timeline::reassign_all(tx, &ids, to)?;
    timeline::add_all(tx, &entries)?;
    Ok(())
}
