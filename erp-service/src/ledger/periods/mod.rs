//! Fiscal years and their periods.
//!
//! A **period** is open, closing (adjusting entries of the general journal only) or closed. Periods close in their order and
//! after their last day; only the last closed one opens again, with a reason. Before a period closes, every [`Check`](checks::Check)
//! looks: blockers refuse, warnings want a reason each. Whoever closes holds all number series of the year, so that nothing is
//! being posted while the checks look; a posting that waited finds the period closed.
//!
//! A **fiscal year** closes after all of its periods, with an entry that moves income and expense to retained earnings.
//! It opens again by the reversal of that entry.

mod actions;
pub mod checks;
mod handlers;
mod model;
mod queries;
mod year_end;
mod years;

pub use handlers::routes;
