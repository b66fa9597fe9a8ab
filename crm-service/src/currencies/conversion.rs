//! Which rate converts, by the ERP's rule.

use super::company;
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Numeric, Text};
use rust_decimal::Decimal;
use service_kit::Currency;
use service_kit::db::sql;
use std::collections::{HashMap, HashSet};

/// A rate that is older says nothing any more.
const MOST_DAYS_OLD: u64 = 7;

/// The newest rate of a pair, as it is quoted.
#[derive(Debug, Clone, Copy, QueryableByName)]
struct Quoted {
    #[diesel(sql_type = Text)]
    reference: Currency,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Numeric)]
    rate: Decimal,
    #[diesel(sql_type = Date)]
    rated_on: NaiveDate,
}

/// How many units of `to` one unit of `from` is worth on a day; `None` where there is no rate.
///
/// # Errors
/// When the database refuses.
pub fn rate(conn: &mut PgConnection, from: Currency, to: Currency, date: NaiveDate) -> QueryResult<Option<Decimal>> {
    let company = company::current(conn)?;
    let crosses = [company.reference_currency, company.base_currency];
    let quoted = newest(conn, &pairs(&[from], to, crosses), date)?;
    Ok(choose(&quoted, from, to, crosses))
}

/// What one unit of each of these is worth in the base currency on a day, and that currency. Those
/// without a rate are not there.
///
/// # Errors
/// When the database refuses.
pub fn rates_to_base(
    conn: &mut PgConnection,
    currencies: &[Currency],
    date: NaiveDate,
) -> QueryResult<(Currency, HashMap<Currency, Decimal>)> {
    let company = company::current(conn)?;
    let (base, crosses) = (
        company.base_currency,
        [company.reference_currency, company.base_currency],
    );
    let foreign: Vec<Currency> = currencies
        .iter()
        .copied()
        .filter(|currency| *currency != base)
        .collect();
    let quoted = match foreign.is_empty() {
        true => Vec::new(),
        false => newest(conn, &pairs(&foreign, base, crosses), date)?,
    };
    let mut rates: HashMap<Currency, Decimal> = foreign
        .into_iter()
        .filter_map(|currency| Some((currency, choose(&quoted, currency, base, crosses)?)))
        .collect();
    rates.insert(base, Decimal::ONE);
    Ok((base, rates))
}

/// Every pair that may take part in these conversions, in alphabetical order.
fn pairs(from: &[Currency], to: Currency, crosses: [Currency; 2]) -> Vec<String> {
    let legs = from
        .iter()
        .copied()
        .chain([to])
        .flat_map(|one| crosses.map(|via| (one, via)));
    let direct = from.iter().map(|one| (*one, to));
    let pairs: HashSet<String> = legs
        .chain(direct)
        .filter(|(one, other)| one != other)
        .map(|(one, other)| {
            let (one, other) = (one.code(), other.code());
            format!("{}{}", one.min(other), one.max(other))
        })
        .collect();
    pairs.into_iter().collect()
}

fn newest(conn: &mut PgConnection, pairs: &[String], date: NaiveDate) -> QueryResult<Vec<Quoted>> {
    let oldest = date.checked_sub_days(Days::new(MOST_DAYS_OLD)).unwrap_or(date);
    sql("SELECT r.reference, r.currency, r.rate, r.rated_on
         FROM unnest($1) AS asked (pair)
         CROSS JOIN LATERAL (
             SELECT * FROM exchange_rates r
             WHERE r.pair = asked.pair COLLATE \"C\" AND r.rated_on BETWEEN $2 AND $3
             ORDER BY r.rated_on DESC LIMIT 1) r")
    .bind::<Array<Text>, _>(pairs.to_vec())
    .bind::<Date, _>(oldest)
    .bind::<Date, _>(date)
    .rows(conn)
}

/// The pair itself or a cross, whichever is newer; the first at the same age.
fn choose(quoted: &[Quoted], from: Currency, to: Currency, crosses: [Currency; 2]) -> Option<Decimal> {
    if from == to {
        return Some(Decimal::ONE);
    }
    let direct = leg(quoted, from, to);
    let crossed = crosses.into_iter().filter(|via| *via != from && *via != to).map(|via| {
        let ((first, day), (second, other_day)) = (leg(quoted, via, from)?, leg(quoted, via, to)?);
        Some((second.checked_div(first)?, day.min(other_day)))
    });
    let found = std::iter::once(direct).chain(crossed).flatten();
    found
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(rate, _)| rate)
}

/// How many units of `to` one unit of `from` is worth by the pair's own rate.
fn leg(quoted: &[Quoted], from: Currency, to: Currency) -> Option<(Decimal, NaiveDate)> {
    quoted.iter().find_map(|quote| {
        let rate = match (quote.reference, quote.currency) {
            pair if pair == (from, to) => quote.rate,
            pair if pair == (to, from) => Decimal::ONE.checked_div(quote.rate)?,
            _ => return None,
        };
        Some((rate, quote.rated_on))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(reference: &str, currency: &str, rate: &str, day: u32) -> Quoted {
        Quoted {
            reference: reference.parse().unwrap(),
            currency: currency.parse().unwrap(),
            rate: rate.parse().unwrap(),
            rated_on: NaiveDate::from_ymd_opt(2026, 3, day).unwrap(),
        }
    }

    fn chosen(quoted: &[Quoted], from: &str, to: &str) -> Option<Decimal> {
        let crosses = ["EUR", "USD"].map(|code| code.parse().unwrap());
        choose(quoted, from.parse().unwrap(), to.parse().unwrap(), crosses)
    }

    #[test]
    fn a_pair_is_read_both_ways_and_crossed_through_the_reference() {
        let rates = [quoted("EUR", "USD", "1.25", 30), quoted("EUR", "JPY", "150", 30)];
        assert_eq!(chosen(&rates, "EUR", "USD"), Some(Decimal::new(125, 2)));
        assert_eq!(chosen(&rates, "USD", "EUR"), Some(Decimal::new(8, 1)));
        assert_eq!(chosen(&rates, "USD", "JPY"), Some(Decimal::from(120)));
        assert_eq!(chosen(&rates, "GBP", "USD"), None);
        assert_eq!(chosen(&rates, "USD", "USD"), Some(Decimal::ONE));
    }

    #[test]
    fn a_newer_cross_goes_before_an_older_pair() {
        let rates = [
            quoted("EUR", "USD", "1.25", 30),
            quoted("EUR", "JPY", "150", 30),
            quoted("JPY", "USD", "0.01", 29),
        ];
        assert_eq!(chosen(&rates, "USD", "JPY"), Some(Decimal::from(120)));
        let rates = [rates[0], rates[1], quoted("JPY", "USD", "0.008", 30)];
        assert_eq!(chosen(&rates, "USD", "JPY"), Some(Decimal::from(125)));
    }
}
