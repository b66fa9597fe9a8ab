//! What web forms are sent: taken from anybody, stored as it came, made a touch of a lead.
//!
//! A page of an allowed origin sends JSON or a form (`application/x-www-form-urlencoded`). Faults are answered, all of
//! them; everything else is stored and answered 202, and nothing that is answered says more than that it is here.
//! What a honeypot caught is answered alike and kept as spam. [`reading`] says what a submission says of a lead, [`taking`] stores
//! it and limits how often one address may send.

mod handlers;
pub mod model;
pub mod reading;
pub mod taking;

pub use handlers::routes;
