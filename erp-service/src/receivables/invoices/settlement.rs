//! What is open of documents changes when payments, credit notes and others clear their items; the
//! documents, their orders and the customer are told here.

use super::model::{Invoice, InvoiceStatus};
use super::queries;
use super::rows::InvoiceRow;
use crate::receivables::taxation::money;
use crate::sales::orders::status::Progress;
use crate::schema::{invoices, open_items};
use crate::{customers, sales};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Result, Tx};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Locks what settling these items changes, in the order of locks: customers, orders, documents. Call it before the
/// items are locked; then [`note_settlement`] waits for nobody.
///
/// # Errors
/// When the database refuses.
pub fn lock_settled(tx: &mut Tx<'_>, item_ids: &[Uuid]) -> Result<()> {
    let touched = touched(tx, item_ids)?;
    for party in &touched.parties {
        customers::lock_terms(tx, *party)?;
    }
    let orders: Vec<Uuid> = touched.orders.into_iter().collect();
    sales::orders::queries::lock_many(tx, &orders)?;
    let documents: Vec<Uuid> = touched.documents.into_iter().collect();
    queries::lock_many(tx, &documents)?;
    Ok(())
}

/// Notes that what is open of these items has changed: their invoices and credit notes emit `invoice.changed` with
/// the new open amount, their orders know how far they are paid, and the customers' balances are told to
/// the CRM. Call it after the entry is posted and the allocations are noted.
///
/// # Errors
/// When the database refuses.
pub fn note_settlement(tx: &mut Tx<'_>, item_ids: &[Uuid]) -> Result<()> {
    let touched = touched(tx, item_ids)?;
    let documents: Vec<Uuid> = touched.documents.into_iter().collect();
    let rows = queries::lock_many(tx, &documents)?;
    note_documents(tx, rows, Decimal::ZERO)?;
    let orders: Vec<Uuid> = touched.orders.into_iter().collect();
    note_orders(tx, &orders)?;
    let parties: Vec<Uuid> = touched.parties.into_iter().collect();
    customers::note_balance_changed(tx, &parties)
}

/// The documents of items as they stand, locked: for [`note_items`] once something of the items has changed that is no settlement, a
/// dispute or a reminder.
///
/// # Errors
/// When the database refuses.
pub(in crate::receivables) fn before(tx: &mut Tx<'_>, item_ids: &[Uuid]) -> Result<Vec<Invoice>> {
    let documents: Vec<Uuid> = touched(tx, item_ids)?.documents.into_iter().collect();
    let rows = queries::lock_many(tx, &documents)?;
    queries::complete(tx, rows)
}

/// Tells what has changed of the items of these documents.
///
/// # Errors
/// When the database refuses.
pub(in crate::receivables) fn note_items(tx: &mut Tx<'_>, before: Vec<Invoice>) -> Result<()> {
    let ids: Vec<Uuid> = before.iter().map(|invoice| invoice.id).collect();
    let now = tx.now();
    diesel::update(invoices::table.filter(invoices::id.eq_any(&ids)))
        .set((
            invoices::version.eq(invoices::version + 1),
            invoices::revision.eq(invoices::revision + 1),
            invoices::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    let rows = queries::lock_many(tx, &ids)?;
    let after = queries::complete(tx, rows)?;
    for (before, after) in before.iter().zip(&after) {
        tx.changed(Some(before), after)?;
    }
    Ok(())
}

#[derive(Default)]
struct Touched {
    documents: BTreeSet<Uuid>,
    orders: BTreeSet<Uuid>,
    parties: BTreeSet<Uuid>,
}

fn touched(tx: &mut Tx<'_>, item_ids: &[Uuid]) -> Result<Touched> {
    let found: Vec<(String, Uuid, Option<Uuid>, Uuid, String)> = open_items::table
        .filter(open_items::id.eq_any(item_ids))
        .select((
            open_items::document_type,
            open_items::document_id,
            open_items::order_id,
            open_items::party_id,
            open_items::side,
        ))
        .load(&mut **tx)?;
    let mut touched = Touched::default();
    for (kind, document, order, party, side) in found {
        if !matches!(side.as_str(), "receivable" | "advances_received") {
            continue;
        }
        touched.parties.insert(party);
        touched.orders.extend(order);
        if matches!(kind.as_str(), "invoice" | "credit_note") {
            touched.documents.insert(document);
        }
    }
    Ok(touched)
}

/// Writes what is open into locked documents, and adds what was credited of them; with their events.
pub(super) fn note_documents(tx: &mut Tx<'_>, rows: Vec<InvoiceRow>, credited: Decimal) -> Result<()> {
    let known: HashMap<Uuid, InvoiceRow> = rows.iter().map(|row| (row.id, row.clone())).collect();
    if rows.is_empty() {
        return Ok(());
    }
    for before in queries::complete(tx, rows)? {
        let Some(mut row) = known.get(&before.id).cloned() else {
            continue;
        };
        let open: Decimal = before.instalments.iter().map(|item| item.open_amount.value()).sum();
        row.credited_gross += credited;
        let status = settled_status(&row, open);
        if credited.is_zero() && (open, status) == (row.open_amount, row.status) {
            continue;
        }
        (row.open_amount, row.status) = (open, status);
        row.version += 1;
        row.revision += 1;
        row.updated_at = tx.now();
        diesel::update(invoices::table.find(row.id))
            .set((
                invoices::open_amount.eq(row.open_amount),
                invoices::status.eq(row.status),
                invoices::credited_gross.eq(row.credited_gross),
                invoices::version.eq(row.version),
                invoices::revision.eq(row.revision),
                invoices::updated_at.eq(row.updated_at),
            ))
            .execute(&mut **tx)?;
        let after = Invoice {
            status,
            open_amount: money(row.currency, open)?,
            credited: money(row.currency, row.credited_gross)?,
            allowed_actions: row.allowed_actions(),
            version: row.version,
            revision: row.revision,
            updated_at: row.updated_at,
            ..before.clone()
        };
        tx.changed(Some(&before), &after)?;
    }
    Ok(())
}

/// The status of a posted document of which so much is open.
pub(super) fn settled_status(row: &InvoiceRow, open: Decimal) -> InvoiceStatus {
    let credited = !row.gross.is_zero() && row.credited_gross == row.gross;
    match open.is_zero() {
        true if credited => InvoiceStatus::Credited,
        true => InvoiceStatus::Paid,
        false if open.abs() < row.payable().abs() => InvoiceStatus::PartiallyPaid,
        false => InvoiceStatus::Posted,
    }
}

/// Tells orders how far they are paid.
pub(in crate::receivables) fn note_orders(tx: &mut Tx<'_>, orders: &[Uuid]) -> Result<()> {
    for order in orders {
        let found: Vec<(InvoiceStatus, Decimal)> = invoices::table
            .filter(invoices::order_id.eq(order))
            .filter(invoices::kind.eq(super::InvoiceKind::Invoice))
            .filter(invoices::status.ne(InvoiceStatus::Draft))
            .select((invoices::status, invoices::advances_gross))
            .load(&mut **tx)?;
        let settled = |status: &InvoiceStatus| matches!(status, InvoiceStatus::Paid | InvoiceStatus::Credited);
        let some = found
            .iter()
            .any(|(status, advances)| *status != InvoiceStatus::Posted || !advances.is_zero())
            || super::super::prepayments::has_advances(tx, *order)?;
        let (row, _) = sales::orders::queries::load(tx, *order)?;
        let all = row.invoicing == Progress::Full.name() && found.iter().all(|(status, _)| settled(status));
        let payment = match (some, all && !found.is_empty()) {
            (_, true) => Progress::Full,
            (true, false) => Progress::Partial,
            (false, false) => Progress::None,
        };
        if row.payment != payment.name() {
            sales::orders::note_payment(tx, *order, payment)?;
        }
    }
    Ok(())
}
