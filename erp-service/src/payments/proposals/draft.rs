//! Changing a draft, and ending a proposal.

use super::model::{
    LeftOut, PaymentProposal, PaymentProposalPatch, PaymentProposalStatus, ProposalLineRow, ProposalLineStatus,
    ProposedPaymentStatus,
};
use super::prepare;
use super::queries::{self, Stored};
use crate::payments::amounts::check_positive;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Faults, Problem, Result, Tx};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Locks a proposal and checks `If-Match` and whether the action is open.
pub(super) fn open(tx: &mut Tx<'_>, id: Uuid, action: &str) -> Result<(Stored, PaymentProposal)> {
    let stored = queries::lock(tx, id)?;
    let before = queries::view(tx, stored.clone())?;
    match action {
        "edit" => tx.require_match(&before)?,
        _ => tx.match_if_given(&before)?,
    }
    refuse(&before, action)?;
    Ok((stored, before))
}

/// # Errors
/// 409 `illegal_transition`; 409 `bank_details_changed` where only that is in the way.
fn refuse(proposal: &PaymentProposal, action: &str) -> Result<(), Problem> {
    if proposal.allowed_actions.contains(&action) {
        return Ok(());
    }
    let changed = &proposal.changed_bank_details;
    if action == "execute" && !changed.is_empty() {
        let detail = "bank details changed after the approval: it has to be approved again";
        let names = changed.iter().map(Uuid::to_string).collect::<Vec<_>>();
        return Err(Problem::conflict("bank_details_changed", detail).fact("supplier_ids", names));
    }
    let status = proposal.head.status.as_str();
    Err(Problem::illegal_transition(action, status, &proposal.allowed_actions))
}

/// The discount rates that lines still give when paid on a day.
pub(super) fn rates(stored: &Stored, lines: &[ProposalLineRow], on: NaiveDate) -> Vec<Option<Decimal>> {
    let rate = |line: &ProposalLineRow| {
        let (_, item) = stored.lines.iter().find(|(known, _)| known.id == line.id)?;
        let in_time = item.discount_until.is_some_and(|until| on <= until);
        item.discount
            .filter(|rate| stored.row.take_discount && in_time && !rate.is_zero())
    };
    lines.iter().map(rate).collect()
}

/// Takes lines out, puts them back, pays them in part.
pub(super) fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &PaymentProposalPatch) -> Result<PaymentProposal> {
    let (stored, before) = open(tx, id, "edit")?;
    let mut faults = Faults::default();
    let mut lines: Vec<ProposalLineRow> = stored.lines.iter().map(|(line, _)| line.clone()).collect();
    let mut touched = BTreeSet::new();
    for (index, change) in patch.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}{field}");
        let place = stored.lines.iter().position(|(line, _)| line.id == change.id);
        let Some((place, (_, item))) = place.map(|place| (place, &stored.lines[place])) else {
            faults.add(at("/id"), "unknown_line", "the proposal has no such line");
            continue;
        };
        let line = &mut lines[place];
        if line.status == ProposalLineStatus::LeftOut {
            faults.add(at("/id"), "left_out", line.explanation.clone());
            continue;
        }
        touched.insert(line.proposed_payment_id);
        match change.included {
            Some(false) => {
                (line.status, line.left_out) = (ProposalLineStatus::Removed, Some(LeftOut::Removed));
            }
            Some(true) if queries::was_removed(line) => {
                (line.status, line.left_out) = (ProposalLineStatus::Proposed, None);
            }
            _ => {}
        }
        let Some(amount) = change.amount else { continue };
        if let Some(amount) = amount {
            check_positive(&mut faults, &at("/amount"), amount, item.currency);
            if amount.value() > line.open_amount.abs() {
                let detail = format!("{} is open of it", line.open_amount.abs().normalize());
                faults.add(at("/amount"), "exceeds_open", detail);
            }
        }
        line.wanted = amount.map(|amount| amount.value());
    }
    faults.check()?;
    for payment in stored.payments.iter().filter(|payment| touched.contains(&payment.id)) {
        let mut payment = payment.clone();
        let mut own: Vec<ProposalLineRow> = Vec::new();
        own.extend(
            lines
                .iter()
                .filter(|line| line.proposed_payment_id == payment.id)
                .cloned(),
        );
        let rates = rates(&stored, &own, stored.row.pay_date);
        payment.amount = prepare::amounts(payment.currency, &mut own, &rates);
        let bills = |line: &&ProposalLineRow| line.holds && !line.open_amount.is_sign_negative();
        (payment.status, payment.reason) = match (payment.amount.is_zero(), own.iter().find(bills)) {
            (false, _) => (ProposedPaymentStatus::Planned, None),
            (true, Some(_)) => {
                let detail = "the supplier's credits are worth as much or more: take some of them out too";
                return Err(Problem::rule("credits_exceed", detail)
                    .fact("supplier_id", payment.supplier_id.to_string())
                    .into());
            }
            (true, None) => (ProposedPaymentStatus::LeftOut, Some(LeftOut::Removed)),
        };
        if payment.status == ProposedPaymentStatus::LeftOut {
            // Credits alone are not kept from others.
            own.iter_mut().for_each(|line| {
                if line.holds {
                    (line.status, line.left_out) = (ProposalLineStatus::Removed, Some(LeftOut::Removed));
                    (line.amount, line.holds) = (Decimal::ZERO, false);
                }
            });
        }
        queries::save_payment(tx, &payment)?;
        for line in &own {
            queries::save_line(tx, line)?;
        }
    }
    let mut row = stored.row;
    row.changed_by = tx.actor().id;
    queries::save(tx, &before, &row)
}

/// Ends a proposal that nothing is paid of.
pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<PaymentProposal> {
    let (stored, before) = open(tx, id, "cancel")?;
    let mut row = stored.row;
    row.status = PaymentProposalStatus::Cancelled;
    row.reason = Some(reason.to_owned());
    queries::let_go(tx, id)?;
    queries::save(tx, &before, &row)
}
