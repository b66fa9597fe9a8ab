use super::model::{Invoice, InvoiceRow, InvoicesQuery};
use crate::customers;
use crate::schema::invoices;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{OrNotFound, Page, Problem, Result, Sight, keyset_page};
use uuid::Uuid;

/// Seen with its customer.
pub fn find(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Invoice> {
    let row = invoices::table.find(id).select(InvoiceRow::as_select()).first(conn);
    let found = row.map(Invoice::from).or_not_found("invoice")?;
    match customers::standing(conn, sight, found.document.customer_id)? {
        Some(_) => Ok(found),
        None => Err(Problem::not_found("invoice").into()),
    }
}

/// The invoice, if it is known, locked.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Invoice>> {
    let row = invoices::table.find(id).for_update().select(InvoiceRow::as_select());
    Ok(row.first(conn).optional()?.map(Invoice::from))
}

/// Stores a new invoice; false when another request told it in the meantime.
pub fn insert(conn: &mut PgConnection, invoice: &Invoice) -> QueryResult<bool> {
    let statement = diesel::insert_into(invoices::table).values(InvoiceRow::from(invoice));
    Ok(statement.on_conflict_do_nothing().execute(conn)? == 1)
}

pub fn update(conn: &mut PgConnection, invoice: &Invoice) -> QueryResult<usize> {
    diesel::update(invoices::table.find(invoice.document.id))
        .set(InvoiceRow::from(invoice))
        .execute(conn)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &InvoicesQuery) -> Result<Page<Invoice>> {
    rows(conn, sight, query).map(|page| page.map(Invoice::from))
}

fn rows(conn: &mut PgConnection, sight: &Sight, query: &InvoicesQuery) -> Result<Page<InvoiceRow>> {
    let mut found = invoices::table.select(InvoiceRow::as_select()).into_boxed();
    if let Some(customers) = customers::in_sight(sight) {
        found = found.filter(invoices::customer_id.eq_any(customers));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(invoices::customer_id.eq(customer));
    }
    if let Some(order) = query.order_id {
        found = found.filter(invoices::order_id.eq(order));
    }
    if let Some(kind) = query.kind {
        found = found.filter(invoices::kind.eq(kind));
    }
    if let Some(status) = query.status {
        found = found.filter(invoices::status.eq(status));
    }
    if let Some(open) = query.open {
        found = found.filter(invoices::is_open.eq(open));
    }
    if let Some(number) = &query.number {
        found = found.filter(invoices::number.eq(number.as_str().to_owned()));
    }
    if let Some(from) = query.date_from {
        found = found.filter(invoices::date.ge(from));
    }
    if let Some(to) = query.date_to {
        found = found.filter(invoices::date.le(to));
    }
    if let Some(due) = query.due_to {
        found = found.filter(invoices::due_on.le(due));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: invoices::id as Uuid => |i: &InvoiceRow| i.id, [
        "date" => invoices::date as NaiveDate => |i: &InvoiceRow| i.date,
        "created_at" => invoices::created_at as DateTime<Utc> => |i: &InvoiceRow| i.created_at,
    ])
}
