//! Making a proposal: what it pays, and why.

use super::candidates::{self, Candidate, MOST_ITEMS};
use super::model::{
    LeftOut, PaymentPlanRow, PaymentProposal, PaymentProposalIn, PaymentProposalStatus, ProposalLineRow,
    ProposalLineStatus, ProposalRow, ProposedPaymentStatus,
};
use super::plan::{self, Part};
use super::queries;
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, open_items};
use crate::payments::amounts::check_digits;
use crate::payments::bank_accounts::{self, BankAccountStatus};
use crate::purchasing::suppliers;
use diesel::OptionalExtension;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Result, Tx};
use uuid::Uuid;

/// Proposes what to pay.
///
/// # Errors
/// 422 with every fault; 422 `too_many_items`; 422 `rate_missing`.
pub(super) fn create(tx: &mut Tx<'_>, input: &PaymentProposalIn) -> Result<PaymentProposal> {
    let mut faults = Faults::default();
    let bank = bank_accounts::find(tx, input.bank_account_id).optional()?;
    match &bank {
        None => faults.add(
            "/bank_account_id",
            "unknown_bank_account",
            "there is no such bank account",
        ),
        Some(bank) if bank.status == BankAccountStatus::Retired => {
            faults.add("/bank_account_id", "retired", "the bank account is retired");
        }
        Some(_) => {}
    }
    let known = suppliers::exist(tx, &input.supplier_ids)?;
    for (index, supplier) in input.supplier_ids.iter().enumerate() {
        if !known.contains(supplier) {
            faults.add(
                format!("/supplier_ids/{index}"),
                "unknown_supplier",
                "there is no such supplier",
            );
        }
    }
    let minimum = input.minimum_amount.unwrap_or_default();
    if minimum.value().is_sign_negative() {
        faults.add("/minimum_amount", "out_of_range", "must not be negative");
    }
    if let Some(bank) = &bank {
        check_digits(&mut faults, "/minimum_amount", minimum, bank.currency);
    }
    faults.check()?;
    let bank = bank.ok_or_else(|| Error::Bug("a fault was lost".into()))?;
    let currencies = match input.currencies.is_empty() {
        true => vec![bank.currency],
        false => input.currencies.clone(),
    };
    let (actor, today) = (tx.actor().id, tx.today());
    let pay_date = input.pay_date.unwrap_or(today);
    let id = tx.mint(input.id);
    let mut row = ProposalRow {
        id,
        number: format!("dry run {id}"),
        status: PaymentProposalStatus::Draft,
        bank_account_id: bank.id,
        pay_date,
        due_to: input.due_to.unwrap_or(pay_date),
        take_discount: input.take_discount.unwrap_or(true),
        minimum_amount: input.minimum_amount.map(|amount| amount.value()),
        supplier_ids: serde_json::to_value(&input.supplier_ids)?,
        currencies: serde_json::to_value(&currencies)?,
        note: input.note.clone(),
        reason: None,
        value: None,
        created_by: actor,
        changed_by: actor,
        submitted_by: None,
        approved_by: None,
        approved_at: None,
        executed_by: None,
        executed_on: None,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    // Whoever proposes the same items waits here, and then sees who holds them.
    let first = candidates::find(tx, &row, &input.supplier_ids, &currencies)?;
    if first.len() > MOST_ITEMS {
        let detail = format!("more than {MOST_ITEMS} items: name suppliers, or pay up to an earlier day");
        let mut faults = Faults::default();
        faults.add("/supplier_ids", "too_many_items", detail);
        faults.check()?;
    }
    open_items::lock(tx, &first.iter().map(|item| item.id).collect::<Vec<_>>())?;
    let found = candidates::find(tx, &row, &input.supplier_ids, &currencies)?;
    let (payments, lines) = planned(tx, &row, &found)?;
    let on = ledger::posting_day(tx, None)?;
    if let Some(number) = numbers::draw(tx, Series::PaymentProposal, &on)? {
        row.number = number;
    }
    queries::insert(tx, &row, &payments, &lines)?;
    let made = queries::find(tx, id)?;
    tx.audit(None, &made)?;
    Ok(made)
}

type Planned = (Vec<PaymentPlanRow>, Vec<ProposalLineRow>);

fn planned(tx: &Tx<'_>, proposal: &ProposalRow, found: &[Candidate]) -> Result<Planned> {
    let (mut payments, mut lines) = (Vec::new(), Vec::<ProposalLineRow>::new());
    for group in found.chunk_by(|a, b| (a.supplier_id, &a.currency) == (b.supplier_id, &b.currency)) {
        // Credits alone are no reason to say anything.
        let Some(first) = group.first().filter(|first| !first.is_credit()) else {
            continue;
        };
        let currency: Currency = first.currency.parse().map_err(Error::Bug)?;
        let mut payment = PaymentPlanRow {
            id: Uuid::now_v7(),
            proposal_id: proposal.id,
            position: i32::try_from(payments.len() + 1).unwrap_or(i32::MAX),
            supplier_id: first.supplier_id,
            currency,
            amount: Decimal::ZERO,
            status: ProposedPaymentStatus::Planned,
            reason: None,
            iban: first.iban.clone(),
            bic: first.bic.clone(),
            account_holder: Some(first.payee.clone()),
            payment_id: None,
        };
        let from = lines.len();
        for item in group {
            let (reason, explanation) = item.reason(proposal);
            let left_out = item.left_out();
            lines.push(ProposalLineRow {
                id: Uuid::now_v7(),
                proposal_id: proposal.id,
                proposed_payment_id: payment.id,
                position: i32::try_from(lines.len() + 1).unwrap_or(i32::MAX),
                open_item_id: item.id,
                document_number: item.document_number.clone(),
                status: match left_out {
                    Some(_) => ProposalLineStatus::LeftOut,
                    None => ProposalLineStatus::Proposed,
                },
                reason,
                explanation: match &left_out {
                    Some((_, why)) => format!("{explanation}, but {why}"),
                    None => explanation,
                },
                left_out: left_out.map(|(word, _)| word),
                open_amount: item.open_amount,
                wanted: None,
                amount: Decimal::ZERO,
                discount: Decimal::ZERO,
                holds: false,
                created_at: tx.now(),
            });
        }
        let own = &mut lines[from..];
        let rates: Vec<Option<Decimal>> = group.iter().map(|item| item.discount_on(proposal)).collect();
        payment.amount = amounts(currency, own, &rates);
        let why = match (payment.amount.is_zero(), proposal.minimum_amount) {
            (true, _) if own.iter().all(|line| line.status == ProposalLineStatus::LeftOut) => {
                // All of its items say why.
                payment.status = ProposedPaymentStatus::LeftOut;
                payment.reason = own.iter().find_map(|line| line.left_out);
                None
            }
            (true, _) => Some((
                LeftOut::CreditsExceed,
                "the supplier's credits are worth as much or more".to_owned(),
            )),
            (false, Some(minimum)) if payment.amount < minimum => {
                let why = format!("the payment of {} is below the minimum", payment.amount.normalize());
                Some((LeftOut::BelowMinimum, why))
            }
            _ => None,
        };
        if let Some((word, why)) = why {
            leave_out(&mut payment, own, word, &why);
        }
        payments.push(payment);
    }
    Ok((payments, lines))
}

fn leave_out(payment: &mut PaymentPlanRow, lines: &mut [ProposalLineRow], word: LeftOut, why: &str) {
    payment.status = ProposedPaymentStatus::LeftOut;
    payment.reason = Some(word);
    payment.amount = Decimal::ZERO;
    for line in lines
        .iter_mut()
        .filter(|line| line.status == ProposalLineStatus::Proposed)
    {
        line.status = ProposalLineStatus::LeftOut;
        line.left_out = Some(word);
        line.explanation = format!("{}, but {why}", line.explanation);
        (line.amount, line.discount, line.holds) = (Decimal::ZERO, Decimal::ZERO, false);
    }
}

/// Gives the proposed lines their amounts; answers what is paid with money.
pub(super) fn amounts(currency: Currency, lines: &mut [ProposalLineRow], rates: &[Option<Decimal>]) -> Decimal {
    let mut parts = Vec::new();
    let mut places = Vec::new();
    for (index, (line, rate)) in lines.iter_mut().zip(rates).enumerate() {
        line.holds = line.status == ProposalLineStatus::Proposed;
        if line.holds {
            places.push(index);
            parts.push(Part {
                open: line.open_amount,
                discount: *rate,
                wanted: line.wanted,
            });
        } else {
            (line.amount, line.discount) = (Decimal::ZERO, Decimal::ZERO);
        }
    }
    let paid = plan::plan(currency, &parts);
    for (place, paid) in places.into_iter().zip(&paid) {
        (lines[place].amount, lines[place].discount) = (paid.amount, paid.discount);
    }
    plan::total(&paid)
}
