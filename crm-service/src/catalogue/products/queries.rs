use super::model::{Product, ProductKind, ProductRow, ProductStatus, ProductsQuery, Shown};
use crate::catalogue::availability;
use crate::catalogue::prices;
use crate::schema::{categories, products};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Page, Result, Sight, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

pub fn find(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<Product> {
    let row = products::table.find(id).select(ProductRow::as_select()).first(conn)?;
    with_parts(conn, sight, vec![row])?.pop().ok_or(diesel::NotFound)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &ProductsQuery) -> Result<Page<Product>> {
    let mut found = products::table.select(ProductRow::as_select()).into_boxed();
    if let Some(q) = &query.q {
        let pattern = q.contains();
        found = found.filter(products::sku.ilike(pattern.clone()).or(products::name.ilike(pattern)));
    }
    if let Some(sku) = &query.sku {
        found = found.filter(products::sku.eq(sku.as_str().to_owned()));
    }
    if let Some(category) = query.category_id {
        found = found.filter(products::category_id.eq(category));
    }
    if let Some(status) = query.status {
        found = found.filter(products::status.eq(status));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(products::external_ref.eq(reference.as_str().to_owned()));
    }
    let rows: Result<Page<ProductRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
    id: products::id as Uuid => |p: &ProductRow| p.id, [
        "name" => products::name as String => |p: &ProductRow| p.name.clone(),
        "sku" => products::sku as String => |p: &ProductRow| p.sku.clone(),
        "created_at" => products::created_at as DateTime<Utc> => |p: &ProductRow| p.created_at,
    ]);
    let rows = rows?;
    Ok(Page {
        items: with_parts(conn, sight, rows.items)?,
        next_cursor: rows.next_cursor,
    })
}

/// Adds to each product what other replicas know of it: three statements for the whole page.
fn with_parts(conn: &mut PgConnection, sight: &Sight, rows: Vec<ProductRow>) -> QueryResult<Vec<Product>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut category_ids: Vec<Uuid> = rows.iter().filter_map(|row| row.category_id).collect();
    category_ids.sort_unstable();
    category_ids.dedup();

    let categories: HashMap<Uuid, (String, i64)> = categories::table
        .filter(categories::id.eq_any(category_ids))
        .select((categories::id, (categories::name, categories::revision)))
        .load::<(Uuid, (String, i64))>(conn)?
        .into_iter()
        .collect();
    let mut prices: HashMap<Uuid, Vec<prices::Price>> = HashMap::new();
    for price in prices::of_products(conn, sight, &ids)? {
        prices.entry(price.product_id).or_default().push(price);
    }
    let mut stock = availability::stock(conn, &ids)?;

    Ok(rows
        .into_iter()
        .map(|row| {
            let category = row.category_id.and_then(|id| categories.get(&id));
            let prices = prices.remove(&row.id).unwrap_or_default();
            let (availability, availability_revisions) = stock.remove(&row.id).unwrap_or_default();
            let shown = Shown {
                prices: prices.iter().map(|price| price.revision).sum(),
                availability: availability_revisions,
                category: category.map_or(0, |(_, revision)| *revision),
            };
            let category_name = category.map(|(name, _)| name.clone()).or(row.category_name);
            Product {
                id: row.id,
                sku: row.sku,
                name: row.name,
                description: row.description,
                kind: row.kind,
                unit: row.unit,
                category_id: row.category_id,
                category_name,
                status: row.status,
                external_ref: row.external_ref,
                prices,
                availability,
                source_version: row.source_version,
                as_of: row.as_of,
                revision: row.revision,
                created_at: row.created_at,
                updated_at: row.updated_at,
                shown,
            }
        })
        .collect())
}

/// Whether these products are sold, of those that are known here.
///
/// # Errors
/// When the database refuses.
pub fn statuses(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, ProductStatus>> {
    let found = products::table
        .filter(products::id.eq_any(ids))
        .select((products::id, products::status));
    Ok(found.load(conn)?.into_iter().collect())
}

/// What a line of a document says of its product.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = products)]
pub struct Described {
    pub id: Uuid,
    pub sku: String,
    pub name: String,
    pub unit: String,
    pub kind: ProductKind,
    pub status: ProductStatus,
}

/// These products, of those that are known here.
///
/// # Errors
/// When the database refuses.
pub fn described(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Described>> {
    let found: Vec<Described> = products::table
        .filter(products::id.eq_any(ids))
        .select(Described::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|product| (product.id, product)).collect())
}
