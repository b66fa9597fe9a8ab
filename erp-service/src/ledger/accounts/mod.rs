//! The chart of accounts: a tree of headings with accounts below them.
//!
//! An **account** has a code that is unique for ever, a kind and perhaps a heading of the same kind above it. A **heading** sums what
//! is below it and is never posted to. A **control account** is the sum of a subledger: documents alone post to it.
//! **Liquid** accounts are cash and bank; the cash flow report follows them. Once there are entries, kind, control and
//! currency stay, and a heading stays one. Accounts are retired, not deleted.

mod actions;
mod batch;
mod chart;
mod handlers;
mod model;

pub use batch::{AccountRow, Outcome, Upserted, upsert_batch};
pub use handlers::routes;
pub use model::{Account, AccountIn, AccountKind, AccountStatus, Control};
