//! Tests of the module through HTTP.

pub mod books;
mod journal_entries;
mod triggers;
