//! The three-way match of one line of a bill with its order and its receipts: pure.
//!
//! Cumulative: what was billed before counts. No more may be billed than was received and kept, and the
//! price may be off by at most the lesser of a fraction of what the order says and an amount. What
//! is outside holds the bill until somebody else releases it; what was released does not count
//! against the bills after it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Quantity, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What is outside of the tolerance.
    MatchFindingCode {
        /// More is billed than was received.
        Quantity = "billed_exceeds_received",
        /// The price is off by more than the tolerance.
        Price = "price_outside_tolerance",
    }
}

/// Why a bill is held, line by line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MatchFinding {
    /// Line of the bill.
    pub line_id: Uuid,
    pub code: MatchFindingCode,
    pub message: String,
}

/// What a line is matched with; money in the document's currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineMatch {
    pub line_id: Uuid,
    /// Received, less what was sent back before it was billed.
    pub received: Quantity,
    /// By earlier bills.
    pub billed: Quantity,
    pub quantity: Quantity,
    /// What the line comes to, and what it would at the order's price; both rounded.
    pub amount: Decimal,
    pub expected: Decimal,
    /// Of earlier bills within the tolerance: their worth at the order's price, and how far they were off.
    pub expected_before: Decimal,
    pub difference_before: Decimal,
}

/// How far a price may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Of what the order says.
    pub fraction: Decimal,
    /// In the base currency.
    pub amount: Decimal,
    /// What one unit of the document's currency is worth in the base currency.
    pub rate: Decimal,
}

impl LineMatch {
    /// How far this line is off, by price.
    pub fn difference(&self) -> Decimal {
        self.amount - self.expected
    }

    /// Everything that is outside of the tolerance; empty when the line matches.
    pub fn findings(&self, tolerance: Tolerance) -> Vec<MatchFinding> {
        let mut findings = Vec::new();
        let mut add = |code, message| {
            findings.push(MatchFinding {
                line_id: self.line_id,
                code,
                message,
            });
        };
        let billed = self.billed + self.quantity;
        if billed > self.received {
            let message = format!("{billed} would be billed in all, {} was received", self.received);
            add(MatchFindingCode::Quantity, message);
        }
        let off = self.difference_before + self.difference();
        let expected = self.expected_before + self.expected;
        let by_fraction = expected * tolerance.fraction;
        let outside = off.abs() > by_fraction || off.abs() * tolerance.rate > tolerance.amount;
        if outside {
            let message = format!(
                "the price is off by {} on {}; within {} and {} in the base currency it would pass",
                off.normalize(),
                expected.normalize(),
                by_fraction.normalize(),
                tolerance.amount.normalize()
            );
            add(MatchFindingCode::Price, message);
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn tolerance() -> Tolerance {
        Tolerance {
            fraction: dec("0.02"),
            amount: dec("50.00"),
            rate: Decimal::ONE,
        }
    }

    fn line(received: &str, billed: &str, quantity: &str, amount: &str, expected: &str) -> LineMatch {
        LineMatch {
            line_id: Uuid::nil(),
            received: received.parse().unwrap(),
            billed: billed.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
            amount: dec(amount),
            expected: dec(expected),
            expected_before: Decimal::ZERO,
            difference_before: Decimal::ZERO,
        }
    }

    fn codes(line: &LineMatch) -> Vec<MatchFindingCode> {
        line.findings(tolerance())
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn the_worked_example() {
        // Purchase order 100 @ 10, received 90.
        assert!(codes(&line("90", "0", "90", "913.50", "900")).is_empty());
        assert_eq!(
            codes(&line("90", "0", "90", "927.00", "900")),
            [MatchFindingCode::Price]
        );
        assert_eq!(
            codes(&line("90", "0", "100", "1000", "1000")),
            [MatchFindingCode::Quantity]
        );
    }

    #[test]
    fn the_bounds_are_inside() {
        assert!(codes(&line("90", "0", "90", "918.00", "900")).is_empty());
        assert_eq!(
            codes(&line("90", "0", "90", "918.01", "900")),
            [MatchFindingCode::Price]
        );
        assert!(codes(&line("90", "0", "90", "882.00", "900")).is_empty());
        assert_eq!(
            codes(&line("90", "0", "90", "881.99", "900")),
            [MatchFindingCode::Price]
        );
        // 2 % of 5,000 would be 100; 50.00 is the lesser.
        assert!(codes(&line("500", "0", "500", "5050.00", "5000")).is_empty());
        assert_eq!(
            codes(&line("500", "0", "500", "5050.01", "5000")),
            [MatchFindingCode::Price]
        );
    }

    #[test]
    fn many_small_differences_are_one_large_one() {
        let mut second = line("90", "45", "45", "459.01", "450");
        second.expected_before = dec("450");
        second.difference_before = dec("9.00");
        assert_eq!(codes(&second), [MatchFindingCode::Price]);
        second.amount = dec("459.00");
        assert!(codes(&second).is_empty());
    }

    #[test]
    fn the_amount_is_in_the_base_currency() {
        let foreign = Tolerance {
            rate: dec("1.25"),
            ..tolerance()
        };
        assert!(line("500", "0", "500", "5040.00", "5000").findings(foreign).is_empty());
        assert!(!line("500", "0", "500", "5040.01", "5000").findings(foreign).is_empty());
    }

    proptest! {
        #[test]
        fn billed_as_ordered_and_received_always_matches(
            parts in prop::collection::vec(1u32..100_000, 1..20), price in 0u64..1_000_000_000,
        ) {
            let price = Decimal::new(price as i64, 4);
            let received: Quantity = parts.iter().map(|part| Quantity::new(Decimal::new(i64::from(*part), 3)).unwrap()).sum();
            let (mut billed, mut expected) = (Quantity::ZERO, Decimal::ZERO);
            for part in parts {
                let quantity = Quantity::new(Decimal::new(i64::from(part), 3)).unwrap();
                let amount = (quantity.value() * price).round_dp(2);
                let line = LineMatch {
                    line_id: Uuid::nil(), received, billed, quantity, amount, expected: amount,
                    expected_before: expected, difference_before: Decimal::ZERO,
                };
                prop_assert!(line.findings(tolerance()).is_empty());
                billed = billed + quantity;
                expected += amount;
            }
            let more = LineMatch {
                line_id: Uuid::nil(), received, billed, quantity: "0.001".parse().unwrap(), amount: Decimal::ZERO,
                expected: Decimal::ZERO, expected_before: expected, difference_before: Decimal::ZERO,
            };
            prop_assert_eq!(more.findings(tolerance()).len(), 1);
        }

        #[test]
        fn how_a_difference_is_spread_over_bills_does_not_matter(
            differences in prop::collection::vec(-400i64..400, 1..12),
        ) {
            let expected = Decimal::new(10_000, 2);
            let (mut before, mut off, mut all_passed) = (Decimal::ZERO, Decimal::ZERO, true);
            for difference in &differences {
                let line = LineMatch {
                    line_id: Uuid::nil(), received: "99999".parse().unwrap(), billed: Quantity::ZERO, quantity: "1".parse().unwrap(),
                    amount: expected + Decimal::new(*difference, 2), expected, expected_before: before, difference_before: off,
                };
                let passed = line.findings(tolerance()).is_empty();
                let total: Decimal = off + line.difference();
                let allowed = ((before + expected) * Decimal::new(2, 2)).min(Decimal::from(50));
                prop_assert_eq!(passed, total.abs() <= allowed);
                all_passed &= passed;
                before += expected;
                off = total;
            }
            if all_passed {
                prop_assert!(off.abs() <= (before * Decimal::new(2, 2)).min(Decimal::from(50)));
            }
        }
    }
}
