use super::model::{LineRow, Receipt, ReceiptLine, ReceiptRow, ReceiptsQuery};
use crate::company;
use crate::schema::{receipt_lines, receipts};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Amount, Currency, Page, Result, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn insert(conn: &mut PgConnection, row: &ReceiptRow, lines: &[LineRow]) -> QueryResult<()> {
    diesel::insert_into(receipts::table).values(row).execute(conn)?;
    diesel::insert_into(receipt_lines::table).values(lines).execute(conn)?;
    Ok(())
}

/// A receipt line with where it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Came {
    pub line: LineRow,
    pub warehouse_id: Option<Uuid>,
}

/// What came for these order lines, oldest first. Their orders are locked.
///
/// # Errors
/// When the database refuses.
pub fn of_order_lines(conn: &mut PgConnection, order_lines: &[Uuid]) -> QueryResult<Vec<Came>> {
    let rows: Vec<(LineRow, Option<Uuid>)> = receipt_lines::table
        .inner_join(receipts::table)
        .filter(receipt_lines::order_line_id.eq_any(order_lines))
        .order((receipts::received_on, receipt_lines::id))
        .select((LineRow::as_select(), receipts::warehouse_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(line, warehouse_id)| Came { line, warehouse_id })
        .collect())
}

/// Stores what became of a line. Its order is locked.
///
/// # Errors
/// When the database refuses.
pub fn save_line(conn: &mut PgConnection, line: &LineRow) -> QueryResult<()> {
    diesel::update(receipt_lines::table.find(line.id))
        .set((
            receipt_lines::billed_quantity.eq(line.billed_quantity),
            receipt_lines::billed_value.eq(line.billed_value),
            receipt_lines::returned_quantity.eq(line.returned_quantity),
            receipt_lines::returned_value.eq(line.returned_value),
            receipt_lines::returned_billed_quantity.eq(line.returned_billed_quantity),
        ))
        .execute(conn)?;
    Ok(())
}

/// # Errors
/// `NotFound` when there is no such receipt.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Receipt> {
    let row = receipts::table.find(id).select(ReceiptRow::as_select()).first(conn)?;
    let mut found = complete(conn, vec![row])?;
    found.pop().ok_or_else(|| diesel::NotFound.into())
}

pub(super) fn page(conn: &mut PgConnection, query: &ReceiptsQuery) -> Result<Page<Receipt>> {
    let mut found = receipts::table.select(ReceiptRow::as_select()).into_boxed();
    if let Some(order) = query.order_id {
        found = found.filter(receipts::order_id.eq(order));
    }
    if let Some(supplier) = query.supplier_id {
        found = found.filter(receipts::supplier_id.eq(supplier));
    }
    if let Some(date) = query.date_from {
        found = found.filter(receipts::received_on.ge(date));
    }
    if let Some(date) = query.date_to {
        found = found.filter(receipts::received_on.le(date));
    }
    let page: Result<Page<ReceiptRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: receipts::id as Uuid => |r: &ReceiptRow| r.id, [
        "created_at" => receipts::created_at as DateTime<Utc> => |r: &ReceiptRow| r.created_at,
        "date" => receipts::received_on as NaiveDate => |r: &ReceiptRow| r.received_on,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

fn complete(conn: &mut PgConnection, rows: Vec<ReceiptRow>) -> Result<Vec<Receipt>> {
    let base = company::settings(conn)?.base_currency;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<LineRow> = receipt_lines::table
        .filter(receipt_lines::receipt_id.eq_any(&ids))
        .order(receipt_lines::position)
        .select(LineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in all {
        lines.entry(line.receipt_id).or_default().push(line);
    }
    let receipts = rows
        .into_iter()
        .map(|row| shown(&row, &lines.remove(&row.id).unwrap_or_default(), base));
    Ok(receipts.collect())
}

pub(super) fn shown(row: &ReceiptRow, lines: &[LineRow], base: Currency) -> Receipt {
    let lines = lines.iter().map(|line| ReceiptLine {
        id: line.id,
        line_id: line.order_line_id,
        product_id: line.product_id,
        quantity: line.quantity,
        value: Amount::money(base, line.value).unwrap_or(Amount::ZERO),
        billed_quantity: line.billed_quantity,
        returned_quantity: line.returned_quantity + line.returned_billed_quantity,
        lots: serde_json::from_value(line.lots.clone()).unwrap_or_default(),
    });
    Receipt {
        id: row.id,
        // A dry run draws none.
        number: Some(row.number.clone()).filter(|number| !number.starts_with("dry run")),
        order_id: row.order_id,
        supplier_id: row.supplier_id,
        warehouse_id: row.warehouse_id,
        date: row.received_on,
        supplier_reference: row.supplier_reference.clone(),
        external_ref: row.external_ref.clone(),
        lines: lines.collect(),
        created_by: row.created_by,
        revision: 1,
        created_at: row.created_at,
    }
}
