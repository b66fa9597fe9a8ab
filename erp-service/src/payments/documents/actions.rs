use super::model::{
    AllocationIn, AllocationsIn, Direction, Payment, PaymentIn, PaymentMethod, PaymentRow, PaymentStatus,
};
use super::queries;
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, NewItem, OpenItem};
use crate::ledger::{self, Account, Entry, Journal, PostingDay, Role, Rules, Source, Sum};
use crate::payments::amounts::{Pot, check_digits, check_positive};
use crate::payments::bank_accounts::{self, BankAccount, BankAccountStatus};
use crate::payments::parties::{self, PartyType};
use crate::receivables::prepayments::{self, Receipt};
use crate::{company, currencies, receivables};

use crate::payments::settlement::{self, Conditions, Settled, Wanted};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Error, Faults, Problem, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// Posts a payment with what it clears; the rest stays on account.
///
/// # Errors
/// 422 with every fault; 409 `exceeds_open`, `period_closed`; 422 `rate_missing`.
pub fn pay(tx: &mut Tx<'_>, input: &PaymentIn) -> Result<Payment> {
    let mut faults = Faults::default();
    let party = party(input, &mut faults);
    if let Some((kind, id)) = party {
        parties::lock(tx, kind, id, "/party_id", &mut faults)?;
    }
    let company = company::settings(tx)?;
    let bank = bank_account(tx, input, company.base_currency, &mut faults)?;
    if let Some(bank) = &bank {
        check_amounts(input, bank.currency, &mut faults);
    }
    let wanted = expand(tx, &input.allocations, &mut faults)?;
    check_prepayment(tx, input, party, &mut faults)?;
    faults.check()?;
    let bank = bank.ok_or_else(|| Error::Bug("a payment without a bank account".into()))?;
    let on = ledger::posting_day(tx, input.date)?;
    let rules = ledger::rules(tx)?;

    let rate = currencies::rate(tx, bank.currency, company.base_currency, on.date)?;
    let in_base = |amount: Decimal| currencies::convert(amount, rate, company.base_currency);
    let (amount, charges) = (input.amount.value(), input.bank_charges.unwrap_or_default().value());
    let row = PaymentRow {
        id: tx.mint(input.id),
        number: None,
        status: PaymentStatus::Posted,
        direction: input.direction,
        party_type: party.map(|(kind, _)| kind),
        party_id: party.map(|(_, id)| id),
        bank_account_id: bank.id,
        currency: bank.currency,
        amount,
        bank_charges: charges,
        base_amount: in_base(amount)?,
        bank_charges_base: in_base(charges)?,
        posted_on: on.date,
        reference: input.reference.clone(),
        method: input.method.unwrap_or(PaymentMethod::BankTransfer),
        cash_flow_category: input.cash_flow_category,
        postings: serde_json::to_value(&input.postings)?,
        external_ref: input.external_ref.clone(),
        entry_id: Uuid::nil(),
        reversed_on: None,
        reversal_reason: None,
        reversal_entry_id: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.item_id).collect();
    if let Some(prepayment) = input.prepayment_id {
        prepayments::lock_for_receipt(tx, prepayment)?;
    }
    receivables::lock_settled(tx, &ids)?;
    let items = open_items::lock(tx, &ids)?;
    let mut pot = Pot {
        currency: row.currency,
        amount,
        base: row.base_amount,
    };
    let settled = match party {
        None => Vec::new(),
        Some((_, party_id)) => {
            let conditions = Conditions {
                company: &company,
                rules: &rules,
                paid_on: on.date,
                posted_on: on.date,
                party_id,
                sign: row.sign(),
            };
            settlement::settle(tx, &conditions, &mut pot, &wanted, &items)?
        }
    };
    post(tx, row, (&bank, &on, &rules), &settled, pot, input)
}

/// A prepayment is a customer's, and money comes in for it.
fn check_prepayment(
    tx: &mut Tx<'_>,
    input: &PaymentIn,
    party: Option<(PartyType, Uuid)>,
    faults: &mut Faults,
) -> Result<()> {
    let Some(prepayment) = input.prepayment_id else {
        return Ok(());
    };
    let customers = matches!(
        (party, input.direction),
        (Some((PartyType::Customer, _)), Direction::In)
    );
    if !customers {
        faults.add(
            "/prepayment_id",
            "wrong_direction",
            "money comes in from a customer for a prepayment",
        );
    }
    if !prepayments::exists(tx, prepayment)? {
        faults.add("/prepayment_id", "unknown_prepayment", "there is no such prepayment");
    }
    Ok(())
}

/// What of the rest is for the prepayment: as much as is still to come for it.
fn advanced(tx: &mut Tx<'_>, row: &PaymentRow, rest: &mut Pot, input: &PaymentIn) -> Result<Option<Sum>> {
    let Some(prepayment) = input.prepayment_id else {
        return Ok(None);
    };
    let open = prepayments::open_gross(tx, prepayment, row.currency)?;
    let amount = open.min(rest.amount);
    if amount <= Decimal::ZERO {
        let detail = "nothing is left of the payment, or to come for the prepayment";
        return Err(Problem::conflict("nothing_to_receive", detail).into());
    }
    let base = rest.take(amount, company::settings(tx)?.base_currency);
    Ok(Some(Sum {
        base,
        amount,
        currency: row.currency,
    }))
}

fn post(
    tx: &mut Tx<'_>,
    mut row: PaymentRow,
    (bank, on, rules): (&BankAccount, &PostingDay, &Rules),
    settled: &[Settled],
    mut rest: Pot,
    input: &PaymentIn,
) -> Result<Payment> {
    let accounts = queries::accounts_of(tx, &settled.iter().map(|one| &one.item).collect::<Vec<_>>())?;
    let named = named_accounts(tx, bank, input)?;
    let advanced = advanced(tx, &row, &mut rest, input)?;
    row.number = numbers::draw(tx, Series::Payment, on)?;
    let on_account = match (row.party_type, rest.amount.is_zero()) {
        (Some(party), false) => Some(make_own_item(tx, &row, party, rules)?),
        _ => None,
    };
    let source = Source::new("payment", row.id, row.number.clone());
    let mut entry = Entry::new(Journal::Bank, on, source, described(&row));
    row.entry_id = entry.id;
    bank_lines(&mut entry, &row, &named[&bank.account_id], rules)?;
    for one in settled {
        one.post(&mut entry, account(&accounts, &one.item)?);
    }
    if let Some((id, control)) = &on_account {
        entry.credit(control, signed(rest.base, rest.amount, &row)).item(*id);
    }
    let mut touched: Vec<Uuid> = settled.iter().map(|one| one.item.id).collect();
    if let (Some(prepayment), Some(sum)) = (input.prepayment_id, advanced) {
        let receipt = Receipt {
            document_type: "payment",
            document_id: row.id,
            party_id: row.party_id.unwrap_or_default(),
            on: on.date,
            sum,
        };
        touched.push(prepayments::receive(tx, &mut entry, rules, prepayment, &receipt)?);
    }
    let mut left = rest;
    for (index, posting) in input.postings.iter().enumerate() {
        // The last takes what is left of the value.
        let base = match index + 1 == input.postings.len() {
            true => left.base,
            false => left.take(posting.amount.value(), company::settings(tx)?.base_currency),
        };
        let line = entry.credit(&named[&posting.account_id], signed(base, posting.amount.value(), &row));
        line.dimensions(posting.department_id, posting.project_id);
        if let Some(text) = &posting.description {
            line.describe(text.clone());
        }
    }
    queries::insert(tx, &row)?;
    ledger::post(tx, entry)?;
    for one in settled {
        queries::note_settlement(tx, "payment", row.id, one, (on.date, row.entry_id), None)?;
    }
    let payment = queries::one(tx, row)?;
    tx.changed(None, &payment)?;
    touched.extend(on_account.map(|(id, _)| id));
    receivables::note_settlement(tx, &touched)?;
    Ok(payment)
}

/// Clears items with what a payment has on account.
///
/// # Errors
/// 404; 409 `illegal_transition`, `exceeds_open`; 422 with every fault.
pub fn allocate(tx: &mut Tx<'_>, id: Uuid, input: &AllocationsIn) -> Result<Payment> {
    let mut faults = Faults::default();
    let Some((kind, party_id)) = queries::party_of(tx, id)? else {
        return Err(Problem::rule("no_party", "a payment without a party has nothing on account").into());
    };
    parties::lock(tx, kind, party_id, "", &mut faults)?;
    let row = queries::lock(tx, id)?;
    let before = queries::one(tx, row.clone())?;
    tx.match_if_given(&before)?;
    let Some(own) = before
        .open_item_id
        .filter(|_| before.allowed_actions.contains(&"allocate"))
    else {
        let state = if row.status == PaymentStatus::Reversed {
            "reversed"
        } else {
            "fully allocated"
        };
        return Err(Problem::illegal_transition("allocate", state, &before.allowed_actions).into());
    };
    let wanted = expand(tx, &input.allocations, &mut faults)?;
    let on = ledger::posting_day(tx, input.date)?;
    if on.date < row.posted_on {
        faults.add(
            "/date",
            "date_before_original",
            format!("the payment is dated {}", row.posted_on),
        );
    }
    if wanted.iter().any(|wanted| wanted.item_id == own) {
        faults.add("/allocations", "wrong_direction", "a payment does not clear itself");
    }
    faults.check()?;

    let mut ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.item_id).collect();
    ids.push(own);
    receivables::lock_settled(tx, &ids)?;
    let items = open_items::lock(tx, &ids)?;
    let source = items.iter().find(|item| item.id == own).ok_or(Error::Stale)?;
    let mut pot = Pot {
        currency: source.currency,
        amount: source.open_amount.abs(),
        base: source.open_base_amount.abs(),
    };
    let (company, rules) = (company::settings(tx)?, ledger::rules(tx)?);
    let conditions = Conditions {
        company: &company,
        rules: &rules,
        paid_on: row.posted_on,
        posted_on: on.date,
        party_id,
        sign: row.sign(),
    };
    let settled = settlement::settle(tx, &conditions, &mut pot, &wanted, &items)?;
    if settled.is_empty() {
        return Err(Problem::rule("nothing_to_allocate", "nothing of the payment goes into these items").into());
    }
    let accounts = queries::accounts_of(tx, &items.iter().collect::<Vec<_>>())?;
    let number = Source::new("payment", row.id, row.number.clone());
    let description = format!("Allocation of {}", described(&row));
    let mut entry = Entry::new(Journal::Bank, &on, number, description);
    for one in &settled {
        entry
            .debit(
                account(&accounts, source)?,
                signed(one.paid.base, one.paid.amount, &row),
            )
            .item(own);
        one.post(&mut entry, account(&accounts, &one.item)?);
    }
    let entry_id = entry.id;
    let row = queries::touch(tx, id)?;
    ledger::post(tx, entry)?;
    for one in &settled {
        queries::note_settlement(tx, "payment", id, one, (on.date, entry_id), Some(source))?;
    }
    let payment = queries::one(tx, row)?;
    tx.changed(Some(&before), &payment)?;
    receivables::note_settlement(tx, &ids)?;
    Ok(payment)
}

fn party(input: &PaymentIn, faults: &mut Faults) -> Option<(PartyType, Uuid)> {
    if input.party_type.is_some() != input.party_id.is_some() {
        faults.add("/party_id", "party_incomplete", "party_type and party_id go together");
    }
    let party = input.party_type.zip(input.party_id);
    if party.is_none() && !input.allocations.is_empty() {
        faults.add("/allocations", "no_party", "only a party's payment clears items");
    }
    if party.is_some() && !input.postings.is_empty() {
        faults.add("/postings", "has_party", "the payment of a party goes to its items");
    }
    if input.party_type.is_none() && input.party_id.is_none() && input.postings.is_empty() {
        faults.add("/postings", "required", "without a party, say which accounts it is for");
    }
    party
}

/// The bank account named, or the default of the currency named, or that of the base currency.
pub(super) fn bank_account(
    tx: &mut Tx<'_>,
    input: &PaymentIn,
    base: Currency,
    faults: &mut Faults,
) -> Result<Option<BankAccount>> {
    let found = match input.bank_account_id {
        Some(id) => bank_accounts::find(tx, id).optional()?,
        None => bank_accounts::default_of(tx, input.currency.unwrap_or(base))?,
    };
    match &found {
        None => faults.add(
            "/bank_account_id",
            "unknown_bank_account",
            "there is no such bank account",
        ),
        Some(bank) if bank.status == BankAccountStatus::Retired => {
            faults.add("/bank_account_id", "retired", "the bank account is retired");
        }
        Some(bank) if input.currency.is_some_and(|currency| currency != bank.currency) => {
            faults.add(
                "/currency",
                "wrong_currency",
                format!("the bank account is in {}", bank.currency),
            );
        }
        Some(_) => {}
    }
    Ok(found)
}

fn check_amounts(input: &PaymentIn, currency: Currency, faults: &mut Faults) {
    check_positive(faults, "/amount", input.amount, currency);
    let charges = input.bank_charges.unwrap_or_default();
    check_digits(faults, "/bank_charges", charges, currency);
    let most = match input.direction {
        Direction::In => input.amount.value(),
        Direction::Out => Decimal::MAX,
    };
    if charges.value().is_sign_negative() || charges.value() > most {
        faults.add(
            "/bank_charges",
            "out_of_range",
            "must not be below 0 or above the amount",
        );
    }
    let mut sum = Decimal::ZERO;
    for (index, posting) in input.postings.iter().enumerate() {
        check_digits(faults, &format!("/postings/{index}/amount"), posting.amount, currency);
        if posting.amount.is_zero() {
            faults.add(format!("/postings/{index}/amount"), "out_of_range", "must not be 0");
        }
        sum += posting.amount.value();
    }
    if !input.postings.is_empty() && sum != input.amount.value() {
        let detail = format!("they come to {}, the payment is {}", sum.normalize(), input.amount);
        faults.add("/postings", "sum_differs", detail);
    }
}

/// Items by id, whether the input names them or their documents. A document's amount goes to its items in turn.
pub(in crate::payments) fn expand(
    tx: &mut Tx<'_>,
    inputs: &[AllocationIn],
    faults: &mut Faults,
) -> Result<Vec<Wanted>> {
    let documents: Vec<Uuid> = inputs.iter().filter_map(|input| input.document_id).collect();
    let of_documents = match documents.is_empty() {
        true => Vec::new(),
        false => queries::by_document(tx, &documents)?,
    };
    let named: Vec<Uuid> = inputs.iter().filter_map(|input| input.open_item_id).collect();
    let known = queries::existing(tx, &named)?;
    let mut wanted = Vec::with_capacity(inputs.len());
    for (index, input) in inputs.iter().enumerate() {
        let pointer = format!("/allocations/{index}");
        match (input.open_item_id, input.document_id) {
            (Some(id), None) if known.contains(&id) => wanted.push(input.wanted(pointer, id)),
            (Some(_), None) => {
                faults.add(
                    format!("{pointer}/open_item_id"),
                    "unknown_open_item",
                    "there is no such open item",
                );
            }
            (None, Some(document)) => {
                let items: Vec<(Uuid, Decimal)> = of_documents
                    .iter()
                    .filter(|(of, _, _)| *of == document)
                    .map(|(_, item, open)| (*item, open.abs()))
                    .collect();
                spread(input, &pointer, &items, &mut wanted, faults);
            }
            _ => faults.add(pointer, "required", "give either open_item_id or document_id"),
        }
    }
    let mut seen = std::collections::HashSet::new();
    for wanted in &wanted {
        if !seen.insert(wanted.item_id) {
            faults.add(wanted.pointer.clone(), "duplicate", "the item stands there twice");
        }
    }
    Ok(wanted)
}

fn spread(
    input: &AllocationIn,
    pointer: &str,
    items: &[(Uuid, Decimal)],
    wanted: &mut Vec<Wanted>,
    faults: &mut Faults,
) {
    let Some(((last, _), first)) = items.split_last() else {
        faults.add(
            format!("{pointer}/document_id"),
            "nothing_open",
            "nothing is open of this document",
        );
        return;
    };
    if first.is_empty() {
        wanted.push(input.wanted(pointer.to_owned(), *last));
        return;
    }
    if input.discount.is_some() || input.write_off.is_some() || input.paid.is_some() {
        faults.add(
            pointer,
            "ambiguous",
            "the document has several instalments: name the open item",
        );
        return;
    }
    let mut left = input.amount.map(Amount::value);
    for (item, open) in first {
        let part = left.map(|left| left.min(*open));
        left = left.zip(part).map(|(left, part)| left - part);
        if part.is_none_or(|part| !part.is_zero()) {
            wanted.push(Wanted {
                amount: part,
                ..input.wanted(pointer.to_owned(), *item)
            });
        }
    }
    if left.is_none_or(|left| !left.is_zero()) {
        wanted.push(Wanted {
            amount: left,
            ..input.wanted(pointer.to_owned(), *last)
        });
    }
}

/// The accounts that the document names: that of the bank and those of the postings.
fn named_accounts(tx: &mut Tx<'_>, bank: &BankAccount, input: &PaymentIn) -> Result<HashMap<Uuid, Account>> {
    let mut ids = vec![bank.account_id];
    ids.extend(input.postings.iter().map(|posting| posting.account_id));
    let known = ledger::known_accounts(tx, &ids)?;
    let mut faults = Faults::default();
    for (index, posting) in input.postings.iter().enumerate() {
        let pointer = format!("/postings/{index}/account_id");
        match known.get(&posting.account_id) {
            None => faults.add(pointer, "unknown_account", "there is no such account"),
            Some(account) if account.heading || account.control.is_some() || account.status != "active" => {
                let detail = "a heading, a control account or a retired account is not posted to by hand";
                faults.add(pointer, "account_not_postable", detail);
            }
            Some(account) if account.currency.is_some_and(|currency| currency != bank.currency) => {
                faults.add(pointer, "wrong_currency", "the account takes only its own currency");
            }
            Some(_) => {}
        }
    }
    faults.check()?;
    Ok(known.into_iter().map(|(id, account)| (id, account.named())).collect())
}

/// The item that holds what is on account of a payment: it has room for all of it.
fn make_own_item(tx: &mut Tx<'_>, row: &PaymentRow, party: PartyType, rules: &Rules) -> Result<(Uuid, Account)> {
    let natural = matches!(
        (party, row.direction),
        (PartyType::Customer, Direction::In) | (PartyType::Supplier, Direction::Out)
    );
    if !natural {
        let detail = "a refund clears credits: allocate all of it";
        return Err(Problem::rule("refund_exceeds_credit", detail).into());
    }
    let control = rules.of(match party {
        PartyType::Customer => Role::Receivable,
        PartyType::Supplier => Role::Payable,
    })?;
    let id = own_item(tx, row, party, control.id)?;
    Ok((id, control))
}

/// Makes the item of a payment, with nothing on it yet.
pub(super) fn own_item(tx: &mut Tx<'_>, row: &PaymentRow, party: PartyType, account_id: Uuid) -> Result<Uuid> {
    let id = tx.mint(None);
    open_items::create(
        tx,
        NewItem {
            id,
            side: party.side(),
            party_id: row.party_id.unwrap_or_default(),
            account_id,
            document_type: "payment",
            document_id: row.id,
            document_number: row.number.clone(),
            instalment: 1,
            order_id: None,
            currency: row.currency,
            amount: -row.amount,
            posted_on: row.posted_on,
            due_on: row.posted_on,
            discount_until: None,
            discount: None,
        },
    )
}

/// Bank and charges, as the bank books them.
pub(super) fn bank_lines(entry: &mut Entry, row: &PaymentRow, bank: &Account, rules: &Rules) -> Result<()> {
    let charges = signed(row.bank_charges_base, row.bank_charges, row);
    let total = signed(row.base_amount, row.amount, row);
    let mut moved = total;
    // Charges come off what comes in, and on top of what goes out.
    let charges = match row.direction {
        Direction::In => charges,
        Direction::Out => charges.negated(),
    };
    moved.base -= charges.base;
    moved.amount -= charges.amount;
    entry
        .debit(bank, moved)
        .cash_flow(queries::category(row.cash_flow_category));
    if !charges.is_zero() {
        entry.debit(&rules.of(Role::BankCharges)?, charges);
    }
    Ok(())
}

/// A value with the payment's direction: positive is a debit of the bank.
pub(super) fn signed(base: Decimal, amount: Decimal, row: &PaymentRow) -> Sum {
    Sum {
        base: base * row.sign(),
        amount: amount * row.sign(),
        currency: row.currency,
    }
}

pub(super) fn account<'a>(accounts: &'a HashMap<Uuid, Account>, item: &OpenItem) -> Result<&'a Account> {
    let found = accounts.get(&item.account_id);
    found.ok_or_else(|| Error::Bug(format!("the account of item {} was not read", item.id)))
}

pub(super) fn described(row: &PaymentRow) -> String {
    let what = row.number.as_deref().unwrap_or("payment");
    let text = match &row.reference {
        Some(reference) => format!("{what}: {reference}"),
        None => what.to_owned(),
    };
    text.chars().take(400).collect()
}
