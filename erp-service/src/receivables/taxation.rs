//! The taxes of a document to a customer: which codes its lines have at their tax points, and what they come to.

use super::invoices::{InvoiceRow, LineRow};
use crate::customers;
use crate::ledger::{Entry, Facts, Line, Role, Rules, Sum};
use crate::schema::sales_orders;
use crate::taxes::{self, Direction, Party, Rounding, TaxCodeRate, TaxKind, TaxTotal, Taxable, TaxableLine, Taxed};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::decimal::TaxRate;
use service_kit::{Amount, Currency, Problem, Result, Tx};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What one tax code at one rate comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceTax {
    pub code: String,
    pub name: String,
    pub report_code: Option<String>,
    /// As a fraction: `"0.19"` is 19 %.
    pub rate: TaxRate,
    /// The buyer owes the tax; it is no part of the total.
    pub reverse_charge: bool,
    /// What it was computed on.
    pub net: Amount,
    /// What the customer pays of it.
    pub tax: Amount,
    /// The same in the base currency.
    pub base_net: Amount,
    pub base_tax: Amount,
}

impl InvoiceTax {
    /// The tax of a document with its value in the base currency.
    ///
    /// # Errors
    /// 422 `out_of_range`.
    pub fn new(
        code: &TaxCodeRate,
        currency: Currency,
        (net, tax): (Decimal, Decimal),
        base: Currency,
        (base_net, base_tax): (Decimal, Decimal),
    ) -> Result<Self, Problem> {
        Ok(InvoiceTax {
            code: code.code.clone(),
            name: code.name.clone(),
            report_code: code.report_code.clone(),
            rate: code.rate,
            reverse_charge: code.reverse_charge,
            net: money(currency, net)?,
            tax: money(currency, tax)?,
            base_net: money(base, base_net)?,
            base_tax: money(base, base_tax)?,
        })
    }

    /// As it was stored, with the digits of its currencies.
    ///
    /// # Errors
    /// 422 `out_of_range`.
    pub fn shown(self, currency: Currency, base: Currency) -> Result<Self, Problem> {
        Ok(InvoiceTax {
            net: money(currency, self.net.value())?,
            tax: money(currency, self.tax.value())?,
            base_net: money(base, self.base_net.value())?,
            base_tax: money(base, self.base_tax.value())?,
            ..self
        })
    }

    /// Whether it is the same code at the same rate.
    pub fn is_of(&self, code: &str, rate: TaxRate) -> bool {
        self.code == code && self.rate == rate
    }

    pub fn is_like(&self, other: &InvoiceTax) -> bool {
        self.is_of(&other.code, other.rate)
    }
}

/// An amount with the digits of its currency.
///
/// # Errors
/// 422 `out_of_range`.
pub fn money(currency: Currency, value: Decimal) -> Result<Amount, Problem> {
    Amount::money(currency, value).ok_or_else(|| Problem::rule("out_of_range", "an amount is too large"))
}

/// The codes of a line as it stores them.
///
/// # Errors
/// When the row holds what it cannot hold, which is a bug.
pub fn codes(line: &LineRow) -> Result<Vec<TaxCodeRate>> {
    Ok(serde_json::from_value(line.taxes.clone())?)
}

/// Finds the codes of lines at their tax points. No tax rules set up: no tax. Goods go to the order's
/// address, else to the customer's.
///
/// # Errors
/// 422 `tax_rate_missing`.
pub fn determine(tx: &mut Tx<'_>, row: &InvoiceRow, lines: &mut [LineRow]) -> Result<()> {
    let mut party = customers::tax_party(tx, row.customer_id)?;
    if let Some(country) = order_country(tx, row)? {
        party.country = Some(country);
    }
    determine_for(tx, &party, row.date, lines)
}

fn order_country(tx: &mut Tx<'_>, row: &InvoiceRow) -> Result<Option<String>> {
    let Some(order) = row.order_id else { return Ok(None) };
    let address: Option<Value> = sales_orders::table
        .find(order)
        .select(sales_orders::shipping_address)
        .first(&mut **tx)?;
    Ok(address.and_then(|address| address["country"].as_str().map(str::to_owned)))
}

fn determine_for(tx: &mut Tx<'_>, party: &Party, date: NaiveDate, lines: &mut [LineRow]) -> Result<()> {
    let mut by_day: BTreeMap<NaiveDate, Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        by_day.entry(line.tax_point.unwrap_or(date)).or_default().push(index);
    }
    for (day, indexes) in by_day {
        let taxables: Vec<Taxable<'_>> = indexes
            .iter()
            .map(|&index| match (&lines[index].tax_class, lines[index].product_id) {
                (None, Some(product)) => Taxable::Product(product),
                (class, _) => Taxable::Class(class.as_deref()),
            })
            .collect();
        let found = taxes::determine(tx, Direction::Sale, party, &taxables, day)?;
        for (index, codes) in indexes.into_iter().zip(found) {
            lines[index].taxes = serde_json::to_value(codes)?;
        }
    }
    Ok(())
}

/// The tax of lines whose codes are known.
///
/// # Errors
/// 422 `out_of_range`.
pub fn compute(currency: Currency, inclusive: bool, rounding: Rounding, lines: &[LineRow]) -> Result<Taxed> {
    let taxable = lines
        .iter()
        .map(|line| {
            Ok(TaxableLine {
                amount: line.amount,
                codes: codes(line)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(taxes::compute(currency, inclusive, rounding, &taxable)?)
}

/// What of a total the customer pays.
pub fn charged(total: &TaxTotal) -> Decimal {
    total.charged()
}

/// Gives what rounding left over to the largest line.
pub fn put_odd(nets: &mut [Decimal], odd: Decimal) {
    if let Some(largest) = nets.iter_mut().max_by_key(|net| net.abs()) {
        *largest += odd;
    }
}

/// A line of revenue reports the base of codes that make no tax line; `sign` −1 on a credit note.
///
/// # Errors
/// When the row holds what it cannot hold, which is a bug.
pub fn note_untaxed(entry_line: &mut Line, line: &LineRow, sign: Decimal) -> Result<()> {
    taxes::note_untaxed(entry_line, Direction::Sale, &codes(line)?, line.base_net * sign);
    Ok(())
}

/// Cr Tax by code and rate; what was taxed when an advance came comes off. `sign` −1 takes it back.
///
/// # Errors
/// 409 `posting_rule_missing`.
pub fn post<'a>(
    entry: &mut Entry,
    rules: &Rules,
    currency: Currency,
    taxes: &'a [InvoiceTax],
    advanced: impl IntoIterator<Item = &'a InvoiceTax>,
    sign: Decimal,
) -> Result<(), Problem> {
    let roles = taxes.iter().map(|tax| (Role::TaxOutput, tax, sign));
    let advanced = advanced.into_iter().map(|tax| (Role::TaxAdvances, tax, -sign));
    let mut sums: Vec<(crate::ledger::Account, &InvoiceTax, Sum, Decimal)> = Vec::new();
    for (role, tax, sign) in roles.chain(advanced) {
        if tax.reverse_charge || tax.rate.is_zero() {
            continue;
        }
        let facts = Facts {
            tax_code: Some(&tax.code),
            ..Facts::default()
        };
        let account = rules.account(role, &facts)?;
        let (base, amount) = (tax.base_tax.value() * sign, tax.tax.value() * sign);
        let base_net = tax.base_net.value() * sign;
        match sums
            .iter_mut()
            .find(|(known, other, ..)| known.id == account.id && other.is_like(tax))
        {
            Some((_, _, sum, net)) => {
                sum.base += base;
                sum.amount += amount;
                *net += base_net;
            }
            None => sums.push((account, tax, Sum { base, amount, currency }, base_net)),
        }
    }
    for (account, tax, sum, base_net) in sums {
        let line = entry.credit(&account, sum).tax(&tax.code, -base_net);
        line.tax_rate = Some(tax.rate.value());
        line.tax_kind = Some(TaxKind::Output.as_str().to_owned());
    }
    Ok(())
}
