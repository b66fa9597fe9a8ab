//! Tests of the module through HTTP.

mod price_and_tier;
