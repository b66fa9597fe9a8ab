//! Exchange rates, as the ERP last told them.

use crate::may;
use crate::replica::{apply_replica, replica, storable};
use crate::schema::exchange_rates;
use actix_web::{get, put};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Rate;
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Answer, Body, Command, Currency, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Put, Query, Read, Result,
    Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An exchange rate as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRateReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub date: NaiveDate,
    /// The currency of which 1 unit is worth `rate`.
    pub reference: Currency,
    pub currency: Currency,
    /// More than 0.
    pub rate: Rate,
}

/// On this day 1 unit of `reference` = `rate` units of `currency`. The ERP is its master.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = exchange_rates)]
pub struct ExchangeRate {
    pub id: Uuid,
    #[diesel(column_name = rated_on)]
    pub date: NaiveDate,
    /// The currency of which 1 unit is worth `rate`.
    pub reference: Currency,
    pub currency: Currency,
    pub rate: Rate,
    /// The ERP's version of the record.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(ExchangeRate, path: "exchange-rates", type: "exchange_rate");

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExchangeRatesQuery {
    /// First day.
    from: Option<NaiveDate>,
    /// Last day.
    to: Option<NaiveDate>,
    /// ISO 4217 code.
    currency: Option<SearchText>,
    /// ISO 4217 code.
    reference: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_exchange_rates)
        .add(get_exchange_rate)
        .add(apply_exchange_rate);
}

/// Exchange rates by day.
#[utoipa::path(tag = "currencies", params(ExchangeRatesQuery), security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "A page of exchange rates", body = Page<ExchangeRate>)))]
#[get("/exchange-rates")]
async fn list_exchange_rates(
    read: Read<may::ReadExchangeRates>,
    query: Query<ExchangeRatesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| page(conn, &query)).await
}

fn page(conn: &mut PgConnection, query: &ExchangeRatesQuery) -> Result<Page<ExchangeRate>> {
    let mut found = exchange_rates::table.select(ExchangeRate::as_select()).into_boxed();
    if let Some(from) = query.from {
        found = found.filter(exchange_rates::rated_on.ge(from));
    }
    if let Some(to) = query.to {
        found = found.filter(exchange_rates::rated_on.le(to));
    }
    if let Some(currency) = &query.currency {
        found = found.filter(exchange_rates::currency.eq(currency.as_str()));
    }
    if let Some(reference) = &query.reference {
        found = found.filter(exchange_rates::reference.eq(reference.as_str()));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: exchange_rates::id as Uuid => |r: &ExchangeRate| r.id, [
        "date" => exchange_rates::rated_on as NaiveDate => |r: &ExchangeRate| r.date,
        "created_at" => exchange_rates::created_at as DateTime<Utc> => |r: &ExchangeRate| r.created_at,
    ])
}

/// One exchange rate.
#[utoipa::path(tag = "currencies", params(IdPath), security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "The exchange rate", body = ExchangeRate)))]
#[get("/exchange-rates/{id}")]
async fn get_exchange_rate(read: Read<may::ReadExchangeRates>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        exchange_rates::table
            .find(path.id)
            .select(ExchangeRate::as_select())
            .first(conn)
            .or_not_found("exchange rate")
    })
    .await
}

/// Apply an exchange rate as the ERP has it. For the sync.
#[utoipa::path(tag = "currencies", params(IdPath), request_body = ExchangeRateReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored exchange rate", body = ExchangeRate),
        (status = 201, description = "The exchange rate, new here", body = ExchangeRate)))]
#[put("/exchange-rates/{id}")]
async fn apply_exchange_rate(
    command: Command<may::ApplyExchangeRates>,
    path: Path<IdPath>,
    body: Body<ExchangeRateReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &ExchangeRateReplicaIn) -> Result<Put<ExchangeRate>> {
    let mut faults = Faults::default();
    if told.reference == told.currency {
        faults.add("/currency", "same_currency", "a currency has no rate against itself");
    }
    if told.rate.is_zero() {
        faults.add("/rate", "out_of_range", "must be more than 0");
    }
    faults.check()?;
    let rate = ExchangeRate {
        id,
        date: told.date,
        reference: told.reference,
        currency: told.currency,
        rate: told.rate,
        source_version: told.source_version,
        as_of: storable(told.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    apply_replica!(tx, exchange_rates, rate, replace: told.replace)
}
