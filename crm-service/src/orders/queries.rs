//! The SQL of orders. The hot statements are written by hand: each is one round trip.
//!
//! An order that is out of sight is not there: [`find`], [`get`] and [`page`] are the only ways to one.

use super::model::{Order, OrdersQuery};
use super::stored::{LineRow, OrderRow, StoredOrder};
use crate::json::AsJson;
use crate::schema::{order_lines, orders};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Json, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use service_kit::db::sql;
use service_kit::{OrNotFound, Page, Result, Sight, Tx, keyset_page, visible};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Found {
    #[diesel(embed)]
    order: OrderRow,
    #[diesel(sql_type = Json)]
    lines: AsJson<Vec<LineRow>>,
}

/// The order with its lines, both of one state, in one statement.
pub fn find(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<StoredOrder> {
    let found: Found = sql("SELECT orders.*, coalesce((
             SELECT json_agg(json_build_object(
                 'id', id, 'order_id', order_id, 'position', position, 'product_id', product_id,
                 'quantity', quantity::text, 'unit_price', unit_price::text, 'price_given', price_given,
                 'discount', discount::text, 'line_total', line_total::text) ORDER BY position)
             FROM order_lines WHERE order_id = orders.id), '[]') AS lines
         FROM orders WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .row(conn)?;
    match sight.covers(found.order.owner_id, found.order.team_id) {
        true => Ok(StoredOrder {
            row: found.order,
            lines: found.lines.0,
        }),
        false => Err(diesel::NotFound),
    }
}

/// # Errors
/// 404 when there is no such order in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<StoredOrder> {
    find(conn, sight, id).or_not_found("order")
}

/// The order that a command is about, as its actor may see it.
///
/// # Errors
/// 404 when there is no such order in sight.
pub fn acted_on(tx: &mut Tx<'_>, id: Uuid) -> Result<StoredOrder> {
    let sight = tx.sight();
    get(tx, &sight, id)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &OrdersQuery) -> Result<Page<Order>> {
    let mut found = orders::table.select(OrderRow::as_select()).into_boxed();
    found = found.filter(visible!(sight, orders));
    if let Some(q) = &query.q {
        let pattern = q.contains();
        found = found.filter(
            orders::number
                .ilike(pattern.clone())
                .or(orders::external_ref.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(orders::status.eq(status));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(orders::customer_id.eq(customer));
    }
    if let Some(owner) = query.owner_id {
        found = found.filter(orders::owner_id.eq(owner));
    }
    if let Some(team) = query.team_id {
        found = found.filter(orders::team_id.eq(team));
    }
    if let Some(quote) = query.quote_id {
        found = found.filter(orders::quote_id.eq(quote));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(orders::external_ref.eq(reference.as_str().to_owned()));
    }
    if let Some(origin) = query.origin {
        found = found.filter(orders::origin.eq(origin));
    }
    if let Some(from) = query.order_date_from {
        found = found.filter(orders::order_date.ge(from));
    }
    if let Some(to) = query.order_date_to {
        found = found.filter(orders::order_date.le(to));
    }
    let rows: Result<Page<OrderRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
    id: orders::id as Uuid => |o: &OrderRow| o.id, [
        "created_at" => orders::created_at as DateTime<Utc> => |o: &OrderRow| o.created_at,
        "order_date" => orders::order_date as NaiveDate => |o: &OrderRow| o.order_date,
    ]);
    let rows = rows?;
    Ok(Page {
        items: with_lines(conn, rows.items)?,
        next_cursor: rows.next_cursor,
    })
}

fn with_lines(conn: &mut PgConnection, rows: Vec<OrderRow>) -> Result<Vec<Order>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let lines: Vec<LineRow> = order_lines::table
        .filter(order_lines::order_id.eq_any(ids))
        .order((order_lines::order_id, order_lines::position))
        .select(LineRow::as_select())
        .load(conn)?;
    let mut of_order: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in lines {
        of_order.entry(line.order_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let lines = of_order.remove(&row.id).unwrap_or_default();
            StoredOrder { row, lines }.wire()
        })
        .collect()
}

/// Inserts the order with its lines in one statement; false when the id is taken.
pub fn insert(conn: &mut PgConnection, order: &StoredOrder) -> QueryResult<bool> {
    let (row, lines) = (&order.row, &order.lines);
    let inserted = sql("WITH placed AS (
             INSERT INTO orders (id, origin, status, customer_id, currency, order_date, requested_date, external_ref,
                 net, submitted_at, cancellation_state, cancellation_reason, cancellation_requested_at,
                 cancellation_version, number, rejection, fulfilment, source_version, version, revision,
                 created_at, updated_at, change_requests, owner_id, team_id, quote_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                     $23, $24, $25, $26)
             ON CONFLICT (id) DO NOTHING
             RETURNING id)
         INSERT INTO order_lines (order_id, id, position, product_id, quantity, unit_price, price_given, discount, line_total)
         SELECT placed.id, line.*
         FROM placed, unnest($27, $28, $29, $30, $31, $32, $33, $34) AS line")
    .bind::<SqlUuid, _>(row.id)
    .bind::<Text, _>(row.origin)
    .bind::<Text, _>(row.status)
    .bind::<SqlUuid, _>(row.customer_id)
    .bind::<Text, _>(row.currency)
    .bind::<Date, _>(row.order_date)
    .bind::<Nullable<Date>, _>(row.requested_date)
    .bind::<Nullable<Text>, _>(&row.external_ref)
    .bind::<Numeric, _>(row.net)
    .bind::<Nullable<Timestamptz>, _>(row.submitted_at)
    .bind::<Nullable<Text>, _>(row.cancellation_state)
    .bind::<Nullable<Text>, _>(&row.cancellation_reason)
    .bind::<Nullable<Timestamptz>, _>(row.cancellation_requested_at)
    .bind::<Nullable<BigInt>, _>(row.cancellation_version)
    .bind::<Nullable<Text>, _>(&row.number)
    .bind::<Nullable<Json>, _>(&row.rejection)
    .bind::<Nullable<Json>, _>(&row.fulfilment)
    .bind::<Nullable<BigInt>, _>(row.source_version)
    .bind::<BigInt, _>(row.version)
    .bind::<BigInt, _>(row.revision)
    .bind::<Timestamptz, _>(row.created_at)
    .bind::<Timestamptz, _>(row.updated_at)
    .bind::<Nullable<Json>, _>(&row.change_requests)
    .bind::<Nullable<SqlUuid>, _>(row.owner_id)
    .bind::<Nullable<SqlUuid>, _>(row.team_id)
    .bind::<Nullable<SqlUuid>, _>(row.quote_id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines.iter().map(|l| l.position).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|l| l.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|l| l.unit_price).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(lines.iter().map(|l| l.price_given).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|l| l.discount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|l| l.line_total).collect::<Vec<_>>())
    .run(conn)?;
    Ok(inserted > 0)
}

#[derive(QueryableByName)]
struct Saved {
    #[diesel(sql_type = SqlUuid)]
    #[expect(dead_code, reason = "that there is a row says it all")]
    id: Uuid,
}

/// Writes the order as it is now, if it is still at the revision that `before` had, and the prices
/// of lines that got one. False when somebody else was faster.
pub fn save(conn: &mut PgConnection, before: &StoredOrder, after: &StoredOrder) -> QueryResult<bool> {
    let row = &after.row;
    let priced: Vec<&LineRow> = before
        .lines
        .iter()
        .zip(&after.lines)
        .filter(|(old, new)| old.id == new.id && old.line_total != new.line_total)
        .map(|(_, new)| new)
        .collect();
    let saved: Vec<Saved> = sql("WITH saved AS (
             UPDATE orders SET status = $1, customer_id = $2, currency = $3, order_date = $4, requested_date = $5,
                 external_ref = $6, net = $7, submitted_at = $8, cancellation_state = $9, cancellation_reason = $10,
                 cancellation_requested_at = $11, cancellation_version = $12, number = $13, rejection = $14,
                 fulfilment = $15, source_version = $16, version = $17, revision = $18, updated_at = $19,
                 change_requests = $20, owner_id = $21, team_id = $22
             WHERE id = $23 AND revision = $24
             RETURNING id),
         priced AS (
             UPDATE order_lines SET unit_price = line.unit_price, line_total = line.line_total
             FROM saved, unnest($25, $26, $27) AS line (id, unit_price, line_total)
             WHERE order_lines.id = line.id AND order_lines.order_id = saved.id)
         SELECT id FROM saved")
    .bind::<Text, _>(row.status)
    .bind::<SqlUuid, _>(row.customer_id)
    .bind::<Text, _>(row.currency)
    .bind::<Date, _>(row.order_date)
    .bind::<Nullable<Date>, _>(row.requested_date)
    .bind::<Nullable<Text>, _>(&row.external_ref)
    .bind::<Numeric, _>(row.net)
    .bind::<Nullable<Timestamptz>, _>(row.submitted_at)
    .bind::<Nullable<Text>, _>(row.cancellation_state)
    .bind::<Nullable<Text>, _>(&row.cancellation_reason)
    .bind::<Nullable<Timestamptz>, _>(row.cancellation_requested_at)
    .bind::<Nullable<BigInt>, _>(row.cancellation_version)
    .bind::<Nullable<Text>, _>(&row.number)
    .bind::<Nullable<Json>, _>(&row.rejection)
    .bind::<Nullable<Json>, _>(&row.fulfilment)
    .bind::<Nullable<BigInt>, _>(row.source_version)
    .bind::<BigInt, _>(row.version)
    .bind::<BigInt, _>(row.revision)
    .bind::<Timestamptz, _>(row.updated_at)
    .bind::<Nullable<Json>, _>(&row.change_requests)
    .bind::<Nullable<SqlUuid>, _>(row.owner_id)
    .bind::<Nullable<SqlUuid>, _>(row.team_id)
    .bind::<SqlUuid, _>(row.id)
    .bind::<BigInt, _>(before.row.revision)
    .bind::<Array<SqlUuid>, _>(priced.iter().map(|l| l.id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(priced.iter().map(|l| l.unit_price).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(priced.iter().map(|l| l.line_total).collect::<Vec<_>>())
    .rows(conn)?;
    Ok(!saved.is_empty())
}

/// Replaces all lines of an order. Call it after [`save`], which holds the order.
pub fn replace_lines(conn: &mut PgConnection, order_id: Uuid, lines: &[LineRow]) -> QueryResult<()> {
    diesel::delete(order_lines::table.filter(order_lines::order_id.eq(order_id))).execute(conn)?;
    sql("INSERT INTO order_lines (order_id, id, position, product_id, quantity, unit_price, price_given, discount, line_total)
         SELECT $1, line.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) AS line")
    .bind::<SqlUuid, _>(order_id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines.iter().map(|l| l.position).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|l| l.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|l| l.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|l| l.unit_price).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(lines.iter().map(|l| l.price_given).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|l| l.discount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|l| l.line_total).collect::<Vec<_>>())
    .run(conn)?;
    Ok(())
}
