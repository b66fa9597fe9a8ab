use super::model::{Supplier, SuppliersQuery};
use crate::schema::suppliers;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Page, Result, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// # Errors
/// `NotFound` when there is no such supplier.
pub fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Supplier> {
    suppliers::table.find(id).select(Supplier::as_select()).first(conn)
}

/// The supplier, which stays as it is until the end of the transaction.
///
/// # Errors
/// `NotFound` when there is no such supplier.
pub fn hold(conn: &mut PgConnection, id: Uuid) -> QueryResult<Supplier> {
    suppliers::table
        .find(id)
        .for_share()
        .select(Supplier::as_select())
        .first(conn)
}

/// Which of these suppliers exist.
///
/// # Errors
/// When the database refuses.
pub fn exist(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    let known = suppliers::table.filter(suppliers::id.eq_any(ids)).select(suppliers::id);
    Ok(known.load(conn)?.into_iter().collect())
}

/// The names of these suppliers.
///
/// # Errors
/// When the database refuses.
pub fn names(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, String>> {
    let named = suppliers::table
        .filter(suppliers::id.eq_any(ids))
        .select((suppliers::id, suppliers::name));
    Ok(named.load::<(Uuid, String)>(conn)?.into_iter().collect())
}

/// All of these suppliers.
///
/// # Errors
/// When the database refuses.
pub fn all_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Supplier>> {
    let found = suppliers::table.filter(suppliers::id.eq_any(ids));
    found.order(suppliers::id).select(Supplier::as_select()).load(conn)
}

/// The supplier as it is now, locked.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Supplier> {
    suppliers::table
        .find(id)
        .for_update()
        .select(Supplier::as_select())
        .first(conn)
}

/// The supplier with this reference, locked.
pub(super) fn lock_by_reference(conn: &mut PgConnection, reference: &str) -> QueryResult<Supplier> {
    suppliers::table
        .filter(suppliers::external_ref.eq(reference))
        .for_update()
        .select(Supplier::as_select())
        .first(conn)
}

/// The suppliers with these references.
///
/// # Errors
/// When the database refuses.
pub fn ids_by_reference(conn: &mut PgConnection, references: &[&str]) -> QueryResult<Vec<(String, Uuid)>> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    suppliers::table
        .filter(suppliers::external_ref.eq_any(references))
        .select((suppliers::external_ref.assume_not_null(), suppliers::id))
        .load(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &SuppliersQuery) -> Result<Page<Supplier>> {
    let mut found = suppliers::table.select(Supplier::as_select()).into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            suppliers::name
                .ilike(pattern.clone())
                .nullable()
                .or(suppliers::legal_name.ilike(pattern.clone()))
                .or(suppliers::tax_id.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(suppliers::status.eq(status));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(suppliers::external_ref.eq(reference.as_str()));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: suppliers::id as Uuid => |s: &Supplier| s.id, [
        "created_at" => suppliers::created_at as DateTime<Utc> => |s: &Supplier| s.created_at,
        "name" => suppliers::name as String => |s: &Supplier| s.name.clone(),
    ])
}
