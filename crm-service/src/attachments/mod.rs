//! Attachments: files on any record, such as a contract on a deal or a certificate on a customer.
//!
//! A file hangs on a customer, lead, deal, quote or order, which must be in sight of whoever hangs it there. From then on
//! it follows its own owner: who sees the record does not see a colleague's file on it. What a file is, never changes;
//! it can be given to somebody else and be removed. One that proves a step of a deal stays.
//!
//! **The content** stands in a table of its own, up to 10 MiB a file and 100 files a record. It is only ever
//! downloaded: `Content-Disposition: attachment`, `nosniff` and an empty sandbox see to it that no browser shows a file as
//! if it were a page of ours. Its SHA-256 is the `ETag` of the download.
//!
//! Other modules file what they make with `file`, and ask for proof with [`evidence`].

mod actions;
mod handlers;
mod model;
mod names;
mod queries;

pub use actions::file;
pub use model::Attachment;
pub use queries::{evidence, subject_concerns};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// What the database may refuse because of the input.
pub const CONSTRAINTS: &[Constraint] = &[Constraint::conflict(
    "attachments_pkey",
    "duplicate",
    "",
    "another attachment has this id",
)];
