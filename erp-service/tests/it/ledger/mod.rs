//! Tests of the module through HTTP.

mod books;
mod journal_entries;
mod triggers;
