//! The tax of a document: pure.

use super::codes::TaxKind;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use service_kit::decimal::TaxRate;
use service_kit::{Amount, Currency, Problem, text_enum};
use std::collections::BTreeMap;
use utoipa::ToSchema;

text_enum! {
    /// Tax is rounded once for each code and rate of a document, or for each of its lines.
    Rounding { Document = "document", Line = "line" }
}

/// A tax code with the rate that holds on the tax point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaxCodeRate {
    pub code: String,
    pub name: String,
    pub kind: TaxKind,
    pub report_code: Option<String>,
    /// As a fraction: `"0.19"` is 19 %.
    pub rate: TaxRate,
    /// The buyer owes the tax; it is no part of what is paid.
    pub reverse_charge: bool,
}

/// A line that is rounded already: net, or gross where prices include tax; negative on a credit.
#[derive(Debug, Clone)]
pub struct TaxableLine {
    pub amount: Decimal,
    pub codes: Vec<TaxCodeRate>,
}

/// The tax of a document by one code and rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxTotal {
    pub code: TaxCodeRate,
    /// Net of the lines that it was computed on.
    pub base: Decimal,
    /// Computed also where the buyer owes it.
    pub tax: Decimal,
}

/// A line with its share of the document's tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTaxes {
    pub net: Decimal,
    /// What the party pays of it.
    pub tax: Decimal,
    pub gross: Decimal,
}

/// A document with its tax: net, tax and gross are the sums of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxed {
    /// In the order of the lines.
    pub lines: Vec<LineTaxes>,
    /// In the order in which the codes come up.
    pub totals: Vec<TaxTotal>,
    pub net: Decimal,
    /// What the party pays; without reverse charge.
    pub tax: Decimal,
    pub gross: Decimal,
}

impl TaxTotal {
    /// What the party pays of it.
    pub fn charged(&self) -> Decimal {
        match self.code.reverse_charge {
            true => Decimal::ZERO,
            false => self.tax,
        }
    }
}

/// Rounds tax: half away from zero to the minor unit.
pub(super) fn round(currency: Currency, tax: Decimal) -> Decimal {
    let digits = currency.minor_digits();
    let mut rounded = tax.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(digits);
    rounded
}

/// The tax of a document: once for each code and rate, half away from zero, unless lines are rounded
/// each. Where prices include tax the gross of each line stays. The shares of the lines come to the
/// tax of the document: cents that are over or missing go to the largest lines.
///
/// # Errors
/// 422 `out_of_range` when a sum is larger than an amount may be.
pub fn compute(
    currency: Currency,
    inclusive: bool,
    rounding: Rounding,
    lines: &[TaxableLine],
) -> Result<Taxed, Problem> {
    let mut shares = vec![(Decimal::ZERO, Decimal::ZERO); lines.len()];
    let mut totals = Vec::new();
    let mut members = Vec::new();
    for code in distinct_codes(lines) {
        let taxed: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].codes.contains(code)).collect();
        let (tax, parts) =
            tax_of(currency, inclusive, rounding, lines, &taxed, code.rate.value()).ok_or_else(too_large)?;
        for (&at, part) in taxed.iter().zip(parts) {
            if !code.reverse_charge {
                shares[at].0 += part;
            }
        }
        totals.push(TaxTotal {
            code: code.clone(),
            base: Decimal::ZERO,
            tax,
        });
        members.push(taxed);
    }
    let lines: Vec<LineTaxes> = lines
        .iter()
        .zip(shares)
        .map(|(line, (tax, _))| match inclusive {
            true => LineTaxes {
                net: line.amount - tax,
                tax,
                gross: line.amount,
            },
            false => LineTaxes {
                net: line.amount,
                tax,
                gross: line.amount + tax,
            },
        })
        .collect();
    for (total, members) in totals.iter_mut().zip(members) {
        total.base = sum(members.into_iter().map(|at| lines[at].net))?;
    }
    let net = sum(lines.iter().map(|line| line.net))?;
    let tax = sum(lines.iter().map(|line| line.tax))?;
    let gross = sum([net, tax])?;
    Ok(Taxed {
        lines,
        totals,
        net,
        tax,
        gross,
    })
}

fn too_large() -> Problem {
    Problem::rule("out_of_range", "the total is too large")
}

fn sum(parts: impl IntoIterator<Item = Decimal>) -> Result<Decimal, Problem> {
    let mut parts = parts.into_iter();
    let sum = parts.try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part));
    sum.filter(|sum| Amount::new(*sum).is_ok()).ok_or_else(too_large)
}

fn distinct_codes(lines: &[TaxableLine]) -> Vec<&TaxCodeRate> {
    let mut codes: Vec<&TaxCodeRate> = Vec::new();
    for code in lines.iter().flat_map(|line| &line.codes) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// The tax by one code, and the part of each line that it taxes.
fn tax_of(
    currency: Currency,
    inclusive: bool,
    rounding: Rounding,
    lines: &[TaxableLine],
    taxed: &[usize],
    rate: Decimal,
) -> Option<(Decimal, Vec<Decimal>)> {
    // An inclusive price is the net times this, so the net is taken out before the tax is.
    let factor = |at: usize| {
        let charged = lines[at].codes.iter().filter(|code| !code.reverse_charge);
        match inclusive {
            true => Decimal::ONE + charged.map(|code| code.rate.value()).sum::<Decimal>(),
            false => Decimal::ONE,
        }
    };
    let part = |amount: Decimal, factor: Decimal| amount.checked_mul(rate)?.checked_div(factor);
    let exact = taxed.iter().map(|&at| part(lines[at].amount, factor(at)));
    let exact = exact.collect::<Option<Vec<Decimal>>>()?;
    let mut parts: Vec<Decimal> = exact.iter().map(|exact| round(currency, *exact)).collect();
    if rounding == Rounding::Line {
        return Some((parts.iter().sum(), parts));
    }
    // Divided once for each factor, so that a half cent stays one.
    let mut amounts: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for &at in taxed {
        let amount = amounts.entry(factor(at)).or_default();
        *amount = amount.checked_add(lines[at].amount)?;
    }
    let exact = amounts.into_iter().map(|(factor, amount)| part(amount, factor));
    let exact = exact.collect::<Option<Vec<Decimal>>>()?.into_iter().sum::<Decimal>();
    let tax = round(currency, exact.round_dp(12));
    let mut largest: Vec<usize> = (0..taxed.len()).collect();
    largest.sort_by_key(|&n| (std::cmp::Reverse(lines[taxed[n]].amount.abs()), n));
    spread(currency, tax - parts.iter().sum::<Decimal>(), &mut parts, &largest);
    Some((tax, parts))
}

/// Gives the cents of a difference to the parts, one each in this order, and again from the start.
fn spread(currency: Currency, difference: Decimal, parts: &mut [Decimal], order: &[usize]) {
    let cent = Decimal::new(1, currency.minor_digits());
    let step = if difference.is_sign_negative() { -cent } else { cent };
    let mut left = difference;
    for &at in order.iter().cycle() {
        if left.is_zero() {
            return;
        }
        parts[at] += step;
        left -= step;
    }
}

#[cfg(test)]
mod tests;
