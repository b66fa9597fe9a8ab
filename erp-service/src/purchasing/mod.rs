//! Purchasing: from whom goods and services come, at which price, and what is owed for them.
//!
//! - [`suppliers`]: the master of suppliers, emitted as `supplier.changed`
//! - [`prices`]: what a supplier asks for a product; exactly one price answers a question
//!
//! Invariants live in the database as well: see the migration.

pub mod prices;
pub mod suppliers;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    suppliers::routes(routes);
    prices::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "suppliers_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a supplier with this external_ref exists",
    ),
    Constraint::conflict(
        "supplier_prices_pkey",
        "duplicate",
        "/id",
        "a supplier price with this id exists",
    ),
    Constraint::conflict(
        "supplier_prices_no_ties",
        "duplicate_price",
        "/valid_from",
        "the supplier has a price of this product, currency, minimum quantity and first day",
    ),
];
