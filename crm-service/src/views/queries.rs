//! The SQL of saved views. [`get`] and [`lock`] are the only ways to one.

use super::model::{SavedView, SavedViewsQuery, ViewRow};
use crate::schema::saved_views::{self, dsl};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Actor, OrNotFound, Page, Problem, Result, Tx, keyset_page};
use uuid::Uuid;

/// # Errors
/// 404 when there is none, or none for this actor.
pub fn get(conn: &mut PgConnection, actor: &Actor, id: Uuid) -> Result<ViewRow> {
    let found = saved_views::table.find(id).select(ViewRow::as_select());
    seen(found.first(conn).or_not_found("view")?, actor)
}

/// A view that the actor may change, locked.
///
/// # Errors
/// 404 when there is none for this actor; 409 `not_yours` when it is somebody else's.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<ViewRow> {
    let actor = tx.actor().clone();
    let found = saved_views::table.find(id).select(ViewRow::as_select());
    let row = seen(found.for_update().first(&mut **tx).or_not_found("view")?, &actor)?;
    let own = row.owner_id == actor.user.map(|user| user.id);
    match own || actor.sight.sees_all() {
        true => Ok(row),
        false => Err(Problem::conflict("not_yours", "it is shared with you; who saved it changes it").into()),
    }
}

fn seen(row: ViewRow, actor: &Actor) -> Result<ViewRow> {
    let user = actor.user;
    let own = user.is_some_and(|user| row.owner_id == Some(user.id));
    let shared = user.is_some_and(|user| row.team_id.is_some() && row.team_id == user.team_id);
    match own || shared || actor.sight.sees_all() {
        true => Ok(row),
        false => Err(Problem::not_found("view").into()),
    }
}

pub fn page(conn: &mut PgConnection, actor: &Actor, query: &SavedViewsQuery) -> Result<Page<SavedView>> {
    let mut rows = saved_views::table.select(ViewRow::as_select()).into_boxed();
    if !actor.sight.sees_all() {
        let user = actor.user.map(|user| user.id);
        let team = actor.user.and_then(|user| user.team_id);
        rows = rows.filter(dsl::owner_id.eq(user).or(dsl::team_id.eq(team)));
    }
    if let Some(record) = query.record_type {
        rows = rows.filter(dsl::record_type.eq(record));
    }
    if let Some(text) = &query.q {
        rows = rows.filter(dsl::name.ilike(text.contains()));
    }
    let page: Result<Page<ViewRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: dsl::id as Uuid => |row: &ViewRow| row.id, [
        "name" => dsl::name as String => |row: &ViewRow| row.name.clone(),
        "created_at" => dsl::created_at as DateTime<Utc> => |row: &ViewRow| row.created_at,
    ]);
    Ok(page?.map(SavedView::from))
}

pub fn insert(conn: &mut PgConnection, row: &ViewRow) -> QueryResult<usize> {
    diesel::insert_into(saved_views::table).values(row).execute(conn)
}

pub fn update(conn: &mut PgConnection, row: &ViewRow) -> QueryResult<usize> {
    diesel::update(saved_views::table.find(row.id)).set(row).execute(conn)
}

pub fn delete(conn: &mut PgConnection, id: Uuid) -> QueryResult<usize> {
    diesel::delete(saved_views::table.find(id)).execute(conn)
}
