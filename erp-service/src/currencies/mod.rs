//! Currencies: exchange rates by day, and conversion by them.
//!
//! - An **exchange rate** says: on this day 1 unit of `reference` = `rate` units of `currency`. A
//!   pair of currencies has one rate a day, in one of its two directions. One of the two is the
//!   company's reference currency (EUR unless set: the European Central Bank's) or its base
//!   currency.
//! - Rates are **imported** from the ECB's files, or **written by hand**. An import never changes
//!   what was written by hand, and repeating it changes nothing.
//! - **The rate from one currency to another on a day** ([`rate`]) is the latest on or before the
//!   day, at most seven days old; otherwise 422 `rate_missing`. It is that of the pair, or the
//!   cross of two through the reference currency or else the base currency, whichever is newer; at
//!   the same age the pair goes before the cross, and the reference before the base currency.
//!   Crosses are not rounded; an amount is, once, when it is converted ([`convert`]).
//! - A document keeps the rate that it was posted at: changing a rate later changes no document.
//! - Rates emit no events: nobody replicates them.

mod actions;
mod conversion;
mod ecb;
mod handlers;
mod model;
mod queries;

pub use conversion::{MOST_DAYS_OLD, Quote, convert, quote, rate};
pub use model::{ExchangeRate, ExchangeRateIn, RateSource};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "exchange_rates_pkey",
        "duplicate",
        "/id",
        "an exchange rate with this id exists",
    ),
    Constraint::conflict(
        "exchange_rates_one_a_day",
        "duplicate",
        "/date",
        "there is a rate for these two currencies on this day",
    ),
];
