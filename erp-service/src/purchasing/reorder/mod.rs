//! Reordering: rules say below which stock to order again, and proposals say what that is now.
//!
//! - A **rule** is for a product in a warehouse: minimum, target, perhaps lead time and supplier.
//! - A **proposal** exists where on hand − reserved − backordered + incoming is below the minimum; it
//!   fills up to the target and names these figures. Incoming counts every purchase order that is not at
//!   its end, drafts too: what was ordered from a proposal is not proposed again.
//! - Proposals become purchase orders in one step, one for each supplier; meanwhile the rules are
//!   locked, so that two at once do not order twice.

mod proposals;
mod rules;

pub use rules::ReorderRule;

use service_kit::Routes;

pub fn routes(routes: &mut Routes) {
    rules::routes(routes);
    proposals::routes(routes);
}
