//! The report: a figure for each group, largest first (months in their order), and their total.

use super::facts::{Facts, sales};
use super::{Asked, SalesBy, SalesQuery};
use crate::analytics::figure::{Figure, money};
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Numeric, Text};
use rust_decimal::Decimal;
use serde::Serialize;
use service_kit::db::figures;
use service_kit::paging::turn;
use service_kit::{Amount, Answer, Currency, Cursor, Problem, Query, Read, Result, Routes, Sight};
use utoipa::ToSchema;

/// What was sold in a group, and the order lines that add up to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SalesFigure {
    /// What `by` calls the group: an id, a country, a month such as `2026-11`. `null`: it has none.
    pub key: Option<String>,
    /// Of the customer, product, category, owner or team.
    pub name: Option<String>,
    /// Orders with a line in it; an order may have lines in several groups.
    pub orders: i64,
    pub lines: i64,
    /// In the units of the products.
    pub quantity: Figure,
    /// In the company's currency.
    pub net: Amount,
    /// Lines without a price or a rate, which `net` leaves out.
    pub unvalued: i64,
    /// The order lines whose `net` adds up to it.
    pub rows: String,
    /// Of a category that is rolled up: the report of the ones right below it. `null`: there are none.
    pub below: Option<String>,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SalesReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub by: SalesBy,
    /// Over all groups, those on other pages included.
    pub total: SalesFigure,
    pub items: Vec<SalesFigure>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_sales_report);
}

/// Sales by customer, product, category, region, owner, team or month.
///
/// Orders that the ERP has accepted, by order date, net, in the company's currency. Revenue credits the
/// owner at the order date. `rows` of each figure is the list of order lines that add up to it.
#[utoipa::path(tag = "analytics", params(SalesQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of figures with their total", body = SalesReport)))]
#[get("/analytics/sales")]
async fn get_sales_report(read: Read<may::ReadAnalytics>, query: Query<SalesQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of(&query, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| report(conn, &sight, &asked)))
        .await
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    is_total: bool,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = BigInt)]
    orders: i64,
    #[diesel(sql_type = BigInt)]
    lines: i64,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
    #[diesel(sql_type = Bool)]
    is_branch: bool,
    #[diesel(sql_type = Numeric)]
    rank: Decimal,
}

/// A group that has no key is called so in parameters.
pub const NONE: &str = "none";

fn report(conn: &mut PgConnection, sight: &Sight, asked: &Asked) -> Result<SalesReport> {
    let facts = Facts::of(conn, sight)?;
    let (limit, cursor) = turn(asked.query.limit, asked.query.cursor.as_ref());
    let order = format!("sales by {}", asked.by);
    let after: Option<(Decimal, String)> = cursor.map(|cursor| cursor.decode(&order)).transpose()?;
    let (after_rank, after_key) = after.unzip();
    let mut rows: Vec<Row> = facts
        .ask(
            sales!(
                ", of_orders AS MATERIALIZED (
                     SELECT s.key, s.id, count(*) AS lines, sum(s.quantity) AS quantity, sum(s.net) AS net,
                            count(*) - count(s.net) AS unvalued
                     FROM q CROSS JOIN sales s
                     WHERE q.key IS NULL OR coalesce(s.key, 'none') = q.key
                     GROUP BY s.key, s.id),
                 grouped AS (
                     SELECT false AS is_total, key, count(*) AS orders, sum(lines)::bigint AS lines, sum(quantity) AS quantity,
                            coalesce(sum(net), 0) AS net, sum(unvalued)::bigint AS unvalued
                     FROM of_orders GROUP BY key
                     UNION ALL
                     SELECT true, NULL, (SELECT count(*) FROM (SELECT id FROM of_orders GROUP BY id) AS once),
                            coalesce(sum(lines), 0)::bigint, coalesce(sum(quantity), 0), coalesce(sum(net), 0),
                            coalesce(sum(unvalued), 0)::bigint
                     FROM of_orders),
                 ranked AS (
                     SELECT g.*, CASE WHEN q.by = 'month' THEN 0 ELSE g.net END AS rank, coalesce(g.key, 'none') AS word
                     FROM q CROSS JOIN grouped g),
                 page AS (
                     SELECT * FROM ranked
                     WHERE is_total OR $20::numeric IS NULL OR rank < $21 OR (rank = $22 AND word > $23)
                     ORDER BY is_total DESC, rank DESC, word LIMIT $24)
                 SELECT p.is_total, p.key, p.orders, p.lines, p.quantity, p.net, p.unvalued, p.rank,
                        CASE WHEN q.by = 'category' AND q.rolled_up THEN p.key::uuid IS DISTINCT FROM q.category
                            AND EXISTS (SELECT FROM branches b WHERE b.branch = p.key::uuid AND b.id <> b.branch) ELSE false END AS is_branch,
                        CASE q.by
                            WHEN 'customer' THEN (
                                SELECT c.name FROM customers c WHERE c.id = p.key::uuid
                                  AND (q.sees_all OR c.owner_id = q.me OR c.team_id = ANY(q.teams)))
                            WHEN 'product' THEN (SELECT name FROM products WHERE id = p.key::uuid)
                            WHEN 'category' THEN (SELECT name FROM categories WHERE id = p.key::uuid)
                            WHEN 'owner' THEN (SELECT name FROM users WHERE id = p.key::uuid)
                            WHEN 'team' THEN (SELECT name FROM teams WHERE id = p.key::uuid) END AS name
                 FROM q CROSS JOIN page p ORDER BY p.is_total DESC, p.rank DESC, p.word"
            ),
            asked,
        )
        .bind::<Nullable<Numeric>, _>(after_rank)
        .bind::<Nullable<Numeric>, _>(after_rank)
        .bind::<Nullable<Numeric>, _>(after_rank)
        .bind::<Nullable<Text>, _>(after_key)
        .bind::<BigInt, _>(limit.plus_one() + 1)
        .rows(conn)?;
    let total = rows.remove(0);
    debug_assert!(total.is_total);
    let more = rows.len() > limit.get();
    rows.truncate(limit.get());
    let word = |row: &Row| row.key.clone().unwrap_or_else(|| NONE.to_owned());
    let next = rows.last().filter(|_| more);
    let next_cursor = next.map(|row| Cursor::encode(&order, &(row.rank, word(row))));
    let as_of = Utc::now();
    let shown = |row: Row, rows: String| {
        let branch = row.key.as_ref().filter(|_| row.is_branch);
        Ok(SalesFigure {
            below: branch.and_then(|key| key.parse().ok()).map(|key| asked.below(key)),
            key: row.key,
            name: row.name,
            orders: row.orders,
            lines: row.lines,
            quantity: Figure::new(row.quantity),
            net: money(facts.base, row.net)?,
            unvalued: row.unvalued,
            rows,
            as_of,
        })
    };
    let items = rows.into_iter().map(|row| {
        let path = asked.rows(Some(&word(&row)));
        shown(row, path)
    });
    Ok(SalesReport {
        as_of,
        currency: facts.base,
        from: asked.period.from,
        to: asked.period.to,
        by: asked.by,
        items: items.collect::<Result<_>>()?,
        total: shown(total, asked.rows(None))?,
        next_cursor,
    })
}
