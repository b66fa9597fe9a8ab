//! Requests for quotation: the same question to several suppliers, their answers side by side, and
//! purchase orders for those who win.
//!
//! ```text
//! draft ──send──► sent ──award──► awarded (when every line is)
//!   └───cancel──► cancelled ◄──┘
//! ```
//! An answer has a price for each line that the supplier can deliver; a later answer replaces it. The
//! comparison values each in the base currency by the rate of the day. An award makes one purchase
//! order for each supplier and currency, at the prices of the answers.
//!
//! Lock order: the request, then numbers.

mod actions;
mod award;
mod comparison;
mod handlers;
mod model;
mod queries;

pub use model::RequestForQuotation;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
