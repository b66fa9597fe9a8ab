//! Plan and fact: calls, meetings, deals won, revenue and overdue tasks, by user or team and month.

use super::{PlanKind, PlanOf};
use crate::analytics::asked::{Period, Refused, Rows, first_of};
use crate::analytics::figure::Figure;
use crate::analytics::sales::facts::{Facts, sales};
use crate::analytics::sales::{self as sold, SalesBy, SalesQuery};
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::{Sql, figures};
use service_kit::paging::turn;
use service_kit::{Answer, Currency, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, Sight};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct KpisQuery {
    /// A day of the first month; the last one is the only one when absent.
    from: Option<NaiveDate>,
    /// A day of the last month; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    /// By user (when absent) or team.
    #[param(inline)]
    of: Option<PlanOf>,
    #[param(inline)]
    kind: Option<PlanKind>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct KpiRecordsQuery {
    /// A day of the first month; the last one is the only one when absent.
    from: Option<NaiveDate>,
    /// A day of the last month; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    /// By user (when absent) or team.
    #[param(inline)]
    of: Option<PlanOf>,
    #[param(inline)]
    kind: Option<PlanKind>,
    /// Id of the user or team; `none` for records of nobody.
    #[param(min_length = 1, max_length = 36, pattern = "^[A-Za-z0-9-]+$")]
    key: Option<String>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// What somebody was to reach in a month, and what they did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Kpi {
    /// Id of the user or team; `none`: records of nobody.
    pub key: String,
    pub name: Option<String>,
    /// First day of the month.
    pub month: NaiveDate,
    pub kind: PlanKind,
    pub plan_id: Option<Uuid>,
    /// `null`: nothing is planned.
    pub plan: Option<Figure>,
    pub fact: Figure,
    /// Records without a value, which `fact` leaves out.
    pub unvalued: i64,
    /// `fact − plan`.
    pub difference: Option<Figure>,
    /// `fact ÷ plan`.
    pub attainment: Option<Figure>,
    /// Whether the plan is kept: reached, of overdue tasks not exceeded.
    pub kept: Option<bool>,
    /// The records whose `value`s add up to `fact`.
    pub rows: String,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KpiReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    /// Of revenue.
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub of: PlanOf,
    /// By month, kind and whose they are.
    pub items: Vec<Kpi>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// A record that counts for a figure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KpiRecord {
    pub kind: PlanKind,
    /// `activity`, `deal` or `order`; of revenue, a row for each order line.
    pub record_type: String,
    pub record_id: Uuid,
    /// Of the row itself: of an order, its line.
    pub row_id: Uuid,
    pub title: Option<String>,
    pub on_day: NaiveDate,
    pub key: String,
    /// What it counts for: 1, or the net of an order line; `null` without a price or a rate.
    pub value: Option<Figure>,
    /// The state that this is of.
    pub as_of: DateTime<Utc>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_kpis).add(list_kpi_records);
}

/// What was planned and what was done: calls, meetings, deals won, revenue and overdue tasks, by user or
/// team and month.
#[utoipa::path(tag = "analytics", params(KpisQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of figures", body = KpiReport)))]
#[get("/analytics/kpis")]
async fn get_kpis(read: Read<may::ReadAnalytics>, query: Query<KpisQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of(
        (query.from, query.to),
        query.of,
        (query.owner_id, query.team_id),
        (read.today(), read.time_zone()),
    )?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| report(conn, &sight, &asked, &query)))
        .await
}

/// The records that figures of plan and fact are made of: the `value`s add up to them.
#[utoipa::path(tag = "analytics", params(KpiRecordsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of records", body = Page<KpiRecord>)))]
#[get("/analytics/kpis/records")]
async fn list_kpi_records(read: Read<may::ReadAnalytics>, query: Query<KpiRecordsQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of(
        (query.from, query.to),
        query.of,
        (query.owner_id, query.team_id),
        (read.today(), read.time_zone()),
    )?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| records(conn, &sight, &asked, &query)))
        .await
}

/// What is asked for, with nothing left open.
struct Asked {
    sales: sold::Asked,
    of: PlanOf,
    zone: Tz,
}

impl Asked {
    fn of(
        (from, to): (Option<NaiveDate>, Option<NaiveDate>),
        of: Option<PlanOf>,
        (owner_id, team_id): (Option<Uuid>, Option<Uuid>),
        (today, zone): (NaiveDate, Tz),
    ) -> Result<Self, Problem> {
        let mut refused = Refused::default();
        let from = from.or(Some(first_of(to.unwrap_or(today))));
        let period = Period::of(from, to, today, &mut refused);
        refused.check()?;
        let of = of.unwrap_or(PlanOf::User);
        Ok(Asked {
            sales: sold::Asked {
                period: period.widened(),
                by: match of {
                    PlanOf::User => SalesBy::Owner,
                    PlanOf::Team => SalesBy::Team,
                },
                query: SalesQuery {
                    owner_id,
                    team_id,
                    ..SalesQuery::default()
                },
            },
            of,
            zone,
        })
    }

    /// Binds what [`records!`] asks for beside sales.
    fn ask(&self, facts: &Facts, text: &'static str, kind: Option<PlanKind>, now: DateTime<Utc>) -> Sql<'static> {
        let (begins, ends) = self.sales.period.instants(self.zone);
        facts
            .ask(text, &self.sales)
            .bind::<Text, _>(self.zone.name())
            .bind::<Timestamptz, _>(begins)
            .bind::<Timestamptz, _>(ends)
            .bind::<Timestamptz, _>(now)
            .bind::<Nullable<Text>, _>(kind)
    }
}

/// The rows `records`: everything that counts, one for each; parameters from `$25` on are the statement's own.
macro_rules! records {
    ($rest:literal) => {
        sales!(
            ", z AS NOT MATERIALIZED (
                 SELECT q.*, p.*
                 FROM q CROSS JOIN (SELECT $20::text AS zone, $21::timestamptz AS begins, $22::timestamptz AS ends,
                                           $23::timestamptz AS now, $24::text AS kind) AS p),
             done AS (
                 SELECT a.kind || 's' AS kind, a.id, a.title, (a.done_at AT TIME ZONE z.zone)::date AS on_day, a.owner_id, a.team_id
                 FROM z CROSS JOIN activities a
                 WHERE a.state = 'done' AND a.kind IN ('call', 'meeting') AND a.done_at >= z.begins AND a.done_at < z.ends
                 UNION ALL
                 SELECT 'overdue_tasks', a.id, a.title, a.due_on, a.owner_id, a.team_id
                 FROM z CROSS JOIN activities a
                 WHERE a.kind = 'task' AND a.due_on IS NOT NULL AND a.due_on BETWEEN z.first AND z.last
                   AND (a.done_at > a.due_by OR (a.state = 'open' AND a.due_by < z.now))),
             owned AS (
                 SELECT d.kind, 'activity' AS record_type, d.id, d.title, d.on_day, d.owner_id, d.team_id FROM done d
                 UNION ALL
                 SELECT 'deals', 'deal', d.id, d.name, d.closed_on, d.owner_id, d.team_id
                 FROM z CROSS JOIN deals d WHERE d.state = 'won' AND d.closed_on BETWEEN z.first AND z.last),
             records AS (
                 SELECT o.kind, o.record_type, o.id AS record_id, o.id AS row_id, o.title, o.on_day,
                        coalesce(CASE z.by WHEN 'owner' THEN o.owner_id ELSE o.team_id END::text, 'none') AS key,
                        1::numeric AS value
                 FROM z CROSS JOIN owned o
                 WHERE (z.sees_all OR o.owner_id = z.me OR o.team_id = ANY(z.teams))
                   AND (z.owner IS NULL OR o.owner_id = z.owner) AND (z.team IS NULL OR o.team_id = z.team)
                   AND (z.kind IS NULL OR o.kind = z.kind)
                 UNION ALL
                 SELECT 'revenue', 'order', s.id, s.line_id, s.number, s.order_date, coalesce(s.key, 'none'), s.net
                 FROM z CROSS JOIN sales s WHERE z.kind IS NULL OR z.kind = 'revenue') ",
            $rest
        )
    };
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Date)]
    month: NaiveDate,
    #[diesel(sql_type = Text)]
    kind: PlanKind,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    plan_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Numeric>)]
    plan: Option<Decimal>,
    #[diesel(sql_type = Numeric)]
    fact: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
}

fn report(conn: &mut PgConnection, sight: &Sight, asked: &Asked, query: &KpisQuery) -> Result<KpiReport> {
    let facts = Facts::of(conn, sight)?;
    let (limit, cursor) = turn(query.limit, query.cursor.as_ref());
    let order = format!("kpis by {}", asked.of);
    let after: Option<(NaiveDate, String, String)> = cursor.map(|cursor| cursor.decode(&order)).transpose()?;
    let (month, kind, key) = match after {
        Some((month, kind, key)) => (Some(month), Some(kind), Some(key)),
        None => (None, None, None),
    };
    let as_of = Utc::now();
    let text = records!(
        ", facts AS (
             SELECT key, date_trunc('month', on_day)::date AS month, kind, coalesce(sum(value), 0) AS fact,
                    count(*) FILTER (WHERE value IS NULL) AS unvalued
             FROM records GROUP BY 1, 2, 3),
         planned AS (
             SELECT CASE z.by WHEN 'owner' THEN p.owner_id ELSE p.team_id END::text AS key, p.month, p.kind, p.id, p.target
             FROM z CROSS JOIN plans p
             WHERE p.of = CASE z.by WHEN 'owner' THEN 'user' ELSE 'team' END AND p.month BETWEEN z.first AND z.last
               AND (z.sees_all OR p.owner_id = z.me OR p.team_id = ANY(z.teams))
               AND (z.owner IS NULL OR p.owner_id = z.owner) AND (z.team IS NULL OR p.team_id = z.team)
               AND (z.kind IS NULL OR p.kind = z.kind)),
         page AS (
             SELECT key, month, kind, p.id AS plan_id, p.target AS plan, coalesce(f.fact, 0) AS fact,
                    coalesce(f.unvalued, 0) AS unvalued
             FROM facts f FULL JOIN planned p USING (key, month, kind)
             WHERE $25::date IS NULL OR (month, kind, key) > ($26, $27, $28)
             ORDER BY month, kind, key LIMIT $29)
         SELECT p.*, CASE WHEN p.key = 'none' THEN NULL WHEN q.by = 'owner' THEN (SELECT name FROM users WHERE id = p.key::uuid)
                          ELSE (SELECT name FROM teams WHERE id = p.key::uuid) END AS name
         FROM q CROSS JOIN page p ORDER BY p.month, p.kind, p.key"
    );
    let rows: Vec<Row> = asked
        .ask(&facts, text, query.kind, as_of)
        .bind::<Nullable<Date>, _>(month)
        .bind::<Nullable<Date>, _>(month)
        .bind::<Nullable<Text>, _>(kind)
        .bind::<Nullable<Text>, _>(key)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| {
        Cursor::encode(&order, &(row.month, row.kind, &row.key))
    });
    Ok(KpiReport {
        as_of,
        currency: facts.base,
        from: asked.sales.period.from,
        to: asked.sales.period.to,
        of: asked.of,
        items: page.items.into_iter().map(|row| shown(row, asked, as_of)).collect(),
        next_cursor: page.next_cursor,
    })
}

fn shown(row: Row, asked: &Asked, as_of: DateTime<Utc>) -> Kpi {
    let month = asked.sales.period.within_month(row.month);
    let rows = Rows::at("/v1/analytics/kpis/records", month)
        .with("of", asked.of)
        .with("kind", row.kind)
        .with("key", &row.key)
        .with_some("owner_id", asked.sales.query.owner_id)
        .with_some("team_id", asked.sales.query.team_id);
    Kpi {
        month: row.month,
        kind: row.kind,
        plan_id: row.plan_id,
        plan: row.plan.map(Figure::new),
        fact: Figure::new(row.fact),
        unvalued: row.unvalued,
        difference: row.plan.map(|plan| Figure::new(row.fact - plan)),
        attainment: row.plan.and_then(|plan| row.fact.checked_div(plan)).map(Figure::new),
        kept: row.plan.map(|plan| match row.kind {
            PlanKind::OverdueTasks => row.fact <= plan,
            _ => row.fact >= plan,
        }),
        rows: rows.path(),
        key: row.key,
        name: row.name,
        as_of,
    }
}

#[derive(Debug, QueryableByName)]
struct Record {
    #[diesel(sql_type = Text)]
    kind: PlanKind,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = SqlUuid)]
    record_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    row_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Date)]
    on_day: NaiveDate,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    value: Option<Decimal>,
}

const ORDER: &str = "kpi records";

fn records(conn: &mut PgConnection, sight: &Sight, asked: &Asked, query: &KpiRecordsQuery) -> Result<Page<KpiRecord>> {
    let facts = Facts::of(conn, sight)?;
    let (limit, cursor) = turn(query.limit, query.cursor.as_ref());
    let after: Option<(NaiveDate, String, Uuid)> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let (day, kind, row) = match after {
        Some((day, kind, row)) => (Some(day), Some(kind), Some(row)),
        None => (None, None, None),
    };
    let as_of = Utc::now();
    let text = records!(
        "SELECT r.* FROM records r, (SELECT $25::text AS key) AS n
         WHERE (n.key IS NULL OR r.key = n.key) AND ($26::date IS NULL OR (r.on_day, r.kind, r.row_id) > ($27, $28, $29))
         ORDER BY r.on_day, r.kind, r.row_id LIMIT $30"
    );
    let rows: Vec<Record> = asked
        .ask(&facts, text, query.kind, as_of)
        .bind::<Nullable<Text>, _>(query.key.clone())
        .bind::<Nullable<Date>, _>(day)
        .bind::<Nullable<Date>, _>(day)
        .bind::<Nullable<Text>, _>(kind)
        .bind::<Nullable<SqlUuid>, _>(row)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| {
        Cursor::encode(ORDER, &(row.on_day, row.kind, row.row_id))
    });
    Ok(page.map(|row| KpiRecord {
        kind: row.kind,
        record_type: row.record_type,
        record_id: row.record_id,
        row_id: row.row_id,
        title: row.title,
        on_day: row.on_day,
        key: row.key,
        value: row.value.map(Figure::new),
        as_of,
    }))
}
