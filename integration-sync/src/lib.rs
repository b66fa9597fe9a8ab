//! integration-sync keeps the ERP and the CRM in step.
//!
//! It follows the event feed of each side and applies what changed to the other, by
//! `PUT` with the master's version: so every apply may be repeated, and an older version never
//! overwrites a newer one. It knows the two only by HTTP, through what `openapi/` says.
//!
//! - [`flows`]: the flows, each a pure function from a change to a request, with the lists
//!   that its records are read from at a resync
//! - [`runner`]: one task a flow: read the feed, collapse, apply, save the cursor; what happens
//!   when a side is down, when a record is refused, when the feed is gone
//! - [`flow_states`]: where each flow stands, who works on it, pause, resume and resync
//! - [`retries`]: changes that failed while their target was healthy
//! - [`dead_letters`]: changes that the target refused
//! - [`http`], [`erp`], [`crm`]: the clients
//! - [`app`]: the service put together; [`may`]: its permissions

pub mod app;
pub mod crm;
pub mod dead_letters;
pub mod erp;
pub mod flow_states;
pub mod flows;
pub mod http;
pub mod may;
pub mod metrics;
pub mod retries;
pub mod runner;
pub mod schema;

pub use app::{Endpoints, RunningSync, SERVICE, SyncError, serve, start};
