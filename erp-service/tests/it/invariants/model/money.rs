//! Rounding, rates and accounts.

use rust_decimal::{Decimal, RoundingStrategy};

/// Half to even, to cents.
pub fn even(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// Half away from zero, to cents: taxes.
pub fn away(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// At a rate, to cents; a rate that is an inverse is cut after 28 digits, which must not undo a half.
pub fn convert(amount: Decimal, rate: Decimal) -> Decimal {
    let exact = (amount * rate).round_sf_with_strategy(20, RoundingStrategy::MidpointNearestEven);
    even(exact.expect("an amount that fits"))
}

/// The share of `whole` that `part` of `of` has; all of it takes all.
pub fn share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal {
    match part == of {
        true => whole,
        false => even(whole * part / of),
    }
}

/// 20 % on everything, both ways.
pub fn tax_rate() -> Decimal {
    Decimal::new(20, 2)
}

/// The tax in an amount that includes it.
pub fn tax_within(gross: Decimal) -> Decimal {
    away((gross * tax_rate() / (Decimal::ONE + tax_rate())).round_dp(12))
}

/// A cash discount of 2 % within 10 days.
pub fn discount_rate() -> Decimal {
    Decimal::new(2, 2)
}

pub fn bank(currency: &str) -> &'static str {
    match currency {
        "EUR" => "1021",
        "GBP" => "1022",
        _ => "1020",
    }
}

pub const BASE: &str = "USD";
pub const RECEIVABLE: &str = "1100";
pub const INPUT_TAX: &str = "1200";
pub const STOCK: &str = "1300";
pub const PAYABLE: &str = "2010";
pub const RECEIVED_NOT_INVOICED: &str = "2050";
pub const OUTPUT_TAX: &str = "2100";
pub const ADVANCES: &str = "2150";
pub const REVENUE: &str = "4010";
pub const DISCOUNTS_RECEIVED: &str = "4100";
pub const GAINS: &str = "4200";
pub const COST_OF_SALES: &str = "5010";
pub const VARIANCE: &str = "5020";
pub const DIFFERENCES: &str = "5030";
pub const RENT: &str = "6030";
pub const DISCOUNTS: &str = "6100";
pub const ROUNDING: &str = "6210";
pub const LOSSES: &str = "6300";
