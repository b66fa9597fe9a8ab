//! SQL of documents and their lines.

use super::input::InvoicesQuery;
use super::model::{AllocationRow, Invoice, InvoiceStatus, Parts};
use super::rows::{InvoiceRow, LineRow};
use crate::company;
use crate::ledger::open_items::OpenItem;
use crate::schema::{allocations, invoice_lines, invoices, open_items};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{OrNotFound, Page, Result, Tx, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

/// The document and its lines, without a lock.
///
/// # Errors
/// 404.
pub fn load(conn: &mut PgConnection, id: Uuid) -> Result<(InvoiceRow, Vec<LineRow>)> {
    let row = invoices::table
        .find(id)
        .select(InvoiceRow::as_select())
        .first(conn)
        .or_not_found("invoice")?;
    Ok((row, lines(conn, id)?))
}

/// The document and its lines, locked.
///
/// # Errors
/// 404.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(InvoiceRow, Vec<LineRow>)> {
    let row = invoices::table
        .find(id)
        .for_update()
        .select(InvoiceRow::as_select())
        .first(&mut **tx)
        .or_not_found("invoice")?;
    Ok((row, lines(tx, id)?))
}

/// Documents, locked in key order.
///
/// # Errors
/// When the database refuses.
pub fn lock_many(tx: &mut Tx<'_>, ids: &[Uuid]) -> QueryResult<Vec<InvoiceRow>> {
    invoices::table
        .filter(invoices::id.eq_any(ids))
        .order(invoices::id)
        .for_update()
        .select(InvoiceRow::as_select())
        .load(&mut **tx)
}

fn lines(conn: &mut PgConnection, id: Uuid) -> QueryResult<Vec<LineRow>> {
    invoice_lines::table
        .filter(invoice_lines::invoice_id.eq(id))
        .order(invoice_lines::position)
        .select(LineRow::as_select())
        .load(conn)
}

/// The whole record.
///
/// # Errors
/// 404.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Invoice> {
    let (row, lines) = load(conn, id)?;
    let base = company::settings(conn)?.base_currency;
    let mut parts = match row.status {
        InvoiceStatus::Draft => Parts::default(),
        _ => settled_parts(conn, &[id])?.remove(&id).unwrap_or_default(),
    };
    parts.lines = lines;
    Invoice::from_rows(row, parts, base)
}

/// Open items and allocations of posted documents.
///
/// # Errors
/// When the database refuses.
pub fn settled_parts(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Parts>> {
    let mut parts: HashMap<Uuid, Parts> = HashMap::new();
    let items: Vec<OpenItem> = open_items::table
        .filter(open_items::document_id.eq_any(ids))
        .order((open_items::document_id, open_items::instalment))
        .select(OpenItem::as_select())
        .load(conn)?;
    for item in items {
        parts.entry(item.document_id).or_default().items.push(item);
    }
    let cleared: Vec<AllocationRow> = allocations::table
        .inner_join(open_items::table)
        .filter(open_items::document_id.eq_any(ids))
        .order((allocations::created_at, allocations::id))
        .select((
            open_items::document_id,
            allocations::document_type,
            allocations::document_id,
            allocations::allocated_on,
            allocations::amount,
            allocations::discount,
            allocations::written_off,
        ))
        .load(conn)?;
    for row in cleared {
        parts.entry(row.of_document).or_default().allocations.push(row);
    }
    Ok(parts)
}

/// Whole records for rows.
///
/// # Errors
/// When the database refuses.
pub fn complete(conn: &mut PgConnection, rows: Vec<InvoiceRow>) -> Result<Vec<Invoice>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let base = company::settings(conn)?.base_currency;
    let mut parts = settled_parts(conn, &ids)?;
    let all: Vec<LineRow> = invoice_lines::table
        .filter(invoice_lines::invoice_id.eq_any(&ids))
        .order((invoice_lines::invoice_id, invoice_lines::position))
        .select(LineRow::as_select())
        .load(conn)?;
    for line in all {
        parts.entry(line.invoice_id).or_default().lines.push(line);
    }
    rows.into_iter()
        .map(|row| {
            let parts = parts.remove(&row.id).unwrap_or_default();
            Invoice::from_rows(row, parts, base)
        })
        .collect()
}

/// A page of documents.
///
/// # Errors
/// 400 for a cursor of another list.
pub fn page(conn: &mut PgConnection, query: &InvoicesQuery) -> Result<Page<Invoice>> {
    let mut rows = invoices::table.select(InvoiceRow::as_select()).into_boxed();
    if let Some(kind) = query.kind {
        rows = rows.filter(invoices::kind.eq(kind));
    }
    if let Some(status) = query.status {
        rows = rows.filter(invoices::status.eq(status));
    }
    rows = match query.open {
        Some(true) => rows.filter(invoices::open_amount.ne(rust_decimal::Decimal::ZERO)),
        Some(false) => rows.filter(invoices::open_amount.eq(rust_decimal::Decimal::ZERO)),
        None => rows,
    };
    if let Some(customer) = query.customer_id {
        rows = rows.filter(invoices::customer_id.eq(customer));
    }
    if let Some(order) = query.order_id {
        rows = rows.filter(invoices::order_id.eq(order));
    }
    if let Some(credited) = query.credited_invoice_id {
        rows = rows.filter(invoices::credited_invoice_id.eq(credited));
    }
    if let Some(currency) = query.currency {
        rows = rows.filter(invoices::currency.eq(currency));
    }
    if let Some(number) = &query.number {
        rows = rows.filter(invoices::number.eq(number.as_str()));
    }
    if let Some(reference) = &query.external_ref {
        rows = rows.filter(invoices::external_ref.eq(reference.as_str()));
    }
    if let Some(date) = query.date_from {
        rows = rows.filter(invoices::date.ge(date));
    }
    if let Some(date) = query.date_to {
        rows = rows.filter(invoices::date.le(date));
    }
    if let Some(text) = &query.q {
        let pattern = text.contains();
        rows = rows.filter(
            invoices::number
                .ilike(pattern.clone())
                .or(invoices::external_ref.ilike(pattern)),
        );
    }
    let page: Result<Page<InvoiceRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: invoices::id as Uuid => |row: &InvoiceRow| row.id, [
        "created_at" => invoices::created_at as DateTime<Utc> => |row: &InvoiceRow| row.created_at,
        "date" => invoices::date as NaiveDate => |row: &InvoiceRow| row.date,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

/// Stores a new document with its lines.
///
/// # Errors
/// When the database refuses.
pub fn insert(tx: &mut Tx<'_>, row: &InvoiceRow, lines: &[LineRow]) -> Result<()> {
    diesel::insert_into(invoices::table).values(row).execute(&mut **tx)?;
    insert_lines(tx, lines)
}

/// Stores a changed document.
///
/// # Errors
/// When the database refuses.
pub fn update(tx: &mut Tx<'_>, row: &InvoiceRow) -> Result<()> {
    diesel::update(invoices::table.find(row.id))
        .set(row)
        .execute(&mut **tx)?;
    Ok(())
}

/// Replaces the lines of a draft.
///
/// # Errors
/// When the database refuses.
pub fn replace_lines(tx: &mut Tx<'_>, invoice_id: Uuid, lines: &[LineRow]) -> Result<()> {
    diesel::delete(invoice_lines::table.filter(invoice_lines::invoice_id.eq(invoice_id))).execute(&mut **tx)?;
    insert_lines(tx, lines)
}

/// Deletes a draft with its lines.
///
/// # Errors
/// When the database refuses.
pub fn delete(tx: &mut Tx<'_>, id: Uuid) -> QueryResult<usize> {
    diesel::delete(invoice_lines::table.filter(invoice_lines::invoice_id.eq(id))).execute(&mut **tx)?;
    diesel::delete(invoices::table.find(id)).execute(&mut **tx)
}

fn insert_lines(tx: &mut Tx<'_>, lines: &[LineRow]) -> Result<()> {
    let ids = |of: fn(&LineRow) -> Option<Uuid>| lines.iter().map(of).collect::<Vec<_>>();
    sql("INSERT INTO invoice_lines (id, invoice_id, position, kind, order_line_id, charge_id, charge_kind, delivery_id, product_id,
             account_id, credited_line_id, description, quantity, unit, unit_price, discount, amount, net, base_net, tax_class, taxes,
             tax_point, department_id, project_id)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)")
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.invoice_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(lines.iter().map(|line| line.position).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lines.iter().map(|line| line.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.order_line_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.charge_id))
    .bind::<Array<Nullable<Text>>, _>(lines.iter().map(|line| line.charge_kind.map(|kind| kind.as_str())).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.delivery_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.product_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.account_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.credited_line_id))
    .bind::<Array<Text>, _>(lines.iter().map(|line| &*line.description).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(lines.iter().map(|line| line.unit.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.unit_price).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.discount).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.amount).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.net).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.base_net).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(lines.iter().map(|line| line.tax_class.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(lines.iter().map(|line| &line.taxes).collect::<Vec<_>>())
    .bind::<Array<Nullable<Date>>, _>(lines.iter().map(|line| line.tax_point).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.department_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(ids(|line| line.project_id))
    .run(tx)?;
    Ok(())
}

/// Adds to what posted credit notes took back of lines.
///
/// # Errors
/// When the database refuses.
pub fn note_credited(tx: &mut Tx<'_>, credit: &[LineRow]) -> Result<()> {
    let of: Vec<&LineRow> = credit.iter().filter(|line| line.credited_line_id.is_some()).collect();
    sql("UPDATE invoice_lines l
         SET credited_quantity = l.credited_quantity + c.quantity, credited_amount = l.credited_amount + c.amount,
             credited_net = l.credited_net + c.net, credited_base_net = l.credited_base_net + c.base_net
         FROM unnest($1, $2, $3, $4, $5) AS c(id, quantity, amount, net, base_net) WHERE l.id = c.id")
    .bind::<Array<Nullable<SqlUuid>>, _>(of.iter().map(|line| line.credited_line_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(of.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(of.iter().map(|line| line.amount).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(of.iter().map(|line| line.net).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(of.iter().map(|line| line.base_net).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}
