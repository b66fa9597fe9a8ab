//! Changes that their target refused: a 4xx that no repeat will mend, or an event that no request
//! can be made of. What went out, what came back and why it is parked are kept.
//!
//! States: `open` → `resolved` (a later version of the record was applied, or a retry was) or
//! `discarded` (somebody decided so, with a reason). Both are final.
//!
//! Invariants:
//! - a record has at most one open dead letter in a flow: a later version that is refused as well
//!   takes its place;
//! - a dead letter holds nobody else back, and is never purged.

mod actions;
mod handlers;
mod model;
mod queries;

pub use model::{DeadLetter, DeadLetterState, Parked, Refusal};
pub use queries::park;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
