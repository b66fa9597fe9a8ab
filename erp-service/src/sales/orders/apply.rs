//! Orders that were submitted in the CRM: the decision is made in the command that stores them.

use super::decision::AskedLine;
use super::input::SubmittedOrder;
use super::model::SalesOrder;
use super::rows::OrderRow;
use super::{place, queries, requests, totals};
use diesel::OptionalExtension;
use diesel::result::{DatabaseErrorKind, Error as Db};
use service_kit::{Discount, Error, Faults, Problem, Put, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Applies the CRM's part of an order. Newer versions apply; equal or older ones change nothing.
///
/// # Errors
/// 409 `reference_missing` when the customer has not arrived yet; 422 for lines that make no sense.
pub(super) fn apply(tx: &mut Tx<'_>, id: Uuid, submitted: &SubmittedOrder) -> Result<Put<SalesOrder>> {
    let Some((row, _)) = queries::load(tx, id).optional()? else {
        return accept(tx, id, submitted).map(Put::Created);
    };
    if row.origin != "crm" {
        return Err(Problem::conflict("duplicate", "a back-office order has this id").into());
    }
    let newer = row.source_version.is_none_or(|known| submitted.source_version > known);
    let other = row.source_version != Some(submitted.source_version);
    if !(newer || submitted.replace && other) {
        return Ok(Put::Unchanged(queries::find(tx, id)?));
    }
    match requests::asks(&row, submitted) {
        true => requests::answer(tx, &row, submitted),
        false => note_version(tx, row, submitted.source_version),
    }
    .map(Put::Updated)
}

fn accept(tx: &mut Tx<'_>, id: Uuid, submitted: &SubmittedOrder) -> Result<SalesOrder> {
    let asked = asked_lines(submitted)?;
    let mut row = place::new_row(tx, id, "crm", submitted.customer_id, &submitted.currency);
    row.order_date = submitted.order_date;
    row.requested_date = submitted.requested_date;
    row.warehouse_id = submitted.warehouse_id;
    row.external_ref = submitted.external_ref.clone();
    row.source_version = Some(submitted.source_version);
    let Some(mut decided) = place::decide(tx, &mut row, &asked)? else {
        return Err(Problem::reference_missing("customer", submitted.customer_id).into());
    };
    if submitted.quote_id.is_some() {
        decided.keep_promises();
    }
    row.invoicing_policy = decided.facts.invoicing_policy;
    let lines = if decided.reasons.is_empty() {
        place::confirm(tx, &mut row, &decided)?
    } else {
        row.lifecycle = "rejected".to_owned();
        row.warehouse_id = None;
        row.rejection = place::reasons_value(&decided.reasons)?;
        let lines = place::line_rows(id, &decided.lines)?;
        totals::set(&mut row, &lines)?;
        lines
    };
    let order = place::store_new(tx, row, lines).map_err(twin_was_faster)?;
    if submitted.cancellation_request.is_none() && submitted.change_requests.is_empty() {
        return Ok(order);
    }
    let (row, _) = queries::load(tx, id)?;
    requests::answer(tx, &row, submitted)
}

/// Two deliveries of one message at once: the second starts again and finds the order.
fn twin_was_faster(error: Error) -> Error {
    match error {
        Error::Database(Db::DatabaseError(DatabaseErrorKind::UniqueViolation, info))
            if info.constraint_name() == Some("sales_orders_pkey") =>
        {
            Error::Stale
        }
        other => other,
    }
}

fn asked_lines(submitted: &SubmittedOrder) -> Result<Vec<AskedLine>, Problem> {
    let (mut faults, mut seen) = (Faults::default(), HashSet::new());
    for (index, line) in submitted.lines.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if !seen.insert(line.id) {
            faults.add(format!("/lines/{index}/id"), "duplicate", "another line has this id");
        }
    }
    // The CRM refuses it as well, and could not take the order back into its own records.
    if submitted.requested_date.is_some_and(|date| date < submitted.order_date) {
        faults.add("/requested_date", "out_of_range", "must not be before the order date");
    }
    faults.check()?;
    let lines = submitted.lines.iter().map(|line| AskedLine {
        id: line.id,
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount.unwrap_or(Discount::ZERO),
    });
    Ok(lines.collect())
}

/// Only the version is new: a submitted order is immutable in the CRM.
fn note_version(tx: &mut Tx<'_>, mut row: OrderRow, source_version: i64) -> Result<SalesOrder> {
    queries::lock_unchanged(tx, &row)?;
    let before = queries::find(tx, row.id)?;
    row.source_version = Some(source_version);
    queries::save(tx, &mut row, &[], true)?;
    let after = queries::find(tx, row.id)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
