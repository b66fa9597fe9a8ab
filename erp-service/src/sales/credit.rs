//! Credit: one exposure function decides at confirm, release and ship, under the customer's lock.
//!
//! Exposure = gross of the customer's confirmed orders, open or delivered, that are not closed
//! yet, in the base currency. An order that failed the check at confirmation is not counted until
//! it is released; one that is put on hold later stays counted. No limit = unlimited; limit 0 =
//! prepayment.

use crate::customers::Terms;
use crate::schema::sales_orders;
use diesel::dsl::sum;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::money::Currency;
use uuid::Uuid;

/// What the customer's confirmed orders come to, in the base currency.
///
/// # Errors
/// When the database refuses.
pub fn exposure(conn: &mut PgConnection, customer_id: Uuid) -> QueryResult<Decimal> {
    let base = crate::company::settings(conn)?.base_currency;
    exposure_in(conn, customer_id, base)
}

fn exposure_in(conn: &mut PgConnection, customer_id: Uuid, base: Currency) -> QueryResult<Decimal> {
    let counted = sales_orders::lifecycle
        .eq("confirmed")
        .and(sales_orders::credit_counted);
    sales_orders::table
        .filter(
            sales_orders::customer_id
                .eq(customer_id)
                .and(counted)
                .and(sales_orders::currency.eq(base.code())),
        )
        .select(sum(sales_orders::gross))
        .first::<Option<Decimal>>(conn)
        .map(Option::unwrap_or_default)
}

/// Why credit stops an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// `credit_hold`, `credit` or `credit_currency`.
    pub code: &'static str,
    pub reason: String,
}

/// Whether an order of this gross amount may go on; `None` when it may.
///
/// `counted` tells that the exposure already includes it, so that it never counts twice. The
/// customer's terms must be locked when they set a limit.
///
/// # Errors
/// When the database refuses.
pub fn check(
    conn: &mut PgConnection,
    terms: &Terms,
    customer_id: Uuid,
    gross: Decimal,
    currency: &str,
    counted: bool,
) -> QueryResult<Option<Stop>> {
    if terms.credit_hold {
        return Ok(Some(Stop {
            code: "credit_hold",
            reason: "the customer is on credit hold".to_owned(),
        }));
    }
    let Some(limit) = terms.credit_limit.map(Decimal::from) else {
        return Ok(None);
    };
    let base = crate::company::settings(conn)?.base_currency;
    if currency != base.code() {
        let reason = format!("the credit limit is in {base} and there is no exchange rate for {currency}");
        return Ok(Some(Stop {
            code: "credit_currency",
            reason,
        }));
    }
    let others = exposure_in(conn, customer_id, base)? - if counted { gross } else { Decimal::ZERO };
    Ok(verdict(limit, others, gross).map(|()| Stop {
        code: "credit",
        reason: format!(
            "exposure {} + {} {base} exceeds the limit {limit}",
            base.round(others),
            base.round(gross)
        ),
    }))
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
