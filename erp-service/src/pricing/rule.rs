//! Which price answers a question, and why.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Currency, Quantity, UnitPrice};
use uuid::Uuid;

/// A price with what matters of its list.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Found {
    #[diesel(sql_type = SqlUuid)]
    pub price_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub price_list_id: Uuid,
    #[diesel(sql_type = Text)]
    pub price_list_name: String,
    /// The customer whose list it is.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub customer_id: Option<Uuid>,
    /// `None` and no customer: the base list.
    #[diesel(sql_type = Nullable<Text>)]
    pub tier: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub unit_price: UnitPrice,
    #[diesel(sql_type = Numeric)]
    pub minimum_quantity: Quantity,
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_from: Option<NaiveDate>,
    /// Included.
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_to: Option<NaiveDate>,
}

#[derive(QueryableByName)]
struct OfLine {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(embed)]
    found: Found,
}

/// For whom a price is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Buyer<'a> {
    /// Whose own prices go first.
    pub customer: Option<Uuid>,
    pub tier: Option<&'a str>,
}

impl<'a> Buyer<'a> {
    pub fn of_tier(tier: Option<&'a str>) -> Self {
        Buyer { customer: None, tier }
    }
}

/// The price of each (product, quantity) for a buyer, currency and day, in one statement.
///
/// The answer has one entry for each line, in their order; `None` where no price holds. The rule
/// itself is the function `price_for` of the database, which orders ask as well.
///
/// # Errors
/// When the database refuses.
pub fn prices_for(
    conn: &mut PgConnection,
    buyer: Buyer<'_>,
    currency: Currency,
    date: NaiveDate,
    lines: &[(Uuid, Quantity)],
) -> QueryResult<Vec<Option<Found>>> {
    let rows: Vec<OfLine> = sql("
        WITH question (buyer, tier, currency, day) AS (SELECT $1::uuid, $2::text, $3::text, $4::date)
        SELECT asked.line, price.*
        FROM question q
        CROSS JOIN unnest($5::uuid[], $6::numeric[]) WITH ORDINALITY AS asked (product_id, quantity, line)
        CROSS JOIN LATERAL price_for(asked.product_id, asked.quantity, q.buyer, q.tier, q.currency, q.day) price")
    .bind::<Nullable<SqlUuid>, _>(buyer.customer)
    .bind::<Nullable<Text>, _>(buyer.tier)
    .bind::<Text, _>(currency.code())
    .bind::<Date, _>(date)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|(product, _)| *product).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|(_, quantity)| *quantity).collect::<Vec<_>>())
    .rows(conn)?;
    let mut found = vec![None; lines.len()];
    for row in rows {
        // Ordinality counts from 1.
        let index = usize::try_from(row.line - 1).unwrap_or(usize::MAX);
        if let Some(place) = found.get_mut(index) {
            *place = Some(row.found);
        }
    }
    Ok(found)
}

/// Prices of each product that a question could have met, those that go first in front; at most 50.
pub(super) fn candidates(
    conn: &mut PgConnection,
    buyer: Buyer<'_>,
    currency: Currency,
    products: &[Uuid],
) -> QueryResult<Vec<Vec<Found>>> {
    let rows: Vec<OfLine> = sql("
        WITH question (buyer, tier, currency) AS (SELECT $1::uuid, $2::text, $3::text)
        SELECT asked.line, price.*
        FROM question q
        CROSS JOIN unnest($4::uuid[]) WITH ORDINALITY AS asked (product_id, line)
        CROSS JOIN LATERAL (
            SELECT p.id AS price_id, l.id AS price_list_id, l.name AS price_list_name, l.customer_id, l.tier,
                   p.unit_price, p.minimum_quantity, p.valid_from, p.valid_to
            FROM price_lists l JOIN prices p ON p.price_list_id = l.id
            WHERE l.currency = q.currency AND (l.tier IS NULL OR l.tier = q.tier)
              AND (l.customer_id IS NULL OR l.customer_id = q.buyer) AND p.product_id = asked.product_id
            ORDER BY l.customer_id IS NULL, l.tier IS NULL, p.minimum_quantity DESC, p.valid_from DESC NULLS LAST
            LIMIT 50
        ) price")
    .bind::<Nullable<SqlUuid>, _>(buyer.customer)
    .bind::<Nullable<Text>, _>(buyer.tier)
    .bind::<Text, _>(currency.code())
    .bind::<Array<SqlUuid>, _>(products)
    .rows(conn)?;
    let mut found = vec![Vec::new(); products.len()];
    for row in rows {
        let index = usize::try_from(row.line - 1).unwrap_or(usize::MAX);
        if let Some(place) = found.get_mut(index) {
            place.push(row.found);
        }
    }
    Ok(found)
}

/// Which rule gave the price, in words.
pub fn explain(found: &Found) -> String {
    let list = match &found.tier {
        _ if found.customer_id.is_some() => format!("the customer's own price list {:?}", found.price_list_name),
        Some(tier) => format!("the price list {:?} of tier {tier}", found.price_list_name),
        None => format!("the base price list {:?}", found.price_list_name),
    };
    let from = match found.minimum_quantity.is_zero() {
        true => String::new(),
        false => format!(", from a quantity of {} on", found.minimum_quantity),
    };
    let days = match (found.valid_from, found.valid_to) {
        (None, None) => String::new(),
        (Some(first), None) => format!(", valid from {first}"),
        (None, Some(last)) => format!(", valid to {last}"),
        (Some(first), Some(last)) => format!(", valid from {first} to {last}"),
    };
    format!("{} from {list}{from}{days}", found.unit_price)
}

/// Why a price is not the answer; `winner` is.
pub(super) fn why_not(price: &Found, quantity: Quantity, date: NaiveDate, winner: Option<&Found>) -> String {
    if let Some(first) = price.valid_from.filter(|first| *first > date) {
        return format!("valid only from {first}");
    }
    if let Some(last) = price.valid_to.filter(|last| *last < date) {
        return format!("valid only to {last}");
    }
    if price.minimum_quantity > quantity {
        return format!("only from a quantity of {} on", price.minimum_quantity);
    }
    match winner {
        Some(winner) if winner.customer_id != price.customer_id => "the customer's own list goes first".to_owned(),
        Some(winner) if winner.tier != price.tier => "the tier's list goes before the base list".to_owned(),
        Some(winner) if winner.minimum_quantity > price.minimum_quantity => {
            format!("the price from {} on goes first", winner.minimum_quantity)
        }
        Some(winner) => match winner.valid_from {
            Some(first) => format!("the price valid from {first} is later"),
            None => "another price goes first".to_owned(),
        },
        None => "was saved in the meantime".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(tier: Option<&str>, minimum: &str, from: Option<&str>, to: Option<&str>) -> Found {
        Found {
            price_id: Uuid::now_v7(),
            price_list_id: Uuid::now_v7(),
            price_list_name: "Summer".to_owned(),
            customer_id: None,
            tier: tier.map(str::to_owned),
            unit_price: "9.50".parse().unwrap(),
            minimum_quantity: minimum.parse().unwrap(),
            valid_from: from.map(|day| day.parse().unwrap()),
            valid_to: to.map(|day| day.parse().unwrap()),
        }
    }

    #[test]
    fn the_explanation_names_list_quantity_and_days() {
        assert_eq!(
            explain(&price(Some("A"), "10", Some("2026-07-01"), Some("2026-12-31"))),
            "9.5 from the price list \"Summer\" of tier A, from a quantity of 10 on, valid from 2026-07-01 to 2026-12-31"
        );
        assert_eq!(
            explain(&price(None, "0", None, None)),
            "9.5 from the base price list \"Summer\""
        );
        let own = Found {
            customer_id: Some(Uuid::now_v7()),
            ..price(None, "0", None, None)
        };
        assert_eq!(explain(&own), "9.5 from the customer's own price list \"Summer\"");
    }

    #[test]
    fn a_loser_is_told_the_first_reason() {
        let day = "2026-07-01".parse().unwrap();
        let two = "2".parse().unwrap();
        let winner = price(Some("A"), "2", Some("2026-06-01"), None);
        let why = |loser: &Found| why_not(loser, two, day, Some(&winner));
        assert_eq!(
            why(&price(Some("A"), "0", Some("2026-07-02"), None)),
            "valid only from 2026-07-02"
        );
        assert_eq!(
            why(&price(Some("A"), "0", None, Some("2026-06-30"))),
            "valid only to 2026-06-30"
        );
        assert_eq!(why(&price(Some("A"), "3", None, None)), "only from a quantity of 3 on");
        assert_eq!(
            why(&price(None, "2", None, None)),
            "the tier's list goes before the base list"
        );
        assert_eq!(
            why(&price(Some("A"), "0", None, None)),
            "the price from 2 on goes first"
        );
        assert_eq!(
            why(&price(Some("A"), "2", None, None)),
            "the price valid from 2026-06-01 is later"
        );
    }
}
