//! Asking the ERP to change a submitted order. A submitted order does not change here: each request is
//! kept beside it until the ERP has granted or refused it.

use super::model::{ChangeRequest, ChangeRequestIn, ChangeRequestsIn, Order};
use super::queries;
use super::status::{CancellationState, ChangeKind, OrderAction};
use super::stored::StoredOrder;
use crate::customers::timeline::{self, Entry};
use crate::json::AsJson;
use serde_json::json;
use service_kit::{Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// As many requests as an order keeps.
const MOST: usize = 500;

/// Asks the ERP to change an order.
///
/// # Errors
/// 404; 409 `illegal_transition`, `not_owner`; 422 with every fault.
pub fn request(tx: &mut Tx<'_>, id: Uuid, input: &ChangeRequestsIn) -> Result<Order> {
    let before = queries::acted_on(tx, id)?;
    tx.match_if_given(&before.wire()?)?;
    before.state().check(OrderAction::RequestChange)?;
    let mut requests = before
        .row
        .change_requests
        .clone()
        .map(|asked| asked.0)
        .unwrap_or_default();
    check(&before, &requests, &input.requests)?;
    let now = tx.now();
    requests.extend(input.requests.iter().map(|asked| ChangeRequest {
        id: asked.id.unwrap_or_else(Uuid::now_v7),
        requested_at: now,
        kind: asked.kind,
        line_id: asked.line_id,
        quantity: asked.quantity,
        requested_date: asked.requested_date,
        shipping_address: asked.shipping_address.clone(),
        reason: asked.reason.clone(),
        state: CancellationState::Requested,
        answer: None,
        answered_at: None,
    }));
    let mut after = before.clone();
    after.row.change_requests = Some(AsJson(requests));
    after.count_own_change(now);
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    let after = after.wire()?;
    tx.audit(Some(&before.wire()?), &after)?;
    tx.emit(
        "order.change_requested",
        after.id,
        after.version,
        serde_json::to_value(&after)?,
    );
    let entry = Entry::here(tx, after.customer_id, "order_change_requested", &after)
        .owned(after.owner_id, after.team_id)
        .summary("Changes of an order requested")
        .data(json!({ "requests": input.requests.len() }));
    timeline::add(tx, entry)?;
    Ok(after)
}

fn check(order: &StoredOrder, known: &[ChangeRequest], asked: &[ChangeRequestIn]) -> Result<(), Problem> {
    let mut faults = Faults::default();
    let mut ids: HashSet<Uuid> = known.iter().map(|request| request.id).collect();
    for (index, request) in asked.iter().enumerate() {
        let at = |field: &str| format!("/requests/{index}/{field}");
        if request.id.is_some_and(|id| !ids.insert(id)) {
            faults.add(at("id"), "duplicate", "another request has this id");
        }
        let of_line = matches!(request.kind, ChangeKind::Quantity | ChangeKind::Cancel);
        match request.line_id {
            None if request.kind == ChangeKind::Quantity => {
                faults.add(at("line_id"), "missing", "say which line");
            }
            Some(_) if !of_line => faults.add(at("line_id"), "not_applicable", "only quantity and cancel name a line"),
            Some(line) if !is_line(order, line) => {
                faults.add(at("line_id"), "unknown_line", "the order has no such line");
            }
            _ => {}
        }
        match (request.kind, request.quantity) {
            (ChangeKind::Quantity, None) => faults.add(at("quantity"), "missing", "say how much is wanted"),
            (ChangeKind::Quantity, Some(quantity)) if quantity == Quantity::ZERO => {
                faults.add(
                    at("quantity"),
                    "out_of_range",
                    "must be more than zero; cancel the line instead",
                );
            }
            (ChangeKind::Quantity, _) | (_, None) => {}
            (_, Some(_)) => faults.add(at("quantity"), "not_applicable", "goes with the kind quantity"),
        }
        if request.requested_date.is_some() && request.kind != ChangeKind::Date {
            faults.add(at("requested_date"), "not_applicable", "goes with the kind date");
        }
        if request.requested_date.is_some_and(|date| date < order.row.order_date) {
            faults.add(
                at("requested_date"),
                "out_of_range",
                "must not be before the order date",
            );
        }
        if request.shipping_address.is_some() != (request.kind == ChangeKind::Address) {
            faults.add(
                at("shipping_address"),
                "not_applicable",
                "goes with the kind address, which needs it",
            );
        }
    }
    if known.len() + asked.len() > MOST {
        faults.add(
            "/requests",
            "too_long",
            format!("an order keeps at most {MOST} requests"),
        );
    }
    faults.check()
}

/// A line as it was ordered, or one that the ERP has added.
fn is_line(order: &StoredOrder, id: Uuid) -> bool {
    let told = order.row.fulfilment.as_ref().map(|told| &told.0.lines);
    order.lines.iter().any(|line| line.id == id) || told.is_some_and(|lines| lines.iter().any(|line| line.id == id))
}
