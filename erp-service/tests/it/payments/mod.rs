//! Tests of the module through HTTP.

mod allocation;
mod bank_accounts;
pub mod books;
mod clearings;
mod currencies;
mod discounts;
mod discounts_credited;
mod invoices;
mod paying;
mod payment_files;
mod proposals;
mod races;
mod reversal;
mod statements;
