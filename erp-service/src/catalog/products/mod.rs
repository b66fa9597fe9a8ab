//! Products: unique by SKU; goods or a service; active or retired, never deleted.
//!
//! ```text
//! active ──retire──► retired ──reactivate──► active
//! ```

mod actions;
pub mod bulk;
mod handlers;
mod model;
mod queries;

pub use model::{Product, ProductFacts, ProductIn, ProductKind, ProductPatch, ProductStatus, Tracking};
pub use queries::{exist, facts, names};

use service_kit::problem::Fault;
use service_kit::{Error, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// 409 `duplicate` at a place of the body.
pub(crate) fn taken(pointer: &str, message: &str) -> Error {
    let mut problem = Problem::conflict("duplicate", message);
    problem.errors.push(Fault {
        pointer: pointer.to_owned(),
        code: "duplicate".to_owned(),
        message: message.to_owned(),
    });
    problem.into()
}
