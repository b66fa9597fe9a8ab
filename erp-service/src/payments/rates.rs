//! Rates until the module of currencies has them.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Currency, Problem, Result, Tx};

pub fn rate(_: &mut Tx<'_>, from: Currency, to: Currency, date: NaiveDate) -> Result<Decimal> {
    match from == to {
        true => Ok(Decimal::ONE),
        false => Err(Problem::rule(
            "rate_missing",
            format!("there is no exchange rate from {from} to {to} of {date}"),
        )
        .into()),
    }
}

pub fn convert(amount: Decimal, rate: Decimal, to: Currency) -> Result<Decimal, Problem> {
    Ok(to.round(amount * rate))
}
