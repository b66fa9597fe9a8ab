use super::model::{Price, PricesQuery};
use crate::schema::{price_lists, prices};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Page, Result, keyset_page};
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Price> {
    prices::table
        .inner_join(price_lists::table)
        .filter(prices::id.eq(id))
        .select(Price::as_select())
        .first(conn)
}

/// The price as it is now, locked.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Price> {
    prices::table
        .find(id)
        .for_update()
        .select(prices::id)
        .first::<Uuid>(conn)?;
    find(conn, id)
}

/// Keeps the list from being renamed until the end of the transaction.
pub(super) fn hold_list(conn: &mut PgConnection, id: Uuid) -> QueryResult<Uuid> {
    price_lists::table
        .find(id)
        .for_share()
        .select(price_lists::id)
        .first(conn)
}

pub(super) fn list_exists(conn: &mut PgConnection, id: Uuid) -> QueryResult<Uuid> {
    price_lists::table.find(id).select(price_lists::id).first(conn)
}

pub(super) fn of_list(conn: &mut PgConnection, list: Uuid) -> QueryResult<Vec<Price>> {
    prices::table
        .inner_join(price_lists::table)
        .filter(prices::price_list_id.eq(list))
        .order(prices::id)
        .select(Price::as_select())
        .load(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &PricesQuery) -> Result<Page<Price>> {
    let mut found = prices::table
        .inner_join(price_lists::table)
        .select(Price::as_select())
        .into_boxed();
    if let Some(product) = query.product_id {
        found = found.filter(prices::product_id.eq(product));
    }
    if let Some(list) = query.price_list_id {
        found = found.filter(prices::price_list_id.eq(list));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: prices::id as Uuid => |p: &Price| p.id, [
        "created_at" => prices::created_at as DateTime<Utc> => |p: &Price| p.created_at,
    ])
}
