use super::model::{Payment, PaymentRow, PaymentsQuery};
use crate::customers;
use crate::schema::payments;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{OrNotFound, Page, Problem, Result, Sight, keyset_page};
use uuid::Uuid;

/// Seen with its customer.
pub fn find(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Payment> {
    let row = payments::table.find(id).select(PaymentRow::as_select()).first(conn);
    let found = row.map(Payment::from).or_not_found("payment")?;
    match customers::standing(conn, sight, found.document.customer_id)? {
        Some(_) => Ok(found),
        None => Err(Problem::not_found("payment").into()),
    }
}

/// The payment, if it is known, locked.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Payment>> {
    let row = payments::table.find(id).for_update().select(PaymentRow::as_select());
    Ok(row.first(conn).optional()?.map(Payment::from))
}

/// Stores a new payment; false when another request told it in the meantime.
pub fn insert(conn: &mut PgConnection, payment: &Payment) -> QueryResult<bool> {
    let statement = diesel::insert_into(payments::table).values(PaymentRow::from(payment));
    Ok(statement.on_conflict_do_nothing().execute(conn)? == 1)
}

pub fn update(conn: &mut PgConnection, payment: &Payment) -> QueryResult<usize> {
    diesel::update(payments::table.find(payment.document.id))
        .set(PaymentRow::from(payment))
        .execute(conn)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &PaymentsQuery) -> Result<Page<Payment>> {
    rows(conn, sight, query).map(|page| page.map(Payment::from))
}

fn rows(conn: &mut PgConnection, sight: &Sight, query: &PaymentsQuery) -> Result<Page<PaymentRow>> {
    let mut found = payments::table.select(PaymentRow::as_select()).into_boxed();
    if let Some(customers) = customers::in_sight(sight) {
        found = found.filter(payments::customer_id.eq_any(customers));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(payments::customer_id.eq(customer));
    }
    if let Some(direction) = query.direction {
        found = found.filter(payments::direction.eq(direction));
    }
    if let Some(status) = query.status {
        found = found.filter(payments::status.eq(status));
    }
    if let Some(open) = query.open {
        found = found.filter(payments::is_open.eq(open));
    }
    if let Some(number) = &query.number {
        found = found.filter(payments::number.eq(number.as_str().to_owned()));
    }
    if let Some(from) = query.date_from {
        found = found.filter(payments::date.ge(from));
    }
    if let Some(to) = query.date_to {
        found = found.filter(payments::date.le(to));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: payments::id as Uuid => |p: &PaymentRow| p.id, [
        "date" => payments::date as NaiveDate => |p: &PaymentRow| p.date,
        "created_at" => payments::created_at as DateTime<Utc> => |p: &PaymentRow| p.created_at,
    ])
}
