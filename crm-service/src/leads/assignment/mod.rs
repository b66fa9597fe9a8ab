//! Assignment: whose a lead becomes.
//!
//! Rules ([`rules`]) stand in an order; the first decides that is active, fits the lead (its territory and its condition)
//! and has an active member ([`choosing`]). `round_robin` gives to each in turn, `by_load` to whoever has the fewest open
//! leads. Whoever chooses locks the rule's row until the lead is stored, so turns are fair. Many leads can be given to somebody
//! at once ([`many`]), past the rules.

pub mod choosing;
pub mod many;
pub mod model;
pub mod rules;

pub use choosing::choose;
pub use rules::routes;
