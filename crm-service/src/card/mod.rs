//! The card of a customer: what somebody wants to know before picking up the telephone, in one call.
//!
//! It stands above the modules that it reads and shows nothing that their own lists would not: deals, orders and
//! activities that the caller sees, counted as far as the caller sees them; what the ERP says of the customer with the
//! instant of which that holds. A part whose permission the caller lacks is `null`. All is read from one snapshot.

mod handlers;
mod model;
mod queries;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
