//! Journal entries, as they are seen and as they are written by hand.
//!
//! States: **draft** (lines may be anything that fits its accounts; no number, no effect), **posted**
//! (numbered, immutable), **reversed** (posted, and mirrored by another). A draft is changed, deleted or
//! posted; a posted entry is reversed. Entries that documents made are shown here too, and are reversed
//! there.
//!
//! By hand nothing is posted to headings and to control accounts: their subledgers would not know.

mod actions;
mod handlers;
mod lines;
mod model;
mod queries;

pub use handlers::routes;
pub use model::{CashFlowCategory, JournalEntry, path_of};
