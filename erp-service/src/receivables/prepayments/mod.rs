//! Prepayments: money that a customer pays before the invoice.
//!
//! ```text
//! requested ──money──► partially_received ──► received        (a final invoice clears what came)
//!     └────────────────── cancel ───────────────► cancelled
//! ```
//! - A **request** asks for a part of an order's total. It posts nothing.
//! - Money that comes for it is an **advance**: Dr Bank, Cr Advances; where the company's advances are taxed, Cr Tax at the
//!   rate of the day, in the proportions of the order. The payment adds these lines to its own entry: [`receive`].
//! - The **final invoice** clears the advances of its order and claims the rest; the tax of the advances comes off.
//! - **Cancelling** takes back what no invoice has cleared and leaves a credit that can be refunded.
//! - An advance in a foreign currency keeps the rate of its day (IFRIC 22): it is never revalued, and that part of
//!   the revenue has that rate.
//!
//! Invariant: what is open of an advance, gross, is its open item and its open taxes.

mod deduction;
mod handlers;
mod model;
mod receipt;
mod requests;

pub use deduction::{Deduction, at_historic_rates, clear, deductions, note_cleared, shown};
pub use handlers::routes;
pub use model::{Advance, Prepayment, PrepaymentStatus};
pub use receipt::{Receipt, exists, lock_for_receipt, lock_received, open_gross, receive, take_back};

use crate::schema::advances;
use diesel::prelude::*;
use service_kit::{Result, Tx};
use uuid::Uuid;

/// Whether money came in advance for this order, and was not given back.
///
/// # Errors
/// When the database refuses.
pub fn has_advances(tx: &mut Tx<'_>, order_id: Uuid) -> Result<bool> {
    let of_order = advances::table.filter(advances::order_id.eq(order_id).and(advances::cancelled_on.is_null()));
    Ok(diesel::select(diesel::dsl::exists(of_order)).get_result(&mut **tx)?)
}
