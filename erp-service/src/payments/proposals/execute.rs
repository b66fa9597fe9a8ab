//! Paying what was approved, in one transaction.

use super::draft::{open, rates};
use super::model::{
    LeftOut, PaymentPlanRow, PaymentProposal, PaymentProposalStatus, ProposalLineRow, ProposalLineStatus, ProposalRow,
    ProposedPaymentStatus,
};
use super::plan::{self, Paid, Part};
use super::queries::{self, Stored};
use crate::ledger::{self, open_items};
use crate::payments::clearings::{self, ClearingIn};
use crate::payments::documents::{self, AllocationIn, Direction, PaymentIn};
use crate::payments::parties::PartyType;
use crate::payments::{bank_accounts, parties};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Faults, Problem, Result, Tx};
use uuid::Uuid;

/// A planned payment as it can be made now.
pub(super) struct Current {
    pub payment: PaymentPlanRow,
    pub lines: Vec<ProposalLineRow>,
    /// What becomes of the lines that are left, in their order.
    pub paid: Vec<Paid>,
}

impl Current {
    /// The lines that it pays, with what becomes of them.
    pub fn parts(&self) -> impl Iterator<Item = (&ProposalLineRow, &Paid)> {
        let proposed = self
            .lines
            .iter()
            .filter(|line| line.status == ProposalLineStatus::Proposed);
        proposed.zip(&self.paid)
    }
}

/// What is left of the planned payments on a day: items that were paid or disputed meanwhile, or lost their discount, are
/// dropped, and whole payments that would come to more than was approved.
pub(super) fn current(stored: &Stored, on: NaiveDate) -> Vec<Current> {
    let planned: Vec<PaymentPlanRow> = stored.planned().cloned().collect();
    planned.into_iter().map(|payment| one(stored, payment, on)).collect()
}

fn one(stored: &Stored, mut payment: PaymentPlanRow, on: NaiveDate) -> Current {
    let approved = payment.amount;
    let own: Vec<_> = stored.lines_of(payment.id).cloned().collect();
    let mut lines: Vec<ProposalLineRow> = own.iter().map(|(line, _)| line.clone()).collect();
    let mut used = None;
    for (line, (_, item)) in lines.iter_mut().zip(&own) {
        if line.status != ProposalLineStatus::Proposed {
            continue;
        }
        let needed = line.amount.abs() + line.discount;
        let why = if item.open_amount.abs() < needed {
            Some((
                LeftOut::PaidMeanwhile,
                format!("only {} is open", item.open_amount.abs().normalize()),
            ))
        } else if item.disputed {
            Some((LeftOut::Disputed, "it is disputed".to_owned()))
        } else if !line.discount.is_zero() && item.discount_until.is_none_or(|until| on > until) {
            Some((LeftOut::DiscountLost, format!("its discount is not given on {on}")))
        } else {
            None
        };
        let Some((word, why)) = why else { continue };
        if line.open_amount.is_sign_negative() {
            used = Some(line.open_item_id);
        }
        drop_line(line, word, &why);
    }
    let rates = rates(stored, &lines, on);
    let parts: Vec<Part> = lines
        .iter()
        .zip(&rates)
        .filter(|(line, _)| line.status == ProposalLineStatus::Proposed)
        .map(|(line, rate)| Part {
            open: line.open_amount,
            discount: *rate,
            wanted: line.wanted,
        })
        .collect();
    let paid = plan::plan(payment.currency, &parts);
    payment.amount = plan::total(&paid);
    let why = if used.is_some() {
        Some((LeftOut::CreditUsed, "a credit that pays for others is used"))
    } else if parts.is_empty() {
        Some((LeftOut::PaidMeanwhile, "nothing is left of it"))
    } else if payment.amount.is_zero() || payment.amount > approved {
        Some((LeftOut::CreditsExceed, "it would not come to what was approved"))
    } else {
        None
    };
    let Some((word, why)) = why else {
        return Current { payment, lines, paid };
    };
    (payment.status, payment.reason, payment.amount) = (ProposedPaymentStatus::Dropped, Some(word), Decimal::ZERO);
    for line in &mut lines {
        if line.status == ProposalLineStatus::Proposed {
            drop_line(line, word, why);
        }
    }
    Current {
        payment,
        lines,
        paid: Vec::new(),
    }
}

fn drop_line(line: &mut ProposalLineRow, word: LeftOut, why: &str) {
    line.status = ProposalLineStatus::Dropped;
    line.left_out = Some(word);
    line.explanation = format!("{}, but {why}", line.explanation);
    (line.amount, line.discount, line.holds) = (Decimal::ZERO, Decimal::ZERO, false);
}

/// Pays what was approved.
///
/// # Errors
/// 409 `illegal_transition`, `bank_details_changed`, `period_closed`; 422 `future_date`, `rate_missing`.
pub(super) fn execute(tx: &mut Tx<'_>, id: Uuid, date: Option<NaiveDate>) -> Result<PaymentProposal> {
    // First the proposal, then whom it pays and what, so that nobody waits in a circle for a number.
    let known = queries::lock(tx, id)?;
    let mut suppliers: Vec<Uuid> = known.planned().map(|payment| payment.supplier_id).collect();
    suppliers.sort_unstable();
    suppliers.dedup();
    let mut faults = Faults::default();
    for supplier in suppliers {
        parties::lock(tx, PartyType::Supplier, supplier, "", &mut faults)?;
    }
    faults.check()?;
    let held: Vec<Uuid> = known
        .lines
        .iter()
        .filter(|(line, _)| line.holds)
        .map(|(line, _)| line.open_item_id)
        .collect();
    open_items::lock(tx, &held)?;
    let (stored, before) = open(tx, id, "execute")?;
    let on = ledger::posting_day(tx, Some(date.unwrap_or(stored.row.pay_date)))?;

    queries::let_go(tx, id)?;
    let mut paid_any = false;
    for mut planned in current(&stored, on.date) {
        if planned.payment.status == ProposedPaymentStatus::Planned {
            pay(tx, &stored.row, &planned, on.date)?;
            paid_any = true;
            planned.payment.status = ProposedPaymentStatus::Paid;
            planned.payment.payment_id = Some(planned.payment.id);
        }
        let mut results = planned.paid.iter();
        for line in &mut planned.lines {
            if line.status == ProposalLineStatus::Proposed {
                let paid = results.next().cloned().unwrap_or_default();
                line.status = ProposalLineStatus::Paid;
                (line.amount, line.discount, line.holds) = (paid.amount, paid.discount, false);
            }
            queries::save_line(tx, line)?;
        }
        queries::save_payment(tx, &planned.payment)?;
    }
    if !paid_any {
        let detail = "nothing of it is left to pay: cancel it";
        return Err(Problem::conflict("nothing_to_pay", detail).into());
    }
    let mut row = stored.row;
    row.status = PaymentProposalStatus::Executed;
    row.executed_by = Some(tx.actor().id);
    row.executed_on = Some(on.date);
    queries::save(tx, &before, &row)
}

/// Clears credits against bills and makes the payment of the rest.
fn pay(tx: &mut Tx<'_>, proposal: &ProposalRow, planned: &Current, on: NaiveDate) -> Result<()> {
    let parts: Vec<(&ProposalLineRow, &Paid)> = planned.parts().collect();
    for (credit, (line, _)) in parts.iter().enumerate() {
        let pays = parts.iter().flat_map(|(bill, paid)| {
            let of_credit = paid.credits.iter().filter(move |(place, _)| *place == credit);
            of_credit.map(move |(_, amount)| (bill.open_item_id, *amount))
        });
        let allocations = pays
            .map(|(item, amount)| allocation(item, amount, Decimal::ZERO))
            .collect::<Result<Vec<_>>>()?;
        if allocations.is_empty() {
            continue;
        }
        let clearing = ClearingIn {
            id: None,
            open_item_id: line.open_item_id,
            allocations,
            date: Some(on),
            reason: Some(format!("Payment proposal {}", proposal.number)),
        };
        clearings::clear(tx, &clearing)?;
    }
    let bank = bank_accounts::find(tx, proposal.bank_account_id)?;
    let currency = planned.payment.currency;
    let (mut amount, mut allocations) = (Decimal::ZERO, Vec::new());
    for (line, paid) in parts.iter().filter(|(_, paid)| !paid.money.is_zero()) {
        amount += queries::in_currency(tx, paid.money, (currency, bank.currency), on)?;
        allocations.push(allocation(line.open_item_id, paid.money, paid.discount)?);
    }
    let payment = PaymentIn {
        id: Some(planned.payment.id),
        direction: Direction::Out,
        party_type: Some(PartyType::Supplier),
        party_id: Some(planned.payment.supplier_id),
        bank_account_id: Some(bank.id),
        currency: None,
        amount: money(bank.currency, amount)?,
        bank_charges: None,
        date: Some(on),
        reference: Some(remittance(&parts, 140)),
        method: None,
        cash_flow_category: None,
        allocations,
        prepayment_id: None,
        postings: Vec::new(),
        external_ref: None,
    };
    documents::pay(tx, &payment)?;
    Ok(())
}

fn allocation(item: Uuid, amount: Decimal, discount: Decimal) -> Result<AllocationIn> {
    let amount_of = |value: Decimal| Amount::new(value).map_err(|_| too_large());
    Ok(AllocationIn {
        open_item_id: Some(item),
        amount: Some(amount_of(amount)?),
        discount: Some(amount_of(discount)?),
        ..AllocationIn::default()
    })
}

fn money(currency: Currency, amount: Decimal) -> Result<Amount, Problem> {
    Amount::money(currency, amount).ok_or_else(too_large)
}

fn too_large() -> Problem {
    Problem::rule("out_of_range", "an amount is too large")
}

/// The supplier's numbers of what is paid, as many as there is room for; how many more there are.
pub(super) fn remittance(parts: &[(&ProposalLineRow, &Paid)], room: usize) -> String {
    let mut numbers: Vec<&str> = Vec::new();
    for (line, _) in parts {
        let number = line.document_number.as_deref().unwrap_or("without number");
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let all = numbers.len();
    loop {
        let text = match all - numbers.len() {
            0 => numbers.join(", "),
            more => format!("{} and {more} more", numbers.join(", ")),
        };
        if text.chars().count() <= room || numbers.len() <= 1 {
            return text.chars().take(room).collect();
        }
        numbers.pop();
    }
}
