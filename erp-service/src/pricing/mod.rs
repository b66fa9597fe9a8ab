//! Pricing: price lists, the prices in them, and which one answers a question.
//!
//! - A **price list** belongs to a currency and to one customer, or a tier of customers, or neither:
//!   that is the base list of its currency. There is one list for each (customer or tier, currency).
//! - A **price** holds for a product in a list, from a minimum quantity on, on the days from
//!   `valid_from` to `valid_to`, both included; an absent bound is open.
//! - **The rule** ([`prices_for`]): of the prices that hold on the day, for the quantity, in the
//!   list of the customer, of its tier or the base list, the customer's go first, then the tier's,
//!   then the largest minimum quantity, then the latest `valid_from`. Two prices of which neither would go first are refused when
//!   they are saved, so there is exactly one answer, or none.
//! - **Grade tiers** say which tier a grade of the CRM means from which day on. The tier of a customer
//!   on a day is the manual one, else what its grade of that day means, else the default.
//! - A **price quote** ([`quotes`]) explains that answer and why the other prices lost.
//!
//! This service is the master; `price.changed` carries the price with what matters of its list,
//! so renaming a list emits its prices again.

pub mod grade_tiers;
pub mod lists;
pub mod prices;
pub mod quotes;
mod rule;

pub use rule::{Buyer, Found, explain, prices_for};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    lists::routes(routes);
    grade_tiers::routes(routes);
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
        "there is a price list for this customer or tier and currency (without either: a base list for this currency)",
    ),
    Constraint::rule(
        "price_lists_customer_id_fkey",
        "unknown_customer",
        "/customer_id",
        "there is no such customer",
    ),
    Constraint::rule(
        "price_lists_tier_or_customer",
        "ambiguous",
        "/tier",
        "a price list is for a tier or for a customer, not for both",
    ),
    Constraint::conflict(
        "grade_tiers_one_per_day",
        "duplicate",
        "/valid_from",
        "there is a tier for this grade from this day on",
    ),
    Constraint::conflict(
        "grade_tiers_pkey",
        "duplicate",
        "/id",
        "a grade tier with this id exists",
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
