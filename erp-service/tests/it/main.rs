//! Tests through HTTP, each on a database of its own.

mod conventions;
mod deliveries;
mod inventory;
mod sales_orders;
mod shop;
mod submitted_orders;
