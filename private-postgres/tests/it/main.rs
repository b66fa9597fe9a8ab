//! The crate against a real PostgreSQL, as root or as an ordinary user.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adoption;
mod crashes;
mod life;
mod privacy;
mod redirection;
mod support;
