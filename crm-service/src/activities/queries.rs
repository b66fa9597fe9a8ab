//! The SQL of single activities. Lists are in [`lists`](super::lists), search in [`search`](super::search).

use crate::activities::model::{Activity, ActivityRow};
use crate::schema::{activities, contacts};
use diesel::prelude::*;
use service_kit::{OrNotFound, Problem, Result, Sight, Tx};
use uuid::Uuid;

/// An activity that is in sight.
///
/// # Errors
/// 404 when there is none.
pub fn get(conn: &mut PgConnection, id: Uuid, sight: &Sight) -> Result<Activity> {
    let row = activities::table.find(id).select(ActivityRow::as_select());
    seen(row.first(conn).or_not_found("activity")?, sight)
}

/// An activity that is in sight of who acts, locked: the only way to change one.
///
/// # Errors
/// 404 when there is none.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<Activity> {
    let row = activities::table
        .find(id)
        .select(ActivityRow::as_select())
        .for_no_key_update();
    let row = row.first(&mut **tx).or_not_found("activity")?;
    seen(row, &tx.actor().sight)
}

fn seen(row: ActivityRow, sight: &Sight) -> Result<Activity> {
    match sight.covers(row.owner_id, row.team_id) {
        true => Ok(row.into()),
        false => Err(Problem::not_found("activity").into()),
    }
}

pub fn insert(conn: &mut PgConnection, row: &ActivityRow) -> QueryResult<usize> {
    diesel::insert_into(activities::table).values(row).execute(conn)
}

/// Stores the next activity of a series; false when its place is taken.
pub fn insert_next(conn: &mut PgConnection, row: &ActivityRow) -> QueryResult<bool> {
    let insert = diesel::insert_into(activities::table).values(row);
    // The id is new, so what can clash is the place in the series.
    Ok(insert.on_conflict_do_nothing().execute(conn)? == 1)
}

/// Stores an activity that is locked.
pub fn update(conn: &mut PgConnection, row: &ActivityRow) -> QueryResult<usize> {
    diesel::update(activities::table.find(row.id)).set(row).execute(conn)
}

/// Whether a customer has this contact.
pub fn is_contact(conn: &mut PgConnection, contact: Uuid, customer: Option<Uuid>) -> QueryResult<bool> {
    let Some(customer) = customer else {
        return Ok(false);
    };
    let found = contacts::table
        .filter(contacts::id.eq(contact).and(contacts::customer_id.eq(customer)))
        .select(contacts::id);
    Ok(found.first::<Uuid>(conn).optional()?.is_some())
}
