//! Tests of the module through HTTP.
