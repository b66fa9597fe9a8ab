//! The board of a pipeline: what stands in each stage, and the first deals of it.
//!
//! Columns are the stages of the published version, and after them those of older versions that
//! deals still stand in. Counts and sums come from `open_deal_totals`, which the database keeps by
//! stage, owner, team and currency; the first deals of a column come in their order from an index,
//! one for those who see all, one by owner and one by team: nothing here grows with the deals.

use super::model::Stage;
use super::queries;
use crate::deals::value::Rates;
use crate::may;
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::decimal::Fraction;
use service_kit::http::IdPath;
use service_kit::{Amount, Answer, Currency, Error, OrNotFound, Path, Problem, Query, Read, Result, Routes, Sight};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BoardQuery {
    /// How many deals of each stage; 10 when absent.
    #[param(minimum = 0, maximum = 50)]
    deals: Option<i64>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
}

/// What stands in a stage in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardTotal {
    pub currency: Currency,
    pub count: i64,
    /// How many of them have no amount.
    pub unvalued: i64,
    pub amount: Amount,
    pub weighted: Amount,
}

/// What stands in a stage, in the company's currency by today's rates: the sums by currency, each
/// converted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardValue {
    pub currency: Currency,
    pub amount: Amount,
    pub weighted: Amount,
    /// How many deals are not in it, because they have no amount or their currency no rate.
    pub unvalued: i64,
}

/// A deal on the board.
#[derive(Debug, Clone, Serialize, QueryableByName, ToSchema)]
pub struct BoardDeal {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: Uuid,
    #[diesel(sql_type = Text)]
    pub customer_name: String,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub amount: Option<Amount>,
    #[diesel(sql_type = Nullable<Numeric>)]
    pub weighted_amount: Option<Amount>,
    #[diesel(sql_type = Nullable<Date>)]
    pub expected_close_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    pub next_step: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub next_step_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub team_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    pub stage_entered_at: DateTime<Utc>,
    /// When it has been in the stage for too long.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ages_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub revision: i64,
}

/// A stage with what stands in it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardColumn {
    /// Key of the stage.
    pub stage: String,
    pub name: String,
    /// `null` for a stage of older versions, where it may have been one or another.
    pub probability: Option<Fraction>,
    /// Whether it is one of the published version.
    pub current: bool,
    pub count: i64,
    pub totals: Vec<BoardTotal>,
    pub value: BoardValue,
    /// The first of them, by expected close date.
    pub deals: Vec<BoardDeal>,
    /// The list of all of them.
    pub list: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Board {
    pub pipeline_id: Uuid,
    /// The day of the rates.
    pub as_of: NaiveDate,
    pub columns: Vec<BoardColumn>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_pipeline_board);
}

/// What stands in each stage of a pipeline: count, sum, weighted sum and the first deals.
///
/// Of the deals that the caller sees.
#[utoipa::path(tag = "pipelines", params(IdPath, BoardQuery), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "The board", body = Board)))]
#[get("/pipelines/{id}/board")]
async fn get_pipeline_board(
    read: Read<may::ReadDeals>,
    path: Path<IdPath>,
    query: Query<BoardQuery>,
) -> Result<Answer, Problem> {
    let (sight, today) = (read.actor().sight.clone(), read.today());
    read.json(move |conn| {
        // Sums and deals of one state.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| board(conn, &sight, today, path.id, &query))
    })
    .await
}

fn board(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, id: Uuid, query: &BoardQuery) -> Result<Board> {
    let pipeline = queries::get(conn, id).or_not_found("pipeline")?;
    let totals = totals(conn, sight, id, query)?;
    let current: Vec<Stage> = pipeline.published.map(|version| version.stages).unwrap_or_default();
    let mut older: Vec<String> = Vec::new();
    for total in totals.iter().filter(|total| total.count != 0) {
        if !current.iter().any(|stage| stage.key == total.stage) && !older.contains(&total.stage) {
            older.push(total.stage.clone());
        }
    }
    let mut columns: Vec<(String, String, Option<Fraction>)> = current
        .into_iter()
        .map(|stage| (stage.key, stage.name, Some(stage.probability)))
        .collect();
    columns.extend(
        older_names(conn, id, &older)?
            .into_iter()
            .map(|stage| (stage.stage, stage.name, None)),
    );
    let mut currencies: Vec<Currency> = totals.iter().map(|total| total.currency).collect();
    currencies.dedup();
    let rates = Rates::of(conn, &currencies, today)?;
    let keys: Vec<&str> = columns.iter().map(|(key, ..)| key.as_str()).collect();
    let mut cards = cards(conn, sight, id, query, &keys)?;
    let list = |stage: &str| {
        let mut list = format!("/v1/deals?state=open&pipeline_id={id}&stage={stage}");
        for (name, id) in [("owner_id", query.owner_id), ("team_id", query.team_id)] {
            if let Some(id) = id {
                list.push_str(&format!("&{name}={id}"));
            }
        }
        list
    };
    let columns = columns.into_iter().map(|(stage, name, probability)| {
        let totals: Vec<&Total> = totals.iter().filter(|total| total.stage == stage).collect();
        let (mine, others) = cards.drain(..).partition(|card: &Card| card.stage == stage);
        cards = others;
        Ok(BoardColumn {
            name,
            current: probability.is_some(),
            probability,
            count: totals.iter().map(|total| total.count).sum(),
            value: value(&totals, &rates)?,
            totals: totals.into_iter().map(Total::shown).collect::<Result<_>>()?,
            deals: shown(mine),
            list: list(&stage),
            stage,
        })
    });
    Ok(Board {
        pipeline_id: id,
        as_of: today,
        columns: columns.collect::<Result<_>>()?,
    })
}

/// The deals as cards, with the minor digits of their currencies.
fn shown(cards: Vec<Card>) -> Vec<BoardDeal> {
    let shown =
        |amount: Option<Amount>, currency: Currency| amount.and_then(|amount| Amount::money(currency, amount.value()));
    let deals = cards.into_iter().map(|card| {
        let deal = card.deal;
        BoardDeal {
            amount: shown(deal.amount, deal.currency),
            weighted_amount: shown(deal.weighted_amount, deal.currency),
            ..deal
        }
    });
    deals.collect()
}

#[derive(Debug, QueryableByName)]
struct Total {
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    valued: i64,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    weighted: Decimal,
}

impl Total {
    fn shown(&self) -> Result<BoardTotal> {
        Ok(BoardTotal {
            currency: self.currency,
            count: self.count,
            unvalued: self.count - self.valued,
            amount: money(self.currency, self.amount)?,
            weighted: money(self.currency, self.weighted)?,
        })
    }
}

fn money(currency: Currency, sum: Decimal) -> Result<Amount> {
    Amount::money(currency, sum).ok_or_else(|| Error::Bug("a sum of deals is out of range".to_owned()))
}

fn value(totals: &[&Total], rates: &Rates) -> Result<BoardValue> {
    let (mut amount, mut weighted, mut unvalued) = (Decimal::ZERO, Decimal::ZERO, 0);
    for total in totals {
        let worth = rates.convert(total.amount, total.currency);
        match worth.zip(rates.convert(total.weighted, total.currency)) {
            Some((worth, weighing)) => {
                amount += worth.value();
                weighted += weighing.value();
                unvalued += total.count - total.valued;
            }
            None => unvalued += total.count,
        }
    }
    Ok(BoardValue {
        currency: rates.base,
        amount: money(rates.base, amount)?,
        weighted: money(rates.base, weighted)?,
        unvalued,
    })
}

fn totals(conn: &mut PgConnection, sight: &Sight, pipeline: Uuid, query: &BoardQuery) -> QueryResult<Vec<Total>> {
    let (all, me, teams) = sight.binds();
    sql(
        "WITH q AS MATERIALIZED (SELECT $1 AS pipeline, $2 AS owner, $3 AS team, $4 AS sees_all, $5 AS me, $6 AS teams)
         SELECT t.stage_key AS stage, t.currency, sum(t.deals)::bigint AS count, sum(t.valued)::bigint AS valued,
                sum(t.amount) AS amount, sum(t.weighted) AS weighted
         FROM q JOIN open_deal_totals t ON t.pipeline_id = q.pipeline
         WHERE t.deals > 0 AND (q.sees_all OR t.owner_id = q.me OR t.team_id = ANY(q.teams))
           AND (q.owner IS NULL OR t.owner_id = q.owner) AND (q.team IS NULL OR t.team_id = q.team)
         GROUP BY t.stage_key, t.currency
         ORDER BY t.currency, t.stage_key",
    )
    .bind::<SqlUuid, _>(pipeline)
    .bind::<Nullable<SqlUuid>, _>(query.owner_id)
    .bind::<Nullable<SqlUuid>, _>(query.team_id)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .rows(conn)
}

#[derive(Debug, QueryableByName)]
struct Older {
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = Text)]
    name: String,
}

/// What stages were called last, in the order that they had.
fn older_names(conn: &mut PgConnection, pipeline: Uuid, stages: &[String]) -> QueryResult<Vec<Older>> {
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    sql("SELECT stage, name FROM (
             SELECT DISTINCT ON (s.key) s.key AS stage, s.name, s.position
             FROM pipeline_stages s JOIN pipeline_versions v ON v.id = s.version_id
             WHERE s.pipeline_id = $1 AND s.key = ANY($2) AND v.state <> 'draft'
             ORDER BY s.key, v.number DESC) AS newest
         ORDER BY position, stage")
    .bind::<SqlUuid, _>(pipeline)
    .bind::<Array<Text>, _>(stages.to_vec())
    .rows(conn)
}

#[derive(Debug, QueryableByName)]
struct Card {
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(embed)]
    deal: BoardDeal,
}

/// Where to look for the first deals of a stage: each of these is one piece of an index.
struct Look {
    everywhere: bool,
    owners: Vec<Uuid>,
    teams: Vec<Uuid>,
}

impl Look {
    fn at(sight: &Sight, query: &BoardQuery) -> Self {
        let (everywhere, owners, teams) = match (query.owner_id, query.team_id, sight) {
            (Some(owner), ..) => (false, vec![owner], Vec::new()),
            (None, Some(team), _) => (false, Vec::new(), vec![team]),
            (None, None, Sight::All) => (true, Vec::new(), Vec::new()),
            (None, None, Sight::Own { user }) => (false, vec![*user], Vec::new()),
            (None, None, Sight::Team { user, teams }) => (false, vec![*user], teams.to_vec()),
        };
        Look {
            everywhere,
            owners,
            teams,
        }
    }
}

fn cards(
    conn: &mut PgConnection,
    sight: &Sight,
    pipeline: Uuid,
    query: &BoardQuery,
    stages: &[&str],
) -> QueryResult<Vec<Card>> {
    let look = Look::at(sight, query);
    let (all, me, teams) = sight.binds();
    sql("WITH q AS MATERIALIZED (
             SELECT $1 AS pipeline, $2 AS everywhere, $3 AS look_owners, $4 AS look_teams, $5 AS owner, $6 AS team,
                    $7 AS most, $8 AS sees_all, $9 AS me, $10 AS teams)
         SELECT s.key AS stage, first.id, first.name, first.customer_id, c.name AS customer_name, first.currency,
                first.amount, first.weighted_amount, first.expected_close_on, first.next_step, first.next_step_on,
                first.owner_id, first.team_id, first.stage_entered_at, first.ages_at, first.revision
         FROM q CROSS JOIN unnest($11) WITH ORDINALITY AS s (key, position)
         CROSS JOIN LATERAL (
             SELECT * FROM (
                 (SELECT d.* FROM deals d
                  WHERE q.everywhere AND d.state = 'open' AND d.pipeline_id = q.pipeline AND d.stage_key = s.key
                  ORDER BY d.close_key, d.id LIMIT q.most)
                 UNION ALL
                 (SELECT o.* FROM unnest(q.look_owners) AS look (id) CROSS JOIN LATERAL (
                      SELECT d.* FROM deals d
                      WHERE d.owner_id = look.id AND d.state = 'open' AND d.pipeline_id = q.pipeline AND d.stage_key = s.key
                        AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
                        AND (q.team IS NULL OR d.team_id = q.team)
                      ORDER BY d.close_key, d.id LIMIT q.most) AS o)
                 UNION ALL
                 (SELECT t.* FROM unnest(q.look_teams) AS look (id) CROSS JOIN LATERAL (
                      SELECT d.* FROM deals d
                      WHERE d.team_id = look.id AND d.state = 'open' AND d.pipeline_id = q.pipeline AND d.stage_key = s.key
                        AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
                        AND (d.owner_id IS NULL OR d.owner_id <> ALL(q.look_owners))
                      ORDER BY d.close_key, d.id LIMIT q.most) AS t)
             ) AS found
             ORDER BY close_key, id LIMIT q.most) AS first
         JOIN customers c ON c.id = first.customer_id
         ORDER BY s.position, first.close_key, first.id")
    .bind::<SqlUuid, _>(pipeline)
    .bind::<Bool, _>(look.everywhere)
    .bind::<Array<SqlUuid>, _>(look.owners)
    .bind::<Array<SqlUuid>, _>(look.teams)
    .bind::<Nullable<SqlUuid>, _>(query.owner_id)
    .bind::<Nullable<SqlUuid>, _>(query.team_id)
    .bind::<BigInt, _>(query.deals.unwrap_or(10))
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .bind::<Array<Text>, _>(stages.iter().map(|stage| (*stage).to_owned()).collect::<Vec<_>>())
    .rows(conn)
}
