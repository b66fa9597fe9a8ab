//! Warehouse documents that change stock: adjustments.
//!
//! They stand above `inventory` (the ledger) and `sales` (whose backorders get what becomes free).

pub mod adjustments;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    adjustments::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[Constraint::conflict(
    "stock_adjustments_pkey",
    "duplicate",
    "/id",
    "a stock adjustment with this id exists",
)];
