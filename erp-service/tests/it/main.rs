//! Tests through HTTP, each on a database of its own.

mod conventions;
