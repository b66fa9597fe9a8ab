//! The weighted forecast: what open deals are likely to bring, by month, owner or team.
//!
//! In the company's currency: the amount of each open deal × the probability of its stage, by the day
//! it is expected to close. Three things stand apart, so that nobody adds them by mistake: what was
//! won, what was expected before today and is still open, and what has no value, because nobody
//! knows the amount or there is no rate. Each figure names the list of deals whose `value`s add up to
//! it.

use super::value::{Rates, converted, digits, half_unit};
use crate::may;
use actix_web::get;
use chrono::{Datelike, Days, Months, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Int4, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Answer, Currency, Error, Problem, Query, Read, Result, Routes, Sight, text_enum};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What the forecast is broken down by.
    ForecastBy { Month = "month", Owner = "owner", Team = "team" }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ForecastQuery {
    /// First day; the first of this month when absent.
    from: Option<NaiveDate>,
    /// Last day; that of the month two months after `from` when absent. At most five years after it.
    to: Option<NaiveDate>,
    /// `month` when absent.
    #[param(inline)]
    group_by: Option<ForecastBy>,
    pipeline_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
}

/// A figure, and the deals that add up to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastFigure {
    pub count: i64,
    /// Sum of what they are worth.
    pub amount: Amount,
    /// Sum of what they are worth × probability.
    pub weighted: Amount,
    /// The list of these deals.
    pub deals: String,
}

/// What was won, and the deals that add up to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastWon {
    pub count: i64,
    /// Sum of what they were worth when they were won.
    pub amount: Amount,
    /// How many of them have no value.
    pub unvalued: i64,
    /// The list of these deals.
    pub deals: String,
}

/// Open deals without an amount, or in a currency without a rate.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastUnvalued {
    pub count: i64,
    /// The list of these deals.
    pub deals: String,
}

/// What stands side by side and is not to be added up.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastFigures {
    /// Open, and expected today or later: the forecast.
    pub open: ForecastFigure,
    /// Open, and expected before today.
    pub overdue: ForecastFigure,
    /// Won in the time that is asked for.
    pub won: ForecastWon,
    pub unvalued: ForecastUnvalued,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ForecastGroup {
    /// First day of the month.
    pub month: Option<NaiveDate>,
    /// `null` for deals of nobody.
    pub owner_id: Option<Uuid>,
    pub owner_name: Option<String>,
    /// `null` for deals of no team.
    pub team_id: Option<Uuid>,
    pub team_name: Option<String>,
    #[serde(flatten)]
    pub figures: ForecastFigures,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DealForecast {
    /// The day of the rates, and the one that decides what is overdue.
    pub as_of: NaiveDate,
    /// All figures are in it.
    pub currency: Currency,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub group_by: ForecastBy,
    pub groups: Vec<ForecastGroup>,
    pub total: ForecastFigures,
    /// Open deals that were expected before `from`.
    pub before: ForecastFigure,
    /// Open deals that nobody says a date of.
    pub undated: ForecastFigure,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_deal_forecast);
}

/// The weighted forecast in the company's currency, by month, owner or team.
///
/// `open` is the forecast: amount × probability of the open deals expected in that time. What was won,
/// what is overdue and what has no value stand apart. `deals` of each figure is the list whose rows
/// add up to it.
#[utoipa::path(tag = "deals", params(ForecastQuery), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "The forecast", body = DealForecast)))]
#[get("/deals/forecast")]
async fn get_deal_forecast(read: Read<may::ReadDeals>, query: Query<ForecastQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of(&query, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        // Several statements, one state.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| forecast(conn, &sight, &asked))
    })
    .await
}

/// What is asked for, with nothing left open.
#[derive(Debug, Clone)]
struct Asked {
    today: NaiveDate,
    from: NaiveDate,
    to: NaiveDate,
    by: ForecastBy,
    query: ForecastQuery,
}

impl Asked {
    fn of(query: &ForecastQuery, today: NaiveDate) -> Result<Self, Problem> {
        let refused = |detail: &str| Problem::bad_request("invalid_parameter", detail);
        let from = query.from.or_else(|| today.with_day(1)).unwrap_or(today);
        let to = query.to.or_else(|| {
            let after = from.with_day(1)?.checked_add_months(Months::new(3))?;
            after.checked_sub_days(Days::new(1))
        });
        let to = to.ok_or_else(|| refused("from: too late"))?;
        if to < from {
            return Err(refused("to: must not be before from"));
        }
        if (to - from).num_days() > 5 * 366 {
            return Err(refused("to: at most five years after from"));
        }
        Ok(Asked {
            today,
            from,
            to,
            by: query.group_by.unwrap_or(ForecastBy::Month),
            query: query.clone(),
        })
    }

    /// The list of deals, narrowed by what the whole forecast was asked for.
    fn list(&self, narrowed: &str) -> String {
        let mut path = format!("/v1/deals?{narrowed}");
        let asked = [
            ("pipeline_id", self.query.pipeline_id),
            ("owner_id", self.query.owner_id),
            ("team_id", self.query.team_id),
        ];
        for (name, id) in asked {
            if let Some(id) = id
                && !narrowed.contains(&format!("{name}="))
            {
                path.push_str(&format!("&{name}={id}"));
            }
        }
        path
    }
}

/// A group of figures: the first day of a month, or the id of an owner or team.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, QueryableByName)]
struct Key {
    #[diesel(sql_type = Nullable<Date>)]
    month: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
}

#[derive(Debug, QueryableByName)]
struct Sum {
    #[diesel(embed)]
    key: Key,
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    weighted: Decimal,
}

/// The sums of one group.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    open: Part,
    overdue: Part,
    won: Part,
    unvalued: Part,
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    count: i64,
    unvalued: i64,
    amount: Decimal,
    weighted: Decimal,
}

impl Sums {
    fn add(&mut self, sum: &Sum) {
        let part = match sum.part.as_str() {
            "open" => &mut self.open,
            "overdue" => &mut self.overdue,
            "won" => &mut self.won,
            _ => &mut self.unvalued,
        };
        part.count += sum.count;
        part.unvalued += sum.unvalued;
        part.amount += sum.amount;
        part.weighted += sum.weighted;
    }
}

fn forecast(conn: &mut PgConnection, sight: &Sight, asked: &Asked) -> Result<DealForecast> {
    let rates = Rates::of_open_deals(conn, asked.today)?;
    let mut sums = open_sums(conn, sight, asked, &rates, (asked.from, asked.to))?;
    sums.extend(won_sums(conn, sight, asked, rates.base)?);
    let mut groups: BTreeMap<Key, Sums> = BTreeMap::new();
    let mut total = Sums::default();
    for sum in &sums {
        groups.entry(sum.key.clone()).or_default().add(sum);
        total.add(sum);
    }
    let shown = Shown {
        asked,
        base: rates.base,
    };
    let before = match asked.from.pred_opt() {
        Some(last) => alone(open_sums(conn, sight, asked, &rates, (NaiveDate::MIN, last))?),
        None => Sums::default(),
    };
    let undated = alone(open_sums(conn, sight, asked, &rates, (no_date(), no_date()))?);
    let last_before = asked.from.pred_opt().unwrap_or(asked.from);
    Ok(DealForecast {
        as_of: asked.today,
        currency: rates.base,
        from: asked.from,
        to: asked.to,
        group_by: asked.by,
        groups: groups
            .into_iter()
            .map(|(key, sums)| shown.group(key, &sums))
            .collect::<Result<_>>()?,
        total: shown.figures(&total, "", (asked.from, asked.to))?,
        before: shown.figure(
            both(before),
            &format!("state=open&valued=true&expected_close_to={last_before}"),
        )?,
        undated: shown.figure(both(undated), "state=open&valued=true&undated=true")?,
    })
}

/// The sums of all groups as one.
fn alone(sums: Vec<Sum>) -> Sums {
    let mut all = Sums::default();
    sums.iter().for_each(|sum| all.add(sum));
    all
}

/// What has a value, overdue or not.
fn both(sums: Sums) -> Part {
    Part {
        count: sums.open.count + sums.overdue.count,
        unvalued: 0,
        amount: sums.open.amount + sums.overdue.amount,
        weighted: sums.open.weighted + sums.overdue.weighted,
    }
}

/// Stands for no date in the order of deals.
fn no_date() -> NaiveDate {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX)
}

struct Shown<'a> {
    asked: &'a Asked,
    base: Currency,
}

impl Shown<'_> {
    fn group(&self, key: Key, sums: &Sums) -> Result<ForecastGroup> {
        let by = self.asked.by;
        let (narrowed, days) = match (by, key.month, key.id) {
            (ForecastBy::Month, Some(first), _) => (String::new(), self.within(first)),
            (ForecastBy::Owner, _, Some(id)) => (format!("&owner_id={id}"), (self.asked.from, self.asked.to)),
            (ForecastBy::Owner, ..) => ("&unowned=true".to_owned(), (self.asked.from, self.asked.to)),
            (ForecastBy::Team, _, Some(id)) => (format!("&team_id={id}"), (self.asked.from, self.asked.to)),
            _ => ("&teamless=true".to_owned(), (self.asked.from, self.asked.to)),
        };
        Ok(ForecastGroup {
            month: key.month,
            owner_id: key.id.filter(|_| by == ForecastBy::Owner),
            owner_name: key.name.clone().filter(|_| by == ForecastBy::Owner),
            team_id: key.id.filter(|_| by == ForecastBy::Team),
            team_name: key.name.filter(|_| by == ForecastBy::Team),
            figures: self.figures(sums, &narrowed, days)?,
        })
    }

    /// The days of a month that are asked for.
    fn within(&self, first: NaiveDate) -> (NaiveDate, NaiveDate) {
        let next = first.checked_add_months(Months::new(1));
        let last = next.and_then(|next| next.pred_opt()).unwrap_or(first);
        (first.max(self.asked.from), last.min(self.asked.to))
    }

    fn figures(&self, sums: &Sums, narrowed: &str, days: (NaiveDate, NaiveDate)) -> Result<ForecastFigures> {
        let (from, to) = days;
        let open = format!("state=open&expected_close_from={from}&expected_close_to={to}");
        let won = format!("state=won&closed_from={from}&closed_to={to}{narrowed}");
        Ok(ForecastFigures {
            open: self.figure(sums.open, &format!("{open}&overdue=false&valued=true{narrowed}"))?,
            overdue: self.figure(sums.overdue, &format!("{open}&overdue=true&valued=true{narrowed}"))?,
            won: ForecastWon {
                count: sums.won.count,
                amount: self.money(sums.won.amount)?,
                unvalued: sums.won.unvalued,
                deals: self.asked.list(&won),
            },
            unvalued: ForecastUnvalued {
                count: sums.unvalued.count,
                deals: self.asked.list(&format!("{open}&valued=false{narrowed}")),
            },
        })
    }

    fn figure(&self, part: Part, narrowed: &str) -> Result<ForecastFigure> {
        Ok(ForecastFigure {
            count: part.count,
            amount: self.money(part.amount)?,
            weighted: self.money(part.weighted)?,
            deals: self.asked.list(narrowed),
        })
    }

    fn money(&self, sum: Decimal) -> Result<Amount> {
        Amount::money(self.base, sum).ok_or_else(|| Error::Bug("a sum of deals is out of range".to_owned()))
    }
}

/// Open deals expected within some days, by group.
fn open_sums(
    conn: &mut PgConnection,
    sight: &Sight,
    asked: &Asked,
    rates: &Rates,
    (from, to): (NaiveDate, NaiveDate),
) -> QueryResult<Vec<Sum>> {
    let (currencies, known) = rates.known();
    let (all, me, teams) = sight.binds();
    sql(concat!(
        "WITH q AS MATERIALIZED (
             SELECT $1 AS today, $2 AS first, $3 AS last, $4 AS by, $5 AS pipeline, $6 AS owner, $7 AS team,
                    $8 AS digits, $9 AS half, $10 AS sees_all, $11 AS me, $12 AS teams),
         valued AS (
             SELECT CASE q.by WHEN 'month' THEN date_trunc('month', d.close_key)::date END AS month,
                    CASE q.by WHEN 'owner' THEN d.owner_id WHEN 'team' THEN d.team_id END AS id,
                    CASE WHEN d.amount IS NULL OR r.rate IS NULL THEN 'unvalued'
                         WHEN d.close_key < q.today THEN 'overdue' ELSE 'open' END AS part, ",
        converted!("d.amount"),
        " AS amount, ",
        converted!("d.weighted_amount"),
        " AS weighted
             FROM q CROSS JOIN deals d
             LEFT JOIN unnest($13, $14) AS r (currency, rate) ON r.currency = d.currency
             WHERE d.state = 'open' AND d.close_key BETWEEN q.first AND q.last
               AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
               AND (q.pipeline IS NULL OR d.pipeline_id = q.pipeline)
               AND (q.owner IS NULL OR d.owner_id = q.owner) AND (q.team IS NULL OR d.team_id = q.team)),
         summed AS (
             SELECT month, id, part, count(*) AS count, coalesce(sum(amount), 0) AS amount,
                    coalesce(sum(weighted), 0) AS weighted
             FROM valued GROUP BY month, id, part)
         SELECT s.month, s.id, coalesce(u.name, t.name) AS name, s.part, s.count, 0::bigint AS unvalued, s.amount, s.weighted
         FROM summed s LEFT JOIN users u ON u.id = s.id LEFT JOIN teams t ON t.id = s.id"
    ))
    .bind::<Date, _>(asked.today)
    .bind::<Date, _>(from.max(first_day()))
    .bind::<Date, _>(to)
    .bind::<Text, _>(asked.by)
    .bind::<Nullable<SqlUuid>, _>(asked.query.pipeline_id)
    .bind::<Nullable<SqlUuid>, _>(asked.query.owner_id)
    .bind::<Nullable<SqlUuid>, _>(asked.query.team_id)
    .bind::<Int4, _>(digits(rates.base))
    .bind::<Numeric, _>(half_unit(rates.base))
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .bind::<Array<Text>, _>(currencies)
    .bind::<Array<Numeric>, _>(known)
    .rows(conn)
}

/// The first day that PostgreSQL and a list's parameter can both say.
fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN)
}

/// Deals won within the days that are asked for, by group.
fn won_sums(conn: &mut PgConnection, sight: &Sight, asked: &Asked, base: Currency) -> QueryResult<Vec<Sum>> {
    let (all, me, teams) = sight.binds();
    sql("WITH q AS MATERIALIZED (
             SELECT $1 AS first, $2 AS last, $3 AS by, $4 AS pipeline, $5 AS owner, $6 AS team, $7 AS base,
                    $8 AS sees_all, $9 AS me, $10 AS teams),
         summed AS (
             SELECT CASE q.by WHEN 'month' THEN date_trunc('month', d.closed_on)::date END AS month,
                    CASE q.by WHEN 'owner' THEN d.owner_id WHEN 'team' THEN d.team_id END AS id,
                    count(*) AS count,
                    count(*) FILTER (WHERE d.base_amount IS NULL OR d.base_currency <> q.base) AS unvalued,
                    coalesce(sum(d.base_amount) FILTER (WHERE d.base_currency = q.base), 0) AS amount
             FROM q CROSS JOIN deals d
             WHERE d.state = 'won' AND d.closed_on BETWEEN q.first AND q.last
               AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
               AND (q.pipeline IS NULL OR d.pipeline_id = q.pipeline)
               AND (q.owner IS NULL OR d.owner_id = q.owner) AND (q.team IS NULL OR d.team_id = q.team)
             GROUP BY 1, 2)
         SELECT s.month, s.id, coalesce(u.name, t.name) AS name, 'won' AS part, s.count, s.unvalued, s.amount,
                0::numeric AS weighted
         FROM summed s LEFT JOIN users u ON u.id = s.id LEFT JOIN teams t ON t.id = s.id")
    .bind::<Date, _>(asked.from)
    .bind::<Date, _>(asked.to)
    .bind::<Text, _>(asked.by)
    .bind::<Nullable<SqlUuid>, _>(asked.query.pipeline_id)
    .bind::<Nullable<SqlUuid>, _>(asked.query.owner_id)
    .bind::<Nullable<SqlUuid>, _>(asked.query.team_id)
    .bind::<Text, _>(base)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .rows(conn)
}
