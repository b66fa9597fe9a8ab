//! Applying a report.

use super::model::{FulfilmentIn, ReportedOrder};
use super::told;
use crate::customers;
use crate::json::AsJson;
use crate::orders::model::Order;
use crate::orders::queries;
use crate::orders::status::{CancellationState, OrderOrigin};
use crate::orders::stored::{LineRow, OrderRow, StoredOrder, within_limit};
use chrono::{DateTime, SubsecRound, Utc};
use rust_decimal::Decimal;
use service_kit::{Amount, Error, Faults, Problem, Put, Result, Sight, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Applies a report of the ERP about an order, unless a newer one is stored.
pub fn apply(tx: &mut Tx<'_>, id: Uuid, told: &FulfilmentIn) -> Result<Put<Order>> {
    check(id, told)?;
    let before = match queries::find(tx, &Sight::All, id) {
        Err(diesel::NotFound) => return create(tx, id, told).map(Put::Created),
        found => found?,
    };
    let newest = before
        .row
        .source_version
        .is_none_or(|known| told.source_version > known);
    if !newest && !told.replace {
        return Ok(Put::Unchanged(before.wire()?));
    }
    let mut after = before.clone();
    if before.row.submitted_at.is_some() {
        fill_prices(&mut after, &told.order)?;
    } else {
        take_over(&mut after, told)?;
        after.row.customer_id = customer_of(tx, told.order.customer_id)?;
    }
    report(&mut after, told);
    if after == before {
        return Ok(Put::Unchanged(before.wire()?));
    }
    after.row.revision += 1;
    after.row.updated_at = tx.now();
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    if identities(&after.lines) != identities(&before.lines) {
        queries::replace_lines(tx, id, &after.lines)?;
    }
    let (before, after) = (before.wire()?, after.wire()?);
    tx.audit(Some(&before), &after)?;
    told::tell(tx, Some(&before), &after, told)?;
    Ok(Put::Updated(after))
}

/// An order that is not known here: the back office's, or one of ours from before a restore.
fn create(tx: &mut Tx<'_>, id: Uuid, told: &FulfilmentIn) -> Result<Order> {
    let customer_id = customer_of(tx, told.order.customer_id)?;
    let owned = customers::standing(tx, &Sight::All, customer_id)?.map(|customer| customer.owned());
    let owned = owned.unwrap_or_default();
    let mut order = StoredOrder {
        row: blank(id, told, tx.now()),
        lines: Vec::new(),
    };
    (order.row.owner_id, order.row.team_id) = (owned.owner_id, owned.team_id);
    take_over(&mut order, told)?;
    order.row.customer_id = customer_id;
    report(&mut order, told);
    if !queries::insert(tx, &order)? {
        // Another request made it in the meantime: look again.
        return Err(Error::Stale);
    }
    let order = order.wire()?;
    tx.audit(None, &order)?;
    told::tell(tx, None, &order, told)?;
    Ok(order)
}

/// Everything wrong with a report, whatever is stored.
fn check(id: Uuid, told: &FulfilmentIn) -> Result<(), Problem> {
    let (mut faults, mut ids) = (Faults::default(), HashSet::new());
    if told.order.id != id {
        faults.add("/order/id", "mismatch", "must be the id in the path");
    }
    let mut net = Decimal::ZERO;
    for (index, line) in told.order.lines.iter().enumerate() {
        let pointer = |field: &str| format!("/order/lines/{index}/{field}");
        if line.quantity.is_zero() {
            faults.add(pointer("quantity"), "out_of_range", "must be more than zero");
        }
        if !ids.insert(line.id) {
            faults.add(pointer("id"), "duplicate", "an earlier line has this id");
        }
        let total = line.line_total.unwrap_or_default().value();
        net += total;
        if within_limit(total).and_then(|_| within_limit(net)).is_err() {
            faults.add(pointer("line_total"), "out_of_range", "the total is too large");
        }
    }
    faults.check()
}

/// The customer that an order of this one belongs to: itself, or the one that it became part of.
fn customer_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Uuid> {
    let missing = || Problem::reference_missing("customer", id);
    Ok(customers::merge::survivor(tx, id)?.ok_or_else(missing)?)
}

/// Makes the content that of the ERP's record.
fn take_over(order: &mut StoredOrder, told: &FulfilmentIn) -> Result<(), Problem> {
    let (row, theirs) = (&mut order.row, &told.order);
    row.customer_id = theirs.customer_id;
    row.currency = theirs.currency;
    row.order_date = theirs.order_date;
    row.requested_date = theirs.requested_date;
    row.external_ref = theirs.external_ref.clone();
    if row.origin == OrderOrigin::Crm {
        // We have forgotten when it was; that the ERP knows it proves that it was. And our next
        // version must be newer than what the ERP has applied.
        row.submitted_at = Some(told.as_of.trunc_subsecs(6));
        row.version = row.version.max(theirs.source_version.unwrap_or(1));
    }
    let id = row.id;
    order.lines = (1..)
        .zip(&theirs.lines)
        .map(|(position, line)| LineRow {
            id: line.id,
            order_id: id,
            position,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            price_given: line.unit_price.is_some() && line.price_differs,
            discount: line.discount,
            line_total: line.line_total.filter(|_| line.unit_price.is_some()),
        })
        .collect();
    sum_lines(order)
}

/// Takes the ERP's prices for lines that were submitted without one; given prices stay.
fn fill_prices(order: &mut StoredOrder, theirs: &ReportedOrder) -> Result<(), Problem> {
    if order.lines.iter().all(|line| line.unit_price.is_some()) {
        return Ok(());
    }
    let theirs: HashMap<Uuid, _> = theirs.lines.iter().map(|line| (line.id, line)).collect();
    for line in order.lines.iter_mut().filter(|line| line.unit_price.is_none()) {
        if let Some(priced) = theirs.get(&line.id) {
            line.unit_price = priced.unit_price;
            line.line_total = priced.line_total.filter(|_| priced.unit_price.is_some());
        }
    }
    sum_lines(order)
}

/// The ERP's line totals are kept as they are; one that is missing is computed by the same rule.
fn sum_lines(order: &mut StoredOrder) -> Result<(), Problem> {
    for line in &mut order.lines {
        if let (Some(price), None) = (line.unit_price, line.line_total) {
            let total = order.row.currency.line_total(line.quantity, price, line.discount)?;
            line.line_total = Amount::new(total).ok();
        }
    }
    let totals = order.lines.iter().filter_map(|line| line.line_total);
    order.row.net = within_limit(totals.map(|total| total.value()).sum())?;
    Ok(())
}

/// Keeps the report, and its answer to a cancellation if it has seen the request.
fn report(order: &mut StoredOrder, told: &FulfilmentIn) {
    let (row, theirs) = (&mut order.row, &told.order);
    row.status = theirs.status.into();
    row.number = theirs.number.clone();
    row.rejection = theirs.rejection.clone().filter(|list| !list.is_empty()).map(AsJson);
    row.fulfilment = Some(AsJson(told.report()));
    row.source_version = Some(told.source_version);
    let answered = theirs
        .cancellation
        .as_ref()
        .filter(|answer| answer.state != CancellationState::Requested);
    let seen = match (row.cancellation_version, theirs.source_version) {
        (Some(requested), Some(applied)) => applied >= requested,
        _ => true,
    };
    note_answers(order, told);
    let row = &mut order.row;
    if let Some(answer) = answered.filter(|_| seen) {
        row.cancellation_state = Some(answer.state);
        row.cancellation_reason = answer.reason.clone().or(row.cancellation_reason.take());
    }
}

/// Keeps the answers to what was asked. An answer names its request, so the order of reports does not
/// matter; a request that this CRM has forgotten comes back with its answer.
fn note_answers(order: &mut StoredOrder, told: &FulfilmentIn) {
    let answers = told.order.change_requests.iter().flatten();
    let mut requests = order
        .row
        .change_requests
        .take()
        .map(|asked| asked.0)
        .unwrap_or_default();
    for answer in answers.filter(|answer| answer.state != CancellationState::Requested) {
        match requests.iter_mut().find(|request| request.id == answer.id) {
            Some(request) => {
                request.state = answer.state;
                request.answer.clone_from(&answer.answer);
                request.answered_at = answer.answered_at;
            }
            None => requests.push(answer.clone()),
        }
    }
    order.row.change_requests = Some(AsJson(requests)).filter(|requests| !requests.0.is_empty());
}

/// What tells whether the lines are the same ones, their prices aside.
fn identities(lines: &[LineRow]) -> Vec<LineRow> {
    lines
        .iter()
        .map(|line| LineRow {
            unit_price: None,
            line_total: None,
            ..line.clone()
        })
        .collect()
}

/// An order without content, of which [`take_over`] and [`report`] make one.
fn blank(id: Uuid, told: &FulfilmentIn, now: DateTime<Utc>) -> OrderRow {
    OrderRow {
        id,
        origin: told.order.origin,
        status: told.order.status.into(),
        customer_id: told.order.customer_id,
        currency: told.order.currency,
        order_date: told.order.order_date,
        requested_date: None,
        external_ref: None,
        net: Decimal::ZERO,
        submitted_at: None,
        cancellation_state: None,
        cancellation_reason: None,
        cancellation_requested_at: None,
        cancellation_version: None,
        number: None,
        rejection: None,
        fulfilment: None,
        source_version: None,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
        change_requests: None,
        owner_id: None,
        team_id: None,
        quote_id: None,
    }
}
