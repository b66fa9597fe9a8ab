//! Tandem all in one: the ERP, the CRM, the sync and a private PostgreSQL with one command, and a
//! demo company to try them on. For trying out, demos and tests.
//!
//! | module | what |
//! |---|---|
//! | [`up`] | `tandem up`: starts everything, keeps it running, stops it |
//! | [`serve`] | `tandem serve erp`: one service as a process |
//! | [`demo`] | a trading company in eight CSV files: reading it, and loading it through the APIs |
//! | [`verify`] | `tandem verify`: compares a running stack with the files of a company |
//! | [`openapi`] | `tandem openapi`: writes the OpenAPI documents |
//! | [`stack`], [`keys`], [`directory`] | what lies in `$TANDEM_DIR` |
//! | [`api`] | the JSON client that the loader and the checks use |
//!
//! Every command fails with a [`Failure`]: one line for the person in front of it, and its causes.

pub mod api;
pub mod demo;
pub mod directory;
pub mod failure;
pub mod keys;
pub mod openapi;
pub mod part;
pub mod progress;
pub mod serve;
pub mod stack;
pub mod up;
pub mod verify;

pub use failure::{Failure, Result};
pub use part::Part;
