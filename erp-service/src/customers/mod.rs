//! Customers: who buys, and on which terms.
//!
//! A customer has two masters. **The CRM** owns who it is (name, legal entities, contacts,
//! addresses, grade …); that part arrives as a whole by `PUT` with its `source_version`, and a
//! newer one wins. **The ERP** owns the terms: tier, credit limit (none = unlimited, 0 =
//! prepayment), credit hold, block, payment terms; they change by `PATCH`.
//!
//! - `version` counts changes of the terms; each is a `customer.credit_changed` event, and so is
//!   the creation, because the CRM shows the terms. Applying the CRM's part emits nothing: nothing
//!   echoes.
//! - `revision` counts changes of the whole record.
//! - Nothing of the CRM's part is unique here: changes of two customers may arrive in any order.
//! - A customer that turned out to be another one (`merged_into`) keeps its orders and documents, which end under its
//!   name; the terms of the other decide on both, and exposure and balance are sums over both.
//! - The groups that the CRM puts them in are [`segments`].
//! - Users create no customers here and change nothing of the CRM's part: 409 `not_owner`.

mod actions;
mod balance;
mod handlers;
mod input;
mod model;
mod queries;
pub mod segments;

pub use actions::{hold_credit, import_terms};
pub use balance::{Billing, billing_of, lock_billing, note_balance_changed};
pub use input::{CustomerPatch, ReplicatedCustomer};
pub use model::{Customer, CustomerKind, CustomerStatus, CustomerWithExposure, Terms};
pub use queries::{exist, has_legal_entity, ids_by_reference, lock_terms, tax_party, terms, tier_on};

use service_kit::Routes;
use service_kit::problem::Constraint;

/// Where the CRM has them.
pub const OWNER_PATH: &str = "/v1/customers";

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    segments::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::rule(
        "customers_credit_limit_not_negative",
        "out_of_range",
        "/credit_limit",
        "must not be negative",
    ),
    Constraint::rule(
        "customers_payment_terms_id_fkey",
        "unknown_payment_terms",
        "/payment_terms_id",
        "there are no such payment terms",
    ),
];
