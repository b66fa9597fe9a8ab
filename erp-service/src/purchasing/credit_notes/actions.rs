//! Posting a supplier's credit note.

use super::model::{NoteLineRow, NoteRow, SupplierCreditNote, SupplierCreditNoteIn};
use super::queries;
use crate::catalog::{self, ProductFacts};
use crate::inventory::average;
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, Allocation, NewItem, Side};
use crate::ledger::{self, Account, Entry, Facts, Journal, PostingDay, Role, Rules, Source, Sum};
use crate::purchasing::bills::queries as bills;
use crate::purchasing::exchange::Rate;
use crate::purchasing::references::{self, Named};
use crate::purchasing::returns::ReturnLineRow;
use crate::purchasing::returns::queries::{self as returns, Went};
use crate::purchasing::suppliers;
use crate::purchasing::taxation;
use crate::taxes::{self, Conversion, Direction};
use diesel::OptionalExtension;
use rust_decimal::{Decimal, RoundingStrategy};
use service_kit::{Amount, Currency, Discount, Error, Faults, Problem, Result, Tx, UnitPrice};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What the lines refer to, locked.
struct Ground {
    returned: HashMap<Uuid, ReturnLineRow>,
    went: HashMap<Uuid, Went>,
    facts: HashMap<Uuid, ProductFacts>,
    accounts: HashMap<Uuid, Account>,
}

/// Posts a credit note.
///
/// # Errors
/// 409 `exceeds_returned`; 422 with every fault.
pub fn post(tx: &mut Tx<'_>, input: &SupplierCreditNoteIn) -> Result<SupplierCreditNote> {
    let on = ledger::posting_day(tx, input.date)?;
    let mut faults = Faults::default();
    let Some(supplier) = suppliers::hold(tx, input.supplier_id).optional()? else {
        faults.add("/supplier_id", "unknown_supplier", "there is no such supplier");
        faults.check()?;
        return Err(Error::Bug("a fault was lost".into()));
    };
    let currency = input.currency.unwrap_or(supplier.currency);
    let mut ground = ground(tx, input, currency, &mut faults)?;
    let bill_date = own_bill(tx, input, currency, &mut faults)?;
    faults.check()?;
    let rate = Rate::of(tx, currency, on.date)?;
    let mut row = NoteRow {
        id: tx.mint(input.id),
        number: String::new(),
        supplier_id: supplier.id,
        supplier_number: input.supplier_number.trim().to_owned(),
        bill_id: input.bill_id,
        currency,
        credit_date: input.credit_date,
        posted_on: on.date,
        rate: rate.rate,
        reason: input.reason.clone(),
        external_ref: input.external_ref.clone(),
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
        gross: Decimal::ZERO,
        taxes: serde_json::json!([]),
        entry_id: None,
        created_by: tx.actor().id,
        created_at: tx.now(),
    };
    let lines = lines(&row, input, &ground)?;
    row.net = lines.iter().map(|line| line.line_total).sum();
    // The rates are those of what is corrected.
    let taxed: Vec<_> = lines.iter().map(|line| (line.product_id, -line.line_total)).collect();
    let point = bill_date.unwrap_or(input.credit_date);
    let taxes = taxation::of_purchase(tx, &supplier, currency, &taxed, point)?;
    row.tax = -taxes.tax;
    row.gross = row.net + row.tax;
    row.taxes = taxation::to_json(&taxes.totals)?;
    check_total(&row, input.gross)?;

    let what = format!("Credit note {} of {}", row.supplier_number, supplier.name);
    let source = Source::new("supplier_credit_note", row.id, None);
    let mut entry = Entry::new(Journal::Purchases, &on, source, what);
    let rules = ledger::rules(tx)?;
    let mut credited = Decimal::ZERO;
    for (line, codes) in lines.iter().zip(&taxes.lines) {
        let from = entry.lines.len();
        let net = rate.convert(line.line_total)?;
        credited += net;
        book(tx, &mut entry, &rules, &mut ground, line, (net, rate))?;
        if let Some(booked) = entry.lines.get_mut(from) {
            taxes::note_untaxed(booked, Direction::Purchase, codes, -net);
        }
    }
    let conversion = Conversion {
        currency,
        base_currency: rate.base,
        rate: rate.rate,
    };
    let charged = taxes::post(&mut entry, &rules, Direction::Purchase, &taxes.totals, conversion)?;
    credited -= charged.base;
    let number = numbers::draw(tx, Series::SupplierCreditNote, &on)?;
    row.number = number.clone().unwrap_or_else(|| format!("dry run {}", row.id));
    entry.source.number = number.clone();
    let cleared = settle(tx, &mut entry, &rules, &row, &ground, (credited, rate), &on, number)?;
    if entry.lines.iter().any(|line| !line.sum.is_zero()) {
        row.entry_id = Some(entry.id);
    }
    queries::insert(tx, &row, &lines)?;
    let note = queries::shown(&row, &lines)?;
    tx.changed(None, &note)?;
    if row.entry_id.is_some() {
        ledger::post(tx, entry)?;
    }
    for allocation in &cleared {
        open_items::note_allocation(tx, allocation)?;
    }
    Ok(note)
}

fn ground(tx: &mut Tx<'_>, input: &SupplierCreditNoteIn, currency: Currency, faults: &mut Faults) -> Result<Ground> {
    let ids: Vec<Uuid> = input.lines.iter().filter_map(|line| line.return_line_id).collect();
    let returned: HashMap<Uuid, ReturnLineRow> = returns::lock_lines(tx, &ids)?
        .into_iter()
        .map(|line| (line.id, line))
        .collect();
    let went = returns::went(tx, &ids)?;
    let named: Vec<Named> = input
        .lines
        .iter()
        .map(|line| Named {
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            ..Named::default()
        })
        .collect();
    references::check(tx, &named, faults)?;
    let mut seen = HashSet::new();
    for (index, line) in input.lines.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_zero() {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        match line.return_line_id {
            None if line.description.is_none() => {
                fault(
                    "return_line_id",
                    "one_of",
                    "name a line of a return, or say what it is for",
                );
            }
            None if line.unit_price.is_none() => fault("unit_price", "required", "an amount in words needs a price"),
            None => {}
            Some(id) => {
                if !seen.insert(id) {
                    fault("return_line_id", "duplicate", "the line is named twice");
                }
                match went.get(&id) {
                    None => fault("return_line_id", "unknown_line", "no supplier return has such a line"),
                    Some(went) if went.supplier_id != input.supplier_id => {
                        fault("return_line_id", "other_supplier", "the goods went to another supplier");
                    }
                    Some(went) if went.currency != currency => {
                        fault("return_line_id", "other_currency", "the order was in another currency");
                    }
                    Some(_) if line.account_id.is_some() => {
                        fault(
                            "account_id",
                            "not_allowed",
                            "what was sent back is posted by its return",
                        );
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let today = tx.today();
    if input.credit_date > today {
        faults.add(
            "/credit_date",
            "future_date",
            format!("must not be after today, {today}"),
        );
    }
    let products: Vec<Uuid> = returned.values().filter_map(|line| line.product_id).collect();
    let named: Vec<Uuid> = input.lines.iter().filter_map(|line| line.account_id).collect();
    Ok(Ground {
        returned,
        went,
        facts: catalog::facts(tx, &products)?,
        accounts: ledger::postable(tx, &named)?,
    })
}

/// The day of the bill that is corrected, if one is named.
fn own_bill(
    tx: &mut Tx<'_>,
    input: &SupplierCreditNoteIn,
    currency: Currency,
    faults: &mut Faults,
) -> Result<Option<chrono::NaiveDate>> {
    let Some(id) = input.bill_id else { return Ok(None) };
    match bills::posted(tx, id)? {
        Some((supplier, of, date)) if supplier == input.supplier_id && of == currency => Ok(Some(date)),
        _ => {
            let message = "the supplier has no posted bill like this in the currency";
            faults.add("/bill_id", "unknown_bill", message);
            Ok(None)
        }
    }
}

fn lines(row: &NoteRow, input: &SupplierCreditNoteIn, ground: &Ground) -> Result<Vec<NoteLineRow>> {
    let mut over = Vec::new();
    let mut made = Vec::with_capacity(input.lines.len());
    for (line, position) in input.lines.iter().zip(1..) {
        let returned = line.return_line_id.and_then(|id| ground.returned.get(&id));
        if let Some(of) = returned.filter(|of| line.quantity > of.to_credit()) {
            over.push(
                serde_json::json!({ "return_line_id": of.id, "wanted": line.quantity, "to_credit": of.to_credit() }),
            );
            continue;
        }
        let (unit_price, line_total) = match (line.unit_price, returned) {
            (Some(price), _) => (price, row.currency.line_total(line.quantity, price, Discount::ZERO)?),
            (None, Some(of)) => {
                let left = of.expected_amount - of.credited_amount;
                let total = average::share(left, of.to_credit(), line.quantity, row.currency);
                let price = total.checked_div(line.quantity.value()).unwrap_or_default();
                let price = price.round_dp_with_strategy(4, RoundingStrategy::MidpointNearestEven);
                (UnitPrice::new(price).unwrap_or_default(), total)
            }
            (None, None) => (UnitPrice::ZERO, Decimal::ZERO),
        };
        made.push(NoteLineRow {
            id: Uuid::now_v7(),
            note_id: row.id,
            position,
            return_line_id: line.return_line_id,
            product_id: returned.and_then(|of| of.product_id),
            description: line.description.clone(),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            quantity: line.quantity,
            unit_price,
            line_total,
        });
    }
    match over.is_empty() {
        true => Ok(made),
        false => {
            let detail = "more would be credited than was billed and sent back";
            Err(Problem::conflict("exceeds_returned", detail).fact("lines", over).into())
        }
    }
}

fn check_total(row: &NoteRow, stated: Option<Amount>) -> Result<(), Problem> {
    if Amount::money(row.currency, row.gross).is_none() {
        return Err(Problem::rule("out_of_range", "the total is too large"));
    }
    let mut faults = Faults::default();
    if let Some(stated) = stated.filter(|stated| stated.value() != row.gross) {
        let message = format!(
            "the lines come to {} with tax, the credit note says {stated}",
            row.gross
        );
        faults.add("/gross", "gross_differs", message);
    }
    faults.check()
}

/// The credit side of one line.
fn book(
    tx: &mut Tx<'_>,
    entry: &mut Entry,
    rules: &Rules,
    ground: &mut Ground,
    line: &NoteLineRow,
    (net, rate): (Decimal, Rate),
) -> Result<()> {
    let Some(of) = line.return_line_id.and_then(|id| ground.returned.get_mut(&id)) else {
        let account = match line.account_id.and_then(|id| ground.accounts.get(&id)) {
            Some(account) => account.clone(),
            None => rules.of(Role::PurchaseExpense)?,
        };
        let sum = Sum {
            base: net,
            amount: line.line_total,
            currency: rate.currency,
        };
        let booked = entry.credit(&account, sum);
        booked.dimensions(line.department_id, line.project_id);
        return Ok(());
    };
    let open = of.to_credit();
    let cleared = average::share(of.expected_credit - of.credited, open, line.quantity, rate.base);
    let expected = average::share(
        of.expected_amount - of.credited_amount,
        open,
        line.quantity,
        rate.currency,
    );
    of.credited_quantity = of.credited_quantity + line.quantity;
    of.credited += cleared;
    of.credited_amount += expected;
    returns::save_credited(tx, of)?;
    let known = of.product_id.and_then(|id| ground.facts.get(&id));
    let place = ground.went.get(&of.id).and_then(|went| went.warehouse_id);
    let facts = Facts {
        category_id: known.and_then(|facts| facts.category_id),
        warehouse_id: place.filter(|_| known.is_some_and(|facts| facts.stocked)),
        tax_code: None,
    };
    // In the base currency all of the difference is the price; else a part is the rate having moved.
    let price = match rate.is_foreign() {
        true => rate.convert(line.line_total - expected)?,
        false => net - cleared,
    };
    let moved = net - cleared - price;
    let base = |value| Sum::base(rate.base, value);
    entry.credit(&rules.account(Role::GoodsReceivedNotInvoiced, &facts)?, base(cleared));
    entry.credit(&rules.account(Role::PriceVariance, &facts)?, base(price));
    entry.credit(&rules.of(exchange(moved))?, base(moved));
    Ok(())
}

/// The role of a difference that is a gain when it is positive.
fn exchange(gain: Decimal) -> Role {
    match gain.is_sign_negative() {
        true => Role::ExchangeLoss,
        false => Role::ExchangeGain,
    }
}

/// Dr payable as an open item, and clears with it the bills that it corrects, as far as it reaches.
#[allow(clippy::too_many_arguments, reason = "one step of one story")]
fn settle(
    tx: &mut Tx<'_>,
    entry: &mut Entry,
    rules: &Rules,
    row: &NoteRow,
    ground: &Ground,
    (credited, rate): (Decimal, Rate),
    on: &PostingDay,
    number: Option<String>,
) -> Result<Vec<Allocation>> {
    if row.gross.is_zero() {
        return Ok(Vec::new());
    }
    let account = rules.of(Role::Payable)?;
    let own = open_items::create(
        tx,
        NewItem {
            id: Uuid::now_v7(),
            side: Side::Payable,
            party_id: row.supplier_id,
            account_id: account.id,
            document_type: "supplier_credit_note",
            document_id: row.id,
            document_number: number,
            instalment: 1,
            order_id: None,
            currency: row.currency,
            amount: -row.gross,
            posted_on: on.date,
            due_on: row.credit_date,
            discount_until: None,
            discount: None,
        },
    )?;
    let sum = |base, amount| Sum {
        base,
        amount,
        currency: row.currency,
    };
    entry.debit(&account, sum(credited, row.gross)).item(own);
    let bills = match row.bill_id {
        Some(bill) => vec![bill],
        None => {
            let lines: Vec<Uuid> = ground.returned.values().map(|line| line.receipt_line_id).collect();
            bills::bills_of_receipt_lines(tx, &lines)?
        }
    };
    let mut items = Vec::new();
    for bill in bills {
        items.extend(open_items::lock_of_document(tx, bill)?);
    }
    let (mut left, mut left_base, mut cleared) = (row.gross, credited, Vec::new());
    for item in items {
        let open = item.open_amount.min(left);
        if open <= Decimal::ZERO || item.currency != row.currency || item.account_id != account.id {
            continue;
        }
        let taken = item.share(open, rate.base)?;
        let share = left_base
            .checked_mul(open)
            .and_then(|product| product.checked_div(left));
        let given = match (open == left, share) {
            (false, Some(share)) => rate.base.round(share),
            _ => left_base,
        };
        left -= open;
        left_base -= given;
        entry.debit(&account, taken).item(item.id);
        entry.credit(&account, sum(given, open)).item(own);
        let gain = taken.base - given;
        entry.credit(&rules.of(exchange(gain))?, Sum::base(rate.base, gain));
        let allocation = |item_id, cleared, exchange_difference| Allocation {
            document_type: "supplier_credit_note",
            document_id: row.id,
            item_id,
            on: on.date,
            cleared,
            discount: Decimal::ZERO,
            written_off: Decimal::ZERO,
            exchange_difference,
            entry_id: entry.id,
        };
        cleared.push(allocation(item.id, taken, gain));
        cleared.push(allocation(own, sum(-given, -open), Decimal::ZERO));
    }
    Ok(cleared)
}
