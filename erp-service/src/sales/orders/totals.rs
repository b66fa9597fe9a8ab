//! The money of an order: totals, estimated taxes, what is still to be invoiced. Pure.

use super::model::{Charge, LineTax};
use super::rows::{LineRow, OrderRow};
use super::status::{Lifecycle, Progress};
use rust_decimal::{Decimal, RoundingStrategy};
use service_kit::money::Currency;
use service_kit::{Amount, Problem, Quantity, Result};
use std::collections::BTreeMap;

/// An amount that is rounded already, with its taxes.
struct Part {
    amount: Decimal,
    taxes: Vec<LineTax>,
}

/// Sums the lines that have a price and the charges into the order's totals.
///
/// # Errors
/// 422 `out_of_range` when the total does not fit.
pub(super) fn set(row: &mut OrderRow, lines: &[LineRow]) -> Result<()> {
    let mut parts = Vec::with_capacity(lines.len());
    for line in lines {
        if let Some(amount) = line.line_total {
            parts.push(Part {
                amount,
                taxes: serde_json::from_value(line.taxes.clone())?,
            });
        }
    }
    for charge in charges(row)? {
        parts.push(Part {
            amount: charge.amount.value(),
            taxes: charge.taxes,
        });
    }
    (row.net, row.tax) = sum(currency_of(row), row.prices_include_tax, &parts)?;
    row.gross = row.net + row.tax;
    Ok(())
}

/// Keeps what follows from the lines: how far the order is invoiced, and what is still to be.
///
/// # Errors
/// 422 `out_of_range` when an amount does not fit.
pub(super) fn keep(row: &mut OrderRow, lines: &[LineRow]) -> Result<()> {
    let lifecycle = row.state()?.lifecycle;
    if !matches!(lifecycle, Lifecycle::Confirmed | Lifecycle::Closed) {
        row.uninvoiced_gross = Decimal::ZERO;
        return Ok(());
    }
    let currency = currency_of(row);
    let (mut parts, mut some, mut all) = (Vec::new(), false, true);
    for line in lines {
        some |= !line.invoiced_quantity.is_zero();
        let open = line.billable_quantity(lifecycle).less(line.invoiced_quantity);
        if open.is_zero() {
            continue;
        }
        all = false;
        if let Some(total) = line.line_total {
            parts.push(Part {
                amount: share(currency, total, open, line.quantity),
                taxes: serde_json::from_value(line.taxes.clone())?,
            });
        }
    }
    // Charges go with goods: nothing is charged for an order of which nothing was delivered.
    let dropped = lifecycle == Lifecycle::Closed && row.delivery == "none";
    for charge in charges(row)? {
        some |= !charge.invoiced_amount.is_zero();
        let open = charge.amount.value() - charge.invoiced_amount.value();
        if dropped || open <= Decimal::ZERO {
            continue;
        }
        all = false;
        parts.push(Part {
            amount: open,
            taxes: charge.taxes,
        });
    }
    let progress = match (some, all) {
        (false, _) => Progress::None,
        (true, false) => Progress::Partial,
        (true, true) => Progress::Full,
    };
    row.invoicing = progress.name().to_owned();
    let (net, tax) = sum(currency, row.prices_include_tax, &parts)?;
    row.uninvoiced_gross = net + tax;
    Ok(())
}

/// The share of a line's total that `part` of its quantity has.
pub(super) fn share(currency: Currency, total: Decimal, part: Quantity, whole: Quantity) -> Decimal {
    match part == whole || whole.is_zero() {
        true => total,
        false => currency.round(total * part.value() / whole.value()),
    }
}

pub(super) fn charges(row: &OrderRow) -> Result<Vec<Charge>> {
    match row.charges.as_array().is_some_and(|charges| !charges.is_empty()) {
        true => Ok(serde_json::from_value(row.charges.clone())?),
        false => Ok(Vec::new()),
    }
}

/// An unknown currency stands on a rejected order; its amounts show cents.
pub(super) fn currency_of(row: &OrderRow) -> Currency {
    row.currency.parse().unwrap_or(Currency::USD)
}

/// (net, tax): tax once for each code and rate, half away from zero.
fn sum(currency: Currency, inclusive: bool, parts: &[Part]) -> Result<(Decimal, Decimal), Problem> {
    let too_large = || Problem::rule("out_of_range", "the total is too large");
    let mut amount = Decimal::ZERO;
    let mut bases: BTreeMap<(&str, Decimal), Decimal> = BTreeMap::new();
    for part in parts {
        amount = amount.checked_add(part.amount).ok_or_else(too_large)?;
        let rates: Decimal = part.taxes.iter().map(|tax| tax.rate.value()).sum();
        let net = match inclusive {
            true => part.amount / (Decimal::ONE + rates),
            false => part.amount,
        };
        for tax in &part.taxes {
            *bases.entry((&tax.code, tax.rate.value())).or_default() += net;
        }
    }
    let rounded = |(&(_, rate), &base): (&(&str, Decimal), &Decimal)| {
        let digits = currency.minor_digits();
        (base * rate).round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
    };
    let tax: Decimal = bases.iter().map(rounded).sum();
    let net = if inclusive { amount - tax } else { amount };
    let fits = |value| Amount::money(currency, value).map(Amount::value);
    let (net, tax) = (fits(net).ok_or_else(too_large)?, fits(tax).ok_or_else(too_large)?);
    fits(net + tax).ok_or_else(too_large)?;
    Ok((net, tax))
}
