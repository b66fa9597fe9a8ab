//! Giving many activities to somebody at once.

use super::model::{Activity, ActivityRow};
use super::notifications;
use crate::customers::timeline;
use crate::schema::activities;
use crate::subjects::SubjectType;
use diesel::prelude::*;
use service_kit::{Owned, Result, Tx, visible};
use uuid::Uuid;

/// A query that locks cannot be boxed.
macro_rules! open {
    ($tx:ident, $most:ident, $of:expr) => {{
        let sight = $tx.sight();
        let rows = activities::table
            .filter($of)
            .filter(activities::state.eq("open"))
            // A message on its way belongs to who sends it.
            .filter(activities::kind.ne("email"))
            .filter(visible!(&sight, activities))
            .order(activities::id)
            .limit($most)
            .select(ActivityRow::as_select());
        rows.for_no_key_update().load(&mut **$tx)
    }};
}

/// What is to be done with customers and in sight of who acts, locked in the order of its ids.
///
/// # Errors
/// When the database refuses.
pub fn open_of(tx: &mut Tx<'_>, customers: &[Uuid], most: i64) -> QueryResult<Vec<ActivityRow>> {
    open!(tx, most, activities::customer_id.eq_any(customers))
}

/// As [`open_of`], of records of a kind.
///
/// # Errors
/// When the database refuses.
pub fn open_about(tx: &mut Tx<'_>, kind: SubjectType, records: &[Uuid], most: i64) -> QueryResult<Vec<ActivityRow>> {
    let about = activities::subject_type
        .eq(kind)
        .and(activities::subject_id.eq_any(records));
    open!(tx, most, about)
}

/// Gives activities that are locked to somebody.
///
/// # Errors
/// When the database refuses.
pub fn assign_all(tx: &mut Tx<'_>, before: Vec<ActivityRow>, to: Owned) -> Result<()> {
    let ids: Vec<Uuid> = before.iter().map(|row| row.id).collect();
    diesel::update(activities::table.filter(activities::id.eq_any(&ids)))
        .set((
            activities::owner_id.eq(to.owner_id),
            activities::team_id.eq(to.team_id),
            activities::revision.eq(activities::revision + 1),
            activities::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let mut given = Vec::new();
    for row in before {
        let mut after = row.clone();
        (after.owner_id, after.team_id) = (to.owner_id, to.team_id);
        after.revision += 1;
        after.updated_at = tx.now();
        let changed_hands = row.owner_id != after.owner_id;
        let (before, after) = (Activity::from(row), Activity::from(after));
        tx.changed(Some(&before), &after)?;
        if changed_hands {
            given.push(after);
        }
    }
    timeline::reassign_all(tx, &ids, to)?;
    notifications::assigned_all(tx, &given)
}
