use super::model::{Product, ProductFacts, ProductKind, ProductStatus, ProductsQuery, Tracking};
use crate::schema::{categories, products};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Page, Result, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Product> {
    products::table
        .left_join(categories::table)
        .filter(products::id.eq(id))
        .select(Product::as_select())
        .first(conn)
}

/// The product as it is now, locked.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Product> {
    products::table
        .find(id)
        .for_update()
        .select(products::id)
        .first::<Uuid>(conn)?;
    find(conn, id)
}

pub(super) fn page(conn: &mut PgConnection, query: &ProductsQuery) -> Result<Page<Product>> {
    let mut found = products::table
        .left_join(categories::table)
        .select(Product::as_select())
        .into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(products::name.ilike(pattern.clone()).or(products::sku.ilike(pattern)));
    }
    if let Some(sku) = &query.sku {
        found = found.filter(products::sku.eq(sku.as_str()));
    }
    if let Some(category) = query.category_id {
        found = found.filter(products::category_id.eq(category));
    }
    if let Some(status) = query.status {
        found = found.filter(products::status.eq(status));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(products::external_ref.eq(reference.as_str()));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: products::id as Uuid => |p: &Product| p.id, [
        "created_at" => products::created_at as DateTime<Utc> => |p: &Product| p.created_at,
        "sku" => products::sku as String => |p: &Product| p.sku.clone(),
        "name" => products::name as String => |p: &Product| p.name.clone(),
    ])
}

/// What orders need to know of these products; those that do not exist are missing.
///
/// # Errors
/// When the database refuses.
pub fn facts(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, ProductFacts>> {
    type Row = (Uuid, String, ProductKind, ProductStatus, Option<Uuid>, Tracking);
    let rows: Vec<Row> = products::table
        .filter(products::id.eq_any(ids))
        .select((
            products::id,
            products::unit,
            products::kind,
            products::status,
            products::category_id,
            products::tracking,
        ))
        .load(conn)?;
    let facts = rows.into_iter().map(|(id, unit, kind, status, category_id, tracking)| {
        let facts = ProductFacts {
            unit,
            stocked: kind == ProductKind::Goods,
            retired: status == ProductStatus::Retired,
            category_id,
            tracking,
        };
        (id, facts)
    });
    Ok(facts.collect())
}

/// Which of these products exist.
///
/// # Errors
/// When the database refuses.
pub fn exist(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    let known = products::table.filter(products::id.eq_any(ids)).select(products::id);
    Ok(known.load(conn)?.into_iter().collect())
}

/// The names of products, as documents describe their lines.
///
/// # Errors
/// When the database refuses.
pub fn names(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let named = products::table
        .filter(products::id.eq_any(ids))
        .select((products::id, products::name));
    Ok(named.load(conn)?.into_iter().collect())
}
