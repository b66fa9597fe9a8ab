//! Tests of the sync against small fakes of the ERP and the CRM, each on a database of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should fail"
)]

mod availability;
mod contract;
mod conventions;
mod dead_letters;
mod fake;
mod flows;
mod following;
mod leases;
mod references;
mod resync;
mod segments;
mod stage;
mod trouble;
