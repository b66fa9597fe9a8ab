//! Who comes back: customers by the month of their first order, and how many ordered again, within some
//! days and ever.
//!
//! A customer's first and second order are the first two that count, by order date; two on one day are two.
//! A request reads the counted orders of its period and looks up two orders for each customer in it.

use super::asked::{Period, Refused, Rows};
use super::figure::Figure;
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::{Sql, figures, sql};
use service_kit::paging::turn;
use service_kit::{Answer, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, Sight, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Who of a cohort.
    Repeated {
        /// Ordered again within the days.
        Within = "within",
        /// Ordered again.
        Ever = "ever",
        /// Did not order again.
        Never = "never",
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CohortsQuery {
    /// First day of a first order; that of the month eleven months before the last one when absent.
    from: Option<NaiveDate>,
    /// Last day of a first order; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    /// A second order counts as a repeat within so many days; 90 when absent.
    #[param(minimum = 1, maximum = 3650)]
    within_days: Option<i32>,
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CohortCustomersQuery {
    /// First day of a first order; that of the month eleven months before the last one when absent.
    from: Option<NaiveDate>,
    /// Last day of a first order; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    /// A second order counts as a repeat within so many days; 90 when absent.
    #[param(minimum = 1, maximum = 3650)]
    within_days: Option<i32>,
    #[param(inline)]
    repeated: Option<Repeated>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// Customers whose first order was in a month.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cohort {
    /// First day of the month; `null` in the total.
    pub month: Option<NaiveDate>,
    pub customers: i64,
    /// Those with a second order within the days.
    pub repeated_within: i64,
    /// Those with a second order.
    pub repeated_ever: i64,
    /// `repeated_within ÷ customers`.
    pub rate_within: Option<Figure>,
    /// `repeated_ever ÷ customers`.
    pub rate_ever: Option<Figure>,
    /// The customers.
    pub rows: String,
    pub rows_within: String,
    pub rows_ever: String,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CohortReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub within_days: i32,
    pub total: Cohort,
    pub cohorts: Vec<Cohort>,
}

/// A customer with the first order and the next.
#[derive(Debug, Clone, Serialize, QueryableByName, ToSchema)]
pub struct CohortCustomer {
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: Uuid,
    /// As far as the customer is in sight.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Date)]
    pub first_order_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    pub second_order_on: Option<NaiveDate>,
    /// From the first order to the second.
    #[diesel(sql_type = Nullable<Integer>)]
    pub days: Option<i32>,
    /// Whether the second came within the days that were asked for.
    #[diesel(sql_type = Bool)]
    pub within: bool,
    /// The state that this is of.
    #[diesel(sql_type = Timestamptz)]
    pub as_of: DateTime<Utc>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_cohorts).add(list_cohort_customers);
}

/// How many customers order again, by the month of their first order.
#[utoipa::path(tag = "analytics", params(CohortsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "The cohorts with their total", body = CohortReport)))]
#[get("/analytics/cohorts")]
async fn get_cohorts(read: Read<may::ReadAnalytics>, query: Query<CohortsQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of((query.from, query.to), query.within_days, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| report(conn, &sight, &asked)))
        .await
}

/// The customers of cohorts, each with the first order and the next.
#[utoipa::path(tag = "analytics", params(CohortCustomersQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of customers, by their first order", body = Page<CohortCustomer>)))]
#[get("/analytics/cohorts/customers")]
async fn list_cohort_customers(
    read: Read<may::ReadAnalytics>,
    query: Query<CohortCustomersQuery>,
) -> Result<Answer, Problem> {
    let asked = Asked::of((query.from, query.to), query.within_days, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| customers(conn, &sight, &asked, &query)))
        .await
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    period: Period,
    within_days: i32,
}

impl Asked {
    fn of(
        (from, to): (Option<NaiveDate>, Option<NaiveDate>),
        within_days: Option<i32>,
        today: NaiveDate,
    ) -> Result<Self, Problem> {
        let mut refused = Refused::default();
        let period = Period::of(from, to, today, &mut refused);
        refused.check()?;
        Ok(Asked {
            period,
            within_days: within_days.unwrap_or(90),
        })
    }

    fn rows(&self, month: Option<NaiveDate>, repeated: Option<Repeated>) -> String {
        let days = month.map_or(self.period, |month| self.period.within_month(month));
        Rows::at("/v1/analytics/cohorts/customers", days)
            .with("within_days", self.within_days)
            .with_some("repeated", repeated)
            .path()
    }
}

/// The rows `begun`: customers whose first order is in the period, with the second; parameters from `$7` on
/// are the statement's own.
macro_rules! cohorts {
    ($rest:literal) => {
        concat!(
            "WITH q AS NOT MATERIALIZED (
                 SELECT $1 AS first, $2 AS last, $3 AS within_days, $4 AS sees_all, $5 AS me, $6 AS teams),
             placed AS (
                 SELECT coalesce(c.merged_into, c.id) AS customer_id, min(o.order_date) AS first_order_on
                 FROM q CROSS JOIN orders o JOIN customers c ON c.id = o.customer_id
                 WHERE o.status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed')
                   AND o.order_date BETWEEN q.first AND q.last
                   AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams))
                 GROUP BY 1),
             begun AS (
                 SELECT p.customer_id, p.first_order_on, s.order_date AS second_order_on,
                        s.order_date - p.first_order_on AS days,
                        coalesce(s.order_date - p.first_order_on <= q.within_days, false) AS within
                 FROM q CROSS JOIN placed p
                 LEFT JOIN LATERAL (
                     SELECT o.order_date FROM customers c JOIN orders o ON o.customer_id = c.id
                     WHERE (c.id = p.customer_id OR c.merged_into = p.customer_id)
                       AND o.status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed')
                       AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams))
                     ORDER BY o.order_date, o.id OFFSET 1 LIMIT 1) AS s ON true
                 WHERE NOT EXISTS (
                     SELECT FROM customers c JOIN orders o ON o.customer_id = c.id
                     WHERE (c.id = p.customer_id OR c.merged_into = p.customer_id) AND o.order_date < q.first
                       AND o.status IN ('accepted', 'on_hold', 'partially_delivered', 'delivered', 'closed')
                       AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams)))) ",
            $rest
        )
    };
}

fn ask(text: &'static str, sight: &Sight, asked: &Asked) -> Sql<'static> {
    let (all, me, teams) = sight.binds();
    sql(text)
        .bind::<Date, _>(asked.period.from)
        .bind::<Date, _>(asked.period.to)
        .bind::<Integer, _>(asked.within_days)
        .bind::<Bool, _>(all)
        .bind::<Nullable<SqlUuid>, _>(me)
        .bind::<Array<SqlUuid>, _>(teams)
}

#[derive(Debug, QueryableByName)]
struct Counted {
    #[diesel(sql_type = Nullable<Date>)]
    month: Option<NaiveDate>,
    #[diesel(sql_type = BigInt)]
    customers: i64,
    #[diesel(sql_type = BigInt)]
    within: i64,
    #[diesel(sql_type = BigInt)]
    ever: i64,
}

fn report(conn: &mut PgConnection, sight: &Sight, asked: &Asked) -> Result<CohortReport> {
    let text = cohorts!(
        "SELECT date_trunc('month', first_order_on)::date AS month, count(*) AS customers,
                count(*) FILTER (WHERE within) AS within, count(second_order_on) AS ever
         FROM begun GROUP BY GROUPING SETS ((1), ()) ORDER BY 1 NULLS LAST"
    );
    let mut rows: Vec<Counted> = ask(text, sight, asked).rows(conn)?;
    let as_of = Utc::now();
    let shown = |row: &Counted| {
        let rate = |part: i64| {
            Decimal::from(part)
                .checked_div(Decimal::from(row.customers))
                .map(Figure::new)
        };
        Cohort {
            month: row.month,
            customers: row.customers,
            repeated_within: row.within,
            repeated_ever: row.ever,
            rate_within: rate(row.within),
            rate_ever: rate(row.ever),
            rows: asked.rows(row.month, None),
            rows_within: asked.rows(row.month, Some(Repeated::Within)),
            rows_ever: asked.rows(row.month, Some(Repeated::Ever)),
            as_of,
        }
    };
    let total = rows.pop().unwrap_or(Counted {
        month: None,
        customers: 0,
        within: 0,
        ever: 0,
    });
    Ok(CohortReport {
        as_of,
        from: asked.period.from,
        to: asked.period.to,
        within_days: asked.within_days,
        total: shown(&total),
        cohorts: rows.iter().map(shown).collect(),
    })
}

const ORDER: &str = "cohort customers";

fn customers(
    conn: &mut PgConnection,
    sight: &Sight,
    asked: &Asked,
    query: &CohortCustomersQuery,
) -> Result<Page<CohortCustomer>> {
    let (limit, cursor) = turn(query.limit, query.cursor.as_ref());
    let after: Option<(NaiveDate, Uuid)> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let (after_day, after_id) = after.unzip();
    let text = cohorts!(
        ", r AS (SELECT $7::text AS repeated)
         SELECT b.*, now() AS as_of, (SELECT c.name FROM customers c WHERE c.id = b.customer_id
                        AND (q.sees_all OR c.owner_id = q.me OR c.team_id = ANY(q.teams))) AS name
         FROM q CROSS JOIN r CROSS JOIN begun b
         WHERE CASE r.repeated WHEN 'within' THEN b.within WHEN 'ever' THEN b.second_order_on IS NOT NULL
                   WHEN 'never' THEN b.second_order_on IS NULL ELSE true END
           AND ($8::date IS NULL OR (b.first_order_on, b.customer_id) > ($9, $10))
         ORDER BY b.first_order_on, b.customer_id LIMIT $11"
    );
    let rows: Vec<CohortCustomer> = ask(text, sight, asked)
        .bind::<Nullable<Text>, _>(query.repeated)
        .bind::<Nullable<Date>, _>(after_day)
        .bind::<Nullable<Date>, _>(after_day)
        .bind::<Nullable<SqlUuid>, _>(after_id)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    Ok(Page::from_rows(rows, limit, |row| {
        Cursor::encode(ORDER, &(row.first_order_on, row.customer_id))
    }))
}
