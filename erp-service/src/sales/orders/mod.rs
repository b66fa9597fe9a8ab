//! Sales orders, from the CRM and from the back office.
//!
//! `status.rs` says which actions are open in which state; `decision.rs` decides, without touching
//! the database, what becomes of an order; `place.rs` stores, confirms and reserves;
//! `apply.rs` takes what was submitted in the CRM; `actions.rs` holds the verbs afterwards.

pub mod actions;
mod apply;
pub mod decision;
mod handlers;
mod model;
mod place;
pub mod queries;
pub mod status;

pub use handlers::routes;
pub use model::{Cancellation, DeliveryOfOrder, Hold, LineRow, OrderRow, RejectionReason, SalesOrder, SalesOrderLine};
