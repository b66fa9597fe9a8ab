//! Invoices and credit notes.
//!
//! ```text
//! draft ──post──► posted ──► partially_paid ──► paid
//!   │ delete        └─────────── credit ──────► credited
//! ```
//! Only the step to posted is a command: what follows is derived from what is open of the document's items.
//!
//! Invariants: a posted document never changes (a trigger refuses it); its number has no gap before it; its items are
//! its payable amount; invoiced ≤ delivered, or ordered, by the order's policy, which the order checks under its lock;
//! credited ≤ invoiced, line by line.
//!
//! - `billing`: from orders and deliveries; `drafts`: free lines; `posting`; `credit`: credit notes; `discount`: the cash discount
//!   that goes back with them
//! - `settlement`: what documents, orders and customers are told when open amounts change

mod billing;
mod credit;
mod discount;
mod drafts;
mod handlers;
mod input;
mod model;
pub(super) mod posting;
pub(super) mod queries;
mod rows;
pub(super) mod settlement;

pub use credit::{ReturnedLine, credit_return};
pub use handlers::routes;
pub use model::{DeductedAdvance, Invoice, InvoiceKind, InvoiceStatus};
pub use rows::{InvoiceRow, LineRow};
