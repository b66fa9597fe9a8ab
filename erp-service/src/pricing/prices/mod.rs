//! Prices: for a product in a list, from a minimum quantity on, in a period.
//!
//! A price is changed or ended (`valid_to`), never deleted, because documents quote it.

mod actions;
pub mod bulk;
mod handlers;
mod model;
mod queries;

pub use model::{Price, PriceIn, PricePatch};

pub(super) use actions::renamed;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
