//! What every Tandem service does alike, so that a business module holds business only.
//!
//! A service is a [`Service`]: a name, its migrations, its routes and its roles. [`server::start`]
//! gives it a database pool, authentication, limits, telemetry, an event feed, an audit log, API
//! keys, users who sign in and OpenAPI documentation.
//!
//! The way of a request:
//! 1. [`server`] middleware: request id, metrics, log line, time limit;
//! 2. [`auth`] middleware on `/v1`: the key or session token becomes an [`auth::Actor`], the rate is
//!    limited ([`open`] routes go without);
//! 3. the handler's first argument, [`Command<may::…>`](command::Command) or
//!    [`Read<may::…>`](command::Read), checks the permission by its type;
//! 4. [`http::Path`], [`http::Query`], [`http::Body`] parse and check the input against the very
//!    schema that the OpenAPI document shows, and name every fault;
//! 5. the command opens a transaction and hands the action a [`tx::Tx`]; audit rows, events and
//!    the answer stored for the `Idempotency-Key` are written in the same transaction;
//! 6. [`http::Answer`] carries body, `ETag` and `Location`.
//!
//! Lists go out and come in as CSV without any handler of their own: see [`exchange`].
//!
//! Error types: queries return [`diesel::QueryResult`]; actions return [`Result`] with
//! [`Error`]; only [`Problem`] leaves the service. The one conversion is
//! [`Error::into_problem`].

pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod background;
pub mod command;
pub mod config;
pub mod db;
pub mod decimal;
pub mod email;
pub mod events;
pub mod exchange;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod live_document;
pub mod migrations;
pub mod money;
pub mod open;
pub mod openapi;
pub mod paging;
pub mod passwords;
pub mod problem;
pub mod retention;
pub mod schema;
pub mod server;
pub mod sessions;
pub mod sight;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tx;
pub mod users;

pub use auth::{Actor, Permission, Role};
pub use command::{Command, OrNotFound, Put, Read};
pub use decimal::{Amount, Discount, Quantity, UnitPrice};
pub use email::Email;
pub use http::{Answer, Body, IdPath, OptionalBody, Path, Query, Resource};
pub use money::{Currency, Total};
pub use open::Open;
pub use openapi::Routes;
pub use paging::{Cursor, Limit, Page, Sort};
pub use problem::{Error, Fault, Faults, Problem, Result};
pub use server::Service;
pub use sight::Sight;
pub use tx::Tx;
pub use users::Owned;
