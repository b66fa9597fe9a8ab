//! Products, as the ERP last told them, shown with their prices and availability.
//!
//! A product's answer is put together from four replicas that change on their own, so its `ETag`
//! counts the changes of all of them: `"<product>.<prices>.<availability>.<category>"`.

mod handlers;
mod model;
mod queries;

pub use handlers::routes;
pub use model::{ProductKind, ProductStatus};
pub use queries::{Described, described, statuses};
