//! Diesel only: orders, their lines and deliveries.

use super::model::{DeliveredLine, DeliveryOfOrder, SalesOrder};
use super::rows::{LineRow, OrderRow};
use super::totals;
use crate::schema::{deliveries, delivery_lines, sales_order_lines, sales_orders};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Jsonb, Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use service_kit::db::sql;
use service_kit::{Error, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// An order with its lines, in one statement; takes no lock.
///
/// # Errors
/// `NotFound`, or when the database refuses.
pub fn load(conn: &mut PgConnection, id: Uuid) -> QueryResult<(OrderRow, Vec<LineRow>)> {
    let rows: Vec<(OrderRow, LineRow)> = sales_orders::table
        .inner_join(sales_order_lines::table.on(sales_order_lines::order_id.eq(sales_orders::id)))
        .filter(sales_orders::id.eq(id))
        .order(sales_order_lines::position)
        .select((OrderRow::as_select(), LineRow::as_select()))
        .load(conn)?;
    let mut lines = Vec::with_capacity(rows.len());
    let mut order = None;
    for (row, line) in rows {
        order.get_or_insert(row);
        lines.push(line);
    }
    Ok((order.ok_or(diesel::NotFound)?, lines))
}

/// The whole record.
///
/// # Errors
/// `NotFound`, or when the database refuses.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<SalesOrder> {
    let (row, lines) = service_kit::OrNotFound::or_not_found(load(conn, id), "sales order")?;
    let deliveries = deliveries_of_order(conn, &row)?;
    SalesOrder::from_rows(row, lines, deliveries)
}

/// An order's rows with its deliveries.
pub type Rows = (OrderRow, Vec<LineRow>, Vec<DeliveryOfOrder>);

/// Whole records for a page of rows, in three statements.
///
/// # Errors
/// When the database refuses.
pub fn complete(conn: &mut PgConnection, rows: Vec<OrderRow>) -> Result<Vec<SalesOrder>> {
    let whole = with_lines(conn, rows)?;
    whole
        .into_iter()
        .map(|(row, lines, deliveries)| SalesOrder::from_rows(row, lines, deliveries))
        .collect()
}

/// Locks orders in key order and reads them whole, in three statements.
///
/// # Errors
/// When the database refuses.
pub fn lock_many(tx: &mut Tx<'_>, ids: &[Uuid]) -> QueryResult<Vec<Rows>> {
    let rows: Vec<OrderRow> = sales_orders::table
        .filter(sales_orders::id.eq_any(ids))
        .order(sales_orders::id)
        .for_update()
        .select(OrderRow::as_select())
        .load(&mut **tx)?;
    with_lines(tx, rows)
}

fn with_lines(conn: &mut PgConnection, rows: Vec<OrderRow>) -> QueryResult<Vec<Rows>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<LineRow> = sales_order_lines::table
        .filter(sales_order_lines::order_id.eq_any(&ids))
        .order((sales_order_lines::order_id, sales_order_lines::position))
        .select(LineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in all {
        lines.entry(line.order_id).or_default().push(line);
    }
    let shipped: Vec<Uuid> = rows
        .iter()
        .filter(|row| row.delivery != "none")
        .map(|row| row.id)
        .collect();
    let mut deliveries = match shipped.is_empty() {
        true => HashMap::new(),
        false => deliveries_of(conn, &shipped)?,
    };
    let whole = rows.into_iter().map(|row| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        let deliveries = deliveries.remove(&row.id).unwrap_or_default();
        (row, lines, deliveries)
    });
    Ok(whole.collect())
}

/// # Errors
/// When the database refuses.
pub fn deliveries_of_order(conn: &mut PgConnection, row: &OrderRow) -> QueryResult<Vec<DeliveryOfOrder>> {
    if row.delivery == "none" {
        return Ok(Vec::new());
    }
    Ok(deliveries_of(conn, &[row.id])?.remove(&row.id).unwrap_or_default())
}

type DeliveryLineRow = (Uuid, Uuid, String, chrono::NaiveDate, Uuid, Uuid, service_kit::Quantity);

fn deliveries_of(conn: &mut PgConnection, orders: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<DeliveryOfOrder>>> {
    let rows: Vec<DeliveryLineRow> = deliveries::table
        .inner_join(delivery_lines::table.on(delivery_lines::delivery_id.eq(deliveries::id)))
        .inner_join(sales_order_lines::table.on(sales_order_lines::id.eq(delivery_lines::line_id)))
        .filter(deliveries::order_id.eq_any(orders))
        .order((deliveries::created_at, deliveries::id, sales_order_lines::position))
        .select((
            deliveries::order_id,
            deliveries::id,
            deliveries::number,
            deliveries::delivered_on,
            delivery_lines::line_id,
            delivery_lines::product_id,
            delivery_lines::quantity,
        ))
        .load(conn)?;
    let mut found: HashMap<Uuid, Vec<DeliveryOfOrder>> = HashMap::new();
    for (order, id, number, date, line_id, product_id, quantity) in rows {
        let of_order = found.entry(order).or_default();
        if of_order.last().is_none_or(|delivery| delivery.id != id) {
            of_order.push(DeliveryOfOrder {
                id,
                number,
                date,
                lines: Vec::new(),
            });
        }
        if let Some(delivery) = of_order.last_mut() {
            delivery.lines.push(DeliveredLine {
                line_id,
                product_id,
                quantity,
            });
        }
    }
    Ok(found)
}

/// Locks an order that was read before its stock levels were locked.
///
/// # Errors
/// `Stale` when it has moved on since: the command then starts again.
pub fn lock_unchanged(tx: &mut Tx<'_>, row: &OrderRow) -> Result<()> {
    let revision: i64 = sales_orders::table
        .find(row.id)
        .for_update()
        .select(sales_orders::revision)
        .first(&mut **tx)?;
    if revision == row.revision {
        Ok(())
    } else {
        Err(Error::Stale)
    }
}

struct LineColumns {
    ids: Vec<Uuid>,
    units: Vec<Option<String>>,
    prices: Vec<Option<service_kit::UnitPrice>>,
    list_prices: Vec<Option<service_kit::UnitPrice>>,
    explanations: Vec<Option<String>>,
    totals: Vec<Option<rust_decimal::Decimal>>,
    taxes: Vec<serde_json::Value>,
    reserved: Vec<service_kit::Quantity>,
    backordered: Vec<service_kit::Quantity>,
    delivered: Vec<service_kit::Quantity>,
}

impl LineColumns {
    fn of(lines: &[LineRow]) -> Self {
        LineColumns {
            ids: lines.iter().map(|line| line.id).collect(),
            units: lines.iter().map(|line| line.unit.clone()).collect(),
            prices: lines.iter().map(|line| line.unit_price).collect(),
            list_prices: lines.iter().map(|line| line.list_price).collect(),
            explanations: lines.iter().map(|line| line.price_explanation.clone()).collect(),
            totals: lines.iter().map(|line| line.line_total).collect(),
            taxes: lines.iter().map(|line| line.taxes.clone()).collect(),
            reserved: lines.iter().map(|line| line.reserved_quantity).collect(),
            backordered: lines.iter().map(|line| line.backordered_quantity).collect(),
            delivered: lines.iter().map(|line| line.delivered_quantity).collect(),
        }
    }
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
}

/// What goes into `number`: the next one when the order becomes binding. A dry run draws none.
fn number_wanted(tx: &Tx<'_>, row: &OrderRow) -> (bool, Option<String>) {
    let binding = row.lifecycle == "confirmed" && row.number.is_none();
    match (binding, tx.dry_run()) {
        (true, true) => (false, Some(format!("dry run {}", row.id))),
        (draw, _) => (draw, row.number.clone()),
    }
}

/// Stores a new order with its lines, in one statement, and fills in the number that it gets.
///
/// # Errors
/// When the database refuses.
pub fn insert(tx: &mut Tx<'_>, row: &mut OrderRow, lines: &[LineRow]) -> Result<()> {
    totals::keep(row, lines)?;
    let (draw, number) = number_wanted(tx, row);
    let columns = LineColumns::of(lines);
    let stored: Numbered = sql(
        "WITH new_lines AS (
             INSERT INTO sales_order_lines (order_id, id, position, product_id, known_product_id, quantity, unit, unit_price,
                 list_price, price_explanation, discount, line_total, reserved_quantity, backordered_quantity, delivered_quantity, taxes)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16))
         INSERT INTO sales_orders (id, number, origin, lifecycle, delivery, holds, customer_id, currency, order_date, requested_date, warehouse_id,
             priority, external_ref, net, tax, gross, credit_counted, credit_released, rejection, cancellation, source_version,
             version, revision, confirmed_at, created_at, updated_at, invoicing_policy, prices_include_tax, uninvoiced_gross,
             charges, change_requests, shipping_address, legal_entity_id, department_id, project_id, tax_rounding, promise_id)
         VALUES ($17, CASE WHEN $18 THEN 'SO-' || lpad(nextval('sales_order_numbers')::text, 6, '0') ELSE $19 END, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39,
                 $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54)
         RETURNING number",
    )
    .bind::<SqlUuid, _>(row.id)
    .bind::<Array<SqlUuid>, _>(columns.ids)
    .bind::<Array<Integer>, _>(lines.iter().map(|line| line.position).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(lines.iter().map(|line| line.known_product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(columns.units)
    .bind::<Array<Nullable<Numeric>>, _>(columns.prices)
    .bind::<Array<Nullable<Numeric>>, _>(columns.list_prices)
    .bind::<Array<Nullable<Text>>, _>(columns.explanations)
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.discount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(columns.totals)
    .bind::<Array<Numeric>, _>(columns.reserved)
    .bind::<Array<Numeric>, _>(columns.backordered)
    .bind::<Array<Numeric>, _>(columns.delivered)
    .bind::<Array<Jsonb>, _>(columns.taxes)
    .bind::<SqlUuid, _>(row.id)
    .bind::<Bool, _>(draw)
    .bind::<Nullable<Text>, _>(number)
    .bind::<Text, _>(row.origin.clone())
    .bind::<Text, _>(row.lifecycle.clone())
    .bind::<Text, _>(row.delivery.clone())
    .bind::<Jsonb, _>(row.holds.clone())
    .bind::<SqlUuid, _>(row.customer_id)
    .bind::<Text, _>(row.currency.clone())
    .bind::<Date, _>(row.order_date)
    .bind::<Nullable<Date>, _>(row.requested_date)
    .bind::<Nullable<SqlUuid>, _>(row.warehouse_id)
    .bind::<SmallInt, _>(row.priority)
    .bind::<Nullable<Text>, _>(row.external_ref.clone())
    .bind::<Numeric, _>(row.net)
    .bind::<Numeric, _>(row.tax)
    .bind::<Numeric, _>(row.gross)
    .bind::<Bool, _>(row.credit_counted)
    .bind::<Bool, _>(row.credit_released)
    .bind::<Jsonb, _>(row.rejection.clone())
    .bind::<Nullable<Jsonb>, _>(row.cancellation.clone())
    .bind::<Nullable<BigInt>, _>(row.source_version)
    .bind::<BigInt, _>(row.version)
    .bind::<BigInt, _>(row.revision)
    .bind::<Nullable<Timestamptz>, _>(row.confirmed_at)
    .bind::<Timestamptz, _>(row.created_at)
    .bind::<Timestamptz, _>(row.updated_at)
    .bind::<Text, _>(row.invoicing_policy)
    .bind::<Bool, _>(row.prices_include_tax)
    .bind::<Numeric, _>(row.uninvoiced_gross)
    .bind::<Jsonb, _>(row.charges.clone())
    .bind::<Jsonb, _>(row.change_requests.clone())
    .bind::<Nullable<Jsonb>, _>(row.shipping_address.clone())
    .bind::<Nullable<SqlUuid>, _>(row.legal_entity_id)
    .bind::<Nullable<SqlUuid>, _>(row.department_id)
    .bind::<Nullable<SqlUuid>, _>(row.project_id)
    .bind::<Text, _>(row.tax_rounding)
    .bind::<Nullable<SqlUuid>, _>(row.promise_id)
    .row(tx)?;
    row.number = stored.number.filter(|_| !tx.dry_run());
    Ok(())
}

/// Stores an order that is locked, with its lines, in one statement: raises the revision, and the
/// version unless `quiet` (only the replica's part changed). Fills in a number that it gets.
///
/// # Errors
/// When the database refuses.
pub fn save(tx: &mut Tx<'_>, row: &mut OrderRow, lines: &[LineRow], quiet: bool) -> Result<()> {
    if !lines.is_empty() {
        totals::keep(row, lines)?;
    }
    let (draw, number) = number_wanted(tx, row);
    let columns = LineColumns::of(lines);
    row.revision += 1;
    row.version += i64::from(!quiet);
    row.updated_at = tx.now();
    let stored: Numbered = sql(
        "WITH changed_lines AS (
             UPDATE sales_order_lines l
             SET quantity = w.quantity, unit = w.unit, unit_price = w.unit_price, list_price = w.list_price,
                 price_explanation = w.price_explanation, discount = w.discount, line_total = w.line_total, taxes = w.taxes,
                 reserved_quantity = w.reserved, backordered_quantity = w.backordered, delivered_quantity = w.delivered,
                 invoiced_quantity = w.invoiced, returned_quantity = w.returned, returned_uninvoiced_quantity = w.returned_uninvoiced
             FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                 AS w(id, quantity, unit, unit_price, list_price, price_explanation, discount, line_total, taxes,
                      reserved, backordered, delivered, invoiced, returned, returned_uninvoiced)
             WHERE l.id = w.id)
         UPDATE sales_orders
         SET number = CASE WHEN $16 THEN 'SO-' || lpad(nextval('sales_order_numbers')::text, 6, '0') ELSE $17 END,
             lifecycle = $18, delivery = $19, holds = $20, order_date = $21, requested_date = $22, warehouse_id = $23, priority = $24,
             external_ref = $25, net = $26, tax = $27, gross = $28, credit_counted = $29, credit_released = $30, cancellation = $31,
             end_reason = $32, source_version = $33, version = $34, revision = $35, confirmed_at = $36, updated_at = $37,
             invoicing = $38, payment = $39, invoicing_policy = $40, prices_include_tax = $41, uninvoiced_gross = $42,
             charges = $43, change_requests = $44, shipping_address = $45, legal_entity_id = $46, department_id = $47, project_id = $48,
             tax_rounding = $49
         WHERE id = $50
         RETURNING number",
    )
    .bind::<Array<SqlUuid>, _>(columns.ids)
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(columns.units)
    .bind::<Array<Nullable<Numeric>>, _>(columns.prices)
    .bind::<Array<Nullable<Numeric>>, _>(columns.list_prices)
    .bind::<Array<Nullable<Text>>, _>(columns.explanations)
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.discount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(columns.totals)
    .bind::<Array<Jsonb>, _>(columns.taxes)
    .bind::<Array<Numeric>, _>(columns.reserved)
    .bind::<Array<Numeric>, _>(columns.backordered)
    .bind::<Array<Numeric>, _>(columns.delivered)
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.invoiced_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.returned_quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.returned_uninvoiced_quantity).collect::<Vec<_>>())
    .bind::<Bool, _>(draw)
    .bind::<Nullable<Text>, _>(number)
    .bind::<Text, _>(row.lifecycle.clone())
    .bind::<Text, _>(row.delivery.clone())
    .bind::<Jsonb, _>(row.holds.clone())
    .bind::<Date, _>(row.order_date)
    .bind::<Nullable<Date>, _>(row.requested_date)
    .bind::<Nullable<SqlUuid>, _>(row.warehouse_id)
    .bind::<SmallInt, _>(row.priority)
    .bind::<Nullable<Text>, _>(row.external_ref.clone())
    .bind::<Numeric, _>(row.net)
    .bind::<Numeric, _>(row.tax)
    .bind::<Numeric, _>(row.gross)
    .bind::<Bool, _>(row.credit_counted)
    .bind::<Bool, _>(row.credit_released)
    .bind::<Nullable<Jsonb>, _>(row.cancellation.clone())
    .bind::<Nullable<Text>, _>(row.end_reason.clone())
    .bind::<Nullable<BigInt>, _>(row.source_version)
    .bind::<BigInt, _>(row.version)
    .bind::<BigInt, _>(row.revision)
    .bind::<Nullable<Timestamptz>, _>(row.confirmed_at)
    .bind::<Timestamptz, _>(row.updated_at)
    .bind::<Text, _>(row.invoicing.clone())
    .bind::<Text, _>(row.payment.clone())
    .bind::<Text, _>(row.invoicing_policy)
    .bind::<Bool, _>(row.prices_include_tax)
    .bind::<Numeric, _>(row.uninvoiced_gross)
    .bind::<Jsonb, _>(row.charges.clone())
    .bind::<Jsonb, _>(row.change_requests.clone())
    .bind::<Nullable<Jsonb>, _>(row.shipping_address.clone())
    .bind::<Nullable<SqlUuid>, _>(row.legal_entity_id)
    .bind::<Nullable<SqlUuid>, _>(row.department_id)
    .bind::<Nullable<SqlUuid>, _>(row.project_id)
    .bind::<Text, _>(row.tax_rounding)
    .bind::<SqlUuid, _>(row.id)
    .row(tx)?;
    // During a dry run a number that was not there before only stands in for one.
    row.number = stored.number.filter(|_| !tx.dry_run() || row.number.is_some());
    Ok(())
}

/// Takes lines out of a locked order of which nothing was delivered or invoiced.
///
/// # Errors
/// When the database refuses.
pub fn delete_lines(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    if !ids.is_empty() {
        diesel::delete(sales_order_lines::table.filter(sales_order_lines::id.eq_any(ids))).execute(&mut **tx)?;
    }
    Ok(())
}

/// Replaces the lines of a locked draft.
///
/// # Errors
/// When the database refuses.
pub fn replace_lines(tx: &mut Tx<'_>, order_id: Uuid, lines: &[LineRow]) -> Result<()> {
    diesel::delete(sales_order_lines::table.filter(sales_order_lines::order_id.eq(order_id))).execute(&mut **tx)?;
    insert_lines(tx, order_id, lines)
}

/// Adds lines to a locked order.
///
/// # Errors
/// When the database refuses.
pub fn insert_lines(tx: &mut Tx<'_>, order_id: Uuid, lines: &[LineRow]) -> Result<()> {
    let columns = LineColumns::of(lines);
    sql("INSERT INTO sales_order_lines (order_id, id, position, product_id, known_product_id, quantity, unit, unit_price, list_price,
             price_explanation, discount, line_total, taxes)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind::<SqlUuid, _>(order_id)
    .bind::<Array<SqlUuid>, _>(columns.ids)
    .bind::<Array<Integer>, _>(lines.iter().map(|line| line.position).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(lines.iter().map(|line| line.known_product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(columns.units)
    .bind::<Array<Nullable<Numeric>>, _>(columns.prices)
    .bind::<Array<Nullable<Numeric>>, _>(columns.list_prices)
    .bind::<Array<Nullable<Text>>, _>(columns.explanations)
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.discount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(columns.totals)
    .bind::<Array<Jsonb>, _>(columns.taxes)
    .run(tx)?;
    Ok(())
}
