//! Payments: money in and out by bank account, and what it clears.
//!
//! - A **bank account** ([`bank_accounts`]) is where money comes in and goes out: one currency, one liquid account
//!   of the ledger. One is the default of its currency.
//! - An **opening item** ([`opening_items`]) is an invoice, a bill or a credit of the time before, against opening
//!   equity.
//! - A **payment** is posted when it is made, with one entry and a number of the series `payment`. It clears
//!   open items at once or later; what it does not clear stays **on account**, as an open item of its own. A payment
//!   without a party names accounts (interest, rent …).
//! - A **settlement** is the clearing of one item: by money or by another item, less a cash discount taken in time and a
//!   small difference written off; the exchange difference is what remains (`settlement`, pure arithmetic in
//!   `amounts`). It keeps the lines that it posted, so that just this one can be undone: what was paid then
//!   stands on account again.
//! - A **clearing** ([`clearings`]) settles items without money: credit notes against invoices, bad debts.
//!
//! - A **payment proposal** ([`proposals`]) collects what to pay suppliers, is approved by a second person and becomes payments.
//! - A **bank statement** ([`statements`]) says what happened at the bank; each of its lines is matched with a payment or becomes one.
//! - **Ageing** (`ageing`): what is open on a day, by how long it is overdue.
//!
//! What always holds: nothing clears more than is open (the database checks it under the items' locks); a payment's money
//! = what it has cleared + what is on account; a reversed payment has cleared nothing.
//!
//! Lock order: party → payment or clearing → open items by id → number series.

mod ageing;
mod amounts;
pub mod bank_accounts;
pub mod clearings;
mod documents;
pub mod open_items;
pub mod opening_items;
mod parties;
pub mod proposals;
mod settlement;
pub mod statements;

pub use documents::{
    AllocationIn, AllocationsIn, Direction, Payment, PaymentAllocation, PaymentIn, PaymentMethod, PostingIn,
    ReversalIn, allocate, find, pay, reverse,
};
pub use parties::PartyType;
pub use statements::CHECKS;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    bank_accounts::routes(routes);
    opening_items::routes(routes);
    open_items::routes(routes);
    documents::routes(routes);
    clearings::routes(routes);
    proposals::routes(routes);
    statements::routes(routes);
    ageing::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "bank_accounts_pkey",
        "duplicate",
        "/id",
        "a bank account with this id exists",
    ),
    Constraint::conflict(
        "bank_accounts_iban_unique",
        "duplicate",
        "/iban",
        "a bank account with this IBAN exists",
    ),
    Constraint::rule(
        "bank_accounts_default_active",
        "default_bank_account_needed",
        "/status",
        "make another bank account the default first",
    ),
    Constraint::conflict(
        "bank_accounts_one_default",
        "busy",
        "/is_default",
        "another bank account of this currency became the default at the same time",
    ),
    Constraint::conflict(
        "bank_statement_lines_one_payment",
        "payment_taken",
        "/payment_id",
        "another line is matched with the payment",
    ),
    Constraint::conflict(
        "bank_posting_rules_pkey",
        "duplicate",
        "/id",
        "a bank posting rule with this id exists",
    ),
    Constraint::conflict("payments_pkey", "duplicate", "/id", "a payment with this id exists"),
    Constraint::conflict(
        "payments_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a payment with this external_ref exists",
    ),
    Constraint::conflict("clearings_pkey", "duplicate", "/id", "a clearing with this id exists"),
    Constraint::conflict(
        "opening_items_pkey",
        "duplicate",
        "/id",
        "an opening item with this id exists",
    ),
    Constraint::conflict(
        "opening_items_external_ref_unique",
        "duplicate",
        "/external_ref",
        "an opening item with this external_ref exists",
    ),
    Constraint::conflict(
        "opening_items_document_unique",
        "duplicate",
        "/document_number",
        "the party has an opening item of this kind and document number",
    ),
    Constraint::rule(
        "company_write_off_limit_not_negative",
        "out_of_range",
        "/write_off_limit",
        "must not be negative",
    ),
];
