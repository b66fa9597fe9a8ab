//! Tests of the module through HTTP.

mod allocation;
mod bank_accounts;
mod books;
mod clearings;
mod currencies;
mod discounts;
mod invoices;
mod races;
mod reversal;
mod statements;
