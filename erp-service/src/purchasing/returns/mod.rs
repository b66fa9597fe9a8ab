//! Supplier returns: what goes back of a receipt.
//!
//! - Goods leave stock at the moving average; goods received, not invoiced (GRNI) is debited with what
//!   the receipt had credited (of what is not billed yet) or with what it was billed at (a credit of the
//!   supplier is expected, see [`credit_notes`](super::credit_notes)); the difference to the average is
//!   price variance.
//! - What is not billed yet goes back first: then the supplier bills less.
//! - With `replacement` the supplier delivers again: the order is open for it.
//! - A return is numbered and posted at once and never changes.
//!
//! Lock order: stock levels by product, then the purchase order, then numbers.

mod actions;
mod handlers;
mod model;
pub mod queries;

pub use model::{ReturnLineRow, SupplierReturn};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
