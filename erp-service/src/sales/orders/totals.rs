//! The money of an order: totals, estimated taxes, what is still to be invoiced. Pure.

use super::model::Charge;
use super::rows::{LineRow, OrderRow};
use super::status::{Lifecycle, Progress};
use crate::taxes::{self, TaxableLine};
use rust_decimal::Decimal;
use service_kit::money::Currency;
use service_kit::{Quantity, Result};

/// Sums the lines that have a price and the charges into the order's totals.
///
/// # Errors
/// 422 `out_of_range` when the total does not fit.
pub(super) fn set(row: &mut OrderRow, lines: &[LineRow]) -> Result<()> {
    let mut parts = Vec::with_capacity(lines.len());
    for line in lines {
        if let Some(amount) = line.line_total {
            parts.push(TaxableLine {
                amount,
                codes: serde_json::from_value(line.taxes.clone())?,
            });
        }
    }
    for charge in charges(row)? {
        parts.push(TaxableLine {
            amount: charge.amount.value(),
            codes: charge.taxes,
        });
    }
    let taxed = taxes::compute(currency_of(row), row.prices_include_tax, row.tax_rounding, &parts)?;
    (row.net, row.tax, row.gross) = (taxed.net, taxed.tax, taxed.gross);
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
            parts.push(TaxableLine {
                amount: share(currency, total, open, line.quantity),
                codes: serde_json::from_value(line.taxes.clone())?,
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
        parts.push(TaxableLine {
            amount: open,
            codes: charge.taxes,
        });
    }
    let progress = match (some, all) {
        (false, _) => Progress::None,
        (true, false) => Progress::Partial,
        (true, true) => Progress::Full,
    };
    row.invoicing = progress.name().to_owned();
    row.uninvoiced_gross = match parts.is_empty() {
        true => Decimal::ZERO,
        false => taxes::compute(currency, row.prices_include_tax, row.tax_rounding, &parts)?.gross,
    };
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
