//! The funnel: of the deals opened in a period, how many entered each stage, what became of them there, and
//! how long they stayed.
//!
//! A deal that entered a stage is in one of four: `still_there`, `went_on` (to a later stage, or it was won),
//! `lost` (no later stage reached), `went_back`. So what entered is the sum of the four.

use super::facts::{Facts, deals, named};
use super::rows::{DealOfFigure, Row};
use super::{Asked, DealFiguresQuery, DealsBy};
use crate::analytics::figure::{Figure, money};
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::figures;
use service_kit::http::SearchText;
use service_kit::paging::turn;
use service_kit::{Amount, Answer, Currency, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What became of a deal in a stage.
    StageOutcome { StillThere = "still_there", WentOn = "went_on", Lost = "lost", WentBack = "went_back" }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FunnelDealsQuery {
    /// First day on which deals were opened; that of the month eleven months before the last one when absent.
    from: Option<NaiveDate>,
    /// Last such day; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    #[param(inline)]
    by: Option<DealsBy>,
    /// Only this group of `by`: an id, a word, a month such as `2026-11`, or `none`.
    key: Option<SearchText>,
    /// Only deals that entered the stage of this key.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    stage: Option<String>,
    /// With `stage`: what became of them there.
    #[param(inline)]
    outcome: Option<StageOutcome>,
    pipeline_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    source: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// A stage of a pipeline, within a group of `by`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FunnelStage {
    /// What `by` calls the group: an id, a word, a month. `none`: it has none.
    pub key: String,
    /// Of the owner, team, pipeline or customer.
    pub name: Option<String>,
    pub pipeline_id: Uuid,
    pub pipeline_name: String,
    pub stage: String,
    pub stage_name: String,
    pub position: i32,
    /// Deals that entered it.
    pub entered: i64,
    /// What they are worth in the company's currency.
    pub value: Amount,
    /// Those without an amount or a rate, which `value` leaves out.
    pub unvalued: i64,
    pub went_on: i64,
    pub still_there: i64,
    pub lost: i64,
    pub went_back: i64,
    /// `went_on ÷ entered`.
    pub conversion: Figure,
    /// Time of all of them in the stage so far.
    pub seconds: i64,
    /// `seconds ÷ entered`.
    pub average_seconds: Figure,
    /// The deals that entered it: their `value`s and `seconds` add up.
    pub rows: String,
    pub rows_went_on: String,
    pub rows_still_there: String,
    pub rows_lost: String,
    pub rows_went_back: String,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

/// The deals that were opened.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FunnelTotal {
    pub opened: i64,
    pub value: Amount,
    pub unvalued: i64,
    pub open: i64,
    pub won: i64,
    pub lost: i64,
    /// `won ÷ opened`.
    pub conversion: Option<Figure>,
    pub rows: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FunnelReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub by: DealsBy,
    pub total: FunnelTotal,
    /// By group, pipeline and place in it.
    pub items: Vec<FunnelStage>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

const ROWS: &str = "/v1/analytics/funnel/deals";

pub fn routes(routes: &mut Routes) {
    routes.add(get_funnel).add(list_funnel_deals);
}

/// The funnel of the deals opened in a period: count, value, conversion and time for each stage.
#[utoipa::path(tag = "analytics", params(DealFiguresQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of stages with the total", body = FunnelReport)))]
#[get("/analytics/funnel")]
async fn get_funnel(read: Read<may::ReadAnalytics>, query: Query<DealFiguresQuery>) -> Result<Answer, Problem> {
    let (today, zone) = (read.today(), read.time_zone());
    let asked = Asked::of(&query, DealsBy::Pipeline, today)?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        figures(conn, |conn| {
            let facts = Facts::of(conn, &sight, zone, today)?;
            report(conn, &facts, &asked)
        })
    })
    .await
}

/// The deals that figures of the funnel are made of.
#[utoipa::path(tag = "analytics", params(FunnelDealsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of deals", body = Page<DealOfFigure>)))]
#[get("/analytics/funnel/deals")]
async fn list_funnel_deals(read: Read<may::ReadAnalytics>, query: Query<FunnelDealsQuery>) -> Result<Answer, Problem> {
    let (today, zone) = (read.today(), read.time_zone());
    let query = query.0;
    let (stage, outcome) = (query.stage, query.outcome);
    let asked = DealFiguresQuery {
        from: query.from,
        to: query.to,
        by: query.by,
        key: query.key,
        pipeline_id: query.pipeline_id,
        owner_id: query.owner_id,
        team_id: query.team_id,
        source: query.source,
        limit: query.limit,
        cursor: query.cursor,
    };
    let asked = Asked::of(&asked, DealsBy::Pipeline, today)?;
    if outcome.is_some() && stage.is_none() {
        return Err(Problem::bad_request("invalid_parameter", "outcome: only with stage"));
    }
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        figures(conn, |conn| {
            let facts = Facts::of(conn, &sight, zone, today)?;
            deals(conn, &facts, &asked, stage.as_deref(), outcome)
        })
    })
    .await
}

/// The rows `entered`: each deal in each stage that it entered. `$20` is the instant.
macro_rules! funnel {
    ($($rest:expr),+ $(,)?) => {
        deals!(opened:
            ", entered AS (
                 SELECT w.*,
                        CASE WHEN state = 'open' AND stage_key = stage THEN 'still_there'
                             WHEN state = 'won' OR furthest > position THEN 'went_on'
                             WHEN state = 'lost' THEN 'lost' ELSE 'went_back' END AS outcome
                 FROM (SELECT a.*, x.*, max(x.position) OVER (PARTITION BY a.id) AS furthest
                       FROM q CROSS JOIN (SELECT $20::timestamptz AS now) AS t CROSS JOIN asked a
                       CROSS JOIN LATERAL (
                           SELECT s.key AS stage, max(s.position) AS position, max(s.name) AS stage_name,
                                  sum(extract(epoch FROM coalesce(y.left_at, t.now) - y.entered_at))::bigint AS seconds
                           FROM deal_stays y JOIN pipeline_stages s ON s.id = y.stage_id
                           WHERE y.deal_id = a.id GROUP BY s.key) AS x
                       WHERE q.key IS NULL OR a.key = q.key) AS w) ",
            $($rest),+)
    };
}

#[derive(Debug, QueryableByName)]
struct Stage {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    pipeline_id: Uuid,
    #[diesel(sql_type = Text)]
    pipeline_name: String,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = Text)]
    stage_name: String,
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = BigInt)]
    entered: i64,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
    #[diesel(sql_type = BigInt)]
    went_on: i64,
    #[diesel(sql_type = BigInt)]
    still_there: i64,
    #[diesel(sql_type = BigInt)]
    lost: i64,
    #[diesel(sql_type = BigInt)]
    went_back: i64,
    #[diesel(sql_type = BigInt)]
    seconds: i64,
}

#[derive(Debug, QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    opened: i64,
    #[diesel(sql_type = Numeric)]
    value: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = BigInt)]
    won: i64,
    #[diesel(sql_type = BigInt)]
    lost: i64,
}

fn report(conn: &mut PgConnection, facts: &Facts, asked: &Asked) -> Result<FunnelReport> {
    let (limit, cursor) = turn(asked.limit, asked.cursor.as_ref());
    let order = format!("funnel by {}", asked.by);
    let after: Option<(String, Uuid, i32, String)> = cursor.map(|cursor| cursor.decode(&order)).transpose()?;
    let (key, pipeline, position, stage) = match after {
        Some((key, pipeline, position, stage)) => (Some(key), Some(pipeline), Some(position), Some(stage)),
        None => (None, None, None, None),
    };
    let (as_of, base) = (Utc::now(), facts.base());
    let text = funnel!(
        ", grouped AS (
             SELECT key, pipeline_id, stage, max(stage_name) AS stage_name, max(position) AS position, count(*) AS entered,
                    coalesce(sum(worth), 0) AS value, count(*) FILTER (WHERE worth IS NULL) AS unvalued,
                    count(*) FILTER (WHERE outcome = 'went_on') AS went_on,
                    count(*) FILTER (WHERE outcome = 'still_there') AS still_there,
                    count(*) FILTER (WHERE outcome = 'lost') AS lost,
                    count(*) FILTER (WHERE outcome = 'went_back') AS went_back, sum(seconds)::bigint AS seconds
             FROM entered GROUP BY key, pipeline_id, stage),
         page AS (
             SELECT * FROM grouped
             WHERE $21::text IS NULL OR (key, pipeline_id, position, stage) > ($22, $23, $24, $25)
             ORDER BY key, pipeline_id, position, stage LIMIT $26)
         SELECT p.*, l.name AS pipeline_name, ",
        named!("p.key"),
        " AS name
         FROM q CROSS JOIN page p JOIN pipelines l ON l.id = p.pipeline_id
         ORDER BY p.key, p.pipeline_id, p.position, p.stage"
    );
    let stages: Vec<Stage> = facts
        .ask(text, asked)
        .bind::<Timestamptz, _>(as_of)
        .bind::<Nullable<Text>, _>(key.clone())
        .bind::<Nullable<Text>, _>(key)
        .bind::<Nullable<SqlUuid>, _>(pipeline)
        .bind::<Nullable<Integer>, _>(position)
        .bind::<Nullable<Text>, _>(stage)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(stages, limit, |s| {
        Cursor::encode(&order, &(&s.key, s.pipeline_id, s.position, &s.stage))
    });
    Ok(FunnelReport {
        as_of,
        currency: base,
        from: asked.period.from,
        to: asked.period.to,
        by: asked.by,
        total: total(conn, facts, asked)?,
        items: page
            .items
            .into_iter()
            .map(|stage| shown(stage, asked, (base, as_of)))
            .collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

fn shown(stage: Stage, asked: &Asked, (base, as_of): (Currency, DateTime<Utc>)) -> Result<FunnelStage> {
    let narrowed = Asked {
        pipeline_id: Some(stage.pipeline_id),
        ..asked.clone()
    };
    let rows = |outcome: Option<StageOutcome>| {
        let rows = narrowed.rows(ROWS, Some(&stage.key)).with("stage", &stage.stage);
        rows.with_some("outcome", outcome).path()
    };
    let per_deal = |sum: i64| {
        let average = Decimal::from(sum).checked_div(Decimal::from(stage.entered));
        Figure::new(average.unwrap_or_default())
    };
    Ok(FunnelStage {
        conversion: per_deal(stage.went_on),
        average_seconds: per_deal(stage.seconds),
        rows: rows(None),
        rows_went_on: rows(Some(StageOutcome::WentOn)),
        rows_still_there: rows(Some(StageOutcome::StillThere)),
        rows_lost: rows(Some(StageOutcome::Lost)),
        rows_went_back: rows(Some(StageOutcome::WentBack)),
        key: stage.key,
        name: stage.name,
        pipeline_id: stage.pipeline_id,
        pipeline_name: stage.pipeline_name,
        stage: stage.stage,
        stage_name: stage.stage_name,
        position: stage.position,
        entered: stage.entered,
        value: money(base, stage.value)?,
        unvalued: stage.unvalued,
        went_on: stage.went_on,
        still_there: stage.still_there,
        lost: stage.lost,
        went_back: stage.went_back,
        seconds: stage.seconds,
        as_of,
    })
}

fn total(conn: &mut PgConnection, facts: &Facts, asked: &Asked) -> Result<FunnelTotal> {
    let text = deals!(opened:
        "SELECT count(*) AS opened, coalesce(sum(worth), 0) AS value, count(*) FILTER (WHERE worth IS NULL) AS unvalued,
                count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'won') AS won,
                count(*) FILTER (WHERE state = 'lost') AS lost
         FROM q CROSS JOIN asked a WHERE q.key IS NULL OR a.key = q.key");
    let total: Total = facts.ask(text, asked).row(conn)?;
    let conversion = Decimal::from(total.won).checked_div(Decimal::from(total.opened));
    Ok(FunnelTotal {
        opened: total.opened,
        value: money(facts.base(), total.value)?,
        unvalued: total.unvalued,
        open: total.open,
        won: total.won,
        lost: total.lost,
        conversion: conversion.map(Figure::new),
        rows: asked.rows(ROWS, None).path(),
    })
}

const ORDER: &str = "funnel deals";

fn deals(
    conn: &mut PgConnection,
    facts: &Facts,
    asked: &Asked,
    stage: Option<&str>,
    outcome: Option<StageOutcome>,
) -> Result<Page<DealOfFigure>> {
    let (limit, cursor) = turn(asked.limit, asked.cursor.as_ref());
    let after: Option<Uuid> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let as_of = Utc::now();
    // Without a stage each deal once.
    let text = funnel!(
        ", narrowed AS NOT MATERIALIZED (SELECT $21::text AS stage, $22::text AS outcome, $23::uuid AS after),
         found AS (
             SELECT a.id, a.name, a.customer_id, a.pipeline_id, a.owner_id, a.team_id, a.source, a.state, a.opened_on,
                    a.closed_on, a.loss_reason, a.competitor, a.currency, a.amount, a.worth, NULL::bigint AS seconds,
                    NULL::text AS outcome
             FROM q CROSS JOIN narrowed n CROSS JOIN asked a
             WHERE n.stage IS NULL AND (q.key IS NULL OR a.key = q.key)
             UNION ALL
             SELECT e.id, e.name, e.customer_id, e.pipeline_id, e.owner_id, e.team_id, e.source, e.state, e.opened_on,
                    e.closed_on, e.loss_reason, e.competitor, e.currency, e.amount, e.worth, e.seconds, e.outcome
             FROM narrowed n CROSS JOIN entered e
             WHERE e.stage = n.stage AND (n.outcome IS NULL OR e.outcome = n.outcome))
         SELECT f.* FROM narrowed n CROSS JOIN found f WHERE f.id > n.after ORDER BY f.id LIMIT $24"
    );
    let rows: Vec<Row> = facts
        .ask(text, asked)
        .bind::<Timestamptz, _>(as_of)
        .bind::<Nullable<Text>, _>(stage.map(str::to_owned))
        .bind::<Nullable<Text>, _>(outcome)
        .bind::<SqlUuid, _>(after.unwrap_or_default())
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(ORDER, &row.id));
    let items = page.items.into_iter().map(|row| row.shown(facts.base(), as_of));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}
