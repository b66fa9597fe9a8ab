use super::model::{Conversion, ConversionQuery, ExchangeRate, ExchangeRateIn, ExchangeRatesQuery, RateImport};
use super::{actions, conversion, queries};
use crate::catalog::products::taken;
use crate::may;
use actix_web::{get, post, put};
use service_kit::http::{CsvText, require_same_id};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_exchange_rates)
        .add(create_exchange_rate)
        .add(import_exchange_rates)
        .add(get_exchange_rate)
        .add(put_exchange_rate)
        .add(get_currency_conversion);
}

#[utoipa::path(tag = "currencies", params(ExchangeRatesQuery), security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "A page of exchange rates", body = Page<ExchangeRate>)))]
#[get("/exchange-rates")]
async fn list_exchange_rates(
    read: Read<may::ReadExchangeRates>,
    query: Query<ExchangeRatesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Write a rate by hand: 1 unit of `reference` = `rate` units of `currency`.
///
/// One of the two is the company's reference or base currency. A pair has one rate a day.
#[utoipa::path(tag = "currencies", request_body = ExchangeRateIn, security(("api_key" = ["exchange_rates:write"])),
    responses((status = 201, description = "The exchange rate", body = ExchangeRate)))]
#[post("/exchange-rates")]
async fn create_exchange_rate(
    command: Command<may::WriteExchangeRates>,
    body: Body<ExchangeRateIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let created = actions::create(tx, body.0.id, &body.0)?;
            created.ok_or_else(|| taken("/id", "an exchange rate with this id exists"))
        })
        .await
}

#[utoipa::path(tag = "currencies", params(IdPath), security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "The exchange rate", body = ExchangeRate)))]
#[get("/exchange-rates/{id}")]
async fn get_exchange_rate(read: Read<may::ReadExchangeRates>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id).or_not_found("exchange rate"))
        .await
}

/// Create a rate under an id of your own, or change it with `If-Match`.
///
/// An imported rate that is changed becomes a manual one, which no import changes. Documents keep
/// the rate that they were posted at.
#[utoipa::path(tag = "currencies", params(IdPath), request_body = ExchangeRateIn, security(("api_key" = ["exchange_rates:write"])),
    responses((status = 200, description = "The exchange rate, changed or as it was", body = ExchangeRate),
              (status = 201, description = "The new exchange rate", body = ExchangeRate)))]
#[put("/exchange-rates/{id}")]
async fn put_exchange_rate(
    command: Command<may::WriteExchangeRates>,
    path: Path<IdPath>,
    body: Body<ExchangeRateIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            actions::put(tx, path.id, &body.0)
        })
        .await
}

/// Import reference rates of the European Central Bank: `eurofxref.csv` or `eurofxref-hist.csv`.
///
/// All faults of the file are named at once, and then nothing is stored. A repeat changes nothing,
/// and rates written by hand stay.
#[utoipa::path(tag = "currencies", request_body(content = CsvText, content_type = "text/csv"),
    security(("api_key" = ["exchange_rates:write"])), responses((status = 200, description = "What the import did", body = RateImport)))]
#[post("/exchange-rate-imports")]
async fn import_exchange_rates(command: Command<may::WriteExchangeRates>, body: CsvText) -> Result<Answer, Problem> {
    command
        .answer(move |tx| Ok(Answer::json(&actions::import(tx, &body.0)?)?))
        .await
}

/// How one currency converts to another on a day, and by which rate.
#[utoipa::path(tag = "currencies", params(ConversionQuery), security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "The conversion", body = Conversion),
              (status = 422, description = "There is no rate of that day or the seven days before", body = Problem, content_type = "application/problem+json")))]
#[get("/currency-conversions")]
async fn get_currency_conversion(
    read: Read<may::ReadExchangeRates>,
    query: Query<ConversionQuery>,
) -> Result<Answer, Problem> {
    let date = query.date.unwrap_or(read.today());
    read.json(move |conn| {
        let quote = conversion::quote(conn, query.from, query.to, date)?;
        Ok(Conversion {
            from: query.from,
            to: query.to,
            date,
            rate: quote.rate.normalize(),
            rate_date: quote.date,
            through: quote.through,
        })
    })
    .await
}
