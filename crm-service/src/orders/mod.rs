//! Orders: what a customer ordered, its submission to the ERP, and everything that came back.
//!
//! **Two owners, one after the other.** Until it is submitted an order is the CRM's: a draft that
//! is edited freely. Submitting it is the CRM's last word; from then on the ERP decides, and what
//! it reports is kept in [`fulfilment`]. Orders that the back office placed appear here as well
//! (`origin: erp`), read-only.
//!
//! **States** ([`status`]): `draft` → `submitted` → what the ERP reports: `accepted` (its
//! `confirmed`), `rejected`, `on_hold`, `partially_delivered`, `delivered`, `closed`, `cancelled`.
//! `rejected` is final; `copy` makes a new draft of any order.
//!
//! **Two counters.** `version` counts the changes made here (draft edits, submission, requests for
//! cancellation) and is the version of the events `order.changed`, `order.submitted` and
//! `order.cancellation_requested` and `order.change_requested`. A report of the ERP raises `revision` (the `ETag`) only, and
//! emits `order.fulfilment_changed` under the ERP's version: so nothing echoes.
//!
//! **Whose it is.** An order follows its own owner: who places it, or the customer's owner when a
//! client with a key or the back office does. Out of sight it is not there ([`queries`]).
//!
//! What always holds:
//! - An order is submitted once; a submitted order's content does not change here any more. What
//!   the user wants after that is a request: `cancel` and change requests ask, the ERP grants or
//!   refuses each, and while it has not answered, its reports win.
//! - An older report never overwrites a newer one.
//! - Line ids are minted here (or by the caller) and shared with the ERP.
//! - A product that the catalogue here does not know is accepted: the replica may lag, and the ERP
//!   rejects unknown products line by line, with reasons.
//! - An order that a quote was accepted with ([`promised`]) keeps the quote's lines; the ERP does not
//!   reject them because a product was retired meanwhile.
//! - A price that somebody gave is a promise and is kept. Lines without one get the list price of
//!   the customer's tier at the order date when the order is submitted; what the replica cannot
//!   price stays without until the ERP has priced it. Copying keeps given prices and forgets list
//!   prices, because the copy has a date of its own.
//!
//! **Concurrency.** Every command reads the order with its lines in one statement and writes it
//! guarded by the revision that it has read; when somebody else was faster, the command runs
//! again from the start. That is one round trip less than locking first, and reads the lines of
//! the very state that is changed.
//!
//! Reading order: [`model`], [`status`], [`stored`], then the verbs: [`drafts`] (place, edit, copy),
//! [`submission`] (submit, cancel), [`change_requests`], [`assignment`], [`fulfilment`] (what the ERP reports).

pub mod assignment;
pub mod change_requests;
pub mod drafts;
pub mod fulfilment;
mod handlers;
pub mod model;
pub mod promised;
pub mod queries;
pub mod status;
pub mod stored;
pub mod submission;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "orders_external_ref_unique",
        "duplicate",
        "/external_ref",
        "another order has this external_ref",
    ),
    Constraint::conflict(
        "orders_quote_key",
        "duplicate",
        "",
        "there is an order of this quote already",
    ),
    Constraint::conflict(
        "order_lines_pkey",
        "duplicate",
        "/lines",
        "another order has a line with the id of one of these",
    ),
    Constraint::rule(
        "orders_dates",
        "out_of_range",
        "/requested_date",
        "must not be before the order date",
    ),
    Constraint::rule(
        "orders_customer_known",
        "unknown_customer",
        "/customer_id",
        "there is no such customer",
    ),
];

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    fulfilment::routes(routes);
}
