//! The arithmetic of the moving average: pure, exact, in whole minor units.
//!
//! The database has the same rule as `stock_share`, which issues use under lock; a test compares
//! the two.

use rust_decimal::Decimal;
use service_kit::{Currency, Quantity};

/// What `quantity` out of `on_hand` units that are worth `value` takes along: its share, rounded
/// half to even to the minor unit. All of them take everything, so nothing is ever left over.
///
/// Used one after the other: 3 units worth 10.00 leave as 3.33, 3.34, 3.33.
pub fn share(value: Decimal, on_hand: Quantity, quantity: Quantity, base: Currency) -> Decimal {
    match quantity >= on_hand {
        true => value,
        false => proportion(value, quantity.value(), on_hand.value(), base),
    }
}

/// What `quantity` units are worth at the cost of `of` units that were worth `value`.
pub fn at_cost(value: Decimal, of: Quantity, quantity: Quantity, base: Currency) -> Decimal {
    proportion(value, quantity.value(), of.value(), base)
}

/// The part of a late cost that belongs to goods which are still there.
pub fn late_share(amount: Decimal, on_hand: Quantity, received: Quantity, base: Currency) -> Decimal {
    match on_hand >= received {
        true => amount,
        false => proportion(amount, on_hand.value(), received.value(), base),
    }
}

/// Splits `value` over parts in proportion to their quantities; what rounding leaves goes along the
/// way, so that the parts always sum to the whole.
pub fn split(value: Decimal, quantities: &[Quantity], base: Currency) -> Vec<Decimal> {
    let mut left: Quantity = quantities.iter().copied().sum();
    let mut rest = value;
    let mut parts = Vec::with_capacity(quantities.len());
    for quantity in quantities {
        let part = match left.is_zero() {
            true => Decimal::ZERO,
            false => share(rest, left, *quantity, base),
        };
        rest -= part;
        left = left - *quantity;
        parts.push(part);
    }
    parts
}

/// round(value × numerator ÷ denominator), half to even, in integers: a quotient that was rounded
/// before would make ties where there are none.
fn proportion(value: Decimal, numerator: Decimal, denominator: Decimal, base: Currency) -> Decimal {
    let digits = base.minor_digits();
    let whole = |decimal: Decimal, scale: u32| {
        let mut scaled = decimal;
        scaled.rescale(scale);
        scaled.mantissa()
    };
    // 4 decimals of money, 3 of quantities: see the columns.
    let (money, part, of) = (whole(value, 4), whole(numerator, 3), whole(denominator, 3));
    let unit = 10_i128.pow(4_u32.saturating_sub(digits));
    // Columns keep both products within 38 digits; without a denominator there is no share.
    let Some((exact, of)) = money
        .checked_mul(part)
        .zip(of.checked_mul(unit))
        .filter(|(_, of)| *of != 0)
    else {
        return Decimal::ZERO;
    };
    let (quotient, remainder) = (exact.div_euclid(of), exact.rem_euclid(of));
    let up = match (remainder * 2).cmp(&of) {
        std::cmp::Ordering::Greater => 1,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2),
        std::cmp::Ordering::Less => 0,
    };
    Decimal::from_i128_with_scale(quotient + up, digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    fn money(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn three_units_worth_ten_leave_as_three_amounts() {
        let one = quantity("1");
        let parts = split(money("10.00"), &[one, one, one], Currency::USD);
        assert_eq!(parts, [money("3.33"), money("3.34"), money("3.33")]);
    }

    #[test]
    fn a_tie_goes_to_the_even_cent_and_the_last_unit_takes_the_rest() {
        let (one, two) = (quantity("1"), quantity("2"));
        assert_eq!(share(money("0.05"), two, one, Currency::USD), money("0.02"));
        assert_eq!(share(money("0.15"), two, one, Currency::USD), money("0.08"));
        assert_eq!(share(money("0.01"), two, one, Currency::USD), money("0.00"));
        assert_eq!(share(money("0.01"), one, one, Currency::USD), money("0.01"));
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!(share(money("25"), two, one, yen), money("12"));
        let dinar: Currency = "KWD".parse().unwrap();
        assert_eq!(share(money("0.005"), two, one, dinar), money("0.002"));
    }

    #[test]
    fn a_late_cost_belongs_to_what_is_left() {
        assert_eq!(
            late_share(money("10"), quantity("15"), quantity("10"), Currency::USD),
            money("10")
        );
        assert_eq!(
            late_share(money("10"), quantity("4"), quantity("10"), Currency::USD),
            money("4")
        );
        assert_eq!(
            late_share(money("-10"), quantity("4"), quantity("10"), Currency::USD),
            money("-4")
        );
        assert_eq!(
            late_share(money("10"), quantity("0"), quantity("10"), Currency::USD),
            money("0")
        );
    }

    proptest! {
        /// Whatever comes and goes: value never negative, nothing is worth nothing, all that came
        /// in is what went out or lies there, and a unit never costs less than the cheapest or
        /// more than the dearest that came, but for the rounding.
        #[test]
        fn the_average_keeps_every_cent(steps in prop::collection::vec((any::<bool>(), 1u32..2_000_000, 0u64..100_000_000), 1..60)) {
            let (mut on_hand, mut value, mut came, mut went) = (Quantity::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
            for (receipt, mills, cents) in steps {
                let quantity = Quantity::new(Decimal::new(i64::from(mills), 3)).unwrap();
                if receipt {
                    let worth = Decimal::new(cents as i64, 2);
                    on_hand = on_hand + quantity;
                    value += worth;
                    came += worth;
                } else if !on_hand.is_zero() {
                    let taken = quantity.min(on_hand);
                    let worth = share(value, on_hand, taken, Currency::USD);
                    let exact = value * taken.value() / on_hand.value();
                    prop_assert!((worth - exact).abs() <= Decimal::new(5, 3));
                    on_hand = on_hand - taken;
                    value -= worth;
                    went += worth;
                }
                prop_assert!(value >= Decimal::ZERO);
                prop_assert!(!on_hand.is_zero() || value.is_zero());
                prop_assert_eq!(value + went, came);
                prop_assert!(value.scale() <= 2);
            }
        }

        #[test]
        fn parts_sum_to_the_whole(cents in 0u64..1_000_000_000, mills in prop::collection::vec(1u32..5_000_000, 1..20)) {
            let value = Decimal::new(cents as i64, 2);
            let quantities: Vec<Quantity> = mills.iter().map(|m| Quantity::new(Decimal::new(i64::from(*m), 3)).unwrap()).collect();
            let parts = split(value, &quantities, Currency::USD);
            prop_assert_eq!(parts.iter().sum::<Decimal>(), value);
            prop_assert!(parts.iter().all(|part| *part >= Decimal::ZERO));
        }
    }
}
