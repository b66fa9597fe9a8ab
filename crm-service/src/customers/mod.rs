//! Customers: the companies and persons that we sell to.
//!
//! The CRM is their master: they are made and changed here, and the ERP follows. A customer is a
//! core (name, kind, grade …) with three kinds of parts, each a record with an id and a revision
//! of its own: contacts (people), addresses (places) and legal entities (whose name stands on an
//! invoice).
//!
//! **A part is a part.** Whoever changes one changes the customer: its `version` and `revision`
//! rise, and one event, `customer.changed`, tells the whole record. So a reader of the feed never
//! has to put a customer together from pieces that come in any order. That is why every action
//! here locks the customer first, and why [`parts`] holds what the three kinds do alike.
//!
//! **Two counters.** `version` counts changes of what the CRM owns and orders the events;
//! `revision` counts every change of what a reader sees and is the `ETag`. They part company at
//! the one thing about a customer that the CRM does not own: its [`credit`] facts. The ERP's sync
//! writes those; that raises `revision` alone and emits nothing, so nothing echoes.
//!
//! **States.** `active` ⇄ `archived`, by `archive` and `restore`. An archived customer keeps its
//! history and can be corrected, but takes no new orders: [`standing`] tells the orders module.
//!
//! What always holds:
//! - `external_ref` is unique for ever; a customer is never deleted.
//! - A grade has a date from which it is effective (today unless told). It travels to the ERP,
//!   which decides what tier it means; no tier is computed here.
//! - On any day at most one legal entity of a customer is the default one. The rule is checked
//!   here, to name the fault, and by an exclusion constraint in the database.
//! - Names are text in any script; countries are ISO 3166-1 codes ([`country`]).
//!
//! What happened to a customer, here and in the ERP, is told by its [`timeline`], which other
//! modules add to.
//!
//! Reading order: [`model`] (the words), [`rules`] (what must hold), [`actions`] (the verbs),
//! [`queries`] (the SQL), [`handlers`] (the HTTP).

pub mod actions;
pub mod addresses;
pub mod consent;
pub mod contacts;
pub mod country;
pub mod credit;
pub mod depth;
pub mod duplicates;
pub mod email;
pub mod handlers;
pub mod imports;
pub mod legal_entities;
pub mod merge;
pub mod model;
pub mod parts;
pub mod queries;
pub mod reference;
pub mod rules;
pub mod search;
pub mod timeline;
pub mod whole;

pub use model::{Customer, CustomerStatus};
pub use queries::{Standing, in_sight, standing};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    contacts::routes(routes);
    addresses::routes(routes);
    legal_entities::routes(routes);
    credit::routes(routes);
    timeline::routes(routes);
    consent::routes(routes);
    duplicates::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("consents_pkey", "duplicate", "/id", "another consent has this id"),
    Constraint::conflict(
        "customers_merged",
        "merged",
        "",
        "the customer has just become part of another; read it to learn which",
    ),
    Constraint::rule(
        "customers_acyclic",
        "customer_cycle",
        "/parent_id",
        "the company would be above itself",
    ),
    Constraint::rule(
        "customers_tree_depth",
        "too_deep",
        "/parent_id",
        "a tree of companies has at most ten levels",
    ),
    Constraint::conflict(
        "customers_external_ref_key",
        "duplicate",
        "/external_ref",
        "another customer has this external_ref",
    ),
    Constraint::conflict("contacts_pkey", "duplicate", "/id", "another contact has this id"),
    Constraint::conflict("addresses_pkey", "duplicate", "/id", "another address has this id"),
    Constraint::conflict(
        "legal_entities_pkey",
        "duplicate",
        "/id",
        "another legal entity has this id",
    ),
    Constraint::rule(
        "legal_entities_one_default",
        "default_overlaps",
        "",
        "on some day two legal entities would be the default one",
    ),
];
