//! Which supplier price answers a question, and why.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Currency, Quantity, UnitPrice};
use std::collections::HashMap;
use uuid::Uuid;

/// The price that answers.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Found {
    #[diesel(sql_type = SqlUuid)]
    pub price_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub supplier_id: Uuid,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = Nullable<Text>)]
    pub supplier_sku: Option<String>,
    #[diesel(sql_type = Numeric)]
    pub unit_price: UnitPrice,
    #[diesel(sql_type = Numeric)]
    pub minimum_quantity: Quantity,
    #[diesel(sql_type = Nullable<Date>)]
    pub valid_from: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub lead_time_days: Option<i32>,
}

impl Found {
    /// In words.
    pub fn explain(&self) -> String {
        let from = match self.minimum_quantity.is_zero() {
            true => String::new(),
            false => format!(", from a quantity of {} on", self.minimum_quantity),
        };
        let since = self
            .valid_from
            .map(|day| format!(", valid from {day}"))
            .unwrap_or_default();
        format!(
            "{} {} as agreed with the supplier{from}{since}",
            self.unit_price, self.currency
        )
    }
}

/// Of whom, in which currency, on which day.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub date: NaiveDate,
}

#[derive(QueryableByName)]
struct OfLine {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(embed)]
    found: Found,
}

/// The price of each (product, quantity), in one statement; `None` where none holds.
///
/// # Errors
/// When the database refuses.
pub fn answers(
    conn: &mut PgConnection,
    question: Question,
    lines: &[(Uuid, Quantity)],
) -> QueryResult<Vec<Option<Found>>> {
    let rows: Vec<OfLine> = sql("
        WITH question (supplier_id, currency, day) AS (SELECT $1::uuid, $2::text, $3::date)
        SELECT asked.line, price.*
        FROM question q
        CROSS JOIN unnest($4::uuid[], $5::numeric[]) WITH ORDINALITY AS asked (product_id, quantity, line)
        CROSS JOIN LATERAL (
            SELECT p.id AS price_id, p.supplier_id, p.currency, p.supplier_sku, p.unit_price, p.minimum_quantity,
                   p.valid_from, p.lead_time_days
            FROM supplier_prices p
            WHERE p.supplier_id = q.supplier_id AND p.currency = q.currency
              AND p.product_id = asked.product_id AND p.minimum_quantity <= asked.quantity
              AND (p.valid_from IS NULL OR p.valid_from <= q.day) AND (p.valid_to IS NULL OR p.valid_to >= q.day)
            ORDER BY p.minimum_quantity DESC, p.valid_from DESC NULLS LAST
            LIMIT 1
        ) price")
    .bind::<SqlUuid, _>(question.supplier_id)
    .bind::<Text, _>(question.currency.code())
    .bind::<Date, _>(question.date)
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

#[derive(QueryableByName)]
struct OfProduct {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(embed)]
    found: Found,
}

/// For each product that no supplier is preferred for: the active supplier who asks least in its
/// own currency among those with a price on that day; among equals the one who delivers first.
///
/// Prices in different currencies are not compared: a supplier in `base` goes first.
///
/// # Errors
/// When the database refuses.
pub fn cheapest(
    conn: &mut PgConnection,
    base: Currency,
    date: NaiveDate,
    products: &[Uuid],
) -> QueryResult<HashMap<Uuid, Found>> {
    let rows: Vec<OfProduct> = sql("
        SELECT DISTINCT ON (p.product_id) p.product_id, p.id AS price_id, p.supplier_id, p.currency, p.supplier_sku,
               p.unit_price, p.minimum_quantity, p.valid_from, p.lead_time_days
        FROM supplier_prices p JOIN suppliers s ON s.id = p.supplier_id
        WHERE p.product_id = ANY($1) AND s.status = 'active' AND p.currency = s.currency
          AND (p.valid_from IS NULL OR p.valid_from <= $2) AND (p.valid_to IS NULL OR p.valid_to >= $3)
        ORDER BY p.product_id, p.currency <> $4, p.unit_price, coalesce(p.lead_time_days, s.lead_time_days), p.id")
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Date, _>(date)
    .bind::<Date, _>(date)
    .bind::<Text, _>(base.code())
    .rows(conn)?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.found)).collect())
}
