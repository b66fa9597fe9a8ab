//! Receivables: what customers owe, and why.
//!
//! - [`invoices`]: invoices and credit notes, from orders, deliveries or free lines
//! - [`prepayments`]: money that comes before the invoice
//! - [`disputes`]: what a customer does not agree with
//! - [`dunning`]: reminders of what is overdue
//! - [`statements`]: what a customer owed at any day, and why
//! - [`party`]: who a document is made out to; [`taxation`]: what its taxes come to
//!
//! Payments settle open items; they call [`note_settlement`] so that documents, orders and customers know.
//! Lock order: customer → orders → documents → open items → number series.

mod closing;
pub mod disputes;
pub mod dunning;
pub mod invoices;
pub mod party;
pub mod prepayments;
pub mod statements;
pub mod taxation;

pub use closing::CHECKS;
pub use invoices::settlement::{lock_settled, note_settlement};
pub use invoices::{ReturnedLine, credit_return};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    invoices::routes(routes);
    prepayments::routes(routes);
    disputes::routes(routes);
    statements::routes(routes);
    dunning::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "dunning_levels_pkey",
        "duplicate",
        "/id",
        "a dunning level with this id exists",
    ),
    Constraint::conflict(
        "dunning_levels_level_unique",
        "duplicate",
        "/level",
        "there is such a level: change it",
    ),
    Constraint::conflict(
        "dunning_runs_pkey",
        "duplicate",
        "/id",
        "a dunning run with this id exists",
    ),
    Constraint::conflict("disputes_pkey", "duplicate", "/id", "a dispute with this id exists"),
    Constraint::conflict(
        "disputes_one_open",
        "already_disputed",
        "",
        "the item is disputed already",
    ),
    Constraint::conflict(
        "prepayments_pkey",
        "duplicate",
        "/id",
        "a prepayment with this id exists",
    ),
    Constraint::conflict(
        "prepayments_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a prepayment with this external_ref exists",
    ),
    Constraint::conflict("invoices_pkey", "duplicate", "/id", "an invoice with this id exists"),
    Constraint::conflict(
        "invoices_external_ref_unique",
        "duplicate",
        "/external_ref",
        "an invoice with this external_ref exists",
    ),
    Constraint::rule(
        "invoices_payment_terms_id_fkey",
        "unknown_payment_terms",
        "/payment_terms_id",
        "there are no such payment terms",
    ),
    Constraint::rule(
        "invoices_department_id_fkey",
        "unknown_dimension",
        "/department_id",
        "there is no such department",
    ),
    Constraint::rule(
        "invoices_project_id_fkey",
        "unknown_dimension",
        "/project_id",
        "there is no such project",
    ),
    Constraint::rule(
        "invoice_lines_department_id_fkey",
        "unknown_dimension",
        "/lines",
        "a line names a department that does not exist",
    ),
    Constraint::rule(
        "invoice_lines_project_id_fkey",
        "unknown_dimension",
        "/lines",
        "a line names a project that does not exist",
    ),
];
