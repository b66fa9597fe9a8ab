//! Posting: taxes at the tax point, the party and the rate of the day are written into the document, it gets its
//! number, open items and its entry.
//!
//! Dr Receivable, one line for each instalment; Cr Revenue by category, Freight, Other charges, Tax by
//! code. The control lines' base amount is what the converted lines come to. A final invoice clears the advances of its
//! order and claims the rest.

use super::model::{Invoice, InvoiceStatus, LineKind, Parts};
use super::rows::{InvoiceRow, LineRow};
use super::{InvoiceKind, queries, settlement};
use crate::company;
use crate::customers::{self, Billing};
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, NewItem, OpenItem, Side};
use crate::ledger::{self, Account, Entry, Facts, Journal, Role, Rules, Source, Sum};
use crate::payment_terms::{self, Due};
use crate::receivables::party::{self, Names, Party};
use crate::receivables::prepayments;
use crate::receivables::taxation::{self, InvoiceTax};
use crate::sales::orders::ChargeKind;
use crate::taxes::{Rounding, TaxTotal};
use crate::{catalog, currencies};
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Problem, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// What posting needs beside the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around {
    /// Where the goods left; posting rules may depend on it.
    pub warehouse_id: Option<Uuid>,
    /// Whether advances of the order are deducted.
    pub deduct: bool,
    /// Whether the document is stored already, as a draft.
    pub stored: bool,
}

/// Posts an invoice, or a credit note that stands alone. The caller holds the locks of the customer, of the order, which
/// knows what is invoiced of it, and of the stored draft.
///
/// # Errors
/// 409 `period_closed`, `posting_rule_missing`, `legal_entity_ended`; 422 `rate_missing`, `date_before_last`.
pub fn post(
    tx: &mut Tx<'_>,
    mut row: InvoiceRow,
    mut lines: Vec<LineRow>,
    customer: &Billing,
    around: Around,
) -> Result<Invoice> {
    let company = company::settings(tx)?;
    let on = ledger::posting_day(tx, Some(row.date))?;
    let before = match around.stored {
        true => Some(Invoice::from_rows(
            row.clone(),
            parts(lines.clone()),
            company.base_currency,
        )?),
        false => None,
    };
    let party = party_of(&row, customer)?;
    row.legal_entity_id = party.legal_entity_id;
    row.party = Some(serde_json::to_value(&party)?);
    let rate = currencies::rate(tx, row.currency, company.base_currency, row.date)?;
    row.exchange_rate = Some(rate);
    let terms = payment_terms::of(tx, row.payment_terms_id.or(customer.payment_terms_id))?;
    row.payment_terms_id = Some(terms.id);

    for line in &mut lines {
        // What is invoiced before it is delivered is taxed when it is invoiced.
        line.tax_point = Some(line.tax_point.unwrap_or(row.date).min(row.date));
    }
    taxation::determine(tx, &row, &mut lines)?;
    let totals = tax(&mut row, &mut lines, company.tax_rounding)?;
    value(&mut row, &mut lines, &totals, rate, company.base_currency)?;
    let rules = ledger::rules(tx)?;
    let accounts = accounts_of(tx, &rules, &mut lines, around.warehouse_id)?;

    let deductions = match (around.deduct, row.order_id, row.kind) {
        (true, Some(order), InvoiceKind::Invoice) => {
            prepayments::deductions(tx, order, row.gross, row.currency, company.base_currency)?
        }
        _ => Vec::new(),
    };
    row.advances = serde_json::to_value(prepayments::shown(&deductions, row.currency)?)?;
    row.advances_gross = deductions.iter().map(|deduction| deduction.gross).sum();
    prepayments::at_historic_rates(&mut row, &mut lines, &deductions, rate, company.base_currency)?;

    let sign = match row.kind {
        InvoiceKind::Invoice => Decimal::ONE,
        InvoiceKind::CreditNote => Decimal::NEGATIVE_ONE,
    };
    let mut entry = Entry::new(Journal::Sales, &on, Source::new(row.kind.as_str(), row.id, None), "");
    revenue_lines(&mut entry, &row, &lines, &accounts, sign)?;
    let advanced = deductions.iter().flat_map(|deduction| &deduction.taxes);
    taxation::post(&mut entry, &rules, row.currency, &taxes_of(&row)?, advanced, sign)?;
    prepayments::clear(&mut entry, &deductions);
    let schedule = terms.schedule(row.currency, row.date, row.payable() * sign);
    let receivable = rules.of(Role::Receivable)?;
    let mut items = control_lines(tx, &mut entry, &receivable, &row, &schedule, company.base_currency);

    let number = numbers::draw(tx, series(row.kind), &on)?;
    seal(tx, &mut row, &mut entry, number.as_deref());
    for item in &mut items {
        item.document_number = row.number.clone();
        open_items::create(tx, new_item(item))?;
    }
    row.open_amount = row.payable() * sign;
    if row.open_amount.is_zero() {
        row.status = InvoiceStatus::Paid;
    }
    store(tx, &row, &lines, around.stored)?;
    let entry_id = row.entry_id;
    if entry_id.is_some() {
        ledger::post(tx, entry)?;
    }
    prepayments::note_cleared(tx, &row, &deductions, entry_id)?;

    row.number = number;
    let (customer_id, order_id) = (row.customer_id, row.order_id);
    let settled = !deductions.is_empty();
    let parts = Parts {
        lines,
        items,
        allocations: Vec::new(),
    };
    let invoice = Invoice::from_rows(row, parts, company.base_currency)?;
    tx.changed(before.as_ref(), &invoice)?;
    if let Some(order) = order_id.filter(|_| settled) {
        settlement::note_orders(tx, &[order])?;
    }
    customers::note_balance_changed(tx, &[customer_id])?;
    Ok(invoice)
}

fn parts(lines: Vec<LineRow>) -> Parts {
    Parts {
        lines,
        ..Parts::default()
    }
}

pub(super) fn series(kind: InvoiceKind) -> Series {
    match kind {
        InvoiceKind::Invoice => Series::Invoice,
        InvoiceKind::CreditNote => Series::CreditNote,
    }
}

/// The party of the document's day.
///
/// # Errors
/// 409 `legal_entity_ended`.
pub(super) fn party_of(row: &InvoiceRow, customer: &Billing) -> Result<Party, Problem> {
    let names = Names {
        name: &customer.name,
        tax_id: customer.tax_id.as_deref(),
        legal_entities: &customer.legal_entities,
        addresses: &customer.addresses,
    };
    party::on(&names, row.legal_entity_id, row.date).map_err(party::Ended::problem)
}

/// Computes net and taxes of lines whose codes are known; fills in the document's totals.
///
/// # Errors
/// 422 `out_of_range`.
pub(super) fn tax(row: &mut InvoiceRow, lines: &mut [LineRow], rounding: Rounding) -> Result<Vec<TaxTotal>> {
    let taxed = taxation::compute(row.currency, row.prices_include_tax, rounding, lines)?;
    for (line, taxed) in lines.iter_mut().zip(&taxed.lines) {
        line.net = taxed.net;
    }
    (row.net, row.tax, row.gross) = (taxed.net, taxed.tax, taxed.gross);
    Ok(taxed.totals)
}

/// Converts lines and taxes to the base currency.
pub(super) fn value(
    row: &mut InvoiceRow,
    lines: &mut [LineRow],
    totals: &[TaxTotal],
    rate: Decimal,
    base: Currency,
) -> Result<()> {
    let mut sum = Decimal::ZERO;
    for line in lines.iter_mut() {
        line.base_net = currencies::convert(line.net, rate, base)?;
        sum += line.base_net;
    }
    let mut taxes = Vec::with_capacity(totals.len());
    for total in totals {
        let charged = total.charged();
        let base_tax = currencies::convert(charged, rate, base)?;
        sum += base_tax;
        let base_net = currencies::convert(total.base, rate, base)?;
        taxes.push(InvoiceTax::new(
            &total.code,
            row.currency,
            (total.base, charged),
            base,
            (base_net, base_tax),
        )?);
    }
    row.taxes = serde_json::to_value(taxes)?;
    row.base_gross = Some(sum);
    Ok(())
}

pub(super) fn taxes_of(row: &InvoiceRow) -> Result<Vec<InvoiceTax>> {
    Ok(serde_json::from_value(row.taxes.clone())?)
}

/// The account of each line, by its id; lines keep it, so that a credit note finds it again.
fn accounts_of(
    tx: &mut Tx<'_>,
    rules: &Rules,
    lines: &mut [LineRow],
    warehouse_id: Option<Uuid>,
) -> Result<HashMap<Uuid, Account>> {
    let named: Vec<Uuid> = lines.iter().filter_map(|line| line.account_id).collect();
    let named = ledger::accounts(tx, &named)?;
    let products: Vec<Uuid> = lines.iter().filter_map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    let mut accounts = HashMap::with_capacity(lines.len());
    for line in lines.iter_mut() {
        let account = match line.account_id {
            Some(id) => named
                .get(&id)
                .cloned()
                .ok_or_else(|| Error::Bug(format!("line {} without its account", line.id)))?,
            None => {
                let role = match (line.kind, line.charge_kind) {
                    (LineKind::Charge, Some(ChargeKind::Freight)) => Role::FreightRevenue,
                    (LineKind::Charge, _) => Role::OtherCharges,
                    _ => Role::Revenue,
                };
                let category_id = line
                    .product_id
                    .and_then(|id| facts.get(&id))
                    .and_then(|facts| facts.category_id);
                rules.account(
                    role,
                    &Facts {
                        category_id,
                        warehouse_id,
                        tax_code: None,
                    },
                )?
            }
        };
        line.account_id = Some(account.id);
        accounts.insert(line.id, account);
    }
    Ok(accounts)
}

/// Cr Revenue and the like; `sign` −1 takes them back.
pub(super) fn revenue_lines(
    entry: &mut Entry,
    row: &InvoiceRow,
    lines: &[LineRow],
    accounts: &HashMap<Uuid, Account>,
    sign: Decimal,
) -> Result<()> {
    for line in lines {
        let Some(account) = accounts.get(&line.id) else {
            continue;
        };
        let sum = Sum {
            base: line.base_net * sign,
            amount: line.net * sign,
            currency: row.currency,
        };
        let department = line.department_id.or(row.department_id);
        let posted = entry.credit(account, sum);
        posted.dimensions(department, line.project_id.or(row.project_id));
        taxation::note_untaxed(posted, line, sign)?;
    }
    Ok(())
}

/// Dr Receivable for each instalment: together what is missing on the debit side, in proportion; the
/// last takes the rest.
pub(super) fn control_lines(
    tx: &Tx<'_>,
    entry: &mut Entry,
    receivable: &Account,
    row: &InvoiceRow,
    schedule: &[Due],
    base: Currency,
) -> Vec<OpenItem> {
    let whole: Decimal = schedule.iter().map(|due| due.amount).sum();
    let (mut base_rest, base_whole) = (-entry.balance(), -entry.balance());
    let last = schedule.len().saturating_sub(1);
    let mut items = Vec::with_capacity(schedule.len());
    for (index, due) in schedule.iter().enumerate() {
        let value = match index == last || whole.is_zero() {
            true => base_rest,
            false => base.round(base_whole * due.amount / whole),
        };
        base_rest -= value;
        let item = OpenItem {
            id: Uuid::now_v7(),
            side: Side::Receivable,
            party_id: row.customer_id,
            account_id: receivable.id,
            document_type: row.kind.as_str().to_owned(),
            document_id: row.id,
            document_number: row.number.clone(),
            instalment: due.instalment,
            order_id: row.order_id,
            currency: row.currency,
            amount: due.amount,
            posted_on: row.date,
            due_on: due.due_on,
            discount_until: due.discount_until.filter(|_| row.kind == InvoiceKind::Invoice),
            discount: due.discount.filter(|_| row.kind == InvoiceKind::Invoice),
            open_amount: due.amount,
            open_base_amount: value,
            revalued_base: Decimal::ZERO,
            disputed: false,
            dunning_level: 0,
            dunned_on: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        let sum = Sum {
            base: value,
            amount: due.amount,
            currency: row.currency,
        };
        entry.debit(receivable, sum).item(item.id);
        items.push(item);
    }
    items
}

pub(super) fn new_item(item: &OpenItem) -> NewItem {
    NewItem {
        id: item.id,
        side: item.side,
        party_id: item.party_id,
        account_id: item.account_id,
        document_type: match item.document_type.as_str() {
            "credit_note" => "credit_note",
            _ => "invoice",
        },
        document_id: item.document_id,
        document_number: item.document_number.clone(),
        instalment: item.instalment,
        order_id: item.order_id,
        currency: item.currency,
        amount: item.amount,
        posted_on: item.posted_on,
        due_on: item.due_on,
        discount_until: item.discount_until,
        discount: item.discount,
    }
}

/// The document gets its number and becomes binding.
pub(super) fn seal(tx: &Tx<'_>, row: &mut InvoiceRow, entry: &mut Entry, number: Option<&str>) {
    // A dry run draws no number; what is rolled back needs one all the same.
    row.number = Some(number.map_or_else(|| format!("dry run {}", row.id), str::to_owned));
    row.status = InvoiceStatus::Posted;
    row.posted_at = Some(tx.now());
    row.updated_at = tx.now();
    let word = match row.kind {
        InvoiceKind::Invoice => "Invoice",
        InvoiceKind::CreditNote => "Credit note",
    };
    entry.description = format!("{word} {}", number.unwrap_or("without a number yet"));
    entry.source.number = number.map(str::to_owned);
    // Samples cost nothing: such a document moves no value.
    let moves_value = entry.lines.iter().any(|line| !line.sum.is_zero());
    row.entry_id = moves_value.then_some(entry.id);
}

pub(super) fn store(tx: &mut Tx<'_>, row: &InvoiceRow, lines: &[LineRow], stored: bool) -> Result<()> {
    if !stored {
        return queries::insert(tx, row, lines);
    }
    queries::replace_lines(tx, row.id, lines)?;
    queries::update(tx, row)
}

/// Checks the date of a document before anything else is done.
///
/// # Errors
/// 422 `future_date`.
pub(super) fn not_in_the_future(tx: &Tx<'_>, date: chrono::NaiveDate) -> Result<(), Problem> {
    let (today, mut faults) = (tx.today(), Faults::default());
    if date > today {
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
    }
    faults.check()
}
