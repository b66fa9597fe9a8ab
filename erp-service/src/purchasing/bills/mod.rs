//! Supplier bills.
//!
//! ```text
//! draft ──post──► posted ──reverse──► reversed
//!   │  ▲   │        ▲
//!   │  │   └──► match_held ──release (somebody else, with a reason)
//!   │  └─edit──────┘ │
//!   └──cancel──► cancelled ◄──┘
//! ```
//! - A line names a line of a purchase order, or is an expense with an account. Lines of orders are
//!   matched three ways ([`matching`]): outside of the tolerance the bill is held, unposted.
//! - Posting: Dr goods received, not invoiced (GRNI) with what the receipts credited, oldest first;
//!   Dr input tax; Cr payable, an open item for each instalment. The price difference revalues what is
//!   left in stock, the rest is price variance; a difference by the exchange rate is gain or loss.
//! - What is billed before it came (released by somebody) waits in GRNI at the billed price; its
//!   receipt clears it ([`ahead`]).
//! - The supplier's own number is unique per supplier, among bills that are neither reversed nor
//!   cancelled.
//!
//! Lock order: stock levels, then purchase orders by id, then the bill, then open items, then numbers.

mod actions;
pub mod ahead;
mod book;
mod closing;
mod handlers;
pub mod matching;
mod model;
pub mod queries;
mod reversal;
mod status;

pub use closing::CHECKS;
pub use model::{SupplierBill, SupplierBillIn};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
