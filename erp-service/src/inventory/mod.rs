//! Inventory: what lies where, and what of it is promised.
//!
//! - A **stock move** is a signed quantity of a product in a warehouse on a business day. Moves
//!   are append-only; a mistake is corrected by another move.
//! - A **stock level** is one product in one warehouse: `on_hand` is the sum of its moves (a
//!   trigger applies each move, nothing else can change it), `reserved` is what orders hold.
//!   0 ≤ reserved ≤ on hand; available = on hand − reserved. `incoming` is what can be promised of
//!   what is expected. Each change raises `version` and is an `availability.changed` event.
//! - A move also has a **value** in the base currency, and a level is worth the sum of them: the
//!   moving average per product and warehouse. See [`movement`] for how value comes and goes, and
//!   [`average`] for its arithmetic.
//! - **Reserving** takes what is free, never more, with the levels locked in key order.
//!
//! - Products that are tracked lie in [`lots`], which leave first expired, first out.
//! - [`holds`] promise stock for a while; [`supply`] knows what is expected, [`incoming`] what of it can
//!   still be promised.
//!
//! Documents that move stock stand above this module: deliveries in `sales`, adjustments in
//! `warehouse`. Lock order everywhere: customer, then stock levels (by product), then sales orders
//! (by id).

pub mod availability;
pub mod average;
pub mod cost;
pub mod holds;
pub mod incoming;
pub mod levels;
pub mod locations;
pub mod lots;
pub mod movement;
pub mod moves;
pub mod posting;
pub mod reports;
pub mod supply;
pub mod valuation;
pub mod warehouses;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    warehouses::routes(routes);
    availability::routes(routes);
    moves::routes(routes);
    lots::routes(routes);
    reports::routes(routes);
    locations::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("promises_pkey", "duplicate", "/id", "a promise with this id exists"),
    Constraint::rule(
        "sales_orders_promise_id_fkey",
        "unknown_promise",
        "/promise_id",
        "there is no such promise",
    ),
    Constraint::conflict(
        "products_tracking_in_use",
        "in_use",
        "/tracking",
        "a product that has or had stock keeps its tracking",
    ),
    Constraint::conflict(
        "lots_serial_is_one_piece",
        "serial_in_stock",
        "/lines",
        "a piece with this serial number is in stock already",
    ),
    Constraint::conflict(
        "lots_on_hand_not_negative",
        "insufficient_stock",
        "",
        "a lot would become negative",
    ),
    Constraint::conflict(
        "stock_places_quantity_not_negative",
        "insufficient_stock",
        "",
        "a location would become negative",
    ),
    Constraint::conflict("locations_pkey", "duplicate", "/id", "a location with this id exists"),
    Constraint::conflict(
        "locations_code_unique",
        "duplicate",
        "/code",
        "the warehouse has a location with this code",
    ),
    Constraint::conflict(
        "products_kind_in_use",
        "in_use",
        "/kind",
        "a product that has stock or was ordered keeps its kind",
    ),
    Constraint::rule(
        "stock_levels_on_hand_in_bounds",
        "out_of_range",
        "/lines",
        "stock on hand would exceed 99,999,999",
    ),
    Constraint::rule(
        "stock_levels_value_in_bounds",
        "out_of_range",
        "/lines",
        "the stock of a product would be worth 10,000,000,000,000 or more",
    ),
    Constraint::conflict(
        "stock_levels_value_not_negative",
        "negative_value",
        "",
        "the stock of a product would be worth less than nothing",
    ),
    Constraint::conflict(
        "stock_levels_nothing_is_worth_nothing",
        "negative_value",
        "",
        "stock that is gone would still be worth something",
    ),
    Constraint::conflict("warehouses_pkey", "duplicate", "/id", "a warehouse with this id exists"),
    Constraint::conflict(
        "warehouses_code_unique",
        "duplicate",
        "/code",
        "a warehouse with this code exists",
    ),
    Constraint::conflict(
        "warehouses_one_default",
        "busy",
        "/is_default",
        "another warehouse became the default at the same moment; try again",
    ),
    Constraint::conflict(
        "stock_levels_on_hand_not_negative",
        "insufficient_stock",
        "",
        "stock on hand would become negative",
    ),
    Constraint::conflict(
        "stock_levels_reserved_within_on_hand",
        "insufficient_stock",
        "",
        "more would be reserved than is on hand",
    ),
];
