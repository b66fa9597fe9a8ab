use super::ecb::EcbRate;
use super::model::{ExchangeRate, ExchangeRatesQuery, RateSource};
use crate::schema::exchange_rates;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::decimal::Rate;
use service_kit::{Currency, Page, Result, keyset_page};
use uuid::Uuid;

/// The content of a rate.
pub(super) struct NewRate {
    pub date: NaiveDate,
    pub reference: Currency,
    pub currency: Currency,
    pub rate: Rate,
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<ExchangeRate> {
    exchange_rates::table
        .find(id)
        .select(ExchangeRate::as_select())
        .first(conn)
}

/// The rate as it is now, locked.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<ExchangeRate> {
    exchange_rates::table
        .find(id)
        .for_update()
        .select(ExchangeRate::as_select())
        .first(conn)
}

pub(super) fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    new: &NewRate,
    now: DateTime<Utc>,
) -> QueryResult<Option<ExchangeRate>> {
    diesel::insert_into(exchange_rates::table)
        .values((
            exchange_rates::id.eq(id),
            exchange_rates::rated_on.eq(new.date),
            exchange_rates::reference.eq(new.reference),
            exchange_rates::currency.eq(new.currency),
            exchange_rates::rate.eq(new.rate),
            exchange_rates::source.eq(RateSource::Manual),
            exchange_rates::created_at.eq(now),
            exchange_rates::updated_at.eq(now),
        ))
        .on_conflict(exchange_rates::id)
        .do_nothing()
        .returning(ExchangeRate::as_returning())
        .get_result(conn)
        .optional()
}

/// Whoever writes over a rate makes it a manual one.
pub(super) fn update(
    conn: &mut PgConnection,
    id: Uuid,
    new: &NewRate,
    now: DateTime<Utc>,
) -> QueryResult<ExchangeRate> {
    diesel::update(exchange_rates::table.find(id))
        .set((
            exchange_rates::rated_on.eq(new.date),
            exchange_rates::reference.eq(new.reference),
            exchange_rates::currency.eq(new.currency),
            exchange_rates::rate.eq(new.rate),
            exchange_rates::source.eq(RateSource::Manual),
            exchange_rates::revision.eq(exchange_rates::revision + 1),
            exchange_rates::updated_at.eq(now),
        ))
        .returning(ExchangeRate::as_returning())
        .get_result(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &ExchangeRatesQuery) -> Result<Page<ExchangeRate>> {
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
    if let Some(source) = query.source {
        found = found.filter(exchange_rates::source.eq(source));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: exchange_rates::id as Uuid => |r: &ExchangeRate| r.id, [
        "date" => exchange_rates::rated_on as NaiveDate => |r: &ExchangeRate| r.date,
        "created_at" => exchange_rates::created_at as DateTime<Utc> => |r: &ExchangeRate| r.created_at,
    ])
}

/// Writes imported rates: new ones, and those that an earlier import had otherwise, which it
/// answers. What was written by hand stays.
pub(super) fn store_imported(
    conn: &mut PgConnection,
    reference: Currency,
    rates: &[EcbRate],
    now: DateTime<Utc>,
) -> QueryResult<Vec<ExchangeRate>> {
    sql("INSERT INTO exchange_rates AS r (id, rated_on, reference, currency, rate, source, created_at, updated_at)
         SELECT f.id, f.rated_on, $1 COLLATE \"C\", f.currency COLLATE \"C\", f.rate, 'ecb', $2, $3
         FROM unnest($4, $5, $6, $7) AS f (id, rated_on, currency, rate)
         ON CONFLICT (pair, rated_on) DO UPDATE
         SET reference = excluded.reference, currency = excluded.currency, rate = excluded.rate,
             revision = r.revision + 1, updated_at = excluded.updated_at
         WHERE r.source = 'ecb' AND (r.reference, r.currency, r.rate) <> (excluded.reference, excluded.currency, excluded.rate)
         RETURNING *")
    .bind::<Text, _>(reference)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(rates.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(rates.iter().map(|rate| rate.date).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rates.iter().map(|rate| rate.currency).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(rates.iter().map(|rate| rate.rate).collect::<Vec<_>>())
    .rows(conn)
}

/// How many of the rates of a file somebody has written by hand.
pub(super) fn count_manual(conn: &mut PgConnection, reference: Currency, rates: &[EcbRate]) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        manual: i64,
    }
    let found: Count = sql("SELECT count(*) AS manual
         FROM (SELECT $1 COLLATE \"C\" AS reference) own
         CROSS JOIN unnest($2, $3) AS f (rated_on, currency)
         JOIN exchange_rates r ON r.rated_on = f.rated_on AND r.source = 'manual'
          AND r.pair = least(own.reference, f.currency COLLATE \"C\") || greatest(own.reference, f.currency COLLATE \"C\")")
    .bind::<Text, _>(reference)
    .bind::<Array<Date>, _>(rates.iter().map(|rate| rate.date).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rates.iter().map(|rate| rate.currency).collect::<Vec<_>>())
    .row(conn)?;
    Ok(usize::try_from(found.manual).unwrap_or_default())
}

/// A rate that may take part in a conversion, with the company's currencies.
#[derive(QueryableByName)]
pub(super) struct Candidate {
    #[diesel(sql_type = Text)]
    pub base_currency: Currency,
    #[diesel(sql_type = Text)]
    pub reference_currency: Currency,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    pub reference: Option<Currency>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    pub currency: Option<Currency>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Numeric>)]
    pub rate: Option<Decimal>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Date>)]
    pub rated_on: Option<NaiveDate>,
}

/// The newest rate, from `oldest` to `date`, of each pair that a conversion may use: the two
/// currencies themselves, and each of them with the reference and with the base currency.
pub(super) fn candidates(
    conn: &mut PgConnection,
    (from, to): (Currency, Currency),
    (oldest, date): (NaiveDate, NaiveDate),
) -> QueryResult<Vec<Candidate>> {
    sql("SELECT c.base_currency, c.reference_currency, r.reference, r.currency, r.rate, r.rated_on
         FROM company c
         CROSS JOIN (SELECT $1 COLLATE \"C\" AS source, $2 COLLATE \"C\" AS target) asked
         CROSS JOIN LATERAL (VALUES (source, target), (source, c.reference_currency), (target, c.reference_currency),
                                    (source, c.base_currency), (target, c.base_currency)) AS p (one, other)
         LEFT JOIN LATERAL (
             SELECT * FROM exchange_rates r
             WHERE r.pair = least(one COLLATE \"C\", other COLLATE \"C\") || greatest(one COLLATE \"C\", other COLLATE \"C\")
               AND r.rated_on BETWEEN $3 AND $4
             ORDER BY r.rated_on DESC LIMIT 1) r ON true")
    .bind::<Text, _>(from)
    .bind::<Text, _>(to)
    .bind::<Date, _>(oldest)
    .bind::<Date, _>(date)
    .rows(conn)
}
