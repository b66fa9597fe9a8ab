//! The event feed: what changed, in an order that skips nothing.
//!
//! Events are rows written in the transaction of the change. Identity values commit out of order,
//! so the feed shows only rows of transactions below the horizon
//! (`pg_snapshot_xmin(pg_current_snapshot())`), ordered by `(transaction_id, position)`: no row
//! can appear there later. The horizon is that of the whole cluster; a long write transaction in
//! any of its databases holds the feed back, never breaks it.
//!
//! A cursor holds transaction, position and the id of the feed. The feed is bound to the database
//! cluster that it grew in ([`bind`]): a dump that is restored elsewhere gets a new feed id, and
//! old cursors are answered 410.

mod feed;
mod handlers;
mod notifier;

pub use feed::{Batch, FeedCursor, FeedEvent, bind, horizon_age_seconds, since};
pub use handlers::{Event, EventBatch, routes};
pub use notifier::Notifier;
