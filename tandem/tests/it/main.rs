//! Tests of the all-in-one. What the three services do together is told in the stories of the
//! workspace's `tests` crate.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod company;
mod demo;
mod directory;
mod malformed;
mod openapi;
mod ports;
mod support;
mod up;
