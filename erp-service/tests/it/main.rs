//! Tests through HTTP, each on a database of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should fail"
)]

mod categories;
mod company;
mod conventions;
mod currencies;
mod customers;
mod deliveries;
mod exchange;
mod exposures;
mod given;
mod invariants;
mod inventory;
mod kit_api_keys;
mod kit_audit;
mod kit_events;
mod kit_http;
mod kit_idempotency;
mod kit_paging;
mod kit_preconditions;
mod ledger;
mod merged_customers;
mod migrations;
mod payments;
mod price_lists;
mod price_quotes;
mod process;
mod products;
mod purchasing;
mod receivables;
mod revaluations;
mod sales_orders;
mod segments;
mod shop;
mod stock;
mod submitted_orders;
mod taxes;
mod trade;
