//! E-mail: written from templates, sent over SMTP, received as messages.
//!
//! A message is an activity of kind `email` ([`Activity`](super::Activity)) and has the same id;
//! what only a message has stands beside it. So it is on a record, concerns a customer and follows
//! its owner as every activity does.
//!
//! **Out.** `POST /v1/emails` writes the message in the form in which it goes over the wire, its
//! `Message-ID` included, into the outbox, in the transaction of the command ([`compose`]). The
//! [`outbox`] sends it after the commit: `queued` → `sending` → `sent`, or, after refusals, `queued`
//! again with a growing delay, and in the end `failed`, from where it can be sent anew. One process
//! has a message for itself while it sends it. Before that it asks once more whether somebody whom it reaches has withdrawn
//! consent (`opt_out`); then it is `failed`, and its `last_error` says so. A message goes out once, with one exception that
//! SMTP leaves open: when the process, or its connection to the database, dies between the server's
//! answer and the commit of `sent`, nobody knows that it went, and it is sent again half an hour
//! later. Both have the same `Message-ID`, by which receivers drop the twin.
//!
//! **In.** `POST /v1/inbound-emails` takes an RFC 5322 message ([`inbound`]); one activity for each
//! `Message-ID`, however often it is delivered. Messages that answer each other are one thread,
//! also when the answer arrives first ([`threads`]).
//!
//! **Templates** ([`templates`]) are one text for each language; placeholders are named in
//! [`placeholders`]. What is put into HTML is escaped.
//!
//! What always holds:
//! - What was written in a message never changes.
//! - A `Message-ID` belongs to one message.
//! - What stands in the outbox belongs to a message or is a reminder to a user.

pub mod actions;
pub mod compose;
mod handlers;
pub mod inbound;
pub mod model;
mod opt_out;
pub mod outbox;
pub mod parse;
pub mod placeholders;
pub mod queries;
pub mod smtp;
pub mod templates;
pub mod threads;

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    templates::routes(routes);
    handlers::routes(routes);
}

pub const TEMPLATE_TAKEN: Constraint = Constraint::conflict(
    "email_templates_code_language_key",
    "duplicate",
    "/code",
    "there is a template with this code in this language",
);
pub const TEMPLATE_ID_TAKEN: Constraint = Constraint::conflict(
    "email_templates_pkey",
    "duplicate",
    "/id",
    "another template has this id",
);
