//! Stories across the three services, one a file; then faults, documents and the demo.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on says why"
)]

mod arrival_order;
mod back_office_orders;
mod cancellation;
mod change_racing_delivery;
mod containers;
mod crowd;
mod demo;
mod documents;
mod erp_stopped;
mod exchange_rates;
mod expected_goods;
mod faults;
mod from_lead_to_cash;
mod merged_customer;
mod order_to_cash;
mod order_to_delivery;
mod rejection_and_hold;
mod restored_dump;
mod segments;
mod walkthroughs;
