//! Supplier credit notes: what a supplier owes us less, or back.
//!
//! - A line credits what was sent back (a line of a supplier return), or is an amount in words with an
//!   account. Posting: Dr payable, Cr goods received, not invoiced (what the return waited for) or the
//!   account, Cr input tax at the rates of the bill's day. What it is more or less than the return
//!   expected is price variance, by another exchange rate gain or loss.
//! - It clears its own bill first: the one it names, else those that billed what was sent back. What
//!   is over stays open, to be set off or paid back.
//! - The supplier's own number is unique per supplier. A credit note is posted at once.
//!
//! Lock order: return lines by id, then open items, then numbers.

mod actions;
mod handlers;
mod model;
mod queries;

pub use model::SupplierCreditNote;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
