//! Deliveries: what leaves the warehouse for an order, in parts or whole.
//!
//! A delivery ships what is reserved, never more, of an order that is not on hold. It is numbered
//! and posted at once, dated as asked (not in the future; not so early that a later day's stock
//! would become negative), and never changes afterwards. What leaves takes its value along, at the
//! moving average: Dr Cost of goods sold, Cr Stock; each line keeps its share, at which it comes back.

mod actions;
mod handlers;
mod lines;
mod model;
pub mod queries;

pub use actions::order_of;
pub use handlers::routes;
pub use model::{DeliveredLot, Delivery, DeliveryIn, DeliveryLine, DeliveryLineIn};
