//! Leads: somebody may want something; from first contact until it is clear what becomes of it.
//!
//! **How they come.** Over the API, or through a public web form ([`forms`], [`submissions`]). Nothing that
//! is sent in is lost: each submission is stored as it came, what a honeypot caught too (as spam, which is
//! no lead unless somebody says so). Every contact is a touch ([`touches`]) with its source, campaign and UTM
//! fields; the lead itself keeps source and campaign of the first. Who comes again while a lead of the same
//! e-mail address or telephone number is open touches that lead ([`capture`]).
//!
//! **States** ([`state`]): `new` → `working` → `qualified` → `converted`, or `disqualified` with a reason;
//! `reopen` leads back from qualified and disqualified to working.
//!
//! **Score** ([`scoring`]): rules in the filter language give points; the lead shows which gave what, and the
//! score is their sum. One piece of SQL computes it for one lead and for all, so that a changed rule leaves
//! the scores that the same rules would have given from the beginning.
//!
//! **Assignment** ([`assignment`]): a lead that belongs to nobody goes by the first rule that fits its territory
//! and condition, in turn or to whoever has the fewest open leads; a rule's row is locked meanwhile, so that
//! turns are fair whoever comes at once. A lead that no rule fits stays with nobody.
//!
//! **Conversion** ([`conversion`]) makes a customer (or takes one), a contact and a deal, once: the lead is
//! locked, and whoever comes later is told what it became. Its activities then concern the customer.
//!
//! **From a file** ([`imports`]): rows make leads, change those that they name, or touch the open one of the same person;
//! an import is taken back within a day.
//!
//! A lead follows its own owner's visibility: [`queries::get`] and [`queries::lock`] are the only ways to one.
//! Lock order: scoring rules (shared), identities, the lead, an assignment rule.

pub mod assignment;
pub mod capture;
pub mod conversion;
pub mod editing;
pub mod form_keys;
pub mod forms;
mod handlers;
pub mod imports;
pub mod list;
pub mod model;
pub mod queries;
pub mod scoring;
pub mod state;
pub mod submissions;
pub mod touches;

pub use model::Lead;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    touches::routes(routes);
    forms::routes(routes);
    form_keys::routes(routes);
    submissions::routes(routes);
    scoring::routes(routes);
    assignment::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "leads_external_ref_key",
        "duplicate",
        "/external_ref",
        "another lead has this external_ref",
    ),
    Constraint::conflict("lead_forms_pkey", "duplicate", "/id", "another form has this id"),
    Constraint::conflict(
        "lead_scoring_rules_pkey",
        "duplicate",
        "/id",
        "another rule has this id",
    ),
    Constraint::conflict(
        "lead_scoring_rules_name_key",
        "duplicate",
        "/name",
        "another rule has this name",
    ),
    Constraint::conflict(
        "lead_assignment_rules_pkey",
        "duplicate",
        "/id",
        "another rule has this id",
    ),
    Constraint::conflict(
        "lead_assignment_rules_name_key",
        "duplicate",
        "/name",
        "another rule has this name",
    ),
];
