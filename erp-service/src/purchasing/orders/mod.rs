//! Purchase orders.
//!
//! ```text
//! draft ──submit──► awaiting_approval ──approve──► ordered ─► partially_received ─► received ──close──► closed
//!   │                 │ ▲       │ reject                 │ edit, when it is worth more than was approved
//!   │ cancel          │ └───────┼────────────────────────┘
//!   ▼                 ▼         ▼
//! cancelled ◄─────────┘       draft (or, once it was ordered, still awaiting approval)
//! ```
//! - An order is numbered when it is approved, never before; worth no more than the settings leave
//!   free, it is approved when it is submitted.
//! - Who made or last changed an order does not approve it; who approves needs a limit that covers
//!   its value (net, in the base currency, at the order's date). See [`approval`](super::approval).
//! - A change after the approval needs another one when the order is then worth more than was
//!   approved; meanwhile nothing can be received.
//! - A line's price is frozen once something of it was received; its quantity never falls below that.
//! - What is ordered and still to come is announced to `inventory::supply`.
//!
//! Lock order: stock levels by product, then purchase orders by id, then documents.

mod actions;
mod handlers;
mod lines;
mod model;
pub mod queries;
mod status;

pub use actions::{place, progress, store};
pub use lines::still_to_come;
pub use model::{
    LineRow, OptionalPurchaseReason, OrderRow, PurchaseOrder, PurchaseOrderIn, PurchaseOrderLineIn, PurchaseReason,
};
pub use status::{Lifecycle, PurchaseOrderAction, State};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
