//! Payments as documents: posted once, allocated at once or later, undone in part or reversed as a whole.
//!
//! | state | what may happen |
//! |---|---|
//! | `posted` | allocate what is on account, undo an allocation, reverse |
//! | `reversed` | nothing: it bounced or was a mistake; its items are open again, discounts are taken back |

mod actions;
mod handlers;
mod model;
mod queries;
mod undo;

pub(super) use actions::expand;
pub use actions::{allocate, pay};
pub(super) use handlers::may_write_off;
pub(super) use model::shown;
pub use model::{
    AllocationIn, AllocationsIn, Direction, Payment, PaymentAllocation, PaymentIn, PaymentMethod, PostingIn,
};
pub use queries::find;
pub(super) use queries::{accounts_of, active_settlements, note_settlement, settlements_of};
pub use undo::{ReversalIn, reverse};
pub(super) use undo::{note_undone, take_back};

use service_kit::Routes;

pub(super) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}
