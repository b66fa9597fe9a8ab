//! What a payment to one supplier in one currency comes to: pure arithmetic.
//!
//! Credits pay for the bills first, the earliest due first; the cash discount is that on what is then paid with money, as
//! a supplier gives it on what is owed after its credit notes.

use crate::payments::amounts::discount_with;
use rust_decimal::Decimal;
use service_kit::Currency;

/// An item that may go into the payment; bills in the order in which credits pay for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Negative of a credit.
    pub open: Decimal,
    /// The discount that it still gives.
    pub discount: Option<Decimal>,
    /// What is to be paid of it, or used of a credit; `None`: all.
    pub wanted: Option<Decimal>,
}

/// What becomes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paid {
    /// What it adds to the payment; negative of a credit.
    pub amount: Decimal,
    /// With money, of a bill.
    pub money: Decimal,
    pub discount: Decimal,
    /// Which credits pay how much of it, by their place.
    pub credits: Vec<(usize, Decimal)>,
}

/// The payment, item by item.
pub fn plan(currency: Currency, parts: &[Part]) -> Vec<Paid> {
    let mut paid = vec![Paid::default(); parts.len()];
    let asked = |part: &Part| part.wanted.unwrap_or(part.open.abs()).min(part.open.abs());
    let is_credit = |part: &Part| part.open.is_sign_negative();
    let mut room: Vec<Decimal> = parts.iter().map(asked).collect();
    for (credit, _) in parts.iter().enumerate().filter(|(_, part)| is_credit(part)) {
        for (bill, _) in parts.iter().enumerate().filter(|(_, part)| !is_credit(part)) {
            let used = room[credit].min(room[bill]);
            if used.is_zero() {
                continue;
            }
            room[credit] -= used;
            room[bill] -= used;
            paid[credit].amount -= used;
            paid[bill].amount += used;
            paid[bill].credits.push((credit, used));
        }
    }
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| !is_credit(part)) {
        let left = part.open - paid[index].amount;
        let rate = part.discount.unwrap_or_default();
        let least = left - currency.round(left * rate);
        // What was asked for is never more than what clears all of it.
        let money = room[index].min(least);
        paid[index].discount = discount_with(currency, left, rate, money);
        paid[index].money = money;
        paid[index].amount += money;
    }
    paid
}

/// What is paid with money.
pub fn total(paid: &[Paid]) -> Decimal {
    paid.iter().map(|paid| paid.money).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn part(open: &str, discount: Option<&str>, wanted: Option<&str>) -> Part {
        Part {
            open: dec(open),
            discount: discount.map(dec),
            wanted: wanted.map(dec),
        }
    }

    /// (amount, money, discount) of each.
    fn planned(parts: &[Part]) -> Vec<(Decimal, Decimal, Decimal)> {
        let paid = plan(Currency::USD, parts);
        let sum: Decimal = paid.iter().map(|paid| paid.amount).sum();
        assert_eq!(sum, total(&paid), "credits used are credits taken");
        paid.into_iter()
            .map(|paid| (paid.amount, paid.money, paid.discount))
            .collect()
    }

    fn rows(rows: &[[&str; 3]]) -> Vec<(Decimal, Decimal, Decimal)> {
        rows.iter().map(|[a, b, c]| (dec(a), dec(b), dec(c))).collect()
    }

    #[test]
    fn a_discount_is_that_on_what_is_left_after_credits() {
        // 1190.00 less a credit of 119.00: 2 % of 1071.00 is 21.42.
        let found = planned(&[part("1190", Some("0.02"), None), part("-119", None, None)]);
        assert_eq!(found, rows(&[["1168.58", "1049.58", "21.42"], ["-119", "0", "0"]]));
        assert_eq!(
            planned(&[part("1190", Some("0.02"), None)]),
            rows(&[["1166.20", "1166.20", "23.80"]])
        );
    }

    #[test]
    fn a_part_takes_its_share_of_the_discount_and_never_more_than_all() {
        assert_eq!(
            planned(&[part("1190", Some("0.02"), Some("583.10"))]),
            rows(&[["583.10", "583.10", "11.90"]])
        );
        assert_eq!(
            planned(&[part("1190", Some("0.02"), Some("1190"))]),
            rows(&[["1166.20", "1166.20", "23.80"]])
        );
        assert_eq!(
            planned(&[part("1190", None, Some("9999"))]),
            rows(&[["1190", "1190", "0"]])
        );
    }

    #[test]
    fn a_payment_is_never_negative() {
        let found = planned(&[part("100", None, None), part("-150", None, None)]);
        assert_eq!(found, rows(&[["100", "0", "0"], ["-100", "0", "0"]]));
        let found = planned(&[
            part("100", None, None),
            part("50", None, None),
            part("-120", None, None),
            part("-10", None, None),
        ]);
        assert_eq!(
            found,
            rows(&[
                ["100", "0", "0"],
                ["50", "20", "0"],
                ["-120", "0", "0"],
                ["-10", "0", "0"]
            ])
        );
    }
}
