//! Suppliers: active or archived, never deleted.
//!
//! ```text
//! active ──archive──► archived ──restore──► active
//! ```
//! An archived supplier gets no new orders; what was ordered goes on to its end.

mod actions;
mod handlers;
mod model;
mod queries;

pub use actions::upsert;
pub use model::{Supplier, SupplierAddressKind, SupplierIn, SupplierPatch, SupplierStatus};
pub use queries::{all_of, exist, find, hold, ids_by_reference, names};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
