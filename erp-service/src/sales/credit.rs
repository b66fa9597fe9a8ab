//! Credit: one exposure function decides at confirm, release and ship, under the customer's lock.
//!
//! Exposure, gross, in the base currency at the rate of the day = what is still to be invoiced of counted orders,
//! delivered or not, + open invoices − unallocated receipts and credit notes − advances that no invoice has cleared. So
//! an order counts once: invoicing moves it from the first part to the second, in one transaction. An order
//! that failed the check at confirmation is not counted until it is released; one that is put on hold later stays
//! counted. No limit = unlimited; limit 0 = prepayment. Release and ship also stop when an
//! invoice is overdue by more days than the customer, or else the company, allows.

use crate::currencies;
use crate::customers::Terms;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::money::Currency;
use service_kit::{Error, Result};
use uuid::Uuid;

/// What a customer may cost us, in the base currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    pub base: Currency,
    /// Still to be invoiced of counted orders.
    pub orders: Decimal,
    /// Open invoices.
    pub invoices: Decimal,
    /// Unallocated receipts and credit notes; not positive.
    pub credits: Decimal,
    /// Advances that no invoice has cleared; not positive.
    pub advances: Decimal,
    /// Due day of the oldest open invoice.
    pub oldest_due: Option<NaiveDate>,
    /// Of the company; a customer may have its own.
    pub overdue_stop_days: Option<i32>,
    /// Currencies that something is in and that have no rate: it is not in the sums.
    pub rates_missing: Vec<Currency>,
}

impl Exposure {
    pub fn total(&self) -> Decimal {
        self.orders + self.invoices + self.credits + self.advances
    }

    /// What the customer owes us on balance.
    pub fn open_balance(&self) -> Decimal {
        self.invoices + self.credits
    }

    /// Days that the oldest open invoice is overdue; 0 when none is.
    pub fn overdue_days(&self, today: NaiveDate) -> i64 {
        self.oldest_due.map_or(0, |due| (today - due).num_days().max(0))
    }
}

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = Text)]
    base_currency: Currency,
    #[diesel(sql_type = Nullable<Integer>)]
    overdue_stop_days: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    part: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<Currency>,
    #[diesel(sql_type = Nullable<Numeric>)]
    amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    due: Option<NaiveDate>,
}

/// The exposure of a customer, with those that turned out to be the same, in one statement; amounts in other currencies ask for their rate.
///
/// # Errors
/// When the database refuses.
pub fn exposure(conn: &mut PgConnection, customer_id: Uuid, today: NaiveDate) -> Result<Exposure> {
    let parts: Vec<Part> = sql("WITH family AS MATERIALIZED (
             SELECT ARRAY(SELECT m.id FROM customers m
                          WHERE m.id = coalesce(asked.merged_into, asked.id) OR m.merged_into = coalesce(asked.merged_into, asked.id)) AS ids
             FROM customers asked WHERE asked.id = $1)
         SELECT c.base_currency, c.overdue_stop_days, p.part, p.currency, p.amount, p.due FROM company c LEFT JOIN (
             SELECT 'orders' AS part, currency, sum(uninvoiced_gross) AS amount, NULL::date AS due
             FROM sales_orders WHERE customer_id = ANY((SELECT ids FROM family)::uuid[]) AND uninvoiced_gross <> 0 AND credit_counted
             GROUP BY currency
             UNION ALL
             SELECT CASE WHEN open_amount > 0 THEN 'invoices' ELSE 'credits' END, currency, sum(open_amount),
                    min(due_on) FILTER (WHERE open_amount > 0)
             FROM open_items WHERE party_id = ANY((SELECT ids FROM family)::uuid[]) AND open_amount <> 0 AND side = 'receivable'
             GROUP BY 1, 2
             UNION ALL
             SELECT 'advances', currency, -sum(open_gross), NULL
             FROM advances WHERE customer_id = ANY((SELECT ids FROM family)::uuid[]) AND open_gross <> 0 GROUP BY currency
         ) p ON true")
    .bind::<SqlUuid, _>(customer_id)
    .rows(conn)?;
    let first = parts.first().ok_or_else(|| Error::Bug("there is no company".into()))?;
    let mut exposure = Exposure {
        base: first.base_currency,
        orders: Decimal::ZERO,
        invoices: Decimal::ZERO,
        credits: Decimal::ZERO,
        advances: Decimal::ZERO,
        oldest_due: None,
        overdue_stop_days: first.overdue_stop_days,
        rates_missing: Vec::new(),
    };
    for part in parts {
        let (Some(name), Some(currency), Some(amount)) = (part.part, part.currency, part.amount) else {
            continue;
        };
        exposure.oldest_due = match (exposure.oldest_due, part.due) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let Some(value) = in_base(conn, amount, currency, exposure.base, today)? else {
            if !exposure.rates_missing.contains(&currency) {
                exposure.rates_missing.push(currency);
            }
            continue;
        };
        match name.as_str() {
            "orders" => exposure.orders += value,
            "invoices" => exposure.invoices += value,
            "credits" => exposure.credits += value,
            _ => exposure.advances += value,
        }
    }
    Ok(exposure)
}

/// An amount at the rate of the day; `None` without one.
fn in_base(
    conn: &mut PgConnection,
    amount: Decimal,
    currency: Currency,
    base: Currency,
    today: NaiveDate,
) -> Result<Option<Decimal>> {
    if currency == base {
        return Ok(Some(amount));
    }
    match currencies::rate(conn, currency, base, today) {
        Ok(rate) => Ok(Some(currencies::convert(amount, rate, base)?)),
        Err(Error::Problem(problem)) if problem.code == "rate_missing" => Ok(None),
        Err(other) => Err(other),
    }
}

/// When credit is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Confirm,
    Release,
    Ship,
}

/// What is to go on.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub step: Step,
    /// What the order adds; of a counted one, what is still to be invoiced of it.
    pub gross: Decimal,
    pub currency: &'a str,
    /// Whether the exposure includes it already, so that it never counts twice.
    pub counted: bool,
}

/// Why credit stops an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// `credit_hold`, `credit`, `credit_overdue` or `credit_currency`.
    pub code: &'static str,
    pub reason: String,
}

/// Whether an order may go on; `None` when it may. The customer's terms must be locked when they set a limit.
///
/// # Errors
/// When the database refuses.
pub fn check(
    conn: &mut PgConnection,
    terms: &Terms,
    customer_id: Uuid,
    asked: Asked<'_>,
    today: NaiveDate,
) -> Result<Option<Stop>> {
    if terms.credit_hold {
        return Ok(Some(Stop {
            code: "credit_hold",
            reason: "the customer is on credit hold".to_owned(),
        }));
    }
    let limit = terms.credit_limit.map(Decimal::from);
    if limit.is_none() && asked.step == Step::Confirm {
        return Ok(None);
    }
    let exposure = exposure(conn, customer_id, today)?;
    if asked.step != Step::Confirm
        && let Some(stop) = overdue(&exposure, terms, today)
    {
        return Ok(Some(stop));
    }
    let Some(limit) = limit else {
        return Ok(None);
    };
    let base = exposure.base;
    let currency: Option<Currency> = asked.currency.parse().ok();
    let gross = match currency {
        Some(currency) => in_base(conn, asked.gross, currency, base, today)?,
        None => None,
    };
    let missing = exposure.rates_missing.first().map(ToString::to_string);
    let missing = missing.or_else(|| gross.is_none().then(|| asked.currency.to_owned()));
    let (Some(gross), None) = (gross, &missing) else {
        let currency = missing.unwrap_or_default();
        return Ok(Some(Stop {
            code: "credit_currency",
            reason: format!("the credit limit is in {base} and there is no exchange rate for {currency}"),
        }));
    };
    let others = exposure.total() - if asked.counted { gross } else { Decimal::ZERO };
    Ok(verdict(limit, others, gross).map(|()| Stop {
        code: "credit",
        reason: format!(
            "exposure {} + {} {base} exceeds the limit {limit}",
            base.round(others),
            base.round(gross)
        ),
    }))
}

fn overdue(exposure: &Exposure, terms: &Terms, today: NaiveDate) -> Option<Stop> {
    let most = terms.overdue_stop_days.or(exposure.overdue_stop_days)?;
    let days = exposure.overdue_days(today);
    (days > i64::from(most)).then(|| Stop {
        code: "credit_overdue",
        reason: format!("an invoice is overdue by {days} days, more than {most}"),
    })
}

/// `Some` when `others + gross` exceeds the limit. A limit of 0 means prepayment.
fn verdict(limit: Decimal, others: Decimal, gross: Decimal) -> Option<()> {
    (others + gross > limit).then_some(())
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use rust_decimal::Decimal;

    #[test]
    fn the_worked_example() {
        // Limit 1,000, exposure 620: 380.00 passes, 380.01 is held.
        let amount = |cents| Decimal::new(cents, 2);
        assert_eq!(verdict(amount(100_000), amount(62_000), amount(38_000)), None);
        assert_eq!(verdict(amount(100_000), amount(62_000), amount(38_001)), Some(()));
        assert_eq!(verdict(Decimal::ZERO, Decimal::ZERO, amount(1)), Some(()));
    }
}
