use super::model::{LineRow, OrderRow, PurchaseOrder, PurchaseOrdersQuery};
use crate::company;
use crate::schema::{purchase_order_lines, purchase_orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Error, Page, Result, Tx, keyset_page};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// An order with its lines, as read or as locked.
pub type Loaded = (OrderRow, Vec<LineRow>);

/// # Errors
/// `NotFound` when there is no such order.
pub fn load(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    let row = purchase_orders::table
        .find(id)
        .select(OrderRow::as_select())
        .first(conn)?;
    let lines = lines_of(conn, &[id])?.remove(&id).unwrap_or_default();
    Ok((row, lines))
}

/// The order as it is now, locked.
///
/// # Errors
/// `NotFound` when there is no such order.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    purchase_orders::table
        .find(id)
        .for_no_key_update()
        .select(purchase_orders::id)
        .first::<Uuid>(conn)?;
    load(conn, id)
}

/// Orders locked in key order; those that do not exist are missing.
///
/// # Errors
/// When the database refuses.
pub fn lock_many(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<BTreeMap<Uuid, Loaded>> {
    let rows: Vec<OrderRow> = purchase_orders::table
        .filter(purchase_orders::id.eq_any(ids))
        .order(purchase_orders::id)
        .for_no_key_update()
        .select(OrderRow::as_select())
        .load(conn)?;
    let mut lines = lines_of(conn, ids)?;
    let loaded = rows.into_iter().map(|row| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        (row.id, (row, lines))
    });
    Ok(loaded.collect())
}

/// The orders that these lines belong to, by line.
///
/// # Errors
/// When the database refuses.
pub fn orders_of_lines(conn: &mut PgConnection, lines: &[Uuid]) -> QueryResult<HashMap<Uuid, Uuid>> {
    let rows: Vec<(Uuid, Uuid)> = purchase_order_lines::table
        .filter(purchase_order_lines::id.eq_any(lines))
        .select((purchase_order_lines::id, purchase_order_lines::order_id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

fn lines_of(conn: &mut PgConnection, orders: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<LineRow>>> {
    let rows: Vec<LineRow> = purchase_order_lines::table
        .filter(purchase_order_lines::order_id.eq_any(orders))
        .order(purchase_order_lines::position)
        .select(LineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in rows {
        lines.entry(line.order_id).or_default().push(line);
    }
    Ok(lines)
}

pub(super) fn insert(tx: &mut Tx<'_>, row: &OrderRow, lines: &[LineRow]) -> QueryResult<()> {
    diesel::insert_into(purchase_orders::table)
        .values(row)
        .execute(&mut **tx)?;
    diesel::insert_into(purchase_order_lines::table)
        .values(lines)
        .execute(&mut **tx)?;
    Ok(())
}

/// Stores what changed of a locked order, counts the change, and tells the world.
///
/// # Errors
/// `Stale` when somebody else changed it.
pub fn save(tx: &mut Tx<'_>, before: &Loaded, row: &mut OrderRow, lines: &[LineRow]) -> Result<PurchaseOrder> {
    row.revision += 1;
    row.version += 1;
    row.updated_at = tx.now();
    let touched = diesel::update(
        purchase_orders::table.filter(
            purchase_orders::id
                .eq(row.id)
                .and(purchase_orders::revision.eq(before.0.revision)),
        ),
    )
    .set(&*row)
    .execute(&mut **tx)?;
    if touched != 1 {
        return Err(Error::Stale);
    }
    let old: HashMap<Uuid, &LineRow> = before.1.iter().map(|line| (line.id, line)).collect();
    let gone: Vec<Uuid> = before
        .1
        .iter()
        .map(|line| line.id)
        .filter(|id| !lines.iter().any(|line| line.id == *id))
        .collect();
    if !gone.is_empty() {
        diesel::delete(purchase_order_lines::table.filter(purchase_order_lines::id.eq_any(gone))).execute(&mut **tx)?;
    }
    for line in lines {
        match old.get(&line.id) {
            Some(old) if **old == *line => {}
            Some(_) => {
                diesel::update(purchase_order_lines::table.find(line.id))
                    .set(line)
                    .execute(&mut **tx)?;
            }
            None => {
                diesel::insert_into(purchase_order_lines::table)
                    .values(line)
                    .execute(&mut **tx)?;
            }
        }
    }
    let base = company::settings(tx)?.base_currency;
    let after = PurchaseOrder::from_rows(row, lines, base);
    tx.changed(Some(&PurchaseOrder::from_rows(&before.0, &before.1, base)), &after)?;
    Ok(after)
}

pub(super) fn page(conn: &mut PgConnection, query: &PurchaseOrdersQuery) -> Result<Page<PurchaseOrder>> {
    let mut found = purchase_orders::table.select(OrderRow::as_select()).into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            purchase_orders::number
                .ilike(pattern.clone())
                .or(purchase_orders::external_ref.ilike(pattern.clone()))
                .or(purchase_orders::supplier_reference.ilike(pattern.clone()))
                .or(purchase_orders::note.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(purchase_orders::status.eq(status));
    }
    if let Some(supplier) = query.supplier_id {
        found = found.filter(purchase_orders::supplier_id.eq(supplier));
    }
    if let Some(product) = query.product_id {
        let lines = purchase_order_lines::table
            .filter(purchase_order_lines::product_id.eq(product))
            .select(purchase_order_lines::order_id);
        found = found.filter(purchase_orders::id.eq_any(lines));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(purchase_orders::external_ref.eq(reference.as_str()));
    }
    if let Some(date) = query.date_from {
        found = found.filter(purchase_orders::order_date.ge(date));
    }
    if let Some(date) = query.date_to {
        found = found.filter(purchase_orders::order_date.le(date));
    }
    let page: Result<Page<OrderRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: purchase_orders::id as Uuid => |o: &OrderRow| o.id, [
        "created_at" => purchase_orders::created_at as DateTime<Utc> => |o: &OrderRow| o.created_at,
        "order_date" => purchase_orders::order_date as NaiveDate => |o: &OrderRow| o.order_date,
    ]);
    let Page { items, next_cursor } = page?;
    let base = company::settings(conn)?.base_currency;
    let mut lines = lines_of(conn, &items.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let items = items
        .iter()
        .map(|row| PurchaseOrder::from_rows(row, &lines.remove(&row.id).unwrap_or_default(), base));
    Ok(Page {
        items: items.collect(),
        next_cursor,
    })
}
