//! The classes, each kind in one statement that writes the items of a run.

use super::model::{AnalysisKind, AnalysisThresholds};
use crate::analytics::asked::Period;
use crate::analytics::sales::SalesBy;
use crate::analytics::sales::facts::{Facts, sales};
use diesel::PgConnection;
use diesel::QueryResult;
use diesel::sql_types::{Date, Integer, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::Quantity;
use service_kit::decimal::Fraction;
use uuid::Uuid;

/// Puts around the rows `classed` of a kind what all kinds share: from `sales`, per subject, `sold`; after
/// it, who is `inactive`, and the writing.
macro_rules! classes {
    ($classed:literal) => {
        sales!(
            ", sold AS (
                 SELECT s.key, count(DISTINCT s.id) AS orders, sum(s.quantity) AS quantity, sum(s.net) AS net,
                        count(*) FILTER (WHERE s.net IS NULL) AS unvalued, max(s.order_date) AS last_order_on
                 FROM sales s GROUP BY s.key), ",
            $classed,
            ", idle AS (
                 SELECT c.id::text AS key FROM q CROSS JOIN customers c
                 WHERE q.by = 'customer' AND c.status = 'active'
                   AND (q.sees_all OR c.owner_id = q.me OR c.team_id = ANY(q.teams))
                 UNION ALL SELECT p.id::text FROM q CROSS JOIN products p WHERE q.by = 'product' AND p.status = 'active'
                 UNION ALL SELECT c.id::text FROM q CROSS JOIN categories c WHERE q.by = 'category'
                 EXCEPT SELECT key FROM classed),
             everybody AS (
                 SELECT false AS is_idle, classed.* FROM classed
                 UNION ALL
                 SELECT true, key, 'inactive', NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM idle)
             INSERT INTO analysis_run_items (run_id, position, subject_id, class, net, unvalued, orders, quantity, share_before,
                 variation, net_before, growth, relative_size, last_order_on, recency, frequency, monetary)
             SELECT $91, row_number() OVER (ORDER BY is_idle, net DESC NULLS LAST, key), key::uuid, class, net, unvalued, orders,
                    quantity, share_before, variation, net_before, growth, relative_size, last_order_on, recency, frequency,
                    monetary
             FROM everybody"
        )
    };
}

const ABC: &str = classes!(
    "t AS (SELECT $20::numeric AS a, $21::numeric AS b),
     ranked AS (
         SELECT s.*, sum(net) OVER () AS total,
                sum(net) OVER (ORDER BY net DESC NULLS LAST, key ROWS UNBOUNDED PRECEDING) - net AS before
         FROM sold s),
     classed AS (
         SELECT key,
                CASE WHEN net IS NULL THEN 'unvalued' WHEN before < t.a * total THEN 'A'
                     WHEN before < t.b * total THEN 'B' ELSE 'C' END AS class,
                net, unvalued, orders, quantity, round(before / nullif(total, 0), 6) AS share_before,
                NULL::numeric AS variation, NULL::numeric AS net_before, NULL::numeric AS growth,
                NULL::numeric AS relative_size, last_order_on, NULL::int AS recency, NULL::int AS frequency,
                NULL::int AS monetary
         FROM ranked CROSS JOIN t)"
);

// The variation squared is n × Σq² ÷ (Σq)² − 1: compared without a root, so exactly.
const XYZ: &str = classes!(
    "t AS (SELECT $20::numeric AS x, $21::numeric AS y, $22::int AS months),
     monthly AS (
         SELECT key, date_trunc('month', order_date) AS month, sum(quantity) AS quantity FROM sales GROUP BY 1, 2),
     spread AS (SELECT key, sum(quantity) AS once, sum(quantity * quantity) AS squared FROM monthly GROUP BY key),
     measured AS (
         SELECT s.*, once * once AS whole, t.months * squared - once * once AS excess
         FROM sold s JOIN spread USING (key) CROSS JOIN t),
     classed AS (
         SELECT key,
                CASE WHEN excess <= t.x * t.x * whole THEN 'X' WHEN excess <= t.y * t.y * whole THEN 'Y' ELSE 'Z' END AS class,
                net, unvalued, orders, quantity, NULL::numeric AS share_before,
                round(sqrt(greatest(excess, 0) / whole), 6) AS variation, NULL::numeric AS net_before,
                NULL::numeric AS growth, NULL::numeric AS relative_size, last_order_on, NULL::int AS recency,
                NULL::int AS frequency, NULL::int AS monetary
         FROM measured CROSS JOIN t)"
);

// `sales` spans both periods here; growth is compared as a product, so that nothing is divided by 0.
const BCG: &str = classes!(
    "t AS (SELECT $20::numeric AS large, $21::date AS first, $22::date AS last, $23::date AS before_first,
                  $24::date AS before_last),
     halves AS (
         SELECT s.key, count(DISTINCT s.id) FILTER (WHERE now) AS orders, coalesce(sum(s.quantity) FILTER (WHERE now), 0) AS quantity,
                sum(s.net) FILTER (WHERE now) AS net, sum(s.net) FILTER (WHERE NOT now) AS net_before,
                count(*) FILTER (WHERE now AND s.net IS NULL) AS unvalued, count(s.net) AS valued,
                max(s.order_date) FILTER (WHERE now) AS last_order_on
         FROM (SELECT sales.*, order_date BETWEEN t.first AND t.last AS now FROM sales CROSS JOIN t
               WHERE order_date BETWEEN t.first AND t.last OR order_date BETWEEN t.before_first AND t.before_last) AS s
         GROUP BY s.key),
     measured AS (
         SELECT h.*, max(net) OVER () AS largest, sum(net) OVER () AS total, coalesce(sum(net_before) OVER (), 0) AS total_before
         FROM halves h),
     classed AS (
         SELECT key,
                CASE WHEN valued = 0 THEN 'unvalued'
                     WHEN is_large AND is_growing THEN 'star' WHEN is_large THEN 'cow'
                     WHEN is_growing THEN 'question_mark' ELSE 'dog' END AS class,
                CASE WHEN valued > 0 THEN coalesce(net, 0) END AS net, unvalued, orders, quantity, NULL::numeric AS share_before,
                NULL::numeric AS variation, coalesce(net_before, 0) AS net_before,
                round(net / nullif(net_before, 0) - 1, 6) AS growth, round(net / nullif(largest, 0), 6) AS relative_size,
                last_order_on, NULL::int AS recency, NULL::int AS frequency, NULL::int AS monetary
         FROM (SELECT m.*, coalesce(net >= t.large * largest, false) AS is_large,
                      coalesce(net, 0) * total_before >= coalesce(total, 0) * coalesce(net_before, 0) AS is_growing
               FROM measured m CROSS JOIN t) AS compared)"
);

const RFM: &str = classes!(
    "t AS (SELECT $20::int AS scores),
     scored AS (
         SELECT s.key,
                (1 + t.scores * (rank() OVER (ORDER BY last_order_on) - 1) / count(*) OVER ())::int AS recency,
                (1 + t.scores * (rank() OVER (ORDER BY orders) - 1) / count(*) OVER ())::int AS frequency,
                (1 + t.scores * (rank() OVER (ORDER BY net) - 1) / count(*) OVER ())::int AS monetary
         FROM sold s CROSS JOIN t WHERE net IS NOT NULL),
     classed AS (
         SELECT s.key, coalesce(recency::text || frequency || monetary, 'unvalued') AS class, net, unvalued, orders, quantity,
                NULL::numeric AS share_before, NULL::numeric AS variation, NULL::numeric AS net_before,
                NULL::numeric AS growth, NULL::numeric AS relative_size, last_order_on, recency, frequency, monetary
         FROM sold s LEFT JOIN scored USING (key))"
);

/// What an analysis is made of, with nothing left open.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub kind: AnalysisKind,
    pub by: SalesBy,
    pub period: Period,
    /// With BCG.
    pub against: Option<Period>,
    pub thresholds: AnalysisThresholds,
}

impl Rule {
    /// Fills in what was not said of the thresholds that the kind asks for.
    pub fn filled(kind: AnalysisKind, given: AnalysisThresholds) -> AnalysisThresholds {
        let fraction = |given: Option<Fraction>, hundredths| given.or(Fraction::new(Decimal::new(hundredths, 2)).ok());
        let number = |given: Option<Quantity>, tenths| given.or(Quantity::new(Decimal::new(tenths, 1)).ok());
        let none = AnalysisThresholds::default();
        match kind {
            AnalysisKind::Abc => AnalysisThresholds {
                a_share: fraction(given.a_share, 80),
                b_share: fraction(given.b_share, 95),
                ..none
            },
            AnalysisKind::Xyz => AnalysisThresholds {
                x_variation: number(given.x_variation, 5),
                y_variation: number(given.y_variation, 10),
                ..none
            },
            AnalysisKind::Bcg => AnalysisThresholds {
                relative_size: fraction(given.relative_size, 50),
                ..none
            },
            AnalysisKind::Rfm => AnalysisThresholds {
                scores: given.scores.or(Some(5)),
                ..none
            },
        }
    }

    /// Writes the items of a run.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn write(&self, conn: &mut PgConnection, facts: &Facts, run: Uuid) -> QueryResult<usize> {
        let (period, limits) = (self.period, self.thresholds);
        let part = |given: Option<Fraction>| given.unwrap_or_default().value();
        let number = |given: Option<Quantity>| given.unwrap_or_default().value();
        let statement = match self.kind {
            AnalysisKind::Abc => facts
                .whole(ABC, period, self.by)
                .bind::<Numeric, _>(part(limits.a_share))
                .bind::<Numeric, _>(part(limits.b_share)),
            AnalysisKind::Xyz => facts
                .whole(XYZ, period, self.by)
                .bind::<Numeric, _>(number(limits.x_variation))
                .bind::<Numeric, _>(number(limits.y_variation))
                .bind::<Integer, _>(i32::try_from(period.months().len()).unwrap_or(i32::MAX)),
            AnalysisKind::Bcg => {
                let against = self.against.unwrap_or(period);
                facts
                    .whole(BCG, period.with(against), self.by)
                    .bind::<Numeric, _>(part(limits.relative_size))
                    .bind::<Date, _>(period.from)
                    .bind::<Date, _>(period.to)
                    .bind::<Date, _>(against.from)
                    .bind::<Date, _>(against.to)
            }
            AnalysisKind::Rfm => facts
                .whole(RFM, period, self.by)
                .bind::<Integer, _>(limits.scores.unwrap_or(5)),
        };
        statement.bind::<SqlUuid, _>(run).run(conn)
    }
}
