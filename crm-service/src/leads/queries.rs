//! The SQL of leads. [`get`] and [`lock`] are the only ways to one.

use super::model::{Lead, LeadRow};
use super::scoring;
use super::state::LeadState;
use crate::schema::leads;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use service_kit::db::sql;
use service_kit::{Problem, Result, Sight, Tx};
use uuid::Uuid;

/// A lead in sight.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Lead> {
    let row: Option<LeadRow> = leads::table
        .find(id)
        .select(LeadRow::as_select())
        .first(conn)
        .optional()?;
    seen(sight, row).map(Lead::from)
}

/// A lead in the actor's sight, locked against other changes of it.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadRow> {
    scoring::hold(tx)?;
    let sight = tx.sight();
    let row: Option<LeadRow> = leads::table
        .find(id)
        .select(LeadRow::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .optional()?;
    seen(&sight, row)
}

fn seen(sight: &Sight, row: Option<LeadRow>) -> Result<LeadRow> {
    let row = row.filter(|row| sight.covers(row.owner_id, row.team_id));
    Ok(row.ok_or_else(|| Problem::not_found("lead"))?)
}

/// Waits until nobody else captures a lead of the same person.
pub fn lock_identity(conn: &mut PgConnection, row: &LeadRow) -> QueryResult<()> {
    lock_identities(conn, [(row.email_key.as_deref(), row.phone_key.as_deref())].into_iter())
}

/// Waits until nobody else captures a lead of these people, in one order whoever waits for many.
pub fn lock_identities<'a>(
    conn: &mut PgConnection,
    rows: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> QueryResult<()> {
    let mut keys: Vec<String> = rows.flat_map(|(email, phone)| identities(email, phone)).collect();
    keys.sort_unstable();
    keys.dedup();
    sql("SELECT pg_advisory_xact_lock(hashtextextended(key, 460)) FROM unnest($1) AS k (key)")
        .bind::<Array<Text>, _>(keys)
        .run(conn)?;
    Ok(())
}

fn identities(email: Option<&str>, phone: Option<&str>) -> impl Iterator<Item = String> {
    let email = email.map(|key| format!("lead e-mail {key}"));
    let phone = phone.map(|key| format!("lead phone {key}"));
    email.into_iter().chain(phone)
}

/// The open lead of the same person that was touched last, locked.
pub fn lock_same(tx: &mut Tx<'_>, row: &LeadRow, sight: &Sight) -> QueryResult<Option<LeadRow>> {
    let email = row.email_key.clone().unwrap_or_default();
    let phone = row.phone_key.clone().unwrap_or_default();
    let same = leads::email_key.eq(email).or(leads::phone_key.eq(phone));
    leads::table
        .filter(leads::state.eq_any(LeadState::OPEN))
        .filter(same)
        .filter(service_kit::visible!(sight, leads))
        .order((leads::last_touch_at.desc(), leads::id.desc()))
        .select(LeadRow::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .optional()
}

/// Stores a new lead; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, row: &LeadRow) -> QueryResult<bool> {
    let made = diesel::insert_into(leads::table)
        .values(row)
        .on_conflict(leads::id)
        .do_nothing()
        .execute(conn)?;
    Ok(made == 1)
}

pub fn update(conn: &mut PgConnection, row: &LeadRow) -> QueryResult<usize> {
    diesel::update(leads::table.find(row.id)).set(row).execute(conn)
}
