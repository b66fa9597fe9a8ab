//! Which rate converts, and how an amount is converted.

use super::queries::{self, Candidate};
use chrono::{Days, NaiveDate};
use diesel::PgConnection;
use rust_decimal::{Decimal, RoundingStrategy};
use service_kit::{Amount, Currency, Problem, Result};

/// A rate that is older says nothing any more.
pub const MOST_DAYS_OLD: u64 = 7;

/// A rate, with where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub rate: Decimal,
    /// The day of the rate that was used, the older one of a cross.
    pub date: NaiveDate,
    /// The currency that the cross goes through.
    pub through: Option<Currency>,
}

/// How many units of `to` one unit of `from` is worth on a day; 1 for the same currency.
///
/// # Errors
/// 422 `rate_missing`.
pub fn rate(conn: &mut PgConnection, from: Currency, to: Currency, date: NaiveDate) -> Result<Decimal> {
    Ok(quote(conn, from, to, date)?.rate)
}

/// As [`rate`], with where it comes from.
///
/// # Errors
/// 422 `rate_missing`.
pub fn quote(conn: &mut PgConnection, from: Currency, to: Currency, date: NaiveDate) -> Result<Quote> {
    if from == to {
        return Ok(Quote {
            rate: Decimal::ONE,
            date,
            through: None,
        });
    }
    let oldest = date.checked_sub_days(Days::new(MOST_DAYS_OLD)).unwrap_or(date);
    let candidates = queries::candidates(conn, (from, to), (oldest, date))?;
    choose(&candidates, from, to).ok_or_else(|| rate_missing(from, to, date).into())
}

/// `round(amount × rate)`, half to even to the minor unit of `to`.
///
/// A rate that is the inverse of another is cut after 28 digits. So that 0.09 at 1 ÷ 1.2 is the
/// 0.075 that it should be, and not just below, the product is first rounded to 20 digits, which
/// no amount needs.
///
/// # Errors
/// 422 `out_of_range` when the result is larger than an amount may be.
pub fn convert(amount: Decimal, rate: Decimal, to: Currency) -> Result<Decimal, Problem> {
    let product = amount.checked_mul(rate);
    let exact = product.and_then(|p| p.round_sf_with_strategy(20, RoundingStrategy::MidpointNearestEven));
    let converted = exact.map(|exact| to.round(exact));
    converted
        .filter(|converted| Amount::new(*converted).is_ok())
        .ok_or_else(|| Problem::rule("out_of_range", format!("{amount} is too much to convert to {to}")))
}

fn rate_missing(from: Currency, to: Currency, date: NaiveDate) -> Problem {
    let detail = format!("there is no exchange rate from {from} to {to} of {date} or the {MOST_DAYS_OLD} days before");
    Problem::rule("rate_missing", detail)
        .fact("from", from.code())
        .fact("to", to.code())
        .fact("date", date.to_string())
}

/// The pair itself or a cross, whichever is newer; the first at the same age.
fn choose(candidates: &[Candidate], from: Currency, to: Currency) -> Option<Quote> {
    let company = candidates.first()?;
    let crosses = [company.reference_currency, company.base_currency];
    let direct = leg(candidates, from, to).map(|(rate, date)| Quote {
        rate,
        date,
        through: None,
    });
    let crossed = crosses.into_iter().filter(|via| *via != from && *via != to).map(|via| {
        let ((first, day), (second, other_day)) = (leg(candidates, via, from)?, leg(candidates, via, to)?);
        Some(Quote {
            rate: second.checked_div(first)?,
            date: day.min(other_day),
            through: Some(via),
        })
    });
    let found = std::iter::once(direct).chain(crossed).flatten();
    found.reduce(|best, next| if next.date > best.date { next } else { best })
}

/// How many units of `to` one unit of `from` is worth by the pair's own rate.
fn leg(candidates: &[Candidate], from: Currency, to: Currency) -> Option<(Decimal, NaiveDate)> {
    candidates.iter().find_map(|candidate| {
        let (rate, date) = (candidate.rate?, candidate.rated_on?);
        let rate = match (candidate.reference?, candidate.currency?) {
            pair if pair == (from, to) => rate,
            pair if pair == (to, from) => Decimal::ONE.checked_div(rate)?,
            _ => return None,
        };
        Some((rate, date))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn code(text: &str) -> Currency {
        text.parse().unwrap()
    }

    fn known(reference: &str, currency: &str, rate: &str, day: u32) -> Candidate {
        Candidate {
            base_currency: code("USD"),
            reference_currency: code("EUR"),
            reference: Some(code(reference)),
            currency: Some(code(currency)),
            rate: Some(dec(rate)),
            rated_on: NaiveDate::from_ymd_opt(2026, 3, day),
        }
    }

    fn converted(amount: &str, rate: Decimal, to: &str) -> Decimal {
        convert(dec(amount), rate, code(to)).unwrap()
    }

    #[test]
    fn amounts_round_half_to_even_to_the_minor_unit() {
        for (amount, rate, to, result) in [
            ("0.05", "0.5", "USD", "0.02"),
            ("0.15", "0.5", "USD", "0.08"),
            ("-0.15", "0.5", "USD", "-0.08"),
            ("100", "1.10", "JPY", "110"),
            ("1", "0.3085", "KWD", "0.308"),
            ("9999999999999999.99", "1", "USD", "9999999999999999.99"),
        ] {
            assert_eq!(converted(amount, dec(rate), to), dec(result), "{amount} × {rate} {to}");
        }
        for rate in ["1.1", "9999999999", "99999999999999999999"] {
            assert!(
                convert(dec("9999999999999999.99"), dec(rate), code("USD")).is_err(),
                "{rate}"
            );
        }
    }

    #[test]
    fn a_half_stays_one_when_the_rate_is_an_inverse() {
        let inverse = Decimal::ONE / dec("1.2");
        assert_eq!(converted("0.09", inverse, "EUR"), dec("0.08"));
        assert_eq!(converted("0.03", inverse, "EUR"), dec("0.02"));
    }

    #[test]
    fn a_pair_goes_before_a_cross_of_the_same_day_and_after_a_newer_one() {
        let mut rates = vec![known("EUR", "USD", "1.25", 30), known("EUR", "JPY", "150", 30)];
        let crossed = choose(&rates, code("USD"), code("JPY")).unwrap();
        assert_eq!((crossed.rate, crossed.through), (dec("120"), Some(code("EUR"))));
        rates.push(known("JPY", "USD", "0.008", 30));
        let direct = choose(&rates, code("USD"), code("JPY")).unwrap();
        assert_eq!((direct.rate, direct.through), (dec("125"), None));
        rates[2] = known("JPY", "USD", "0.008", 29);
        assert_eq!(choose(&rates, code("USD"), code("JPY")), Some(crossed));
    }

    #[test]
    fn a_cross_is_as_old_as_the_older_of_its_two_and_may_go_through_the_base() {
        let rates = [known("EUR", "CHF", "0.9", 27), known("EUR", "JPY", "150", 30)];
        let crossed = choose(&rates, code("CHF"), code("JPY")).unwrap();
        assert_eq!(Some(crossed.date), NaiveDate::from_ymd_opt(2026, 3, 27));
        let rates = [known("USD", "CHF", "0.8", 30), known("VND", "USD", "0.00004", 30)];
        let crossed = choose(&rates, code("CHF"), code("VND")).unwrap();
        assert_eq!((crossed.rate, crossed.through), (dec("31250"), Some(code("USD"))));
        assert_eq!(choose(&rates, code("CHF"), code("JPY")), None);
    }
}
