//! A final invoice clears the advances of its order.

use super::model::AdvanceRow;
use crate::currencies;
use crate::ledger::open_items::{self, Allocation, OpenItem};
use crate::ledger::{self, Account, Entry, Sum};
use crate::receivables::invoices::{DeductedAdvance, InvoiceRow, LineRow};
use crate::receivables::taxation::{InvoiceTax, money};
use crate::schema::advances;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Result, Tx};
use uuid::Uuid;

/// What an invoice takes of one advance.
#[derive(Debug, Clone)]
pub struct Deduction {
    pub advance_id: Uuid,
    pub item: OpenItem,
    pub account: Account,
    pub gross: Decimal,
    /// What the advance's item loses.
    pub cleared: Sum,
    /// What was taxed when the money came.
    pub taxes: Vec<InvoiceTax>,
    taxes_left: Vec<InvoiceTax>,
}

/// What an invoice of `gross` takes of the advances of its order, oldest first; locked.
///
/// # Errors
/// When the database refuses.
pub fn deductions(
    tx: &mut Tx<'_>,
    order_id: Uuid,
    gross: Decimal,
    currency: Currency,
    base: Currency,
) -> Result<Vec<Deduction>> {
    let rows: Vec<AdvanceRow> = advances::table
        .filter(advances::order_id.eq(order_id))
        .filter(advances::open_gross.gt(Decimal::ZERO))
        .order((advances::received_on, advances::id))
        .for_update()
        .select(AdvanceRow::as_select())
        .load(&mut **tx)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item_id).collect();
    let items = open_items::lock(tx, &ids)?;
    let accounts = ledger::accounts(tx, &items.iter().map(|item| item.account_id).collect::<Vec<_>>())?;
    let (mut rest, mut deductions) = (gross, Vec::new());
    for row in rows {
        let taken = row.open_gross.min(rest);
        if taken.is_zero() {
            break;
        }
        let item = items.iter().find(|item| item.id == row.item_id);
        let account = item.and_then(|item| accounts.get(&item.account_id));
        let (Some(item), Some(account)) = (item, account) else {
            return Err(Error::Bug("an advance without its item".into()));
        };
        let (taxes, taxes_left) = split(&row.taxes_open()?, taken, row.open_gross, (currency, base))?;
        let tax: Decimal = taxes.iter().map(|tax| tax.tax.value()).sum();
        deductions.push(Deduction {
            advance_id: row.id,
            item: item.clone(),
            account: account.clone(),
            gross: taken,
            cleared: item.share(taken - tax, base)?,
            taxes,
            taxes_left,
        });
        rest -= taken;
    }
    Ok(deductions)
}

/// The share of open taxes that `taken` of what is open has, and what is left of them.
fn split(
    open: &[InvoiceTax],
    taken: Decimal,
    whole: Decimal,
    (currency, base): (Currency, Currency),
) -> Result<(Vec<InvoiceTax>, Vec<InvoiceTax>)> {
    if taken == whole {
        return Ok((open.to_vec(), Vec::new()));
    }
    let (mut taxes, mut left) = (Vec::with_capacity(open.len()), Vec::with_capacity(open.len()));
    for tax in open {
        let part = |amount: Decimal, currency: Currency| currency.round(amount * taken / whole);
        let share = InvoiceTax {
            net: money(currency, part(tax.net.value(), currency))?,
            tax: money(currency, part(tax.tax.value(), currency))?,
            base_net: money(base, part(tax.base_net.value(), base))?,
            base_tax: money(base, part(tax.base_tax.value(), base))?,
            ..tax.clone()
        };
        left.push(InvoiceTax {
            net: money(currency, tax.net.value() - share.net.value())?,
            tax: money(currency, tax.tax.value() - share.tax.value())?,
            base_net: money(base, tax.base_net.value() - share.base_net.value())?,
            base_tax: money(base, tax.base_tax.value() - share.base_tax.value())?,
            ..tax.clone()
        });
        taxes.push(share);
    }
    Ok((taxes, left))
}

/// As the invoice shows them.
///
/// # Errors
/// When an amount is beyond its bounds, which is a bug.
pub fn shown(deductions: &[Deduction], currency: Currency) -> Result<Vec<DeductedAdvance>> {
    deductions
        .iter()
        .map(|deduction| {
            Ok(DeductedAdvance {
                advance_id: deduction.advance_id,
                gross: money(currency, deduction.gross)?,
            })
        })
        .collect()
}

/// What was advanced in a foreign currency keeps the value that it came with: so does that part of the
/// invoice's revenue and tax. The rest has the invoice's rate.
///
/// # Errors
/// 422 `out_of_range`.
pub fn at_historic_rates(
    row: &mut InvoiceRow,
    lines: &mut [LineRow],
    deductions: &[Deduction],
    rate: Decimal,
    base: Currency,
) -> Result<()> {
    if deductions.is_empty() || row.currency == base {
        return Ok(());
    }
    let mut taxes: Vec<InvoiceTax> = serde_json::from_value(row.taxes.clone())?;
    let advanced = |tax: &InvoiceTax| {
        let same = deductions
            .iter()
            .flat_map(|deduction| &deduction.taxes)
            .filter(|other| other.is_like(tax));
        same.fold([Decimal::ZERO; 4], |sums, other| {
            [
                sums[0] + other.net.value(),
                sums[1] + other.tax.value(),
                sums[2] + other.base_net.value(),
                sums[3] + other.base_tax.value(),
            ]
        })
    };
    for tax in &mut taxes {
        let [net, amount, base_net, base_tax] = advanced(tax);
        tax.base_net = money(base, currencies::convert(tax.net.value() - net, rate, base)? + base_net)?;
        tax.base_tax = money(
            base,
            currencies::convert(tax.tax.value() - amount, rate, base)? + base_tax,
        )?;
    }
    let cleared: (Decimal, Decimal) = deductions
        .iter()
        .map(|deduction| (deduction.cleared.amount, deduction.cleared.base))
        .fold((Decimal::ZERO, Decimal::ZERO), |sum, one| {
            (sum.0 + one.0, sum.1 + one.1)
        });
    let wanted = currencies::convert(row.net - cleared.0, rate, base)? + cleared.1;
    let mut values: Vec<Decimal> = lines.iter().map(|line| line.base_net).collect();
    let odd = wanted - values.iter().sum::<Decimal>();
    crate::receivables::taxation::put_odd(&mut values, odd);
    for (line, value) in lines.iter_mut().zip(values) {
        line.base_net = value;
    }
    row.base_gross = Some(wanted + taxes.iter().map(|tax| tax.base_tax.value()).sum::<Decimal>());
    row.taxes = serde_json::to_value(taxes)?;
    Ok(())
}

/// Dr Advances received; their tax comes off the invoice's.
pub fn clear(entry: &mut Entry, deductions: &[Deduction]) {
    for deduction in deductions {
        entry
            .debit(&deduction.account, deduction.cleared)
            .item(deduction.item.id);
    }
}

/// Notes on the advances what an invoice took of them.
///
/// # Errors
/// When the database refuses.
pub fn note_cleared(
    tx: &mut Tx<'_>,
    invoice: &InvoiceRow,
    deductions: &[Deduction],
    entry_id: Option<Uuid>,
) -> Result<()> {
    let Some(entry_id) = entry_id else { return Ok(()) };
    for deduction in deductions {
        let now = tx.now();
        diesel::update(advances::table.find(deduction.advance_id))
            .set((
                advances::open_gross.eq(advances::open_gross - deduction.gross),
                advances::taxes_open.eq(serde_json::to_value(&deduction.taxes_left)?),
                advances::updated_at.eq(now),
            ))
            .execute(&mut **tx)?;
        open_items::note_allocation(
            tx,
            &Allocation {
                document_type: "invoice",
                document_id: invoice.id,
                item_id: deduction.item.id,
                on: invoice.date,
                cleared: deduction.cleared,
                discount: Decimal::ZERO,
                written_off: Decimal::ZERO,
                exchange_difference: Decimal::ZERO,
                entry_id,
            },
        )?;
    }
    Ok(())
}
