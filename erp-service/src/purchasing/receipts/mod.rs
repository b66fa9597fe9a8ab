//! Receipts: what came of a purchase order, in parts or whole.
//!
//! - A receipt is numbered and posted at once and never changes; what goes back is a supplier
//!   return. Goods enter stock at the order's price, converted at the rate of the receipt's date: Dr
//!   stock, Cr goods received, not invoiced (GRNI). Services and expenses: Dr purchase expense, Cr GRNI.
//! - More than ordered comes in within the tolerance of the line or of the settings; beyond it the
//!   receipt is refused with the lines.
//! - What was billed before it came enters at what it was billed at, and clears that from GRNI.
//! - Stock that comes in fills backorders in the same transaction.
//!
//! Each line remembers what of its value GRNI still holds: value − billed − sent back before it was
//! billed. The sum of these is the GRNI account (less what was billed ahead, and what suppliers still
//! have to credit).
//!
//! Lock order: stock levels by product, then the purchase order, then sales orders (backorders), then numbers.

mod actions;
mod handlers;
mod model;
pub mod queries;

pub use model::{LineRow, Receipt};

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
