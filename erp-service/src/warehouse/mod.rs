//! Warehouse documents that change stock, and promises of it.
//!
//! They stand above `inventory` (the ledger) and `sales` (whose backorders get what becomes free).

pub mod adjustments;
pub mod by_date;
mod closing;
pub mod counts;
pub mod promises;
pub mod relocations;
pub mod scraps;
mod shortage;
pub mod transfers;

pub use closing::CHECKS;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    adjustments::routes(routes);
    promises::routes(routes);
    scraps::routes(routes);
    relocations::routes(routes);
    transfers::routes(routes);
    counts::routes(routes);
    by_date::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "stock_adjustments_pkey",
        "duplicate",
        "/id",
        "a stock adjustment with this id exists",
    ),
    Constraint::conflict("transfers_pkey", "duplicate", "/id", "a transfer with this id exists"),
    Constraint::conflict(
        "transfer_lines_pkey",
        "duplicate",
        "/lines",
        "a line of a transfer with this id exists",
    ),
    Constraint::conflict(
        "stock_counts_pkey",
        "duplicate",
        "/id",
        "a stock count with this id exists",
    ),
    Constraint::conflict(
        "stock_counts_approved_by_another",
        "same_person",
        "",
        "a count is approved by somebody else than who counted",
    ),
    Constraint::conflict(
        "stock_count_lines_place_unique",
        "duplicate",
        "/found",
        "the sheet has a line for this place",
    ),
];
