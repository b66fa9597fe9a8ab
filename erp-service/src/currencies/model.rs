use crate::schema::exchange_rates;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Rate;
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Where a rate comes from: a file of the European Central Bank, or somebody's hand.
    RateSource { Ecb = "ecb", Manual = "manual" }
}

/// On this day 1 unit of `reference` = `rate` units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, QueryableByName, Selectable, ToSchema)]
#[diesel(table_name = exchange_rates)]
pub struct ExchangeRate {
    pub id: Uuid,
    #[diesel(column_name = rated_on)]
    pub date: NaiveDate,
    /// The currency of which 1 unit is worth `rate`.
    pub reference: Currency,
    pub currency: Currency,
    pub rate: Rate,
    pub source: RateSource,
    /// Counts changes, for those that keep a replica.
    #[diesel(column_name = revision)]
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRateIn {
    pub id: Option<Uuid>,
    pub date: NaiveDate,
    /// The currency of which 1 unit is worth `rate`; absent: the company's reference currency.
    pub reference: Option<Currency>,
    pub currency: Currency,
    /// More than 0.
    pub rate: Rate,
}

/// What an import of a file did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RateImport {
    pub reference: Currency,
    /// Days in the file.
    pub days: u32,
    pub first_date: NaiveDate,
    pub last_date: NaiveDate,
    pub created: u32,
    /// Rates that an earlier import had otherwise.
    pub updated: u32,
    pub unchanged: u32,
    /// Rates that were left as somebody wrote them by hand.
    pub kept_manual: u32,
    /// Columns of currencies that are no longer in use.
    pub skipped_currencies: Vec<String>,
}

/// How one currency converts to another on a day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Conversion {
    pub from: Currency,
    pub to: Currency,
    /// The day that was asked for.
    pub date: NaiveDate,
    /// 1 unit of `from` = this many units of `to`; not rounded.
    #[schema(value_type = String, example = "1.0823")]
    pub rate: rust_decimal::Decimal,
    /// The day of the rate that was used, the older one of a cross.
    pub rate_date: NaiveDate,
    /// The currency that the cross goes through; `null` when the pair has a rate.
    pub through: Option<Currency>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeRatesQuery {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// ISO 4217 code.
    pub currency: Option<SearchText>,
    /// ISO 4217 code.
    pub reference: Option<SearchText>,
    #[param(inline)]
    pub source: Option<RateSource>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ConversionQuery {
    #[param(inline)]
    pub from: Currency,
    #[param(inline)]
    pub to: Currency,
    /// Default today.
    pub date: Option<NaiveDate>,
}

impl Resource for ExchangeRate {
    const PATH: &'static str = "exchange-rates";
    const TYPE: &'static str = "exchange_rate";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for ExchangeRate {
    const EVENT: &'static str = "exchange_rate.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
