//! Many prices at once.

use super::model::Price;
use crate::schema::{price_lists, prices};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Quantity, Result, Tx, UnitPrice};
use std::collections::HashMap;
use uuid::Uuid;

/// What makes a price another price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceKey {
    pub price_list_id: Uuid,
    pub product_id: Uuid,
    pub minimum_quantity: Quantity,
    pub valid_from: Option<NaiveDate>,
}

/// What can be changed of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceTerms {
    pub unit_price: UnitPrice,
    pub valid_to: Option<NaiveDate>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Lists by their names, held as they are until the end of the transaction; a name may stand for several.
///
/// # Errors
/// When the database refuses.
pub fn hold_lists_by_name(conn: &mut PgConnection, names: &[&str]) -> QueryResult<Vec<(Uuid, String)>> {
    price_lists::table
        .filter(price_lists::name.eq_any(names))
        .order(price_lists::id)
        .for_share()
        .select((price_lists::id, price_lists::name))
        .load(conn)
}

/// Which of these lists there are, held as they are until the end of the transaction.
///
/// # Errors
/// When the database refuses.
pub fn hold_lists(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    price_lists::table
        .filter(price_lists::id.eq_any(ids))
        .order(price_lists::id)
        .for_share()
        .select(price_lists::id)
        .load(conn)
}

/// The prices with these keys, locked in the order of their ids.
///
/// # Errors
/// When the database refuses.
pub fn lock(conn: &mut PgConnection, keys: &[PriceKey]) -> QueryResult<HashMap<PriceKey, Price>> {
    let found: Vec<Found> = sql(
        "SELECT p.id FROM unnest($1, $2, $3, $4) AS n (price_list_id, product_id, minimum_quantity, valid_from)
         JOIN prices p ON p.price_list_id = n.price_list_id AND p.product_id = n.product_id
             AND p.minimum_quantity = n.minimum_quantity AND p.valid_from IS NOT DISTINCT FROM n.valid_from
         ORDER BY p.id FOR UPDATE OF p",
    )
    .bind::<Array<SqlUuid>, _>(keys.iter().map(|key| key.price_list_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(keys.iter().map(|key| key.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(keys.iter().map(|key| key.minimum_quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(keys.iter().map(|key| key.valid_from).collect::<Vec<_>>())
    .rows(conn)?;
    let ids: Vec<Uuid> = found.into_iter().map(|found| found.id).collect();
    let prices = load(conn, &ids)?.into_iter();
    Ok(prices.map(|price| (key_of(&price), price)).collect())
}

fn key_of(price: &Price) -> PriceKey {
    PriceKey {
        price_list_id: price.price_list_id,
        product_id: price.product_id,
        minimum_quantity: price.minimum_quantity,
        valid_from: price.valid_from,
    }
}

/// Makes prices whose lists and products have been checked.
///
/// # Errors
/// When the database refuses.
pub fn create(tx: &mut Tx<'_>, new: &[(Uuid, PriceKey, PriceTerms)]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    sql("INSERT INTO prices (created_at, updated_at, id, price_list_id, product_id, minimum_quantity, valid_from, unit_price, valid_to)
         SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7, $8, $9)")
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(new.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(new.iter().map(|(_, key, _)| key.price_list_id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(new.iter().map(|(_, key, _)| key.product_id).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(new.iter().map(|(_, key, _)| key.minimum_quantity).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(new.iter().map(|(_, key, _)| key.valid_from).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(new.iter().map(|(.., terms)| terms.unit_price).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(new.iter().map(|(.., terms)| terms.valid_to).collect::<Vec<_>>())
        .run(tx)?;
    let ids: Vec<Uuid> = new.iter().map(|(id, ..)| *id).collect();
    for price in load(tx, &ids)? {
        tx.changed(None, &price)?;
    }
    Ok(())
}

/// Changes locked prices.
///
/// # Errors
/// When the database refuses.
pub fn update(tx: &mut Tx<'_>, changes: &[(Price, PriceTerms)]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = changes.iter().map(|(price, _)| price.id).collect();
    sql(
        "UPDATE prices p SET unit_price = n.unit_price, valid_to = n.valid_to, version = p.version + 1,
             revision = p.revision + 1, updated_at = $1
         FROM unnest($2, $3, $4) AS n (id, unit_price, valid_to) WHERE p.id = n.id",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Numeric>, _>(changes.iter().map(|(_, terms)| terms.unit_price).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(changes.iter().map(|(_, terms)| terms.valid_to).collect::<Vec<_>>())
    .run(tx)?;
    let before: HashMap<Uuid, &Price> = changes.iter().map(|(price, _)| (price.id, price)).collect();
    for after in load(tx, &ids)? {
        tx.changed(before.get(&after.id).copied(), &after)?;
    }
    Ok(())
}

fn load(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Price>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    prices::table
        .inner_join(price_lists::table)
        .filter(prices::id.eq_any(ids))
        .order(prices::id)
        .select(Price::as_select())
        .load(conn)
}
