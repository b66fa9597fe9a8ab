//! Invoices and credit notes; a credit note is an invoice with another `kind`, and its open amount is negative.

mod apply;
mod handlers;
mod model;
mod queries;
mod told;

pub use handlers::routes;
