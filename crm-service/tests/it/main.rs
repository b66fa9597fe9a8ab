//! The CRM over HTTP, one module per resource. Each test owns a database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should fail"
)]

mod activities;
mod addresses;
mod analytics;
mod attachments;
mod availability;
mod bookings;
mod catalogue;
mod contacts;
mod conventions;
mod credit;
mod customer_depth;
mod customers;
mod deals;
mod documents;
mod imported;
mod leads;
mod legal_entities;
mod migrations;
mod order_change_requests;
mod order_fulfilment;
mod order_submission;
mod orders;
mod process;
mod quotes;
mod sales;
mod sign_in;
mod support;
mod teams;
mod timeline;
mod users;
mod visibility;
