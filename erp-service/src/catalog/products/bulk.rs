//! Many products at once: a few statements for hundreds of them.

use super::model::{Product, ProductIn};
use crate::schema::{categories, products};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// The products with these SKUs, locked in the order of these.
///
/// # Errors
/// When the database refuses.
pub fn lock_by_sku(conn: &mut PgConnection, skus: &[&str]) -> QueryResult<HashMap<String, Product>> {
    let ids: Vec<Uuid> = products::table
        .filter(products::sku.eq_any(skus))
        .order(products::sku)
        .for_update()
        .select(products::id)
        .load(conn)?;
    let found = load(conn, &ids)?.into_iter();
    Ok(found.map(|product| (product.sku.clone(), product)).collect())
}

/// The ids of the products with these SKUs.
///
/// # Errors
/// When the database refuses.
pub fn ids_by_sku(conn: &mut PgConnection, skus: &[&str]) -> QueryResult<HashMap<String, Uuid>> {
    let found = products::table
        .filter(products::sku.eq_any(skus))
        .select((products::sku, products::id))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Which products, by SKU, have these external references.
///
/// # Errors
/// When the database refuses.
pub fn holders_of(conn: &mut PgConnection, references: &[&str]) -> QueryResult<HashMap<String, String>> {
    if references.is_empty() {
        return Ok(HashMap::new());
    }
    let found = products::table
        .filter(products::external_ref.eq_any(references))
        .select((products::external_ref.assume_not_null(), products::sku))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Makes products whose references have been checked.
///
/// # Errors
/// When the database refuses: a SKU or external reference may be taken in the meantime.
pub fn create(tx: &mut Tx<'_>, new: &[(Uuid, ProductIn)]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    bound(
        sql(
            "INSERT INTO products (created_at, updated_at, id, sku, name, description, kind, unit, category_id,
                 external_ref, tax_class, tracking)
             SELECT $1, $2, id, sku, name, description, kind, unit, category_id, external_ref, tax_class,
                 coalesce(tracking, 'none')
             FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                 AS n (id, sku, name, description, kind, unit, category_id, external_ref, tax_class, tracking)",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now),
        new.iter().map(|(id, input)| (*id, input)),
    )
    .run(tx)?;
    let ids: Vec<Uuid> = new.iter().map(|(id, _)| *id).collect();
    for product in load(tx, &ids)? {
        tx.changed(None, &product)?;
    }
    Ok(())
}

/// Changes locked products, whose SKU stays, to what is wanted and has been checked.
///
/// # Errors
/// When the database refuses.
pub fn update(tx: &mut Tx<'_>, changes: &[(Product, ProductIn)]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    bound(
        sql(
            "UPDATE products p SET name = n.name, description = n.description, kind = n.kind, unit = n.unit,
                 category_id = n.category_id, external_ref = n.external_ref, tax_class = n.tax_class,
                 tracking = coalesce(n.tracking, p.tracking), version = p.version + 1, revision = p.revision + 1,
                 updated_at = $1
             FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 AS n (id, sku, name, description, kind, unit, category_id, external_ref, tax_class, tracking)
             WHERE p.id = n.id",
        )
        .bind::<Timestamptz, _>(now),
        changes.iter().map(|(before, wanted)| (before.id, wanted)),
    )
    .run(tx)?;
    let ids: Vec<Uuid> = changes.iter().map(|(before, _)| before.id).collect();
    let before: HashMap<Uuid, &Product> = changes.iter().map(|(before, _)| (before.id, before)).collect();
    for after in load(tx, &ids)? {
        tx.changed(before.get(&after.id).copied(), &after)?;
    }
    Ok(())
}

/// Binds the columns, each as an array.
fn bound<'a>(
    statement: service_kit::db::Sql<'a>,
    products: impl Iterator<Item = (Uuid, &'a ProductIn)> + Clone,
) -> service_kit::db::Sql<'a> {
    let all = || products.clone().map(|(_, input)| input);
    statement
        .bind::<Array<SqlUuid>, _>(products.clone().map(|(id, _)| id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all().map(|p| p.sku.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all().map(|p| p.name.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(all().map(|p| p.description.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all().map(|p| p.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(all().map(|p| p.unit.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(all().map(|p| p.category_id).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(all().map(|p| p.external_ref.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(all().map(|p| p.tax_class.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(all().map(|p| p.tracking.map(|t| t.as_str())).collect::<Vec<_>>())
}

fn load(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Product>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    products::table
        .left_join(categories::table)
        .filter(products::id.eq_any(ids))
        .order(products::id)
        .select(Product::as_select())
        .load(conn)
}
