//! Supplier prices: what a supplier asks for a product, from a minimum quantity on, in a period.
//!
//! Exactly one price answers a (supplier, product, currency, quantity, date) question: the largest
//! minimum quantity reached, then the latest first day; ties are refused when saved. A price is
//! changed or ended (`valid_to`), never deleted, because orders quote it.

mod actions;
mod handlers;
mod model;
mod rule;

pub use model::{SupplierPrice, SupplierPriceIn};
pub use rule::{Found, Question, answers, cheapest};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
