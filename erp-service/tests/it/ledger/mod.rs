//! Tests of the module through HTTP.

mod accounts;
mod balance_sheet;
pub mod books;
mod cash_flow;
mod closing;
mod dimensions;
mod fiscal_years;
mod general_ledger;
mod journal_entries;
mod number_series;
mod periods;
mod posting_rules;
mod profit_and_loss;
mod trial_balance;
mod triggers;
