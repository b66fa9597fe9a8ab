//! What the company counts in, and what other currencies are worth by day: replicas of the ERP's.
//!
//! - The **company** has a base currency, in which figures over several currencies are shown, and a
//!   reference currency, which rates are quoted against. There is one from the beginning, as the
//!   ERP begins, until the ERP has told more.
//! - An **exchange rate** says: on this day 1 unit of `reference` = `rate` units of `currency`.
//! - **The rate of a day** ([`rate`], [`rates_to_base`]) is the ERP's rule: the latest on or before
//!   the day, at most seven days old; that of the pair, or the cross through the reference or the
//!   base currency if that is newer. Where the ERP refuses to post without a rate, here a figure
//!   says what it could not value.
//!   In SQL, for figures over many days, the same rule is `rate_of_day`.
//!
//! Only the sync writes here, by `PUT` under the ERP's id with the ERP's version.

mod company;
mod conversion;
mod rates;

pub use company::{Company, base_and_reference, base_currency, company_name};
pub use conversion::{rate, rates_to_base};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::rule(
        "exchange_rates_two_currencies",
        "same_currency",
        "/currency",
        "a currency has no rate against itself",
    ),
    Constraint::rule(
        "exchange_rates_rate_positive",
        "out_of_range",
        "/rate",
        "must be more than 0",
    ),
];

pub fn routes(routes: &mut Routes) {
    company::routes(routes);
    rates::routes(routes);
}
