use super::model::{ReturnLineRow, ReturnRow, SupplierReturn, SupplierReturnLine, SupplierReturnsQuery};
use crate::company;
use crate::schema::{purchase_orders, supplier_return_lines, supplier_returns};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Page, Result, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn insert(conn: &mut PgConnection, row: &ReturnRow, lines: &[ReturnLineRow]) -> QueryResult<()> {
    diesel::insert_into(supplier_returns::table).values(row).execute(conn)?;
    diesel::insert_into(supplier_return_lines::table)
        .values(lines)
        .execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<SupplierReturn> {
    let row = supplier_returns::table
        .find(id)
        .select(ReturnRow::as_select())
        .first(conn)?;
    let mut found = complete(conn, vec![row])?;
    found.pop().ok_or_else(|| diesel::NotFound.into())
}

/// What suppliers were expected to credit for these receipt lines by the returns so far.
pub(super) fn expected_so_far(conn: &mut PgConnection, receipt_line: Uuid) -> QueryResult<(Decimal, Decimal)> {
    let rows: Vec<(Decimal, Decimal)> = supplier_return_lines::table
        .filter(supplier_return_lines::receipt_line_id.eq(receipt_line))
        .select((
            supplier_return_lines::expected_amount,
            supplier_return_lines::expected_credit,
        ))
        .load(conn)?;
    let sums = rows.into_iter();
    Ok(sums.fold((Decimal::ZERO, Decimal::ZERO), |(a, b), (c, d)| (a + c, b + d)))
}

/// Return lines with their orders, locked in key order.
///
/// # Errors
/// When the database refuses.
pub fn lock_lines(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<ReturnLineRow>> {
    supplier_return_lines::table
        .filter(supplier_return_lines::id.eq_any(ids))
        .order(supplier_return_lines::id)
        .for_no_key_update()
        .select(ReturnLineRow::as_select())
        .load(conn)
}

/// Whom a return line went to, and from where.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Went {
    pub supplier_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub currency: Currency,
}

/// Whom these return lines went to, by line.
///
/// # Errors
/// When the database refuses.
pub fn went(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Went>> {
    let rows: Vec<(Uuid, Went)> = supplier_return_lines::table
        .inner_join(supplier_returns::table)
        .inner_join(purchase_orders::table.on(purchase_orders::id.eq(supplier_returns::order_id)))
        .filter(supplier_return_lines::id.eq_any(ids))
        .select((
            supplier_return_lines::id,
            (
                supplier_returns::supplier_id,
                supplier_returns::warehouse_id,
                purchase_orders::currency,
            ),
        ))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Stores what of a locked line was credited.
///
/// # Errors
/// When the database refuses.
pub fn save_credited(conn: &mut PgConnection, line: &ReturnLineRow) -> QueryResult<()> {
    diesel::update(supplier_return_lines::table.find(line.id))
        .set((
            supplier_return_lines::credited_quantity.eq(line.credited_quantity),
            supplier_return_lines::credited_amount.eq(line.credited_amount),
            supplier_return_lines::credited.eq(line.credited),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn page(conn: &mut PgConnection, query: &SupplierReturnsQuery) -> Result<Page<SupplierReturn>> {
    let mut found = supplier_returns::table.select(ReturnRow::as_select()).into_boxed();
    if let Some(receipt) = query.receipt_id {
        found = found.filter(supplier_returns::receipt_id.eq(receipt));
    }
    if let Some(order) = query.order_id {
        found = found.filter(supplier_returns::order_id.eq(order));
    }
    if let Some(supplier) = query.supplier_id {
        found = found.filter(supplier_returns::supplier_id.eq(supplier));
    }
    if let Some(date) = query.date_from {
        found = found.filter(supplier_returns::returned_on.ge(date));
    }
    if let Some(date) = query.date_to {
        found = found.filter(supplier_returns::returned_on.le(date));
    }
    let page: Result<Page<ReturnRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: supplier_returns::id as Uuid => |r: &ReturnRow| r.id, [
        "created_at" => supplier_returns::created_at as DateTime<Utc> => |r: &ReturnRow| r.created_at,
        "date" => supplier_returns::returned_on as NaiveDate => |r: &ReturnRow| r.returned_on,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

fn complete(conn: &mut PgConnection, rows: Vec<ReturnRow>) -> Result<Vec<SupplierReturn>> {
    let base = company::settings(conn)?.base_currency;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<ReturnLineRow> = supplier_return_lines::table
        .filter(supplier_return_lines::return_id.eq_any(&ids))
        .order(supplier_return_lines::position)
        .select(ReturnLineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<ReturnLineRow>> = HashMap::new();
    for line in all {
        lines.entry(line.return_id).or_default().push(line);
    }
    let returns = rows
        .into_iter()
        .map(|row| shown(&row, &lines.remove(&row.id).unwrap_or_default(), base));
    Ok(returns.collect())
}

pub(super) fn shown(row: &ReturnRow, lines: &[ReturnLineRow], base: Currency) -> SupplierReturn {
    let money = |value| Amount::money(base, value).unwrap_or_default();
    let lines = lines.iter().map(|line| SupplierReturnLine {
        id: line.id,
        line_id: line.receipt_line_id,
        product_id: line.product_id,
        quantity: line.quantity,
        value: money(line.value),
        unbilled_quantity: line.unbilled_quantity,
        expected_credit: money(line.expected_credit),
        credited_quantity: line.credited_quantity,
        lots: serde_json::from_value(line.lots.clone()).unwrap_or_default(),
    });
    SupplierReturn {
        id: row.id,
        // A dry run draws none.
        number: Some(row.number.clone()).filter(|number| !number.starts_with("dry run")),
        receipt_id: row.receipt_id,
        order_id: row.order_id,
        supplier_id: row.supplier_id,
        warehouse_id: row.warehouse_id,
        date: row.returned_on,
        reason: row.reason.clone(),
        replacement: row.replacement,
        external_ref: row.external_ref.clone(),
        lines: lines.collect(),
        created_by: row.created_by,
        revision: 1,
        created_at: row.created_at,
    }
}
