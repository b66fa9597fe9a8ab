//! When a document is due, and how much each time: pure.

use super::PaymentTerms;
use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;
use service_kit::Currency;

/// A part of what a document comes to, with its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// From 1.
    pub instalment: i16,
    pub due_on: NaiveDate,
    pub amount: Decimal,
    /// Paid until then, the discount may be taken.
    pub discount_until: Option<NaiveDate>,
    /// A fraction of the amount.
    pub discount: Option<Decimal>,
}

impl PaymentTerms {
    /// The instalments of `gross` from this day on. Each is rounded half to even to the currency's minor
    /// unit and never more than what is left; the last one takes the rest. Instalments of nothing are left out, and
    /// nothing is due of nothing. A negative total has negative instalments.
    pub fn schedule(&self, currency: Currency, from: NaiveDate, gross: Decimal) -> Vec<Due> {
        let (sign, mut rest) = (
            if gross.is_sign_negative() {
                -Decimal::ONE
            } else {
                Decimal::ONE
            },
            gross.abs(),
        );
        let whole = [(Decimal::ONE, self.net_days)];
        let parts: Vec<(Decimal, i32)> = match self.instalments.is_empty() {
            true => whole.to_vec(),
            false => self
                .instalments
                .iter()
                .map(|part| (part.fraction.value(), part.days))
                .collect(),
        };
        let last = parts.len() - 1;
        let mut dues: Vec<Due> = Vec::with_capacity(parts.len());
        for (index, (fraction, days)) in parts.into_iter().enumerate() {
            let amount = match index == last {
                true => rest,
                false => currency.round(gross.abs() * fraction).min(rest),
            };
            rest -= amount;
            if amount.is_zero() {
                continue;
            }
            dues.push(Due {
                instalment: i16::try_from(dues.len() + 1).unwrap_or(i16::MAX),
                due_on: self.due(from, days),
                amount: amount * sign,
                discount_until: self.discount_days.map(|days| later(from, days)),
                discount: self.discount.map(Decimal::from),
            });
        }
        dues
    }

    fn due(&self, from: NaiveDate, days: i32) -> NaiveDate {
        let day = later(from, days);
        match self.end_of_month {
            true => end_of_month(day),
            false => day,
        }
    }
}

fn later(from: NaiveDate, days: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(days).unwrap_or(0));
    from.checked_add_days(days).unwrap_or(from)
}

fn end_of_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(chrono::Months::new(1));
    next.and_then(|next| next.pred_opt()).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment_terms::{Instalment, TermsStatus};
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    fn terms(net_days: i32, instalments: &[(i64, i32)]) -> PaymentTerms {
        let instalments = instalments.iter().map(|(fraction, days)| Instalment {
            fraction: service_kit::decimal::Fraction::new(Decimal::new(*fraction, 4)).unwrap(),
            days: *days,
        });
        PaymentTerms {
            id: Uuid::nil(),
            code: "T".to_owned(),
            name: "T".to_owned(),
            net_days,
            end_of_month: false,
            discount_days: None,
            discount: None,
            instalments: instalments.collect(),
            status: TermsStatus::Active,
            revision: 1,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn amounts(dues: &[Due]) -> Vec<String> {
        dues.iter().map(|due| due.amount.to_string()).collect()
    }

    #[test]
    fn net_days_and_end_of_month() {
        let mut terms = terms(30, &[]);
        let gross = Decimal::new(119_000, 2);
        assert_eq!(
            terms.schedule(Currency::USD, day("2026-01-31"), gross)[0].due_on,
            day("2026-03-02")
        );
        terms.end_of_month = true;
        assert_eq!(
            terms.schedule(Currency::USD, day("2026-01-15"), gross)[0].due_on,
            day("2026-02-28")
        );
        (terms.discount_days, terms.discount) = (Some(10), Some("0.02".parse().unwrap()));
        let due = &terms.schedule(Currency::USD, day("2026-01-15"), gross)[0];
        assert_eq!(
            (due.discount_until, due.discount),
            (Some(day("2026-01-25")), Some(Decimal::new(2, 2)))
        );
    }

    #[test]
    fn the_last_instalment_takes_the_rest() {
        let thirds = terms(60, &[(3333, 0), (3333, 30), (3334, 60)]);
        let dues = thirds.schedule(Currency::USD, day("2026-01-01"), Decimal::new(10_000, 2));
        assert_eq!(amounts(&dues), ["33.33", "33.33", "33.34"]);
        let dues = thirds.schedule(Currency::USD, day("2026-01-01"), Decimal::new(1, 2));
        assert_eq!(amounts(&dues), ["0.01"]);
        assert_eq!((dues[0].instalment, dues[0].due_on), (1, day("2026-03-02")));
        assert!(
            thirds
                .schedule(Currency::USD, day("2026-01-01"), Decimal::ZERO)
                .is_empty()
        );
        let credit = thirds.schedule(Currency::USD, day("2026-01-01"), Decimal::new(-10_000, 2));
        assert_eq!(amounts(&credit), ["-33.33", "-33.33", "-33.34"]);
    }

    #[test]
    fn instalments_always_come_to_the_total() {
        let many: Vec<(i64, i32)> = (0..10).map(|index| (1_000, index)).collect();
        let shapes = [
            terms(0, &[(1, 0), (9_999, 1)]),
            terms(0, &[(4_999, 0), (5_001, 9)]),
            terms(0, &many),
        ];
        for shape in &shapes {
            for cents in (-120_i64..120).chain([99_999, 123_457]) {
                let gross = Decimal::new(cents, 2);
                let dues = shape.schedule(Currency::USD, day("2026-01-01"), gross);
                assert_eq!(dues.iter().map(|due| due.amount).sum::<Decimal>(), gross);
                let same_side = |due: &Due| !due.amount.is_zero() && due.amount.is_sign_negative() == (cents < 0);
                assert!(dues.iter().all(same_side), "{gross}: {dues:?}");
            }
        }
    }
}
