//! Tests of the module through HTTP.

mod imports;
mod rates;
