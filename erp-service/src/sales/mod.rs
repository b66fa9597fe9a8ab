//! Sales: orders, what they reserve, what is delivered of them.
//!
//! An order's state is its `lifecycle` with `delivery` and `holds` beside it; `status` is the one
//! word derived from them.
//!
//! ```text
//! draft ──confirm──► confirmed ──deliver──► (delivery: partial, full) ──close──► closed
//!   │                 │   ▲  hold/release (holds: credit, credit_hold, price, manual)
//!   │ cancel          │ cancel, while nothing has shipped
//!   ▼                 ▼
//! cancelled ◄─────────┘           rejected: the decision on an order of the CRM; final
//! ```
//!
//! Invariants: reserved + backordered + delivered ≤ ordered on every line; what lines reserve is
//! what the stock levels hold reserved; a unit of stock is promised once; a document number is
//! given at confirmation, never before.
//!
//! - [`orders`]: the record, [the decision](orders::decision), confirm, hold, release, close, cancel
//! - [`deliveries`]: ship what is reserved, in parts or whole
//! - [`returns`]: what customers send back, at its delivery's cost
//! - [`backorders`]: stock that becomes free goes to the orders that wait for it
//! - [`credit`]: one exposure function for confirm, release and ship; [`exposures`]: what orders do to it is told afterwards
//!
//! Lock order: customer, then stock levels by product, then sales orders by id. An order is
//! therefore read first, its levels locked, and the order itself then locked and compared with
//! what was read; if it moved on in between, the command starts again.

pub mod backorders;
pub mod credit;
pub mod deliveries;
pub mod exposures;
pub mod orders;
pub mod returns;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    orders::routes(routes);
    deliveries::routes(routes);
    returns::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "sales_orders_pkey",
        "duplicate",
        "/id",
        "a sales order with this id exists",
    ),
    Constraint::conflict(
        "sales_orders_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a sales order with this external_ref exists",
    ),
    Constraint::conflict(
        "sales_order_lines_pkey",
        "duplicate",
        "/lines",
        "a line with this id exists",
    ),
    Constraint::conflict("deliveries_pkey", "duplicate", "/id", "a delivery with this id exists"),
    Constraint::conflict(
        "deliveries_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a delivery with this external_ref exists",
    ),
    Constraint::conflict("sales_returns_pkey", "duplicate", "/id", "a return with this id exists"),
    Constraint::conflict(
        "sales_returns_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a return with this external_ref exists",
    ),
    Constraint::rule(
        "sales_orders_customer_id_fkey",
        "unknown_customer",
        "/customer_id",
        "there is no such customer",
    ),
];
