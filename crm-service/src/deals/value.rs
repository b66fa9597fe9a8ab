//! What deals are worth in the company's currency.
//!
//! An open deal by the rate of the day, a closed one by that of the day it closed, which it keeps.
//! Each deal is converted and rounded by itself, by one piece of SQL (`CONVERTED`): so what a list
//! shows of its rows adds up to what a figure says of them.

use super::status::DealState;
use super::stored::DealRow;
use crate::currencies;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, Numeric, Text};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use service_kit::db::sql;
use service_kit::{Amount, Currency};
use std::collections::HashMap;
use utoipa::ToSchema;

/// What a deal is worth in the company's currency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct DealValue {
    pub currency: Currency,
    pub amount: Amount,
    /// Of an open deal: the amount × the probability of its stage.
    pub weighted: Option<Amount>,
}

/// The rates of a day, to the company's currency.
#[derive(Debug, Clone)]
pub struct Rates {
    pub base: Currency,
    rates: HashMap<Currency, Decimal>,
}

impl Rates {
    /// # Errors
    /// When the database refuses.
    pub fn of(conn: &mut PgConnection, currencies: &[Currency], day: NaiveDate) -> QueryResult<Self> {
        let (base, rates) = currencies::rates_to_base(conn, currencies, day)?;
        Ok(Rates { base, rates })
    }

    /// Those of all currencies that there are open deals in.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn of_open_deals(conn: &mut PgConnection, day: NaiveDate) -> QueryResult<Self> {
        #[derive(QueryableByName)]
        struct Used {
            #[diesel(sql_type = Text)]
            currency: Currency,
        }
        let used: Vec<Used> = sql("SELECT DISTINCT currency FROM open_deal_totals").rows(conn)?;
        let used: Vec<Currency> = used.into_iter().map(|used| used.currency).collect();
        Rates::of(conn, &used, day)
    }

    pub fn get(&self, currency: Currency) -> Option<Decimal> {
        self.rates.get(&currency).copied()
    }

    /// The currencies that have a rate, each with it.
    pub fn known(&self) -> (Vec<Currency>, Vec<Decimal>) {
        self.rates.iter().map(|(currency, rate)| (*currency, *rate)).unzip()
    }

    /// What an amount is worth, rounded once.
    pub fn convert(&self, amount: Decimal, currency: Currency) -> Option<Amount> {
        worth(amount, self.get(currency)?, self.base)
    }
}

/// Half of the smallest unit that an amount of the currency can have: what lies there goes to the even one.
pub fn half_unit(currency: Currency) -> Decimal {
    Decimal::new(5, currency.minor_digits() + 1)
}

/// `$amount × rate`, rounded half to even: put in place of `{}` an expression, with `r.rate`,
/// `q.digits` and `q.half` at hand. A rate that is an inverse is cut somewhere, so the product is first
/// rounded to more digits than any amount needs.
macro_rules! converted {
    ($amount:literal) => {
        concat!(
            "(SELECT CASE WHEN r.rate = 1 THEN ",
            $amount,
            " WHEN abs(exact - trunc(exact, q.digits)) = q.half THEN round(exact / 2, q.digits) * 2
                     ELSE round(exact, q.digits) END
              FROM (SELECT round(",
            $amount,
            " * r.rate, 10) AS exact) AS product)"
        )
    };
}
pub(crate) use converted;

fn worth(amount: Decimal, rate: Decimal, base: Currency) -> Option<Amount> {
    let product = amount.checked_mul(rate)?;
    let exact = product.round_dp_with_strategy(10, RoundingStrategy::MidpointAwayFromZero);
    Amount::money(base, exact)
}

/// What an amount was worth on a day, and in which currency that is.
///
/// # Errors
/// When the database refuses.
pub fn on_day(
    conn: &mut PgConnection,
    amount: Amount,
    currency: Currency,
    day: NaiveDate,
) -> QueryResult<Option<(Amount, Currency)>> {
    let rates = Rates::of(conn, &[currency], day)?;
    let worth = rates.convert(amount.value(), currency);
    Ok(worth.map(|worth| (worth, rates.base)))
}

#[derive(QueryableByName)]
struct Converted {
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    weighted: Decimal,
}

/// What each of these deals is worth; `None` where there is no amount or no rate.
///
/// # Errors
/// When the database refuses.
pub fn values(conn: &mut PgConnection, rows: &[DealRow], today: NaiveDate) -> QueryResult<Vec<Option<DealValue>>> {
    let mut currencies: Vec<Currency> = Vec::new();
    for row in rows.iter().filter(|row| row.state == DealState::Open) {
        if !currencies.contains(&row.currency) {
            currencies.push(row.currency);
        }
    }
    let rates = Rates::of(conn, &currencies, today)?;
    let mut values: Vec<Option<DealValue>> = rows.iter().map(|row| kept(row, rates.base)).collect();
    let open: Vec<(i64, Decimal, Decimal, Decimal)> = (0..)
        .zip(rows)
        .filter(|(_, row)| row.state == DealState::Open)
        .filter_map(|(position, row)| {
            let (amount, weighted) = (row.amount?.value(), row.weighted_amount?.value());
            Some((position, amount, weighted, rates.get(row.currency)?))
        })
        .collect();
    let converted: Vec<Converted> = match open.iter().all(|(.., rate)| *rate == Decimal::ONE) {
        true => open
            .into_iter()
            .map(|(position, amount, weighted, _)| Converted {
                position,
                amount,
                weighted,
            })
            .collect(),
        false => convert_all(conn, &open, rates.base)?,
    };
    for one in converted {
        let slot = usize::try_from(one.position).ok().and_then(|n| values.get_mut(n));
        if let Some(slot) = slot {
            *slot = Amount::money(rates.base, one.amount).map(|amount| DealValue {
                currency: rates.base,
                amount,
                weighted: Amount::money(rates.base, one.weighted),
            });
        }
    }
    Ok(values)
}

/// What a closed deal was worth when it closed.
fn kept(row: &DealRow, base: Currency) -> Option<DealValue> {
    let amount = row.base_amount.filter(|_| row.base_currency == Some(base))?;
    Some(DealValue {
        currency: base,
        amount: Amount::money(base, amount.value())?,
        weighted: None,
    })
}

fn convert_all(
    conn: &mut PgConnection,
    open: &[(i64, Decimal, Decimal, Decimal)],
    base: Currency,
) -> QueryResult<Vec<Converted>> {
    sql(concat!(
        "SELECT r.position, ",
        converted!("r.amount"),
        " AS amount, ",
        converted!("r.weighted"),
        " AS weighted
         FROM (SELECT $1 AS digits, $2 AS half) AS q
         CROSS JOIN unnest($3, $4, $5, $6) AS r (position, amount, weighted, rate)"
    ))
    .bind::<Int4, _>(digits(base))
    .bind::<Numeric, _>(half_unit(base))
    .bind::<Array<BigInt>, _>(open.iter().map(|one| one.0).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(open.iter().map(|one| one.1).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(open.iter().map(|one| one.2).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(open.iter().map(|one| one.3).collect::<Vec<_>>())
    .rows(conn)
}

pub fn digits(currency: Currency) -> i32 {
    i32::try_from(currency.minor_digits()).unwrap_or(2)
}
