//! Bank statements: what the bank says happened on an account, line by line.
//!
//! - A **statement** is imported from a file: CAMT.053 (ISO 20022, camt.053.001.02 to .08, and later ones that keep their
//!   elements) or CSV by the column mapping of the bank account. Its opening balance and its lines must come to its closing balance.
//! - Nothing comes in twice: a statement is known by the bank account and its identification, a line by the bank's reference,
//!   or, without one, by a hash of date, amount, reference, counterparty and its running index among equal ones of
//!   the file. What is known already is skipped and reported.
//! - A **line** is `unmatched` until it is `matched` with a payment that was there, or `booked` as a new one; undoing makes it
//!   `unmatched` again. Each payment explains one line at most.
//! - **Suggestions** say what a line may be, with a score and reasons; booking takes the best, another one, or what
//!   the caller says.
//! - **Posting rules** name the account of charges, interest and the like by a text in the line.
//! - Unmatched lines stand in the way of closing their period.

mod actions;
pub(super) mod booking;
mod camt;
mod check;
mod csv;
mod file;
mod handlers;
mod lines;
mod model;
mod posting_rules;
mod suggest;

pub use check::CHECKS;
pub use csv::CsvFormat;
pub use lines::BankStatementLine;
pub use model::BankStatement;

use service_kit::Routes;

pub(super) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    lines::routes(routes);
    posting_rules::routes(routes);
}
