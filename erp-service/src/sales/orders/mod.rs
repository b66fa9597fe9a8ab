//! Sales orders, from the CRM and from the back office.
//!
//! `status.rs` says which actions are open in which state; `decision.rs` decides, without touching
//! the database, what becomes of an order; `place.rs` stores, confirms and reserves; `totals.rs`
//! computes its money. `drafts.rs` takes orders of the back office, `apply.rs` what was submitted
//! in the CRM, and `requests.rs` answers what the CRM asks to change of it. `amend.rs` changes a confirmed order. The other verbs afterwards stand in `actions.rs` and `release.rs`, in the frame of
//! `change.rs`; `notes.rs` is what invoices, returns and payments tell an order.

pub mod actions;
mod amend;
mod apply;
pub mod change;
pub mod decision;
mod drafts;
mod facts;
mod handlers;
mod input;
mod model;
mod notes;
mod place;
pub mod queries;
pub mod release;
mod requests;
mod rows;
pub mod status;
mod totals;

pub use crate::taxes::TaxCodeRate as LineTax;
pub use handlers::routes;
pub use model::{
    Cancellation, Charge, ChargeKind, DeliveryOfOrder, Hold, RejectionReason, SalesOrder, SalesOrderLine,
    ShippingAddress,
};
pub use notes::{note_hold, note_invoiced, note_payment, note_returned};
pub use rows::{LineRow, OrderRow};
