//! Returns: what customers send back.
//!
//! ```text
//! authorised ──receive──► received ──inspect──► inspected ──credit──► completed
//!     │ cancel                                      (nothing to credit: completed at once)
//!     ▼
//! cancelled
//! ```
//!
//! - A line names the delivery that its goods came with; absent, the oldest of which something is
//!   left. No more comes back than was delivered.
//! - **Received** goods enter at their delivery's cost: Dr Stock, Cr Cost of goods sold. Until they are
//!   inspected they count as reserved, so that nobody is promised them.
//! - What was not invoiced yet when it came back is not invoiced any more; the rest is **to credit**,
//!   at the price, discount, tax, rate and legal entity of its invoice. Credit notes stand above this
//!   module and say so with [`note_credited`].
//! - **Inspected** goods go back to stock, which fills backorders, or are scrapped: Dr Scrap, Cr Stock,
//!   at the moving average.

mod actions;
mod handlers;
mod inspection;
mod model;
mod queries;
mod receipt;

pub use actions::note_credited;
pub use handlers::routes;
pub use model::{ReturnStatus, SalesReturn, SalesReturnLine};
pub use queries::{find, lock};
