//! Tests of the module through HTTP.

mod calculations;
mod codes;
mod report;
mod rules;
