//! What the CRM asks for after it has submitted an order: to cancel it, or to change quantities, date
//! or address. Each request is granted or refused by the state of the order under its lock, so that a
//! request that races a delivery gets the answer that holds.

use super::amend::{self, Before};
use super::change::change;
use super::input::{CancellationRequest, ChangeRequestIn, LineAmendment, SubmittedOrder};
use super::model::{Answered, Cancellation, ChangeKind, ChangeRequest, SalesOrder};
use super::release::lock_terms_for_credit;
use super::rows::{LineRow, OrderRow};
use super::status::{Action, Lifecycle};
use super::{actions, queries};
use crate::customers::Terms;
use service_kit::{Error, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Whether something is asked that is not answered yet.
pub(super) fn asks(row: &OrderRow, submitted: &SubmittedOrder) -> bool {
    let cancellation = submitted.cancellation_request.as_ref();
    cancellation.is_some_and(|request| !is_answered(row, request)) || !open(row, submitted).is_empty()
}

/// Whether this very request was answered; after a refusal another one may follow.
fn is_answered(row: &OrderRow, request: &CancellationRequest) -> bool {
    let stored = row
        .cancellation
        .as_ref()
        .and_then(|stored| stored["requested_at"].as_str());
    stored.and_then(|at| at.parse().ok()) == Some(request.requested_at)
}

/// The change requests without an answer, in the order in which they were made.
fn open<'a>(row: &OrderRow, submitted: &'a SubmittedOrder) -> Vec<&'a ChangeRequestIn> {
    let known = |id: Uuid| {
        let stored = row.change_requests.as_array().into_iter().flatten();
        stored.clone().any(|stored| stored["id"] == id.to_string())
    };
    let mut open: Vec<&ChangeRequestIn> = submitted
        .change_requests
        .iter()
        .filter(|request| !known(request.id))
        .collect();
    open.sort_by_key(|request| (request.requested_at, request.id));
    open.dedup_by_key(|request| request.id);
    open
}

/// Answers whatever is asked, in one change of the order.
///
/// # Errors
/// When the database refuses; a refusal is an answer.
pub(super) fn answer(tx: &mut Tx<'_>, row: &OrderRow, submitted: &SubmittedOrder) -> Result<SalesOrder> {
    let terms = lock_terms_for_credit(tx, row.customer_id)?;
    change(tx, row.id, |tx, row, lines| {
        row.source_version = Some(submitted.source_version);
        let before = Before::of(row, lines);
        let mut answers: Vec<ChangeRequest> = serde_json::from_value(row.change_requests.clone())?;
        let (mut removed, mut granted) = (Vec::new(), false);
        for request in open(row, submitted) {
            let (mut new_row, mut new_lines) = (row.clone(), lines.clone());
            let outcome = grant(tx, request, (&mut new_row, &mut new_lines), &before, terms.as_ref());
            let refusal = match outcome {
                Ok(()) => {
                    (*row, *lines) = (new_row, new_lines);
                    removed.extend(removed_by(request));
                    granted = true;
                    None
                }
                Err(Error::Problem(problem)) if problem.status < 500 => Some(problem.detail),
                Err(error) => return Err(error),
            };
            answers.push(answered(tx, request, refusal));
        }
        if let Some(request) = &submitted.cancellation_request
            && !is_answered(row, request)
        {
            answer_cancellation(tx, row, lines, request)?;
        }
        row.change_requests = serde_json::to_value(answers)?;
        queries::delete_lines(tx, &removed)?;
        if granted && row.state()?.lifecycle == Lifecycle::Confirmed {
            amend::reserve_again(tx, &before, row, lines)?;
        }
        Ok(())
    })
}

/// Grants a cancellation while nothing has shipped, refuses it otherwise, and says so.
fn answer_cancellation(
    tx: &mut Tx<'_>,
    row: &mut OrderRow,
    lines: &mut [LineRow],
    request: &CancellationRequest,
) -> Result<()> {
    let state = row.state()?;
    let open = state.check(Action::Cancel).is_ok();
    let status = state.status().name().replace('_', " ");
    let (answer, reason) = match open {
        true => ("granted", request.reason.clone()),
        false => ("refused", Some(format!("the order is {status} in the ERP"))),
    };
    if open {
        actions::cancel_rows(row, lines, request.reason.clone());
    }
    let cancellation = Cancellation {
        state: answer.to_owned(),
        reason,
        requested_at: request.requested_at,
        answered_at: tx.now(),
    };
    row.cancellation = Some(serde_json::to_value(cancellation)?);
    Ok(())
}

fn answered(tx: &Tx<'_>, request: &ChangeRequestIn, refusal: Option<String>) -> ChangeRequest {
    ChangeRequest {
        id: request.id,
        requested_at: request.requested_at,
        kind: request.kind,
        line_id: request.line_id,
        quantity: request.quantity,
        requested_date: request.requested_date,
        shipping_address: request.shipping_address.clone(),
        reason: request.reason.clone(),
        state: match refusal {
            None => Answered::Granted,
            Some(_) => Answered::Refused,
        },
        answer: refusal,
        answered_at: tx.now(),
    }
}

fn removed_by(request: &ChangeRequestIn) -> Option<Uuid> {
    request.line_id.filter(|_| request.kind == ChangeKind::Cancel)
}

/// Makes one change, or refuses it in words.
fn grant(
    tx: &mut Tx<'_>,
    request: &ChangeRequestIn,
    (row, lines): (&mut OrderRow, &mut Vec<LineRow>),
    before: &Before,
    terms: Option<&Terms>,
) -> Result<()> {
    let state = row.state()?;
    let incomplete = |what: &str| Problem::rule("incomplete", format!("the request names no {what}"));
    if request.kind == ChangeKind::Cancel && request.line_id.is_none() {
        state.check(Action::Cancel)?;
        actions::cancel_rows(row, lines, request.reason.clone());
        return Ok(());
    }
    state.check(Action::Amend)?;
    if let Some(line) = request.line_id
        && !lines.iter().any(|known| known.id == line)
    {
        return Err(Problem::rule("unknown_line", "the order has no such line").into());
    }
    match request.kind {
        ChangeKind::Quantity => {
            let quantity = request.quantity.filter(|quantity| *quantity > Quantity::ZERO);
            let change = LineAmendment {
                line_id: request.line_id.ok_or_else(|| incomplete("line"))?,
                quantity: Some(quantity.ok_or_else(|| incomplete("quantity"))?),
                unit_price: None,
                discount: None,
            };
            amend::change_lines(row, lines, &[change], &[])?;
        }
        ChangeKind::Cancel => {
            if lines.len() == 1 {
                return Err(Problem::rule("last_line", "it is the only line: cancel the order instead").into());
            }
            amend::change_lines(row, lines, &[], &request.line_id.into_iter().collect::<Vec<_>>())?;
        }
        ChangeKind::Date => {
            if request.requested_date.is_some_and(|date| date < row.order_date) {
                return Err(Problem::rule("out_of_range", "the date is before the order date").into());
            }
            row.requested_date = request.requested_date;
        }
        ChangeKind::Address => {
            let address = request.shipping_address.as_ref().ok_or_else(|| incomplete("address"))?;
            row.shipping_address = Some(serde_json::to_value(address)?);
        }
    }
    match request.kind {
        ChangeKind::Quantity | ChangeKind::Cancel => amend::settle(tx, before, row, lines, terms),
        ChangeKind::Date | ChangeKind::Address => Ok(()),
    }
}
