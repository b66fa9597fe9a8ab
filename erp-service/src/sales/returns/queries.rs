//! SQL of returns.

use super::model::{ReturnLineRow, ReturnRow, SalesReturn};
use crate::company;
use crate::schema::{deliveries, delivery_lines, sales_return_lines, sales_returns};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Jsonb, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{OrNotFound, Quantity, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// A return with its lines; takes no lock.
pub(super) fn load(conn: &mut PgConnection, id: Uuid) -> Result<(ReturnRow, Vec<ReturnLineRow>)> {
    let row = sales_returns::table.find(id).select(ReturnRow::as_select());
    let row: ReturnRow = row.first(conn).or_not_found("return")?;
    let lines = lines_of(conn, &[id])?.remove(&id).unwrap_or_default();
    Ok((row, lines))
}

fn lines_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<ReturnLineRow>>> {
    let rows: Vec<ReturnLineRow> = sales_return_lines::table
        .filter(sales_return_lines::return_id.eq_any(ids))
        .order((sales_return_lines::return_id, sales_return_lines::position))
        .select(ReturnLineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<ReturnLineRow>> = HashMap::new();
    for row in rows {
        lines.entry(row.return_id).or_default().push(row);
    }
    Ok(lines)
}

/// The whole record.
///
/// # Errors
/// 404, or when the database refuses.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<SalesReturn> {
    let (row, lines) = load(conn, id)?;
    let base = company::settings(conn)?.base_currency;
    SalesReturn::from_rows(row, lines, base)
}

/// Locks a return and reads it whole. Orders are locked before.
///
/// # Errors
/// 404, or when the database refuses.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<SalesReturn> {
    lock_rows(tx, id)?;
    find(tx, id)
}

pub(super) fn lock_rows(tx: &mut Tx<'_>, id: Uuid) -> Result<(ReturnRow, Vec<ReturnLineRow>)> {
    sales_returns::table
        .find(id)
        .for_update()
        .select(sales_returns::id)
        .first::<Uuid>(&mut **tx)
        .or_not_found("return")?;
    load(tx, id)
}

/// Whole records for a page of rows.
pub(super) fn complete(conn: &mut PgConnection, rows: Vec<ReturnRow>) -> Result<Vec<SalesReturn>> {
    let base = company::settings(conn)?.base_currency;
    let mut lines = lines_of(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
    rows.into_iter()
        .map(|row| {
            let lines = lines.remove(&row.id).unwrap_or_default();
            SalesReturn::from_rows(row, lines, base)
        })
        .collect()
}

/// What one delivery brought of one line, and what of it is on its way back or has come.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Delivered {
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub line_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub product_id: Uuid,
    #[diesel(sql_type = Numeric)]
    pub quantity: Quantity,
    #[diesel(sql_type = Numeric)]
    pub value: Decimal,
    #[diesel(sql_type = Jsonb)]
    pub lots: Value,
    /// Authorised and not cancelled; received ones count what came.
    #[diesel(sql_type = Numeric)]
    pub claimed: Quantity,
    #[diesel(sql_type = Numeric)]
    pub returned: Quantity,
    #[diesel(sql_type = Numeric)]
    pub returned_value: Decimal,
}

/// What was delivered of an order, oldest first.
pub(super) fn delivered(conn: &mut PgConnection, order_id: Uuid) -> QueryResult<Vec<Delivered>> {
    sql("SELECT d.delivery_id, d.line_id, d.product_id, d.quantity, d.value, d.lots,
                coalesce(r.claimed, 0) AS claimed, coalesce(r.returned, 0) AS returned, coalesce(r.returned_value, 0) AS returned_value
         FROM deliveries n JOIN delivery_lines d ON d.delivery_id = n.id
         LEFT JOIN LATERAL (
             SELECT sum(CASE WHEN s.status = 'authorised' THEN l.quantity ELSE l.received_quantity END) AS claimed,
                    sum(l.received_quantity) AS returned, sum(l.value) AS returned_value
             FROM sales_return_lines l JOIN sales_returns s ON s.id = l.return_id
             WHERE l.delivery_id = d.delivery_id AND l.line_id = d.line_id AND s.status <> 'cancelled') r ON true
         WHERE n.order_id = $1 ORDER BY n.delivered_on, n.created_at, n.id, d.line_id")
    .bind::<SqlUuid, _>(order_id)
    .rows(conn)
}

pub(super) fn insert(tx: &mut Tx<'_>, row: &ReturnRow, lines: &[ReturnLineRow]) -> Result<()> {
    diesel::insert_into(sales_returns::table)
        .values((
            sales_returns::id.eq(row.id),
            sales_returns::number.eq(&row.number),
            sales_returns::order_id.eq(row.order_id),
            sales_returns::customer_id.eq(row.customer_id),
            sales_returns::warehouse_id.eq(row.warehouse_id),
            sales_returns::status.eq(row.status),
            sales_returns::reason.eq(&row.reason),
            sales_returns::external_ref.eq(&row.external_ref),
            sales_returns::authorised_on.eq(row.authorised_on),
            sales_returns::created_at.eq(row.created_at),
            sales_returns::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    sql(
        "INSERT INTO sales_return_lines (return_id, id, position, line_id, delivery_id, product_id, quantity)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(row.id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines.iter().map(|line| line.position).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.line_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.delivery_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}

/// Stores a locked return with its lines.
pub(super) fn save(tx: &mut Tx<'_>, row: &mut ReturnRow, lines: &[ReturnLineRow]) -> Result<()> {
    row.version += 1;
    row.revision += 1;
    row.updated_at = tx.now();
    diesel::update(sales_returns::table.find(row.id))
        .set((
            sales_returns::status.eq(row.status),
            sales_returns::received_on.eq(row.received_on),
            sales_returns::inspected_on.eq(row.inspected_on),
            sales_returns::version.eq(row.version),
            sales_returns::revision.eq(row.revision),
            sales_returns::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    sql("UPDATE sales_return_lines l
         SET received_quantity = w.received, uninvoiced_quantity = w.uninvoiced, credited_quantity = w.credited,
             restocked_quantity = w.restocked, scrapped_quantity = w.scrapped, held_quantity = w.held, value = w.value, lots = w.lots
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
             AS w(id, received, uninvoiced, credited, restocked, scrapped, held, value, lots)
         WHERE l.id = w.id")
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.received_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.uninvoiced_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.credited_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.restocked_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.scrapped_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.held_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.value).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(lines.iter().map(|line| line.lots.clone()).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}

/// The warehouse that a delivery left.
pub(super) fn warehouse_of(conn: &mut PgConnection, delivery_id: Uuid) -> QueryResult<Option<Uuid>> {
    deliveries::table
        .inner_join(delivery_lines::table.on(delivery_lines::delivery_id.eq(deliveries::id)))
        .filter(deliveries::id.eq(delivery_id))
        .select(deliveries::warehouse_id)
        .first(conn)
}
