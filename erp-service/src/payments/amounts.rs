//! How much of an item a sum of money pays: pure arithmetic, on amounts without sign.

use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Faults};

/// The discount that comes with paying `amount` in time of an item of which `open` is open: a payment clears more than
/// it is, in the proportion of the discount, and never more than is open. Paying all of it takes no discount.
pub fn discount_with(currency: Currency, open: Decimal, rate: Decimal, amount: Decimal) -> Decimal {
    let least = open - currency.round(open * rate);
    if amount >= open || rate.is_zero() || amount.is_zero() {
        return Decimal::ZERO;
    }
    if amount >= least {
        return open - amount;
    }
    match amount.checked_div(Decimal::ONE - rate) {
        Some(cleared) => (currency.round(cleared) - amount).clamp(Decimal::ZERO, open - amount),
        None => open - amount,
    }
}

/// Money that is being spent, with its value in the base currency: the last of it takes what is left of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pot {
    pub currency: Currency,
    pub amount: Decimal,
    pub base: Decimal,
}

impl Pot {
    /// Takes `paid` and answers its value. The caller has seen that it is there.
    pub fn take(&mut self, paid: Decimal, base: Currency) -> Decimal {
        let value = share(self.base, paid, self.amount, base);
        self.amount -= paid;
        self.base -= value;
        value
    }
}

/// `whole × part ÷ of`, rounded; all of it when the part is all.
pub fn share(whole: Decimal, part: Decimal, of: Decimal, currency: Currency) -> Decimal {
    if part == of {
        return whole;
    }
    let exact = whole.checked_mul(part).and_then(|product| product.checked_div(of));
    // Too many digits to multiply first: the quotient then loses none that count.
    let exact = exact.or_else(|| part.checked_div(of).and_then(|ratio| ratio.checked_mul(whole)));
    currency.round(exact.unwrap_or_default())
}

/// A fault unless the amount is above 0 and fits the minor unit of its currency.
pub fn check_positive(faults: &mut Faults, pointer: &str, amount: Amount, currency: Currency) {
    check_digits(faults, pointer, amount, currency);
    if amount.value() <= Decimal::ZERO {
        faults.add(pointer, "out_of_range", "must be above 0");
    }
}

/// A fault unless the amount fits the minor unit of its currency.
pub fn check_digits(faults: &mut Faults, pointer: &str, amount: Amount, currency: Currency) {
    if currency.round(amount.value()) != amount.value() {
        let digits = currency.minor_digits();
        faults.add(
            pointer,
            "out_of_range",
            format!("{currency} has {digits} digits after the point"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_payment_in_time_clears_in_the_proportion_of_the_discount() {
        for (open, rate, amount, discount) in [
            ("1190.00", "0.02", "1166.20", "23.80"),
            ("1190.00", "0.02", "583.10", "11.90"),
            ("1190.00", "0.02", "1190.00", "0"),
            ("1190.00", "0.02", "1180.00", "10.00"),
            ("1190.00", "0.02", "1200.00", "0"),
            ("606.90", "0.02", "594.76", "12.14"),
            ("100.00", "1", "0.01", "99.99"),
            ("99.95", "0.03", "96.95", "3.00"),
        ] {
            let found = discount_with(Currency::USD, dec(open), dec(rate), dec(amount));
            assert_eq!(found, dec(discount), "{amount} of {open} at {rate}");
        }
    }

    #[test]
    fn the_last_of_a_pot_takes_the_rest_of_its_value() {
        let mut pot = Pot {
            currency: "EUR".parse().unwrap(),
            amount: dec("3"),
            base: dec("10.00"),
        };
        let values: Vec<Decimal> = (0..3).map(|_| pot.take(Decimal::ONE, Currency::USD)).collect();
        assert_eq!(values, [dec("3.33"), dec("3.34"), dec("3.33")]);
        assert!(pot.base.is_zero());
    }
}
