//! The one piece of SQL that says what was sold: a row for each line of an order that counts.

use super::{Asked, SalesBy, SalesQuery};
use crate::analytics::asked::Period;
use crate::currencies;
use crate::deals::value::{digits, half_unit};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Int4, Nullable, Numeric, Text, Uuid as SqlUuid};
use service_kit::db::{Sql, sql};
use service_kit::{Currency, Sight};
use uuid::Uuid;

/// A statement that begins with the rows `sales` (what was asked for is `q`) and goes on as given, with
/// parameters from `$20` on: bind the others with `Facts::ask`.
///
/// `net` is in the company's currency, null without a price or a rate. `key` is the row's group.
/// `branches` names, when categories are rolled up, the group of each category: the top of its tree, or
/// within one category that one's child; a category whose parents lead nowhere is its own.
macro_rules! sales {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "WITH RECURSIVE q AS NOT MATERIALIZED (
                 SELECT $1 AS first, $2 AS last, $3 AS by, $4 AS key, $5 AS customer, $6 AS product, $7 AS category,
                        $8 AS country, $9 AS owner, $10 AS team, $11 AS base, $12 AS reference, $13 AS digits,
                        $14 AS half, $15 AS sees_all, $16 AS me, $17 AS teams, $18 AS categorised, $19 AS rolled_up),
             branches AS (
                 SELECT c.id, c.id AS branch FROM q CROSS JOIN categories c
                 WHERE q.rolled_up AND CASE WHEN q.category IS NULL
                     THEN NOT EXISTS (SELECT FROM categories above WHERE above.id = c.parent_id)
                     ELSE q.category IN (c.id, c.parent_id) END
                 UNION
                 SELECT c.id, b.branch FROM q CROSS JOIN branches b JOIN categories c ON c.parent_id = b.id
                 WHERE q.category IS NULL OR q.category NOT IN (b.id, c.id)),
             counted AS (
                 SELECT o.id, o.number, o.order_date, o.currency, coalesce(m.merged_into, o.customer_id) AS customer_id,
                        o.credited_owner_id AS owner_id, o.credited_team_id AS team_id,
                        CASE WHEN q.by = 'region' OR q.country IS NOT NULL THEN (
                            SELECT a.country FROM addresses a WHERE a.customer_id = coalesce(m.merged_into, o.customer_id)
                            ORDER BY CASE a.kind WHEN 'billing' THEN 1 WHEN 'office' THEN 2 ELSE 3 END, a.created_at, a.id
                            LIMIT 1) END AS country
                 FROM q CROSS JOIN orders o LEFT JOIN customers m ON m.id = o.customer_id AND m.merged_into IS NOT NULL
                 WHERE o.status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed')
                   AND o.order_date BETWEEN q.first AND q.last
                   AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams))
                   AND (q.customer IS NULL OR coalesce(m.merged_into, o.customer_id) = q.customer)
                   AND (q.owner IS NULL OR o.credited_owner_id = q.owner)
                   AND (q.team IS NULL OR o.credited_team_id = q.team)),
             foreign_days AS MATERIALIZED (
                 SELECT d.currency, d.order_date, rate_of_day(d.currency, q.base, q.reference, d.order_date) AS rate
                 FROM q CROSS JOIN (SELECT DISTINCT currency, order_date FROM counted) AS d
                 WHERE d.currency <> q.base),
             sales AS (
                 SELECT o.*, l.id AS line_id, l.product_id, p.category_id, l.quantity, l.line_total, ",
            crate::deals::value::converted!("l.line_total"),
            " AS net,
                        CASE q.by
                            WHEN 'customer' THEN o.customer_id::text WHEN 'product' THEN l.product_id::text
                            WHEN 'category' THEN coalesce(p.branch, p.category_id)::text WHEN 'region' THEN o.country
                            WHEN 'owner' THEN o.owner_id::text WHEN 'team' THEN o.team_id::text
                            ELSE to_char(o.order_date, 'YYYY-MM') END AS key
                 FROM q CROSS JOIN counted o
                 JOIN order_lines l ON l.order_id = o.id
                 LEFT JOIN (SELECT p.id, p.category_id, b.branch FROM products p LEFT JOIN branches b ON b.id = p.category_id) AS p
                     ON q.categorised AND p.id = l.product_id
                 LEFT JOIN foreign_days f ON f.currency = o.currency AND f.order_date = o.order_date
                 CROSS JOIN LATERAL (SELECT CASE WHEN o.currency = q.base THEN 1 ELSE f.rate END AS rate) AS r
                 WHERE (q.product IS NULL OR l.product_id = q.product)
                   AND (q.category IS NULL OR p.category_id = q.category OR p.branch IS NOT NULL)
                   AND (q.country IS NULL OR o.country = q.country)) ",
            $($rest),+
        )
    };
}
pub(in crate::analytics) use sales;

/// Whose eyes see the rows, and what they are worth in.
#[derive(Debug, Clone)]
pub struct Facts {
    pub sight: Sight,
    pub base: Currency,
    reference: Currency,
}

impl Facts {
    /// # Errors
    /// When the database refuses.
    pub fn of(conn: &mut PgConnection, sight: &Sight) -> QueryResult<Self> {
        let (base, reference) = currencies::base_and_reference(conn)?;
        Ok(Facts {
            sight: sight.clone(),
            base,
            reference,
        })
    }

    /// The sales of a period by one dimension, not narrowed.
    pub fn whole(&self, text: &'static str, period: Period, by: SalesBy) -> Sql<'static> {
        let asked = Asked {
            period,
            by,
            query: SalesQuery::default(),
        };
        self.ask(text, &asked)
    }

    /// Binds `$1` to `$19` of a `sales!` statement.
    pub fn ask(&self, text: &'static str, asked: &Asked) -> Sql<'static> {
        let (all, me, teams) = self.sight.binds();
        let query = &asked.query;
        sql(text)
            .bind::<Date, _>(asked.period.from)
            .bind::<Date, _>(asked.period.to)
            .bind::<Text, _>(asked.by)
            .bind::<Nullable<Text>, _>(query.key.clone())
            .bind::<Nullable<SqlUuid>, _>(query.customer_id)
            .bind::<Nullable<SqlUuid>, _>(query.product_id)
            .bind::<Nullable<SqlUuid>, _>(query.category_id)
            .bind::<Nullable<Text>, _>(query.country.clone())
            .bind::<Nullable<SqlUuid>, _>(query.owner_id)
            .bind::<Nullable<SqlUuid>, _>(query.team_id)
            .bind::<Text, _>(self.base)
            .bind::<Text, _>(self.reference)
            .bind::<Int4, _>(digits(self.base))
            .bind::<Numeric, _>(half_unit(self.base))
            .bind::<Bool, _>(all)
            .bind::<Nullable<SqlUuid>, Option<Uuid>>(me)
            .bind::<Array<SqlUuid>, _>(teams)
            .bind::<Bool, _>(asked.by == SalesBy::Category || query.category_id.is_some())
            .bind::<Bool, _>(query.rolled_up == Some(true))
    }
}
