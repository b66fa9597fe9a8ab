//! The catalogue as sales sees it: categories, products, prices and availability, all replicas of
//! the ERP's records.
//!
//! Only the sync writes here (permission `integration:apply`): each record by `PUT` under the
//! ERP's id, with the ERP's version as `source_version`. A newer version replaces the stored one,
//! an equal or older one changes nothing and is answered 200 with what is stored; `replace: true`
//! (a resync) replaces whatever is stored, and changes nothing when that is the same already.
//! Everybody else's writes answer `409 not_owner` with the path in the ERP.
//!
//! Invariants and deliberate absences:
//! - The records do not reference each other in the database: events arrive in any order, so a
//!   price may be there before its product. What is not known yet shows as absent or zero.
//! - Applying a replica emits no event: nothing echoes.
//! - Products are retired by the ERP, never deleted; neither are prices.
//!
//! Other modules ask [`prices_for`] which price applies (and [`price_traces`] why), [`statuses`] what is
//! sold, [`described`] what it is called, [`stock`] what there is and what is expected, and [`covered_on`] when
//! that suffices; nobody else reads these tables.

mod availability;
mod categories;
mod incoming;
mod prices;
mod products;

pub use availability::{Availability, stock};
pub use incoming::covered_on;
pub use prices::{PriceTrace, price_traces, prices_for};
pub use products::{Described, ProductKind, ProductStatus, described, statuses};

use service_kit::Routes;
use service_kit::problem::Constraint;

/// What the ERP's records must fulfil here too, and how its violation is told.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::rule(
        "prices_validity",
        "out_of_range",
        "/valid_to",
        "must not be before valid_from",
    ),
    Constraint::rule(
        "availability_reserved_within_on_hand",
        "out_of_range",
        "/items",
        "no more can be reserved than is on hand",
    ),
];

pub fn routes(routes: &mut Routes) {
    products::routes(routes);
    categories::routes(routes);
    prices::routes(routes);
    availability::routes(routes);
}
