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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Journal, PostingDay, Source};
    use chrono::NaiveDate;
    use uuid::Uuid;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn total(rate: &str, reverse_charge: bool, base: &str, tax: &str) -> TaxTotal {
        TaxTotal {
            code: TaxCodeRate {
                code: "T".to_owned(),
                name: "T".to_owned(),
                kind: TaxKind::Output,
                report_code: None,
                rate: rate.parse().unwrap(),
                reverse_charge,
            },
            base: dec(base),
            tax: dec(tax),
        }
    }

    fn entry() -> Entry {
        let on = PostingDay {
            date: NaiveDate::default(),
            fiscal_year_id: Uuid::nil(),
            label: "1970".to_owned(),
            base_currency: Currency::USD,
        };
        Entry::new(
            Journal::Sales,
            &on,
            Source::new("invoice", Uuid::nil(), None),
            "a document",
        )
    }

    /// Account, base, amount, tax base and kind of a line.
    type Shown = [String; 5];

    /// The lines, and what is paid.
    fn posted(direction: Direction, totals: &[TaxTotal]) -> (Vec<Shown>, Sum) {
        let rules = Rules::by_name(&[Role::TaxInput, Role::TaxOutput]);
        let conversion = Conversion {
            currency: "EUR".parse().unwrap(),
            base_currency: Currency::USD,
            rate: dec("1.1"),
        };
        let mut entry = entry();
        let charged = post(&mut entry, &rules, direction, totals, conversion).unwrap();
        let shown = |line: &Line| {
            let numbers = [line.sum.base, line.sum.amount, line.tax_base.unwrap()];
            let [base, amount, tax_base] = numbers.map(|number| number.normalize().to_string());
            let kind = line.tax_kind.clone().unwrap();
            [line.account_code.clone(), base, amount, tax_base, kind]
        };
        (entry.lines.iter().map(shown).collect(), charged)
    }

    fn line(account: &str, base: &str, amount: &str, tax_base: &str, kind: &str) -> Shown {
        [account, base, amount, tax_base, kind].map(str::to_owned)
    }

    #[test]
    fn a_sale_credits_output_tax_and_a_purchase_debits_input_tax() {
        let totals = [total("0.19", false, "100", "19")];
        let (lines, charged) = posted(Direction::Sale, &totals);
        assert_eq!(lines, [line("tax_output", "-20.9", "-19", "-110", "output")]);
        assert_eq!((charged.base, charged.amount), (dec("20.90"), dec("19")));
        let (lines, charged) = posted(Direction::Purchase, &totals);
        assert_eq!(lines, [line("tax_input", "20.9", "19", "110", "input")]);
        assert_eq!(charged.base, dec("20.90"));
        // A credit note is the other way round.
        let (lines, charged) = posted(Direction::Sale, &[total("0.19", false, "-100", "-19")]);
        assert_eq!(lines, [line("tax_output", "20.9", "19", "110", "output")]);
        assert_eq!(charged.amount, dec("-19"));
    }

    #[test]
    fn reverse_charge_stands_on_both_sides_of_a_purchase_and_is_not_paid() {
        let totals = [total("0.19", true, "100", "19")];
        let (lines, charged) = posted(Direction::Purchase, &totals);
        assert_eq!(
            lines,
            [
                line("tax_input", "20.9", "19", "110", "input"),
                line("tax_output", "-20.9", "-19", "-110", "output"),
            ]
        );
        assert!(charged.is_zero());
    }

    #[test]
    fn what_makes_no_tax_line_is_noted_on_the_revenue() {
        let untaxed = [total("0.19", true, "100", "19"), total("0", false, "100", "0")];
        let (lines, charged) = posted(Direction::Sale, &untaxed);
        assert!(lines.is_empty() && charged.is_zero());
        for total in untaxed {
            let mut entry = entry();
            let account = Rules::by_name(&[Role::Revenue]).of(Role::Revenue).unwrap();
            let line = entry.credit(&account, Sum::base(Currency::USD, dec("110")));
            note_untaxed(line, Direction::Sale, &[total.code], dec("110"));
            let noted = (line.tax_code.as_deref(), line.tax_base, line.tax_rate);
            assert_eq!(noted, (Some("T"), Some(dec("-110")), Some(Decimal::ZERO)));
        }
        let mut entry = entry();
        let account = Rules::by_name(&[Role::Revenue]).of(Role::Revenue).unwrap();
        let line = entry.credit(&account, Sum::base(Currency::USD, dec("110")));
        note_untaxed(
            line,
            Direction::Sale,
            &[total("0.19", false, "100", "19").code],
            dec("110"),
        );
        assert_eq!(line.tax_code, None);
    }
}
