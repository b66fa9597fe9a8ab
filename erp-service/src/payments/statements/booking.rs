//! Booking lines and taking it back.

use super::lines::{BankLineStatus, BankStatementLine};
use super::suggest::{self, Suggestion};
use crate::ledger::CashFlowCategory;
use crate::payments::documents::{self, AllocationIn, Direction, PaymentIn, PostingIn, ReversalIn};
use crate::payments::parties::PartyType;
use crate::schema::{bank_statement_lines as table, payments};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use service_kit::{Amount, OrNotFound, Problem, Result, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a line is. Empty: as the best suggestion.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookLineIn {
    /// A payment that is there.
    pub payment_id: Option<Uuid>,
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    /// What it clears; the rest stays on account.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub allocations: Vec<AllocationIn>,
    /// Without a party: the accounts that it is for.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub postings: Vec<PostingIn>,
    pub cash_flow_category: Option<CashFlowCategory>,
    /// What the bank kept of it (in) or took on top (out), within the line's amount.
    pub bank_charges: Option<Amount>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoLineIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Posting date of the reversal; default today.
    pub date: Option<NaiveDate>,
}

impl BookLineIn {
    fn is_empty(&self) -> bool {
        self.payment_id.is_none()
            && self.party_id.is_none()
            && self.party_type.is_none()
            && self.postings.is_empty()
            && self.allocations.is_empty()
    }
}

/// A suggestion is taken without looking when it reaches this score and the next one does not come near.
const CLEAR: u8 = 80;

/// Books a line.
///
/// # Errors
/// 404; 409 `illegal_transition`, `no_clear_suggestion`, `payment_taken`; what a payment is refused for.
pub(super) fn book(tx: &mut Tx<'_>, id: Uuid, input: &BookLineIn) -> Result<BankStatementLine> {
    let before = lock(tx, id)?;
    tx.match_if_given(&before)?;
    if before.status != BankLineStatus::Unmatched {
        return Err(Problem::illegal_transition("book", before.status.as_str(), &["undo"]).into());
    }
    let (status, payment) = if input.is_empty() {
        let best = clear(suggest::suggestions(tx, &before)?)?;
        let chosen = BookLineIn {
            payment_id: best.payment_id,
            party_type: best.party_type,
            party_id: best.party_id,
            allocations: best.allocations.iter().map(|one| one.input()).collect(),
            postings: best.postings.clone(),
            cash_flow_category: best.cash_flow_category.or(input.cash_flow_category),
            bank_charges: input.bank_charges,
        };
        explained(tx, &before, &chosen)?
    } else {
        explained(tx, &before, input)?
    };
    let after = set(tx, id, status, Some(payment))?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn clear(suggestions: Vec<Suggestion>) -> Result<Suggestion, Problem> {
    let mut suggestions = suggestions.into_iter();
    let next = |one: Option<Suggestion>| one.map_or(0, |one| one.score);
    match suggestions.next() {
        Some(best) if best.score >= CLEAR && next(suggestions.next()) < best.score => Ok(best),
        Some(best) => {
            let detail = "no suggestion stands out; say what the line is";
            Err(Problem::conflict("no_clear_suggestion", detail).fact("best_score", best.score))
        }
        None => Err(
            Problem::conflict("no_clear_suggestion", "nothing is known that the line could be").fact("best_score", 0),
        ),
    }
}

fn explained(tx: &mut Tx<'_>, line: &BankStatementLine, input: &BookLineIn) -> Result<(BankLineStatus, Uuid)> {
    if let Some(payment) = input.payment_id {
        refuse_other_payment(tx, line, payment)?;
        return Ok((BankLineStatus::Matched, payment));
    }
    let (amount, charges) = (line.amount.value().abs(), input.bank_charges.unwrap_or_default());
    let (direction, amount) = match line.amount.value().is_sign_negative() {
        // The bank shows what arrived, and what left with its charges.
        false => (Direction::In, amount + charges.value()),
        true => (Direction::Out, amount - charges.value()),
    };
    let made = documents::pay(
        tx,
        &PaymentIn {
            prepayment_id: None,
            id: None,
            direction,
            party_type: input.party_type,
            party_id: input.party_id,
            bank_account_id: Some(line.bank_account_id),
            currency: None,
            amount: Amount::new(amount).map_err(|error| Problem::rule("out_of_range", error.to_string()))?,
            bank_charges: input.bank_charges,
            date: Some(line.date),
            reference: line.reference.as_deref().map(|text| text.chars().take(500).collect()),
            method: None,
            cash_flow_category: input.cash_flow_category,
            allocations: input.allocations.clone(),
            postings: input.postings.clone(),
            external_ref: None,
        },
    )?;
    Ok((BankLineStatus::Booked, made.id))
}

/// The payment must be what the bank shows: same account, same direction, same money.
fn refuse_other_payment(tx: &mut Tx<'_>, line: &BankStatementLine, id: Uuid) -> Result<()> {
    let (account, direction, amount, charges, status): (Uuid, Direction, Decimal, Decimal, String) = payments::table
        .find(id)
        .for_no_key_update()
        .select((
            payments::bank_account_id,
            payments::direction,
            payments::amount,
            payments::bank_charges,
            diesel::dsl::sql::<diesel::sql_types::Text>("status"),
        ))
        .first(&mut **tx)
        .or_not_found("payment")?;
    let moved = match direction {
        Direction::In => amount - charges,
        Direction::Out => -(amount + charges),
    };
    if account != line.bank_account_id || moved != line.amount.value() || status != "posted" {
        let detail = "the payment is of another bank account or amount, or it is reversed";
        return Err(Problem::rule("other_payment", detail).into());
    }
    let taken = table::table.filter(table::payment_id.eq(id));
    if diesel::select(diesel::dsl::exists(taken)).get_result::<bool>(&mut **tx)? {
        return Err(Problem::conflict("payment_taken", "another line is matched with the payment").into());
    }
    Ok(())
}

/// Makes a line unmatched again.
///
/// # Errors
/// 404; 409 `illegal_transition`; what a reversal is refused for.
pub(super) fn undo(tx: &mut Tx<'_>, id: Uuid, input: &UndoLineIn) -> Result<BankStatementLine> {
    let before = lock(tx, id)?;
    tx.match_if_given(&before)?;
    let Some(payment) = before.payment_id else {
        return Err(Problem::illegal_transition("undo", before.status.as_str(), &["book"]).into());
    };
    let standing = documents::find(tx, payment)?;
    if before.status == BankLineStatus::Booked && standing.reversed_on.is_none() {
        let reversal = ReversalIn {
            reason: input.reason.clone(),
            date: input.date,
        };
        documents::take_back(tx, payment, &reversal, false)?;
    }
    let after = set(tx, id, BankLineStatus::Unmatched, None)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<BankStatementLine> {
    let line: BankStatementLine = table::table
        .find(id)
        .for_no_key_update()
        .select(BankStatementLine::as_select())
        .first(&mut **tx)
        .or_not_found("bank statement line")?;
    Ok(line.shown())
}

fn set(tx: &mut Tx<'_>, id: Uuid, status: BankLineStatus, payment: Option<Uuid>) -> Result<BankStatementLine> {
    let line: BankStatementLine = diesel::update(table::table.find(id))
        .set((
            table::status.eq(status),
            table::payment_id.eq(payment),
            table::revision.eq(table::revision + 1),
            table::updated_at.eq(tx.now()),
        ))
        .returning(BankStatementLine::as_returning())
        .get_result(&mut **tx)?;
    Ok(line.shown())
}
