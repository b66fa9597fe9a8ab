//! Activities: what sales does all day, as one typed stream on any record.
//!
//! **Kinds.** Tasks, calls and meetings are planned and then done; notes, text messages and e-mails
//! are told once they have happened. One table holds them all; each kind has fields of its own,
//! and [`rules`] names those that stand with the wrong kind or are missing.
//!
//! **States.** `open` → `done` (complete) or `cancelled` (cancel); both → `open` (reopen). Notes
//! and text messages are done from the start; an e-mail that is sent from here is open until it is.
//!
//! **What it is about.** A customer, lead, deal, quote or order, or nothing. The customer that it
//! thereby concerns is derived and stored, so that the customer's card and timeline find it. The
//! record must be in sight of whoever hangs something on it.
//!
//! **Whose it is.** An activity has an owner, who is also who has to do it, and follows its own
//! owner in who sees it, not the record that it is about.
//!
//! **Due.** A day (`due_on`) or an instant (`due_at`); `due_by` says from when on it is overdue. What
//! recurs ([`series`]) makes its next one when it is completed. A reminder fires once ([`reminders`])
//! and stands among the owner's [`notifications`].
//!
//! What always holds:
//! - A call that is done has an outcome; a meeting has a beginning and a later end.
//! - A series has one activity for each of its places.
//! - What was written in an e-mail that went through here never changes.
//!
//! Reading order: [`model`], [`rules`], [`due`] and [`series`], [`actions`], [`queries`], [`lists`]
//! and [`search`], `handlers`; then what hangs on it: [`reminders`], [`notifications`], [`emails`].

pub mod actions;
pub mod assignment;
pub mod clock;
pub mod due;
pub mod emails;
mod facts;
mod handlers;
pub mod lists;
pub mod model;
pub mod notifications;
pub mod queries;
pub mod recurrence;
pub mod reminders;
pub mod rules;
pub mod search;
pub mod series;

pub use facts::{customer_merged, evidence, subject_concerns};
pub use lists::{last_of, next_of};
pub use model::Activity;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
    notifications::routes(routes);
    emails::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("activities_pkey", "duplicate", "/id", "another activity has this id"),
    emails::TEMPLATE_TAKEN,
    emails::TEMPLATE_ID_TAKEN,
    Constraint::conflict(
        "activities_message_id_key",
        "duplicate",
        "",
        "a message with this Message-ID came in at this moment; send it again",
    ),
    Constraint::rule(
        "activities_contact_known",
        "unknown_contact",
        "/contact_id",
        "the customer that it concerns has no such contact",
    ),
];
