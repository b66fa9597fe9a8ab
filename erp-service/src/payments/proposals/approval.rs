//! The second person.

use super::draft::open;
use super::model::{PaymentProposal, PaymentProposalStatus, ProposedPaymentStatus};
use super::queries::{self, Stored};
use crate::company;
use crate::purchasing::approval::{self, ApprovalSubject};
use crate::purchasing::suppliers;
use rust_decimal::Decimal;
use service_kit::{Problem, Result, Tx};
use uuid::Uuid;

/// What a proposal comes to in the base currency.
fn value(tx: &mut Tx<'_>, stored: &Stored) -> Result<Decimal> {
    let base = company::settings(tx)?.base_currency;
    let mut value = Decimal::ZERO;
    for payment in stored.planned() {
        value += queries::in_currency(tx, payment.amount, (payment.currency, base), stored.row.pay_date)?;
    }
    Ok(value)
}

/// Notes where the money of each planned payment goes now: that is what is approved.
fn note_payees(tx: &mut Tx<'_>, stored: &mut Stored) -> Result<()> {
    let ids: Vec<Uuid> = stored.planned().map(|payment| payment.supplier_id).collect();
    let payees = queries::payees(tx, &ids)?;
    for payment in &mut stored.payments {
        if payment.status != ProposedPaymentStatus::Planned {
            continue;
        }
        if let Some(payee) = payees.get(&payment.supplier_id).cloned() {
            (payment.iban, payment.bic, payment.account_holder) = payee;
        }
        if payment.iban.is_none() {
            let detail = "a supplier has no IBAN any more: take it out, or ask for its bank details";
            return Err(Problem::conflict("no_bank_details", detail)
                .fact("supplier_id", payment.supplier_id.to_string())
                .into());
        }
        queries::save_payment(tx, payment)?;
    }
    Ok(())
}

pub(super) fn submit(tx: &mut Tx<'_>, id: Uuid) -> Result<PaymentProposal> {
    let (mut stored, before) = open(tx, id, "submit")?;
    if stored.planned().next().is_none() {
        return Err(Problem::conflict("nothing_to_pay", "the proposal pays nothing").into());
    }
    note_payees(tx, &mut stored)?;
    let value = value(tx, &stored)?;
    let mut row = stored.row;
    row.status = PaymentProposalStatus::AwaitingApproval;
    row.submitted_by = Some(tx.actor().id);
    row.value = Some(value);
    row.reason = None;
    queries::save(tx, &before, &row)
}

/// Approves what somebody else made, and the bank details as they are now.
///
/// # Errors
/// 403 `maker_may_not_approve`, `above_approval_limit`; 409 `illegal_transition`.
pub(super) fn approve(tx: &mut Tx<'_>, id: Uuid) -> Result<PaymentProposal> {
    let (mut stored, before) = open(tx, id, "approve")?;
    let value = value(tx, &stored)?;
    let mut makers = vec![stored.row.created_by, stored.row.changed_by];
    makers.extend(stored.row.submitted_by);
    let ids: Vec<Uuid> = stored.planned().map(|payment| payment.supplier_id).collect();
    for supplier in suppliers::all_of(tx, &ids)? {
        // Whoever says where the money goes does not let it go.
        let since = supplier.bank_details_changed_at > Some(stored.row.created_at);
        makers.extend(supplier.bank_details_changed_by.filter(|_| since));
    }
    approval::require_for(tx, ApprovalSubject::PaymentProposals, &makers, value)?;
    note_payees(tx, &mut stored)?;
    let mut row = stored.row;
    row.status = PaymentProposalStatus::Approved;
    row.approved_by = Some(tx.actor().id);
    row.approved_at = Some(tx.now());
    row.value = Some(value);
    row.reason = None;
    queries::save(tx, &before, &row)
}

/// Gives it back: a draft again.
pub(super) fn reject(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<PaymentProposal> {
    let (stored, before) = open(tx, id, "reject")?;
    let mut row = stored.row;
    row.status = PaymentProposalStatus::Draft;
    row.reason = Some(reason.to_owned());
    (row.approved_by, row.approved_at) = (None, None);
    queries::save(tx, &before, &row)
}
