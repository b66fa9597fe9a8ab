//! The one piece of SQL that says which deals there are, in which group, and what each is worth.

use super::Asked;
use crate::deals::value::{Rates, digits, half_unit};
use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Int4, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::{Sql, sql};
use service_kit::{Currency, Sight};

/// A statement that begins with the rows `asked` (what was asked for is `q`) and goes on as given, with
/// parameters from `$20` on: `opened` by the day they were opened, `closed` by that of closing.
///
/// `worth` is in the company's currency, null without an amount or a rate. `key` is the deal's group.
macro_rules! deals {
    (opened: $($rest:expr),+ $(,)?) => {
        deals!("(d.created_at AT TIME ZONE q.zone)::date",
               "d.created_at >= q.begins AND d.created_at < q.ends", $($rest),+)
    };
    (closed: $($rest:expr),+ $(,)?) => {
        deals!("d.closed_on", "d.state IN ('won', 'lost') AND d.closed_on BETWEEN q.first AND q.last", $($rest),+)
    };
    ($day:literal, $within:literal, $($rest:expr),+) => {
        concat!(
            "WITH q AS NOT MATERIALIZED (
                 SELECT $1 AS first, $2 AS last, $3 AS by, $4 AS key, $5 AS pipeline, $6 AS owner, $7 AS team, $8 AS source,
                        $9 AS zone, $10 AS begins, $11 AS ends, $12 AS base, $13 AS digits, $14 AS half, $15 AS sees_all,
                        $16 AS me, $17 AS teams),
             asked AS (
                 SELECT d.id, d.name, d.customer_id, d.pipeline_id, d.stage_key, d.state, d.source, d.owner_id, d.team_id,
                        d.loss_reason, d.competitor, d.currency, d.amount, d.closed_on,
                        (d.created_at AT TIME ZONE q.zone)::date AS opened_on,
                        CASE WHEN d.state = 'open' THEN ",
            crate::deals::value::converted!("d.amount"),
            " WHEN d.base_currency = q.base THEN d.base_amount END AS worth,
                        coalesce(CASE q.by
                            WHEN 'owner' THEN d.owner_id::text WHEN 'team' THEN d.team_id::text WHEN 'source' THEN d.source
                            WHEN 'campaign' THEN d.campaign WHEN 'pipeline' THEN d.pipeline_id::text
                            WHEN 'customer' THEN d.customer_id::text WHEN 'reason' THEN d.loss_reason
                            WHEN 'competitor' THEN d.competitor ELSE to_char(", $day, ", 'YYYY-MM') END, 'none') AS key
                 FROM q CROSS JOIN deals d
                 LEFT JOIN unnest($18, $19) AS r (currency, rate) ON r.currency = d.currency
                 WHERE ", $within, "
                   AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))
                   AND (q.pipeline IS NULL OR d.pipeline_id = q.pipeline) AND (q.owner IS NULL OR d.owner_id = q.owner)
                   AND (q.team IS NULL OR d.team_id = q.team) AND (q.source IS NULL OR d.source = q.source)) ",
            $($rest),+
        )
    };
}
pub(super) use deals;

/// What `q.by` calls a group of `$key`, with `q` at hand.
macro_rules! named {
    ($key:literal) => {
        concat!(
            "CASE WHEN ",
            $key,
            " = 'none' THEN NULL ELSE CASE q.by
                 WHEN 'owner' THEN (SELECT name FROM users WHERE id = ",
            $key,
            "::uuid)
                 WHEN 'team' THEN (SELECT name FROM teams WHERE id = ",
            $key,
            "::uuid)
                 WHEN 'pipeline' THEN (SELECT name FROM pipelines WHERE id = ",
            $key,
            "::uuid)
                 WHEN 'reason' THEN (SELECT name FROM loss_reasons WHERE code = ",
            $key,
            ")
                 WHEN 'customer' THEN (SELECT c.name FROM customers c WHERE c.id = ",
            $key,
            "::uuid
                     AND (q.sees_all OR c.owner_id = q.me OR c.team_id = ANY(q.teams))) END END"
        )
    };
}
pub(super) use named;

/// Whose eyes see the deals, where it is which day, and what they are worth in.
#[derive(Debug, Clone)]
pub struct Facts {
    sight: Sight,
    zone: Tz,
    rates: Rates,
}

impl Facts {
    /// # Errors
    /// When the database refuses.
    pub fn of(conn: &mut PgConnection, sight: &Sight, zone: Tz, today: NaiveDate) -> QueryResult<Self> {
        Ok(Facts {
            sight: sight.clone(),
            zone,
            rates: Rates::of_open_deals(conn, today)?,
        })
    }

    pub fn base(&self) -> Currency {
        self.rates.base
    }

    /// Binds `$1` to `$19` of a [`deals!`] statement.
    pub(super) fn ask(&self, text: &'static str, asked: &Asked) -> Sql<'static> {
        let (all, me, teams) = self.sight.binds();
        let (currencies, rates) = self.rates.known();
        let base = self.rates.base;
        let (begins, ends) = asked.period.instants(self.zone);
        sql(text)
            .bind::<Date, _>(asked.period.from)
            .bind::<Date, _>(asked.period.to)
            .bind::<Text, _>(asked.by)
            .bind::<Nullable<Text>, _>(asked.key.clone())
            .bind::<Nullable<SqlUuid>, _>(asked.pipeline_id)
            .bind::<Nullable<SqlUuid>, _>(asked.owner_id)
            .bind::<Nullable<SqlUuid>, _>(asked.team_id)
            .bind::<Nullable<Text>, _>(asked.source.clone())
            .bind::<Text, _>(self.zone.name())
            .bind::<Timestamptz, _>(begins)
            .bind::<Timestamptz, _>(ends)
            .bind::<Text, _>(base)
            .bind::<Int4, _>(digits(base))
            .bind::<Numeric, _>(half_unit(base))
            .bind::<Bool, _>(all)
            .bind::<Nullable<SqlUuid>, _>(me)
            .bind::<Array<SqlUuid>, _>(teams)
            .bind::<Array<Text>, _>(currencies)
            .bind::<Array<Numeric>, _>(rates)
    }
}
