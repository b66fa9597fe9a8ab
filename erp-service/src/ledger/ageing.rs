//! What is open by how long it is overdue: the same buckets wherever an ageing is shown.

use super::shown;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Result};
use utoipa::ToSchema;

/// What is open in all; credits and payments on account count as not due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgeingTotals {
    pub not_due: Amount,
    pub overdue_1_30: Amount,
    pub overdue_31_60: Amount,
    pub overdue_61_90: Amount,
    pub overdue_over_90: Amount,
    pub total: Amount,
}

/// The sums of an ageing.
#[derive(Debug, Clone, Default)]
pub struct Buckets([Decimal; 5]);

impl Buckets {
    pub fn add(&mut self, days_overdue: i64, amount: Decimal) {
        self.0[bucket(days_overdue)] += amount;
    }

    /// # Errors
    /// 422 `out_of_range` when a sum is too large.
    pub fn shown(&self, currency: Currency) -> Result<AgeingTotals> {
        let [not_due, days_30, days_60, days_90, more] = self.0;
        Ok(AgeingTotals {
            not_due: shown(currency, not_due)?,
            overdue_1_30: shown(currency, days_30)?,
            overdue_31_60: shown(currency, days_60)?,
            overdue_61_90: shown(currency, days_90)?,
            overdue_over_90: shown(currency, more)?,
            total: shown(currency, self.0.iter().sum())?,
        })
    }
}

/// Days past due on a day. Money that is waiting to be allocated is not late.
pub fn days_overdue(open: Decimal, due_on: NaiveDate, on: NaiveDate) -> i64 {
    match open.is_sign_negative() {
        true => 0,
        false => (on - due_on).num_days().max(0),
    }
}

fn bucket(days: i64) -> usize {
    match days {
        ..=0 => 0,
        1..=30 => 1,
        31..=60 => 2,
        61..=90 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::bucket;

    #[test]
    fn the_day_after_it_is_due_is_the_first_one_overdue() {
        let buckets = [-5, 0, 1, 30, 31, 60, 61, 90, 91, 5_000].map(bucket);
        assert_eq!(buckets, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    }
}
