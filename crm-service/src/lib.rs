//! Tandem's CRM: who the customers are, what they can buy, and what became of their orders.
//!
//! The CRM is the master of customers (with their legal entities, contacts and addresses) and of
//! an order until it is submitted. Everything else that it shows belongs to the ERP and is a
//! replica: the catalogue with prices and availability, a customer's credit facts, invoices and
//! payments, an order's fulfilment. A replica is written by the sync alone (permission `integration:apply`), carries
//! the master's version and an `as_of` time, and never causes an event of the CRM's own part: so
//! nothing echoes.
//!
//! - [`customers`]: customers, their parts, their credit facts and their timeline
//! - [`catalogue`]: categories, products, prices and availability, as the ERP last told them
//! - [`documents`]: invoices, credit notes and payments of customers, as the ERP last told them
//! - [`custom_fields`]: what a company wants to know of its records beyond that; [`filter`]: conditions as text
//! - [`deals`]: pipelines and the deals in them, their forecast and soft demand
//! - [`bookings`]: rooms, people and things that can be booked, and their bookings; [`calendar`]: a user's as a feed
//! - [`leads`]: web forms, scoring, assignment, and what leads become
//! - [`quotes`]: what a customer is offered, in versions, with its approval, its document and its acceptance
//! - [`currencies`]: the company's currencies and exchange rates, as the ERP last told them
//! - [`orders`]: drafts, submission, cancellation, and the fulfilment that the ERP reports
//! - [`grades`]: proposed from what customers bought; [`reassignment`]: many customers given to somebody at once;
//!   [`views`]: lists as somebody likes to see them
//! - [`segments`]: groups of customers, by hand or by rule; [`card`]: a customer at a glance;
//!   [`merging`]: two customers turn out to be one
//! - [`attachments`]: files on any record; [`subjects`]: what such a record is
//! - [`activities`]: tasks, calls, meetings, notes and messages on any record, with their reminders
//! - [`analytics`]: figures of sales, deals and activities, with the rows behind each
//! - [`may`]: the permissions; [`app`]: the service put together

pub mod activities;
pub mod analytics;
pub mod app;
pub mod attachments;
pub mod bookings;
pub mod calendar;
pub mod card;
pub mod catalogue;
pub mod currencies;
pub mod custom_fields;
pub mod customers;
pub mod deals;
pub mod documents;
pub mod filter;
pub mod grades;
mod json;
pub mod leads;
pub mod may;
pub mod merging;
pub mod orders;
pub mod quotes;
pub mod reassignment;
mod replica;
pub mod schema;
pub mod segments;
pub mod subjects;
pub mod views;

pub use app::SERVICE;
