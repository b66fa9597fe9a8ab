//! Forecast against plan: revenue so far and what open deals are likely to bring, beside what was planned.

use super::PlanOf;
use crate::analytics::asked::{Period, Refused, Rows};
use crate::analytics::figure::{Figure, money};
use crate::analytics::sales::facts::{Facts, sales};
use crate::analytics::sales::{self as sold, SalesBy, SalesQuery};
use crate::deals::value::{Rates, converted};
use crate::may;
use actix_web::get;
use chrono::{DateTime, Months, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::figures;
use service_kit::paging::turn;
use service_kit::{
    Amount, Answer, Currency, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, Sight, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What the forecast is set against the plan by.
    AgainstPlanBy { Month = "month", Owner = "owner", Team = "team" }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AgainstPlanQuery {
    /// A day of the first month; this one when absent.
    from: Option<NaiveDate>,
    /// A day of the last month, at most five years after `from`; that two months after it when absent.
    to: Option<NaiveDate>,
    /// `month` when absent.
    #[param(inline)]
    by: Option<AgainstPlanBy>,
    /// By month: whether the plans of users (when absent) or of teams are summed.
    #[param(inline)]
    plans_of: Option<PlanOf>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// Plan, revenue and forecast of a group, in the company's currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgainstPlan {
    /// A month such as `2026-11`, or the id of an owner or team. `none`: it has none.
    pub key: String,
    pub name: Option<String>,
    /// Sum of the plans of revenue; `null`: nothing is planned.
    pub plan: Option<Amount>,
    /// Sales so far.
    pub revenue: Amount,
    /// Order lines without a price or a rate, which `revenue` leaves out.
    pub revenue_unvalued: i64,
    /// Open deals expected from today on × probability.
    pub forecast: Amount,
    /// Open deals that were expected before today × probability: not part of `forecast`.
    pub overdue: Amount,
    /// Open deals without an amount or a rate.
    pub unvalued: i64,
    /// `revenue + forecast`.
    pub expected: Amount,
    /// `expected − plan`.
    pub difference: Option<Amount>,
    /// `expected ÷ plan`.
    pub attainment: Option<Figure>,
    /// The plans.
    pub rows_plan: String,
    /// The order lines.
    pub rows_revenue: String,
    /// The open deals, whose `value.weighted`s add up.
    pub rows_forecast: String,
    pub rows_overdue: String,
    pub rows_unvalued: String,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgainstPlanReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub by: AgainstPlanBy,
    pub plans_of: PlanOf,
    pub items: Vec<AgainstPlan>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_forecast_against_plan);
}

/// Revenue and weighted forecast against the plan, by month, owner or team.
///
/// Whole months. Deals count by the day they are expected to close, revenue by order date.
#[utoipa::path(tag = "analytics", params(AgainstPlanQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of figures", body = AgainstPlanReport)))]
#[get("/analytics/forecast")]
async fn get_forecast_against_plan(
    read: Read<may::ReadAnalytics>,
    query: Query<AgainstPlanQuery>,
) -> Result<Answer, Problem> {
    let asked = Asked::of(&query, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| report(conn, &sight, &asked)))
        .await
}

/// What is asked for, with nothing left open.
struct Asked {
    sales: sold::Asked,
    by: AgainstPlanBy,
    of: PlanOf,
    today: NaiveDate,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

impl Asked {
    fn of(query: &AgainstPlanQuery, today: NaiveDate) -> Result<Self, Problem> {
        let mut refused = Refused::default();
        let from = query.from.unwrap_or_else(|| today.min(query.to.unwrap_or(today)));
        let to = query.to.or_else(|| from.checked_add_months(Months::new(2)));
        let period = Period::of(Some(from), to, today, &mut refused);
        let by = query.by.unwrap_or(AgainstPlanBy::Month);
        let of = match by {
            AgainstPlanBy::Month => query.plans_of.unwrap_or(PlanOf::User),
            AgainstPlanBy::Owner => PlanOf::User,
            AgainstPlanBy::Team => PlanOf::Team,
        };
        if query.plans_of.is_some_and(|asked| asked != of) {
            refused.add("plans_of", "by owner the plans are of users, by team of teams");
        }
        refused.check()?;
        Ok(Asked {
            sales: sold::Asked {
                period: period.widened(),
                by: match by {
                    AgainstPlanBy::Month => SalesBy::Month,
                    AgainstPlanBy::Owner => SalesBy::Owner,
                    AgainstPlanBy::Team => SalesBy::Team,
                },
                query: SalesQuery {
                    owner_id: query.owner_id,
                    team_id: query.team_id,
                    ..SalesQuery::default()
                },
            },
            by,
            of,
            today,
            limit: query.limit,
            cursor: query.cursor.clone(),
        })
    }
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    plan: Option<Decimal>,
    #[diesel(sql_type = Numeric)]
    revenue: Decimal,
    #[diesel(sql_type = BigInt)]
    revenue_unvalued: i64,
    #[diesel(sql_type = Numeric)]
    forecast: Decimal,
    #[diesel(sql_type = Numeric)]
    overdue: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
}

const TEXT: &str = sales!(
    ", z AS NOT MATERIALIZED (
         SELECT q.*, p.* FROM q CROSS JOIN (SELECT $20::date AS today, $21::text AS plans_of) AS p),
     sold AS (
         SELECT coalesce(key, 'none') AS key, coalesce(sum(net), 0) AS revenue, count(*) FILTER (WHERE net IS NULL) AS unvalued
         FROM sales GROUP BY 1),
     expected AS (
         SELECT coalesce(CASE q.by WHEN 'owner' THEN d.owner_id::text WHEN 'team' THEN d.team_id::text
                             ELSE to_char(d.close_key, 'YYYY-MM') END, 'none') AS key,
                d.close_key < q.today AS is_overdue, ",
    converted!("d.weighted_amount"),
    " AS weighted
         FROM z AS q CROSS JOIN deals d LEFT JOIN unnest($22, $23) AS r (currency, rate) ON r.currency = d.currency
         WHERE d.state = 'open' AND d.close_key BETWEEN q.first AND q.last
           AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
           AND (q.owner IS NULL OR d.owner_id = q.owner) AND (q.team IS NULL OR d.team_id = q.team)),
     weighed AS (
         SELECT key, coalesce(sum(weighted) FILTER (WHERE NOT is_overdue), 0) AS forecast,
                coalesce(sum(weighted) FILTER (WHERE is_overdue), 0) AS overdue,
                count(*) FILTER (WHERE weighted IS NULL) AS unvalued
         FROM expected GROUP BY key),
     planned AS (
         SELECT CASE z.by WHEN 'owner' THEN p.owner_id::text WHEN 'team' THEN p.team_id::text
                    ELSE to_char(p.month, 'YYYY-MM') END AS key, sum(p.target) AS plan
         FROM z CROSS JOIN plans p
         WHERE p.kind = 'revenue' AND p.of = z.plans_of AND p.month BETWEEN z.first AND z.last
           AND (z.sees_all OR p.owner_id = z.me OR p.team_id = ANY(z.teams))
           AND (z.owner IS NULL OR p.owner_id = z.owner) AND (z.team IS NULL OR p.team_id = z.team)
         GROUP BY 1),
     page AS (
         SELECT key, p.plan, coalesce(s.revenue, 0) AS revenue, coalesce(s.unvalued, 0) AS revenue_unvalued,
                coalesce(w.forecast, 0) AS forecast, coalesce(w.overdue, 0) AS overdue, coalesce(w.unvalued, 0) AS unvalued
         FROM sold s FULL JOIN weighed w USING (key) FULL JOIN planned p USING (key)
         WHERE $24::text IS NULL OR key > $25 ORDER BY key LIMIT $26)
     SELECT p.*, CASE WHEN p.key = 'none' THEN NULL WHEN q.by = 'owner' THEN (SELECT name FROM users WHERE id = p.key::uuid)
                      WHEN q.by = 'team' THEN (SELECT name FROM teams WHERE id = p.key::uuid) END AS name
     FROM q CROSS JOIN page p ORDER BY p.key"
);

fn report(conn: &mut PgConnection, sight: &Sight, asked: &Asked) -> Result<AgainstPlanReport> {
    let facts = Facts::of(conn, sight)?;
    let rates = Rates::of_open_deals(conn, asked.today)?;
    let (currencies, known) = rates.known();
    let (limit, cursor) = turn(asked.limit, asked.cursor.as_ref());
    let order = format!("forecast against plan by {}", asked.by);
    let after: Option<String> = cursor.map(|cursor| cursor.decode(&order)).transpose()?;
    let rows: Vec<Row> = facts
        .ask(TEXT, &asked.sales)
        .bind::<Date, _>(asked.today)
        .bind::<Text, _>(asked.of)
        .bind::<Array<Text>, _>(currencies)
        .bind::<Array<Numeric>, _>(known)
        .bind::<Nullable<Text>, _>(after.clone())
        .bind::<Nullable<Text>, _>(after)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(&order, &row.key));
    let as_of = Utc::now();
    Ok(AgainstPlanReport {
        as_of,
        currency: facts.base,
        from: asked.sales.period.from,
        to: asked.sales.period.to,
        by: asked.by,
        plans_of: asked.of,
        items: page
            .items
            .into_iter()
            .map(|row| shown(row, asked, (facts.base, as_of)))
            .collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

fn shown(row: Row, asked: &Asked, (base, as_of): (Currency, DateTime<Utc>)) -> Result<AgainstPlan> {
    let expected = row.revenue + row.forecast;
    let deals = |narrowed: &str| deals_of(asked, &row.key, narrowed);
    Ok(AgainstPlan {
        plan: row.plan.map(|plan| money(base, plan)).transpose()?,
        revenue: money(base, row.revenue)?,
        revenue_unvalued: row.revenue_unvalued,
        forecast: money(base, row.forecast)?,
        overdue: money(base, row.overdue)?,
        unvalued: row.unvalued,
        expected: money(base, expected)?,
        difference: row.plan.map(|plan| money(base, expected - plan)).transpose()?,
        attainment: row.plan.and_then(|plan| expected.checked_div(plan)).map(Figure::new),
        rows_plan: plans_of(asked, &row.key),
        rows_revenue: asked.sales.rows(Some(&row.key)),
        rows_forecast: deals("overdue=false&valued=true"),
        rows_overdue: deals("overdue=true&valued=true"),
        rows_unvalued: deals("valued=false"),
        key: row.key,
        name: row.name,
        as_of,
    })
}

/// The days of a group: those of its month, or all.
fn days(asked: &Asked, key: &str) -> Period {
    let month = NaiveDate::parse_from_str(&format!("{key}-01"), "%Y-%m-%d").ok();
    let month = month.filter(|_| asked.by == AgainstPlanBy::Month);
    month.map_or(asked.sales.period, |month| asked.sales.period.within_month(month))
}

/// Narrowed to an owner and a team: by what was asked for, and by the group.
fn whose(asked: &Asked, key: &str) -> String {
    let (mut owner, mut team) = (asked.sales.query.owner_id, asked.sales.query.team_id);
    let (id, mut path) = (key.parse::<Uuid>().ok(), String::new());
    match (asked.by, id) {
        (AgainstPlanBy::Owner, Some(_)) => owner = id,
        (AgainstPlanBy::Owner, None) => path.push_str("&unowned=true"),
        (AgainstPlanBy::Team, Some(_)) => team = id,
        (AgainstPlanBy::Team, None) => path.push_str("&teamless=true"),
        (AgainstPlanBy::Month, _) => {}
    }
    for (name, id) in [("owner_id", owner), ("team_id", team)] {
        if let Some(id) = id {
            path.push_str(&format!("&{name}={id}"));
        }
    }
    path
}

fn deals_of(asked: &Asked, key: &str, narrowed: &str) -> String {
    let Period { from, to } = days(asked, key);
    let whose = whose(asked, key);
    format!("/v1/deals?state=open&expected_close_from={from}&expected_close_to={to}&{narrowed}{whose}")
}

fn plans_of(asked: &Asked, key: &str) -> String {
    let rows = Rows::at("/v1/plans", days(asked, key))
        .with("kind", "revenue")
        .with("of", asked.of);
    // Nobody has no plan: a list of those of the nil id is empty.
    let nobody = format!("owner_id={}", Uuid::nil());
    let whose = whose(asked, key)
        .replace("unowned=true", &nobody)
        .replace("teamless=true", &nobody);
    format!("{}{whose}", rows.path())
}
