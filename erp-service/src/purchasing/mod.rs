//! Purchasing: from whom goods and services come, at which price, and what is owed for them.
//!
//! - [`suppliers`]: the master of suppliers, emitted as `supplier.changed`
//! - [`prices`]: what a supplier asks for a product; exactly one price answers a question
//! - [`orders`]: purchase orders, approved by a second person within a limit ([`approval`])
//! - [`receipts`]: what came, into stock or as an expense, against goods received, not invoiced
//! - [`bills`]: what is owed, matched three ways
//! - [`returns`]: what goes back; [`credit_notes`]: what is owed less for it
//! - [`requisitions`]: what somebody needs; [`quotations`]: the same question to several suppliers
//! - [`reorder`]: when to order again, as rules, proposals and orders
//! - [`settings`]: tolerances and what needs no second person
//!
//! Invariants live in the database as well: see the migration.

pub mod approval;
pub mod bills;
pub mod credit_notes;
mod exchange;
pub mod orders;
pub mod prices;
pub mod quotations;
pub mod receipts;
mod references;
pub mod reorder;
pub mod requisitions;
pub mod returns;
pub mod settings;
pub mod suppliers;
mod taxation;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    suppliers::routes(routes);
    prices::routes(routes);
    settings::routes(routes);
    approval::routes(routes);
    orders::routes(routes);
    receipts::routes(routes);
    bills::routes(routes);
    returns::routes(routes);
    credit_notes::routes(routes);
    requisitions::routes(routes);
    quotations::routes(routes);
    reorder::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "suppliers_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a supplier with this external_ref exists",
    ),
    Constraint::rule(
        "suppliers_payment_terms_id_fkey",
        "unknown_payment_terms",
        "/payment_terms_id",
        "there are no such payment terms",
    ),
    Constraint::conflict(
        "supplier_prices_pkey",
        "duplicate",
        "/id",
        "a supplier price with this id exists",
    ),
    Constraint::conflict(
        "supplier_prices_no_ties",
        "duplicate_price",
        "/valid_from",
        "the supplier has a price of this product, currency, minimum quantity and first day",
    ),
    Constraint::conflict(
        "purchase_approval_limits_pkey",
        "duplicate",
        "/id",
        "a limit with this id exists",
    ),
    Constraint::conflict(
        "purchase_approval_limits_role_unique",
        "duplicate",
        "/role",
        "the role has a limit",
    ),
    Constraint::conflict(
        "purchase_approval_limits_key_unique",
        "duplicate",
        "/api_key_id",
        "the key has a limit",
    ),
    Constraint::rule(
        "purchase_approval_limits_api_key_id_fkey",
        "unknown_key",
        "/api_key_id",
        "there is no such key",
    ),
    Constraint::conflict(
        "purchase_orders_pkey",
        "duplicate",
        "/id",
        "a purchase order with this id exists",
    ),
    Constraint::conflict(
        "purchase_orders_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a purchase order with this external_ref exists",
    ),
    Constraint::conflict(
        "purchase_order_lines_pkey",
        "duplicate",
        "/lines",
        "a line with this id exists",
    ),
    Constraint::conflict("receipts_pkey", "duplicate", "/id", "a receipt with this id exists"),
    Constraint::conflict(
        "receipts_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a receipt with this external_ref exists",
    ),
    Constraint::conflict(
        "supplier_bills_pkey",
        "duplicate",
        "/id",
        "a supplier bill with this id exists",
    ),
    Constraint::conflict(
        "supplier_bills_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a supplier bill with this external_ref exists",
    ),
    Constraint::conflict(
        "supplier_bills_supplier_number_unique",
        "duplicate",
        "/supplier_number",
        "the supplier has used this number before",
    ),
    Constraint::conflict(
        "supplier_returns_pkey",
        "duplicate",
        "/id",
        "a supplier return with this id exists",
    ),
    Constraint::conflict(
        "supplier_returns_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a supplier return with this external_ref exists",
    ),
    Constraint::conflict(
        "supplier_credit_notes_pkey",
        "duplicate",
        "/id",
        "a supplier credit note with this id exists",
    ),
    Constraint::conflict(
        "supplier_credit_notes_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a supplier credit note with this external_ref exists",
    ),
    Constraint::conflict(
        "supplier_credit_notes_supplier_number_unique",
        "duplicate",
        "/supplier_number",
        "the supplier has used this number before",
    ),
    Constraint::conflict(
        "requisitions_pkey",
        "duplicate",
        "/id",
        "a requisition with this id exists",
    ),
    Constraint::conflict(
        "requisitions_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a requisition with this external_ref exists",
    ),
    Constraint::conflict(
        "requests_for_quotation_pkey",
        "duplicate",
        "/id",
        "a request for quotation with this id exists",
    ),
    Constraint::conflict(
        "requests_for_quotation_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a request for quotation with this external_ref exists",
    ),
    Constraint::conflict(
        "reorder_rules_pkey",
        "duplicate",
        "/id",
        "a reorder rule with this id exists",
    ),
    Constraint::conflict(
        "reorder_rules_one_per_place",
        "duplicate",
        "/product_id",
        "there is a rule for this product and warehouse",
    ),
];
