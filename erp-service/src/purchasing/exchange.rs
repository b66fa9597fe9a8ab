//! What an amount in a document's currency is worth in the base currency.

use crate::{company, currencies};
use chrono::NaiveDate;
use diesel::PgConnection;
use rust_decimal::Decimal;
use service_kit::{Currency, Problem, Result};

/// The rate of a document: how much of the base currency one unit of its currency is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub currency: Currency,
    pub base: Currency,
    pub rate: Decimal,
}

impl Rate {
    /// The rate of a day.
    ///
    /// # Errors
    /// 422 `rate_missing`.
    pub fn of(conn: &mut PgConnection, currency: Currency, date: NaiveDate) -> Result<Self> {
        let base = company::settings(conn)?.base_currency;
        Ok(Rate {
            currency,
            base,
            rate: currencies::rate(conn, currency, base, date)?,
        })
    }

    /// An amount in the base currency, rounded to its minor unit.
    ///
    /// # Errors
    /// 422 `out_of_range`.
    pub fn convert(self, amount: Decimal) -> Result<Decimal, Problem> {
        currencies::convert(amount, self.rate, self.base)
    }

    pub fn is_foreign(self) -> bool {
        self.currency != self.base
    }
}
