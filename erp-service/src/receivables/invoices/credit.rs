//! Credit notes of an invoice: at its price, discount, tax rate, exchange rate and legal entity.
//!
//! Whatever was credited in parts, the last part takes the remainder: of the line's amount, of the tax of a code, of the
//! values in the base currency. A credit note clears its own invoice first; what was paid already becomes an open
//! credit that can be refunded or allocated, less the cash discount that it was paid with. It never makes a quantity
//! invoiceable again.

use super::drafts::{check, locked_customer, new_row};
use super::input::{CreditLineIn, CreditNoteIn, InvoiceCancellationIn};
use super::model::{Invoice, InvoiceAction, InvoiceKind, InvoiceStatus, LineKind, Parts};
use super::posting;
use super::rows::{InvoiceRow, LineRow};
use super::{discount, queries, settlement};
use crate::ledger::numbers;
use crate::ledger::open_items::{self, Allocation, OpenItem};
use crate::ledger::{self, Entry, Journal, Role, Source, Sum};
use crate::payment_terms::Due;
use crate::receivables::taxation::{self, InvoiceTax};
use crate::schema::{invoice_lines, invoices};
use crate::taxes::Rounding;
use crate::{company, currencies, customers, sales};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What came back of an order line, for [`credit_return`].
#[derive(Debug, Clone, Copy)]
pub struct ReturnedLine {
    pub order_line_id: Uuid,
    /// The delivery that it came with, if that is known: what was invoiced of it goes first.
    pub delivery_id: Option<Uuid>,
    /// What of it was invoiced.
    pub quantity: Quantity,
}

/// Credits an invoice: all that is left of it, or the lines named.
///
/// # Errors
/// 404; 409 `illegal_transition`, `nothing_to_credit`, `exceeds_credited`; 422 with every fault.
pub(super) fn credit(tx: &mut Tx<'_>, invoice_id: Uuid, input: &CreditNoteIn) -> Result<Invoice> {
    let (unlocked, _) = queries::load(tx, invoice_id)?;
    check(&unlocked, InvoiceAction::Credit)?;
    locked_customer(tx, unlocked.customer_id)?;
    if let Some(order) = unlocked.order_id {
        sales::orders::queries::lock_many(tx, &[order])?;
    }
    let (invoice, lines) = queries::lock(tx, invoice_id)?;
    check(&invoice, InvoiceAction::Credit)?;
    let wanted = wanted(&invoice, &lines, input.lines.as_deref())?;
    make(tx, invoice, &lines, wanted, input, None)
}

/// Takes an invoice back as a whole.
///
/// # Errors
/// As [`credit`].
pub(super) fn cancel(tx: &mut Tx<'_>, invoice_id: Uuid, input: &InvoiceCancellationIn) -> Result<Invoice> {
    let (unlocked, _) = queries::load(tx, invoice_id)?;
    check(&unlocked, InvoiceAction::Cancel)?;
    let input = CreditNoteIn {
        id: input.id,
        date: input.date,
        reason: input
            .reason
            .clone()
            .or_else(|| Some("The invoice was cancelled".to_owned())),
        ..CreditNoteIn::default()
    };
    credit(tx, invoice_id, &input)
}

/// Credits what came back of an order and was invoiced: one credit note for each invoice that it was on, the oldest
/// first. The caller holds the locks of the customer and the order.
///
/// # Errors
/// 409 `exceeds_credited` when less was invoiced and not credited yet.
pub fn credit_return(
    tx: &mut Tx<'_>,
    order_id: Uuid,
    return_id: Uuid,
    date: Option<NaiveDate>,
    reason: Option<&str>,
    returned: &[ReturnedLine],
) -> Result<Vec<Invoice>> {
    let ids: Vec<Uuid> = returned.iter().map(|line| line.order_line_id).collect();
    let mut open: Vec<(Uuid, LineRow)> = invoice_lines::table
        .inner_join(invoices::table)
        .filter(invoices::order_id.eq(order_id))
        .filter(invoices::kind.eq(InvoiceKind::Invoice))
        .filter(invoices::status.ne(InvoiceStatus::Draft))
        .filter(invoice_lines::order_line_id.eq_any(ids.into_iter().map(Some).collect::<Vec<_>>()))
        .order((
            invoices::date,
            invoices::posted_at,
            invoices::id,
            invoice_lines::position,
        ))
        .select((invoices::id, LineRow::as_select()))
        .load(&mut **tx)?;
    let mut by_invoice: BTreeMap<Uuid, Vec<CreditLineIn>> = BTreeMap::new();
    for line in returned {
        let mut rest = line.quantity;
        // What the delivery brought goes first.
        for same in [true, false] {
            for (invoice, row) in open
                .iter_mut()
                .filter(|(_, row)| row.order_line_id == Some(line.order_line_id))
            {
                let of_delivery = line.delivery_id.is_some() && row.delivery_id == line.delivery_id;
                let quantity = row.quantity.less(row.credited_quantity).min(rest);
                if of_delivery != same || quantity.is_zero() {
                    continue;
                }
                row.credited_quantity = row.credited_quantity + quantity;
                rest = rest - quantity;
                by_invoice.entry(*invoice).or_default().push(CreditLineIn {
                    line_id: row.id,
                    quantity: Some(quantity),
                    amount: None,
                });
            }
        }
        if !rest.is_zero() {
            let detail = "more is to be credited than was invoiced and not credited yet";
            return Err(Problem::conflict("exceeds_credited", detail)
                .fact("order_line_id", line.order_line_id.to_string())
                .fact("quantity", rest.to_string())
                .into());
        }
    }
    let mut made = Vec::with_capacity(by_invoice.len());
    for (invoice_id, lines) in by_invoice {
        let (invoice, invoice_lines) = queries::lock(tx, invoice_id)?;
        let wanted = wanted(&invoice, &invoice_lines, Some(&lines))?;
        let input = CreditNoteIn {
            date,
            reason: reason.map(str::to_owned),
            ..CreditNoteIn::default()
        };
        made.push(make(tx, invoice, &invoice_lines, wanted, &input, Some(return_id))?);
    }
    Ok(made)
}

/// What to take of one line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Wanted {
    line: usize,
    quantity: Quantity,
    amount: Decimal,
}

/// Quantities and amounts by line; all faults together.
fn wanted(invoice: &InvoiceRow, lines: &[LineRow], asked: Option<&[CreditLineIn]>) -> Result<Vec<Wanted>, Problem> {
    let left = |line: &LineRow| {
        (
            line.quantity.less(line.credited_quantity),
            line.amount - line.credited_amount,
        )
    };
    let mut wanted = Vec::new();
    let Some(asked) = asked else {
        for (index, line) in lines.iter().enumerate() {
            let (quantity, amount) = left(line);
            if !quantity.is_zero() || !amount.is_zero() {
                wanted.push(Wanted {
                    line: index,
                    quantity,
                    amount,
                });
            }
        }
        return Ok(wanted);
    };
    let mut faults = Faults::default();
    for (index, credit) in asked.iter().enumerate() {
        let Some((at, line)) = lines.iter().enumerate().find(|(_, line)| line.id == credit.line_id) else {
            faults.add(
                format!("/lines/{index}/line_id"),
                "unknown_line",
                "the invoice has no such line",
            );
            continue;
        };
        if wanted.iter().any(|known: &Wanted| known.line == at) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "duplicate",
                "the line is named twice",
            );
            continue;
        }
        let (quantity_left, amount_left) = left(line);
        if credit.quantity.is_some_and(|quantity| quantity.is_zero()) {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if credit.amount.is_some_and(|amount| {
            amount.value() <= Decimal::ZERO || invoice.currency.round(amount.value()) != amount.value()
        }) {
            let message = "must be more than 0, with the digits of the currency";
            faults.add(format!("/lines/{index}/amount"), "out_of_range", message);
        }
        let quantity = match (credit.quantity, credit.amount) {
            (Some(quantity), _) => quantity,
            (None, Some(_)) => Quantity::ZERO,
            (None, None) => quantity_left,
        };
        let amount = match credit.amount {
            Some(amount) => amount.value(),
            None => share(invoice.currency, line, quantity, quantity_left, amount_left),
        };
        if quantity > quantity_left {
            let message = format!("{quantity_left} is left of it");
            faults.add(format!("/lines/{index}/quantity"), "exceeds_credited", message);
        }
        if amount > amount_left {
            let message = format!("{} is left of it", amount_left.normalize());
            faults.add(format!("/lines/{index}/amount"), "exceeds_credited", message);
        }
        wanted.push(Wanted {
            line: at,
            quantity,
            amount,
        });
    }
    faults.check()?;
    Ok(wanted)
}

/// The amount of a quantity of a line; the last of it takes what is left.
fn share(currency: Currency, line: &LineRow, quantity: Quantity, quantity_left: Quantity, left: Decimal) -> Decimal {
    match quantity >= quantity_left || line.quantity.is_zero() {
        true => left,
        false => currency
            .round(line.amount * quantity.value() / line.quantity.value())
            .min(left),
    }
}

fn make(
    tx: &mut Tx<'_>,
    invoice: InvoiceRow,
    invoice_lines: &[LineRow],
    wanted: Vec<Wanted>,
    input: &CreditNoteIn,
    return_id: Option<Uuid>,
) -> Result<Invoice> {
    if wanted.is_empty() {
        return Err(Problem::conflict("nothing_to_credit", "nothing is left of the invoice to credit").into());
    }
    let date = input.date.unwrap_or(tx.today().max(invoice.date));
    if date < invoice.date {
        let mut faults = Faults::default();
        faults.add(
            "/date",
            "date_before_original",
            format!("the invoice is dated {}", invoice.date),
        );
        faults.check()?;
    }
    let company = company::settings(tx)?;
    let on = ledger::posting_day(tx, Some(date))?;
    let rate = invoice
        .exchange_rate
        .ok_or_else(|| Error::Bug("a posted invoice without a rate".into()))?;
    let mut row = new_row(
        tx,
        tx.mint(input.id),
        InvoiceKind::CreditNote,
        invoice.customer_id,
        invoice.currency,
        date,
    );
    row.order_id = invoice.order_id;
    row.credited_invoice_id = Some(invoice.id);
    row.return_id = return_id;
    row.prices_include_tax = invoice.prices_include_tax;
    row.payment_terms_id = invoice.payment_terms_id;
    row.legal_entity_id = invoice.legal_entity_id;
    row.party = invoice.party.clone();
    row.exchange_rate = Some(rate);
    (row.department_id, row.project_id) = (invoice.department_id, invoice.project_id);
    row.reason = input.reason.clone();
    row.notes = input.notes.clone();
    row.external_ref = input.external_ref.clone();

    let mut lines = credit_lines(&row, invoice_lines, &wanted);
    let before = taxes_credited(tx, invoice.id)?;
    let terms = (rate, company.base_currency, company.tax_rounding);
    let taxes = amounts(&mut row, &mut lines, &invoice, invoice_lines, &before, terms)?;

    let rules = ledger::rules(tx)?;
    let ids: Vec<Uuid> = lines.iter().filter_map(|line| line.account_id).collect();
    let named = ledger::accounts(tx, &ids)?;
    let accounts = lines
        .iter()
        .filter_map(|line| Some((line.id, named.get(&line.account_id?)?.clone())))
        .collect();
    let mut entry = Entry::new(Journal::Sales, &on, Source::new(row.kind.as_str(), row.id, None), "");
    posting::revenue_lines(&mut entry, &row, &lines, &accounts, Decimal::NEGATIVE_ONE)?;
    taxation::post(&mut entry, &rules, row.currency, &taxes, [], Decimal::NEGATIVE_ONE)?;

    let mut cleared = Vec::new();
    let excess = clear(tx, &mut entry, &invoice, row.gross, company.base_currency, &mut cleared)?;
    let settled = invoice.gross - invoice.credited_gross - (row.gross - excess);
    let discount = discount::taken_back(tx, &invoice, (excess, settled), company.base_currency)?;
    discount
        .iter()
        .for_each(|part| part.post(&mut entry, Decimal::NEGATIVE_ONE));
    row.discount_taken_back = discount.iter().map(|part| part.amount).sum();
    row.discount_parts = serde_json::to_value(&discount)?;
    let excess = excess - row.discount_taken_back;
    let schedule: Vec<Due> = Some(excess)
        .filter(|excess| !excess.is_zero())
        .map(|excess| Due {
            instalment: 1,
            due_on: date,
            amount: -excess,
            discount_until: None,
            discount: None,
        })
        .into_iter()
        .collect();
    let receivable = rules.of(Role::Receivable)?;
    let mut items = posting::control_lines(tx, &mut entry, &receivable, &row, &schedule, company.base_currency);
    let odd = entry.balance();
    if !odd.is_zero() {
        // Parts of a foreign amount, each rounded: what they differ from the item's value.
        let sum = Sum {
            base: odd,
            amount: Decimal::ZERO,
            currency: row.currency,
        };
        entry.credit(&rules.of(Role::Rounding)?, sum);
    }
    let number = numbers::draw(tx, posting::series(row.kind), &on)?;
    posting::seal(tx, &mut row, &mut entry, number.as_deref());
    for item in &mut items {
        item.document_number = row.number.clone();
        open_items::create(tx, posting::new_item(item))?;
    }
    row.open_amount = -excess;
    if excess.is_zero() {
        row.status = InvoiceStatus::Paid;
    }
    posting::store(tx, &row, &lines, false)?;
    if let Some(entry_id) = row.entry_id {
        ledger::post(tx, entry)?;
        for (item, cleared) in &cleared {
            open_items::note_allocation(
                tx,
                &Allocation {
                    document_type: "credit_note",
                    document_id: row.id,
                    item_id: item.id,
                    on: date,
                    cleared: *cleared,
                    discount: Decimal::ZERO,
                    written_off: Decimal::ZERO,
                    exchange_difference: Decimal::ZERO,
                    entry_id,
                },
            )?;
        }
    }
    queries::note_credited(tx, &lines)?;
    let (customer_id, order_id, gross) = (row.customer_id, row.order_id, row.gross);
    row.number = number;
    let parts = Parts {
        lines,
        items,
        allocations: Vec::new(),
    };
    let made = Invoice::from_rows(row, parts, company.base_currency)?;
    tx.changed(None, &made)?;
    settlement::note_documents(tx, vec![invoice], gross)?;
    settlement::note_orders(tx, &order_id.into_iter().collect::<Vec<_>>())?;
    customers::note_balance_changed(tx, &[customer_id])?;
    Ok(made)
}

fn credit_lines(row: &InvoiceRow, invoice_lines: &[LineRow], wanted: &[Wanted]) -> Vec<LineRow> {
    let lines = wanted.iter().zip(1..).filter_map(|(wanted, position)| {
        let of = invoice_lines.get(wanted.line)?;
        Some(LineRow {
            quantity: wanted.quantity,
            amount: wanted.amount,
            order_line_id: of.order_line_id,
            charge_id: of.charge_id,
            charge_kind: of.charge_kind.filter(|_| of.kind == LineKind::Charge),
            delivery_id: of.delivery_id,
            product_id: of.product_id,
            account_id: of.account_id,
            credited_line_id: Some(of.id),
            unit: of.unit.clone(),
            unit_price: of.unit_price,
            discount: of.discount,
            tax_class: of.tax_class.clone(),
            taxes: of.taxes.clone(),
            tax_point: of.tax_point,
            department_id: of.department_id,
            project_id: of.project_id,
            ..LineRow::new(row.id, position, of.kind, of.description.clone())
        })
    });
    lines.collect()
}

/// Taxes of the credit notes so far, by code and rate.
fn taxes_credited(tx: &mut Tx<'_>, invoice_id: Uuid) -> Result<Vec<InvoiceTax>> {
    let notes: Vec<serde_json::Value> = invoices::table
        .filter(invoices::credited_invoice_id.eq(invoice_id))
        .filter(invoices::status.ne(InvoiceStatus::Draft))
        .select(invoices::taxes)
        .load(&mut **tx)?;
    let mut all = Vec::new();
    for taxes in notes {
        let taxes: Vec<InvoiceTax> = serde_json::from_value(taxes)?;
        all.extend(taxes);
    }
    Ok(all)
}

/// Fills in nets, taxes and values. Whatever comes to its end takes the remainder.
fn amounts(
    row: &mut InvoiceRow,
    lines: &mut [LineRow],
    invoice: &InvoiceRow,
    invoice_lines: &[LineRow],
    credited: &[InvoiceTax],
    (rate, base, rounding): (Decimal, Currency, Rounding),
) -> Result<Vec<InvoiceTax>> {
    let taxed = taxation::compute(row.currency, row.prices_include_tax, rounding, lines)?;
    let now = |of: Uuid| {
        let taken = lines.iter().filter(|line| line.credited_line_id == Some(of));
        taken.map(|line| line.amount).sum::<Decimal>()
    };
    let complete = |line: &LineRow| line.credited_amount + now(line.id) == line.amount;
    let mut taxes = Vec::new();
    for tax in posting::taxes_of(invoice)? {
        let computed = taxed
            .totals
            .iter()
            .find(|total| tax.is_of(&total.code.code, total.code.rate));
        let Some(computed) = computed else { continue };
        let before = |of: fn(&InvoiceTax) -> Decimal| {
            let same = credited.iter().filter(|other| other.is_like(&tax));
            same.map(of).sum::<Decimal>()
        };
        let mut all = true;
        for line in invoice_lines {
            let has = taxation::codes(line)?
                .iter()
                .any(|code| tax.is_of(&code.code, code.rate));
            all &= !has || complete(line);
        }
        let left = tax.tax.value() - before(|tax| tax.tax.value());
        let sums = match all {
            true => (
                (tax.net.value() - before(|tax| tax.net.value()), left),
                (
                    tax.base_net.value() - before(|tax| tax.base_net.value()),
                    tax.base_tax.value() - before(|tax| tax.base_tax.value()),
                ),
            ),
            false => {
                let amount = computed.charged().min(left);
                let base_net = currencies::convert(computed.base, rate, base)?;
                let base_tax = currencies::convert(amount, rate, base)?;
                ((computed.base, amount), (base_net, base_tax))
            }
        };
        taxes.push(InvoiceTax::new(&computed.code, row.currency, sums.0, base, sums.1)?);
    }
    let done: Vec<bool> = lines
        .iter()
        .map(|line| {
            invoice_lines
                .iter()
                .any(|of| Some(of.id) == line.credited_line_id && complete(of))
        })
        .collect();
    let mut nets: Vec<Decimal> = Vec::with_capacity(lines.len());
    for ((line, computed), done) in lines.iter().zip(&taxed.lines).zip(&done) {
        let of = invoice_lines.iter().find(|of| Some(of.id) == line.credited_line_id);
        nets.push(match of.filter(|_| *done) {
            Some(of) => of.net - of.credited_net,
            None => computed.net,
        });
    }
    row.tax = taxes.iter().map(|tax| tax.tax.value()).sum();
    if row.prices_include_tax {
        let gross: Decimal = lines.iter().map(|line| line.amount).sum();
        let odd = gross - row.tax - nets.iter().sum::<Decimal>();
        taxation::put_odd(&mut nets, odd);
    }
    let mut base_gross: Decimal = taxes.iter().map(|tax| tax.base_tax.value()).sum();
    for ((line, net), done) in lines.iter_mut().zip(nets).zip(done) {
        line.net = net;
        let of = invoice_lines.iter().find(|of| Some(of.id) == line.credited_line_id);
        line.base_net = match of.filter(|_| done) {
            Some(of) => of.base_net - of.credited_base_net,
            None => currencies::convert(net, rate, base)?,
        };
        base_gross += line.base_net;
    }
    row.net = lines.iter().map(|line| line.net).sum();
    row.gross = row.net + row.tax;
    row.base_gross = Some(base_gross);
    row.taxes = serde_json::to_value(&taxes)?;
    Ok(taxes)
}

/// Clears what is open of the invoice, the earliest due first; answers what is left over.
fn clear(
    tx: &mut Tx<'_>,
    entry: &mut Entry,
    invoice: &InvoiceRow,
    gross: Decimal,
    base: Currency,
    cleared: &mut Vec<(OpenItem, Sum)>,
) -> Result<Decimal> {
    let mut items = open_items::lock_of_document(tx, invoice.id)?;
    items.sort_by_key(|item| (item.due_on, item.instalment));
    let accounts = ledger::accounts(tx, &items.iter().map(|item| item.account_id).collect::<Vec<_>>())?;
    let mut rest = gross;
    for item in items {
        let amount = item.open_amount.min(rest).max(Decimal::ZERO);
        if amount.is_zero() {
            continue;
        }
        let sum = item.share(amount, base)?;
        let account = accounts
            .get(&item.account_id)
            .ok_or_else(|| Error::Bug("an open item without its account".into()))?;
        entry.credit(account, sum).item(item.id);
        rest -= amount;
        cleared.push((item, sum));
    }
    Ok(rest)
}
