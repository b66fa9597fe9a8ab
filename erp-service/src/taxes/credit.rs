//! The tax of partial credits: pure.

use super::compute::{TaxTotal, round};
use rust_decimal::Decimal;
use service_kit::{Currency, Problem};

/// What a credit of `base` takes of the tax of an invoice: its share, and all that is left with the
/// last of the base. `credited` is (base, tax) of the credits before; everything has the invoice's
/// sign.
///
/// # Errors
/// 409 `exceeds_invoiced` when more would be credited than was invoiced.
pub fn credit_share(
    currency: Currency,
    invoiced: &TaxTotal,
    credited: (Decimal, Decimal),
    base: Decimal,
) -> Result<Decimal, Problem> {
    let (base_left, tax_left) = (invoiced.base - credited.0, invoiced.tax - credited.1);
    if base == base_left {
        return Ok(tax_left);
    }
    let same_sign = base.is_zero() || base.is_sign_negative() == base_left.is_sign_negative();
    if !same_sign || base.abs() > base_left.abs() {
        let detail = format!(
            "{} of {} is left to be credited, not {}",
            base_left.normalize(),
            invoiced.code.code,
            base.normalize()
        );
        return Err(Problem::conflict("exceeds_invoiced", detail)
            .fact("tax_code", invoiced.code.code.clone())
            .fact("left", base_left.normalize().to_string()));
    }
    let share = base.checked_mul(invoiced.code.rate.value());
    let share = share.ok_or_else(|| Problem::rule("out_of_range", "the credit is too large"))?;
    let share = round(currency, share);
    // Rounded up often enough, the shares would come to more than there is.
    Ok(match share.abs() > tax_left.abs() {
        true => tax_left,
        false => share,
    })
}

/// The taxes of a partial credit: for each code and rate of the invoice the share of `now`, the net
/// that is credited with it. `before` are the totals of all earlier credits.
///
/// # Errors
/// 409 `exceeds_invoiced`, also for a code and rate that the invoice does not have.
pub fn credit(
    currency: Currency,
    invoiced: &[TaxTotal],
    before: &[TaxTotal],
    now: &[TaxTotal],
) -> Result<Vec<TaxTotal>, Problem> {
    let of = |totals: &[TaxTotal], wanted: &TaxTotal| {
        let same = totals.iter().filter(|total| total.is_of(wanted));
        same.fold((Decimal::ZERO, Decimal::ZERO), |(base, tax), total| {
            (base + total.base, tax + total.tax)
        })
    };
    if let Some(foreign) = now.iter().find(|total| !invoiced.iter().any(|i| i.is_of(total))) {
        let detail = format!("the invoice has no tax {}", foreign.code.code);
        return Err(Problem::conflict("exceeds_invoiced", detail));
    }
    let credited = invoiced.iter().filter_map(|total| {
        let base = of(now, total).0;
        if !now.iter().any(|n| n.is_of(total)) {
            return None;
        }
        let share = credit_share(currency, total, of(before, total), base);
        Some(share.map(|tax| TaxTotal {
            code: total.code.clone(),
            base,
            tax,
        }))
    });
    credited.collect()
}

impl TaxTotal {
    fn is_of(&self, other: &TaxTotal) -> bool {
        (&self.code.code, self.code.rate) == (&other.code.code, other.code.rate)
    }
}
