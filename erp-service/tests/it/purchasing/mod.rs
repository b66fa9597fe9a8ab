//! Purchasing, one file a resource.

mod supplier_prices;
mod suppliers;
