//! Pricing: price lists, the prices in them, and which one answers a question.
//!
//! - A **price list** belongs to a currency and a tier of customers; the one without a tier is the
//!   base list of its currency. There is one list for each (tier, currency).
//! - A **price** holds for a product in a list, from a minimum quantity on, on the days from
//!   `valid_from` to `valid_to`, both included; an absent bound is open.
//! - **The rule** ([`prices_for`]): of the prices that hold on the day, for the quantity, in the
//!   list of the tier or the base list, the tier's go first, then the largest minimum quantity,
//!   then the latest `valid_from`. Two prices of which neither would go first are refused when
//!   they are saved, so there is exactly one answer, or none.
//! - A **price quote** ([`quotes`]) explains that answer and why the other prices lost.
//!
//! This service is the master; `price.changed` carries the price with what matters of its list,
//! so renaming a list emits its prices again.

pub mod lists;
pub mod prices;
pub mod quotes;
mod rule;

pub use rule::{Found, explain, prices_for};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    lists::routes(routes);
    prices::routes(routes);
    quotes::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "price_lists_pkey",
        "duplicate",
        "/id",
        "a price list with this id exists",
    ),
    Constraint::conflict(
        "price_lists_one_per_tier",
        "duplicate",
        "/tier",
        "there is a price list for this tier and currency (without a tier: a base list for this currency)",
    ),
    Constraint::conflict("prices_pkey", "duplicate", "/id", "a price with this id exists"),
    Constraint::conflict(
        "prices_no_ties",
        "duplicate_price",
        "",
        "the list has a price for this product with the same minimum_quantity and valid_from: neither would go first",
    ),
    Constraint::rule(
        "prices_product_id_fkey",
        "unknown_product",
        "/product_id",
        "there is no such product",
    ),
    Constraint::rule(
        "prices_valid_period",
        "out_of_range",
        "/valid_to",
        "must not lie before valid_from",
    ),
];
