//! Where each flow stands: its place in the feed, its counts and lags, who works on it.
//!
//! One row a flow. The instance that holds the lease writes it while it works ([`progress`]);
//! operators write their wishes (pause, resume, resync), and the owner obeys within a second,
//! at once when it is in the same process.
//!
//! Invariants:
//! - the cursor only moves over changes that are applied, stored for a retry, or parked;
//! - only the owner of the lease moves it: each write names owner and epoch, and an earlier
//!   owner's write touches nothing;
//! - a resync is open from `resync_requested_at` until the last page is applied; it then leaves
//!   the cursor at the head that the feed had before the first page.

mod actions;
mod handlers;
pub mod leases;
mod model;
pub mod progress;
mod queries;

pub use model::{FlowState, FlowStatus};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
