//! integration-sync
