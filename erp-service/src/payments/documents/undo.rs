//! Undoing: one allocation, or the whole payment.

use super::actions::{account, bank_lines, described, own_item, signed};
use super::model::{Payment, PaymentStatus};
use super::queries::{self, StoredSettlement};
use crate::ledger::open_items::{self, OpenItem};
use crate::ledger::{self, Account, Entry, Journal, Role, Source, Sum};
use crate::payments::settlement::debit_sign;
use crate::payments::{bank_accounts, parties};
use crate::receivables;
use crate::schema::settlements;
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use service_kit::{Error, Faults, Problem, Result, Tx};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Takes a document back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentReversalIn)]
pub struct ReversalIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Not before the original; default today. In a closed period: the first open day after it.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnallocationIn {
    #[schema(min_items = 1, max_items = 500)]
    pub allocation_ids: Vec<Uuid>,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
}

/// Adds the mirror of a settlement: the item is open again, and what went with it is taken back.
pub(in crate::payments) fn mirror(
    entry: &mut Entry,
    settlement: &StoredSettlement,
    item: &OpenItem,
    account: &Account,
) -> Result<()> {
    let sign = debit_sign(item.side);
    let cleared = Sum {
        base: settlement.base_amount * sign,
        amount: settlement.amount * sign,
        currency: item.currency,
    };
    entry.debit(account, cleared).item(item.id);
    for part in settlement.parts()? {
        part.post(entry, Decimal::NEGATIVE_ONE);
    }
    Ok(())
}

/// Marks a settlement as undone, with the rows that take its allocations back.
pub(in crate::payments) fn note_undone(
    tx: &mut Tx<'_>,
    settlement: &StoredSettlement,
    on: NaiveDate,
    entry_id: Uuid,
) -> Result<()> {
    ledger::undo_allocation(tx, settlement.allocation_id, on, entry_id)?;
    if let Some(source) = settlement.source_allocation_id {
        ledger::undo_allocation(tx, source, on, entry_id)?;
    }
    diesel::update(settlements::table.find(settlement.allocation_id))
        .set((settlements::undone_on.eq(on), settlements::undone_entry_id.eq(entry_id)))
        .execute(&mut **tx)?;
    Ok(())
}

/// Undoes allocations: the items are open again, discounts are taken back, and the money stands on account.
///
/// # Errors
/// 404; 409 `already_undone`; 422 with every fault.
pub fn unallocate(tx: &mut Tx<'_>, id: Uuid, input: &UnallocationIn) -> Result<Payment> {
    let mut faults = Faults::default();
    let party = queries::party_of(tx, id)?;
    if let Some((kind, party_id)) = party {
        parties::lock(tx, kind, party_id, "", &mut faults)?;
    }
    let row = queries::lock(tx, id)?;
    let before = queries::one(tx, row.clone())?;
    tx.match_if_given(&before)?;
    if row.status == PaymentStatus::Reversed {
        return Err(Problem::illegal_transition("unallocate", "reversed", &[]).into());
    }
    let active = queries::active_settlements(tx, id)?;
    let mut chosen = Vec::new();
    for (index, wanted) in input.allocation_ids.iter().enumerate() {
        match active.iter().find(|settlement| settlement.allocation_id == *wanted) {
            Some(settlement) if !input.allocation_ids[..index].contains(wanted) => chosen.push(settlement),
            Some(_) => faults.add(format!("/allocation_ids/{index}"), "duplicate", "stands there twice"),
            None => {
                let detail = "the payment has no such allocation, or it is undone already";
                faults.add(format!("/allocation_ids/{index}"), "unknown_allocation", detail);
            }
        }
    }
    faults.check()?;
    let latest = chosen
        .iter()
        .map(|settlement| settlement.allocated_on)
        .max()
        .unwrap_or(row.posted_on);
    let on = ledger::reversal_day(tx, input.date, latest, Journal::Bank)?;
    let (kind, _) = party.ok_or_else(|| Error::Bug("an allocation without a party".into()))?;
    let own = match before.open_item_id {
        Some(own) => own,
        None => {
            let control = ledger::rules(tx)?.of(match kind {
                parties::PartyType::Customer => Role::Receivable,
                parties::PartyType::Supplier => Role::Payable,
            })?;
            own_item(tx, &row, kind, control.id)?
        }
    };
    let mut ids: Vec<Uuid> = chosen.iter().map(|settlement| settlement.item_id).collect();
    ids.push(own);
    let items = lock(tx, &ids)?;
    let accounts = queries::accounts_of(tx, &items.values().collect::<Vec<_>>())?;
    let source = Source::new("payment", row.id, row.number.clone());
    let mut entry = Entry::new(
        Journal::Bank,
        &on,
        source,
        format!("Allocation undone: {}", described(&row)),
    );
    for settlement in &chosen {
        let item = &items[&settlement.item_id];
        mirror(&mut entry, settlement, item, account(&accounts, item)?)?;
        let back = signed(settlement.paid_base, settlement.paid_amount, &row);
        entry.credit(account(&accounts, &items[&own])?, back).item(own);
    }
    let entry_id = entry.id;
    let row = queries::touch(tx, id)?;
    ledger::post(tx, entry)?;
    for settlement in chosen {
        note_undone(tx, settlement, on.date, entry_id)?;
    }
    let payment = queries::one(tx, row)?;
    tx.changed(Some(&before), &payment)?;
    receivables::note_settlement(tx, &ids)?;
    Ok(payment)
}

/// Reverses a payment that bounced or was a mistake: all that it cleared is open again.
///
/// # Errors
/// 404; 409 `illegal_transition`; 422 `date_before_original`, `future_date`.
pub fn reverse(tx: &mut Tx<'_>, id: Uuid, input: &ReversalIn) -> Result<Payment> {
    take_back(tx, id, input, true)
}

/// As [`reverse`]; `If-Match` may be that of another record.
pub(in crate::payments) fn take_back(tx: &mut Tx<'_>, id: Uuid, input: &ReversalIn, matching: bool) -> Result<Payment> {
    let party = queries::party_of(tx, id)?;
    if let Some((kind, party_id)) = party {
        parties::lock(tx, kind, party_id, "", &mut Faults::default())?;
    }
    let row = queries::lock(tx, id)?;
    let before = queries::one(tx, row.clone())?;
    if matching {
        tx.match_if_given(&before)?;
    }
    if row.status == PaymentStatus::Reversed {
        return Err(Problem::illegal_transition("reverse", "reversed", &[]).into());
    }
    if party.is_none() {
        let (posted, on) = ledger::reverse(tx, row.entry_id, input.date, &input.reason)?;
        let row = queries::mark_reversed(tx, id, (on.date, &input.reason, posted.id))?;
        return finish(tx, &before, row, &[]);
    }
    let active = queries::active_settlements(tx, id)?;
    let latest = active.iter().map(|settlement| settlement.allocated_on).max();
    let on = ledger::reversal_day(
        tx,
        input.date,
        latest.map_or(row.posted_on, |latest| latest.max(row.posted_on)),
        Journal::Bank,
    )?;
    receivables::prepayments::lock_received(tx, id)?;
    let mut ids: Vec<Uuid> = active.iter().map(|settlement| settlement.item_id).collect();
    ids.extend(before.open_item_id);
    let items = lock(tx, &ids)?;
    let accounts = queries::accounts_of(tx, &items.values().collect::<Vec<_>>())?;
    let rules = ledger::rules(tx)?;
    let bank = bank_accounts::find(tx, row.bank_account_id)?;
    let known = ledger::known_accounts(tx, &[bank.account_id])?;
    let bank = known
        .get(&bank.account_id)
        .ok_or_else(|| Error::Bug("a bank account without an account".into()))?;

    let source = Source::new("payment", row.id, row.number.clone());
    let description: String = format!("Reversal: {} ({})", input.reason, described(&row))
        .chars()
        .take(500)
        .collect();
    let mut entry = Entry::new(Journal::Bank, &on, source, description);
    bank_lines(&mut entry, &row, &bank.named(), &rules)?;
    for line in &mut entry.lines {
        line.sum = line.sum.negated();
    }
    for settlement in &active {
        let item = &items[&settlement.item_id];
        mirror(&mut entry, settlement, item, account(&accounts, item)?)?;
    }
    if let Some(own) = before.open_item_id.and_then(|own| items.get(&own)) {
        let sign = debit_sign(own.side);
        let rest = Sum {
            base: own.open_base_amount * sign,
            amount: own.open_amount * sign,
            currency: own.currency,
        };
        entry.credit(account(&accounts, own)?, rest).item(own.id);
    }
    ids.extend(receivables::prepayments::take_back(tx, &mut entry, &rules, id)?);
    let entry_id = entry.id;
    let after = queries::mark_reversed(tx, id, (on.date, &input.reason, entry_id))?;
    ledger::post_reversal(tx, entry, row.entry_id)?;
    for settlement in &active {
        note_undone(tx, settlement, on.date, entry_id)?;
    }
    finish(tx, &before, after, &ids)
}

fn finish(tx: &mut Tx<'_>, before: &Payment, row: super::model::PaymentRow, touched: &[Uuid]) -> Result<Payment> {
    let payment = queries::one(tx, row)?;
    tx.changed(Some(before), &payment)?;
    receivables::note_settlement(tx, touched)?;
    Ok(payment)
}

fn lock(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, OpenItem>> {
    receivables::lock_settled(tx, ids)?;
    let items = open_items::lock(tx, ids)?;
    Ok(items.into_iter().map(|item| (item.id, item)).collect())
}
