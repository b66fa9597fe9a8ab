//! Stories across the three services, one a file; then faults, documents and the demo.

mod arrival_order;
mod back_office_orders;
mod cancellation;
mod containers;
mod demo;
mod documents;
mod erp_stopped;
mod faults;
mod order_to_delivery;
mod rejection_and_hold;
mod restored_dump;
