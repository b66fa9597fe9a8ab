//! Tax in the ledger.

use super::codes::TaxKind;
use super::compute::{TaxCodeRate, TaxTotal};
use super::rules::Direction;
use crate::currencies;
use crate::ledger::{Account, Entry, Facts, Line, Role, Rules, Sum};
use rust_decimal::Decimal;
use service_kit::{Currency, Problem};

/// How a document's amounts become amounts of the base currency.
#[derive(Debug, Clone, Copy)]
pub struct Conversion {
    pub currency: Currency,
    pub base_currency: Currency,
    pub rate: Decimal,
}

impl Conversion {
    /// An amount of the document with its value.
    ///
    /// # Errors
    /// 422 `out_of_range`.
    pub fn sum(&self, amount: Decimal) -> Result<Sum, Problem> {
        Ok(Sum {
            base: currencies::convert(amount, self.rate, self.base_currency)?,
            amount,
            currency: self.currency,
        })
    }
}

/// Adds the tax lines of a document to its entry and answers what of them the party pays: a sale's
/// on the credit side, a purchase's on the debit side; negative totals (a credit note's) the other
/// way round. Reverse charge of a purchase is posted on both sides.
///
/// # Errors
/// 409 `posting_rule_missing`; 422 `out_of_range`.
pub fn post(
    entry: &mut Entry,
    rules: &Rules,
    direction: Direction,
    totals: &[TaxTotal],
    conversion: Conversion,
) -> Result<Sum, Problem> {
    let mut charged = conversion.sum(Decimal::ZERO)?;
    for total in totals.iter().filter(|total| !is_untaxed(direction, &total.code)) {
        let (tax, base) = (conversion.sum(total.tax)?, conversion.sum(total.base)?.base);
        let account = |role: Role| -> Result<Account, Problem> {
            rules.account(
                role,
                &Facts {
                    tax_code: Some(&total.code.code),
                    ..Facts::default()
                },
            )
        };
        if direction == Direction::Purchase {
            let line = entry.debit(&account(Role::TaxInput)?, tax);
            mark(line, &total.code, TaxKind::Input, base);
        }
        if direction == Direction::Sale || total.code.reverse_charge {
            let line = entry.credit(&account(Role::TaxOutput)?, tax);
            mark(line, &total.code, TaxKind::Output, -base);
        }
        if !total.code.reverse_charge {
            charged.base += tax.base;
            charged.amount += tax.amount;
        }
    }
    Ok(charged)
}

/// Where a code of the line makes no tax line, the line of the revenue or the cost reports the base.
/// `base` is the line's net in the base currency, as [`post`] wants it: positive, negative on a credit
/// note.
pub fn note_untaxed(line: &mut Line, direction: Direction, codes: &[TaxCodeRate], base: Decimal) {
    if let Some(code) = codes.iter().find(|code| is_untaxed(direction, code)) {
        let (kind, base) = match direction {
            Direction::Sale => (TaxKind::Output, -base),
            Direction::Purchase => (TaxKind::Input, base),
        };
        let untaxed = TaxCodeRate {
            rate: Default::default(),
            ..code.clone()
        };
        mark(line, &untaxed, kind, base);
    }
}

/// Whether nothing is posted: the rate is 0, or the buyer owes the tax to their own office.
fn is_untaxed(direction: Direction, code: &TaxCodeRate) -> bool {
    code.rate.is_zero() || (code.reverse_charge && direction == Direction::Sale)
}

fn mark(line: &mut Line, code: &TaxCodeRate, kind: TaxKind, base: Decimal) {
    line.tax(&code.code, base);
    line.tax_rate = Some(code.rate.value());
    line.tax_kind = Some(kind.as_str().to_owned());
}
