//! Won and lost: the deals that were closed in a period, by reason, competitor, owner or any other dimension.

use super::facts::{Facts, deals, named};
use super::rows::{DealOfFigure, Row};
use super::{Asked, DealFiguresQuery, DealsBy};
use crate::analytics::figure::{Figure, money};
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::figures;
use service_kit::http::SearchText;
use service_kit::paging::turn;
use service_kit::{Amount, Answer, Currency, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// How a deal was closed.
    ClosedAs { Won = "won", Lost = "lost" }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ClosedDealsQuery {
    /// First day of closing; that of the month eleven months before the last one when absent.
    from: Option<NaiveDate>,
    /// Last day of closing; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    #[param(inline)]
    by: Option<DealsBy>,
    /// Only this group of `by`: an id, a word, a month such as `2026-11`, or `none`.
    key: Option<SearchText>,
    #[param(inline)]
    state: Option<ClosedAs>,
    pipeline_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    source: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// What was won and lost in a group, and the deals behind each figure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WinLossFigure {
    /// What `by` calls the group: an id, a code, a word, a month. `none`: it has none.
    pub key: Option<String>,
    /// Of the reason, owner, team, pipeline or customer.
    pub name: Option<String>,
    pub won: i64,
    /// In the company's currency, as it was on the day of closing.
    pub won_value: Amount,
    /// Without an amount or a rate: `won_value` leaves them out.
    pub won_unvalued: i64,
    pub won_rows: String,
    pub lost: i64,
    pub lost_value: Amount,
    pub lost_unvalued: i64,
    pub lost_rows: String,
    /// `won ÷ (won + lost)`.
    pub win_rate: Option<Figure>,
    /// The state that the figure is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WinLossReport {
    /// The state that the figures are of.
    pub as_of: DateTime<Utc>,
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub by: DealsBy,
    /// Over all groups, those on other pages included.
    pub total: WinLossFigure,
    pub items: Vec<WinLossFigure>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

const ROWS: &str = "/v1/analytics/win-loss/deals";

pub fn routes(routes: &mut Routes) {
    routes.add(get_win_loss).add(list_closed_deals);
}

/// Deals that were won and lost in a period: count and value by reason, competitor, owner, month …
#[utoipa::path(tag = "analytics", params(DealFiguresQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of figures with their total", body = WinLossReport)))]
#[get("/analytics/win-loss")]
async fn get_win_loss(read: Read<may::ReadAnalytics>, query: Query<DealFiguresQuery>) -> Result<Answer, Problem> {
    let (today, zone) = (read.today(), read.time_zone());
    let asked = Asked::of(&query, DealsBy::Reason, today)?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        figures(conn, |conn| {
            let facts = Facts::of(conn, &sight, zone, today)?;
            report(conn, &facts, &asked)
        })
    })
    .await
}

/// The deals that figures of win and loss are made of: the `value`s add up to them.
#[utoipa::path(tag = "analytics", params(ClosedDealsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of closed deals", body = Page<DealOfFigure>)))]
#[get("/analytics/win-loss/deals")]
async fn list_closed_deals(read: Read<may::ReadAnalytics>, query: Query<ClosedDealsQuery>) -> Result<Answer, Problem> {
    let (today, zone) = (read.today(), read.time_zone());
    let ClosedDealsQuery { state, .. } = *query;
    let query = query.0;
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
    let asked = Asked::of(&asked, DealsBy::Reason, today)?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        figures(conn, |conn| {
            let facts = Facts::of(conn, &sight, zone, today)?;
            closed(conn, &facts, &asked, state)
        })
    })
    .await
}

#[derive(Debug, QueryableByName)]
struct Group {
    #[diesel(sql_type = Bool)]
    is_total: bool,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = BigInt)]
    won: i64,
    #[diesel(sql_type = Numeric)]
    won_value: Decimal,
    #[diesel(sql_type = BigInt)]
    won_unvalued: i64,
    #[diesel(sql_type = BigInt)]
    lost: i64,
    #[diesel(sql_type = Numeric)]
    lost_value: Decimal,
    #[diesel(sql_type = BigInt)]
    lost_unvalued: i64,
    #[diesel(sql_type = BigInt)]
    rank: i64,
}

fn report(conn: &mut PgConnection, facts: &Facts, asked: &Asked) -> Result<WinLossReport> {
    let (limit, cursor) = turn(asked.limit, asked.cursor.as_ref());
    let order = format!("won and lost by {}", asked.by);
    let after: Option<(i64, String)> = cursor.map(|cursor| cursor.decode(&order)).transpose()?;
    let (after_rank, after_key) = after.unzip();
    let text = deals!(closed:
        ", grouped AS (
             SELECT grouping(a.key) = 1 AS is_total, a.key,
                    count(a.id) FILTER (WHERE a.state = 'won') AS won,
                    coalesce(sum(a.worth) FILTER (WHERE a.state = 'won'), 0) AS won_value,
                    count(a.id) FILTER (WHERE a.state = 'won' AND a.worth IS NULL) AS won_unvalued,
                    count(a.id) FILTER (WHERE a.state = 'lost') AS lost,
                    coalesce(sum(a.worth) FILTER (WHERE a.state = 'lost'), 0) AS lost_value,
                    count(a.id) FILTER (WHERE a.state = 'lost' AND a.worth IS NULL) AS lost_unvalued
             FROM q CROSS JOIN asked a WHERE q.key IS NULL OR a.key = q.key GROUP BY GROUPING SETS ((a.key), ())),
         page AS (
             SELECT * FROM (SELECT g.*, CASE WHEN q.by = 'month' THEN 0 ELSE won + lost END AS rank FROM q CROSS JOIN grouped g) r
             WHERE is_total OR $20::bigint IS NULL OR rank < $21 OR (rank = $22 AND key > $23)
             ORDER BY is_total DESC, rank DESC, key LIMIT $24)
         SELECT p.*, ", named!("p.key"), " AS name
         FROM q CROSS JOIN page p ORDER BY p.is_total DESC, p.rank DESC, p.key");
    let mut groups: Vec<Group> = facts
        .ask(text, asked)
        .bind::<Nullable<BigInt>, _>(after_rank)
        .bind::<Nullable<BigInt>, _>(after_rank)
        .bind::<Nullable<BigInt>, _>(after_rank)
        .bind::<Nullable<Text>, _>(after_key)
        .bind::<BigInt, _>(limit.plus_one() + 1)
        .rows(conn)?;
    let total = groups.remove(0);
    debug_assert!(total.is_total);
    let page = Page::from_rows(groups, limit, |group| {
        Cursor::encode(&order, &(group.rank, group.key.clone()))
    });
    let (base, as_of) = (facts.base(), Utc::now());
    let shown = |group: Group| {
        let rows = |state| asked.rows(ROWS, group.key.as_deref()).with("state", state).path();
        let (won, closed) = (Decimal::from(group.won), Decimal::from(group.won + group.lost));
        Ok(WinLossFigure {
            won_rows: rows(ClosedAs::Won),
            lost_rows: rows(ClosedAs::Lost),
            key: group.key,
            name: group.name,
            won: group.won,
            won_value: money(base, group.won_value)?,
            won_unvalued: group.won_unvalued,
            lost: group.lost,
            lost_value: money(base, group.lost_value)?,
            lost_unvalued: group.lost_unvalued,
            win_rate: won.checked_div(closed).map(Figure::new),
            as_of,
        })
    };
    Ok(WinLossReport {
        as_of,
        currency: base,
        from: asked.period.from,
        to: asked.period.to,
        by: asked.by,
        total: shown(total)?,
        items: page.items.into_iter().map(shown).collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

const ORDER: &str = "closed deals";

fn closed(
    conn: &mut PgConnection,
    facts: &Facts,
    asked: &Asked,
    state: Option<ClosedAs>,
) -> Result<Page<DealOfFigure>> {
    let (limit, cursor) = turn(asked.limit, asked.cursor.as_ref());
    let after: Option<Uuid> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let text = deals!(closed:
        "SELECT a.*, NULL::bigint AS seconds, NULL::text AS outcome FROM q CROSS JOIN asked a
         WHERE (q.key IS NULL OR a.key = q.key) AND ($20 IS NULL OR a.state = $21) AND a.id > $22
         ORDER BY a.id LIMIT $23");
    let rows: Vec<Row> = facts
        .ask(text, asked)
        .bind::<Nullable<Text>, _>(state)
        .bind::<Nullable<Text>, _>(state)
        .bind::<SqlUuid, _>(after.unwrap_or_default())
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(ORDER, &row.id));
    let as_of = Utc::now();
    let items = page.items.into_iter().map(|row| row.shown(facts.base(), as_of));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}
