//! Payments from customers, and refunds to them.

mod apply;
mod handlers;
mod model;
mod queries;
mod told;

pub use handlers::routes;
