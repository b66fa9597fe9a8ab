//! Purchasing, one file a resource.

mod buying;
mod purchase_orders;
mod supplier_prices;
mod suppliers;
