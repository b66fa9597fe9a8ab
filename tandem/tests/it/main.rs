//! Tests of the all-in-one. What the three services do together is told in the stories of the
//! workspace's `tests` crate.

mod company;
mod directory;
mod malformed;
mod ports;
mod support;
mod up;
