//! Giving many leads to somebody at once.

use crate::activities::notifications;
use crate::leads::model::{Lead, LeadRow};
use crate::leads::scoring;
use crate::schema::leads;
use diesel::prelude::*;
use service_kit::{Owned, Resource, Result, Tx, visible};
use uuid::Uuid;

/// The leads that are there and in sight of who acts, locked in the order of their ids.
///
/// # Errors
/// When the database refuses.
pub fn locked(tx: &mut Tx<'_>, ids: &[Uuid]) -> QueryResult<Vec<LeadRow>> {
    scoring::hold(tx)?;
    let sight = tx.sight();
    let rows = leads::table
        .filter(leads::id.eq_any(ids))
        .filter(visible!(&sight, leads))
        .order(leads::id)
        .select(LeadRow::as_select());
    rows.for_no_key_update().load(&mut **tx)
}

/// Gives leads that are locked to somebody, who is told of each unless they did it themselves.
///
/// # Errors
/// When the database refuses.
pub fn assign_all(tx: &mut Tx<'_>, before: Vec<LeadRow>, to: Owned) -> Result<()> {
    let ids: Vec<Uuid> = before.iter().map(|row| row.id).collect();
    let (now, acting) = (tx.now(), tx.actor().user.map(|user| user.id));
    diesel::update(leads::table.filter(leads::id.eq_any(&ids)))
        .set((
            leads::owner_id.eq(to.owner_id),
            leads::team_id.eq(to.team_id),
            leads::assigned_by.eq(None::<Uuid>),
            leads::version.eq(leads::version + 1),
            leads::revision.eq(leads::revision + 1),
            leads::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    if let Some(owner) = to.owner_id.filter(|owner| Some(*owner) != acting) {
        let told = before.iter().filter(|row| row.owner_id != Some(owner));
        let told: Vec<_> = told.map(|row| (owner, row.label.as_str(), row.id)).collect();
        notifications::tell_all(tx, "lead_assigned", Lead::TYPE, &told, now)?;
    }
    for row in before {
        let mut after = row.clone();
        after.give_to(to);
        after.assigned_by = None;
        after.version += 1;
        after.revision += 1;
        after.updated_at = now;
        tx.changed(Some(&Lead::from(row)), &Lead::from(after))?;
    }
    Ok(())
}
