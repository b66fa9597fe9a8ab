//! The ERP: what is sold, at which price, to whom on which terms, from which stock.
//!
//! | module | holds |
//! |---|---|
//! | [`catalog`] | categories, units of measure, products |
//! | [`pricing`] | price lists, prices, and which one answers a question |
//! | [`customers`] | the replica of the CRM's customers, and the terms that the ERP owns |
//! | [`inventory`] | warehouses, locations, stock levels with their value, append-only moves, lots, reservations, held promises, expected supply |
//! | [`sales`] | sales orders with their decision, deliveries, credit |
//! | [`warehouse`] | documents that change stock: adjustments, scrap, transfers, relocations, counts; promises and availability by date |
//! | [`company`] | settings |
//! | [`currencies`] | exchange rates by day, conversion |
//! | [`taxes`] | codes, rates and rules; the tax of a document; the tax report |
//! | [`revaluations`] | unrealised exchange differences at a date |
//! | [`payment_terms`] | when customers pay, and we our suppliers |
//!
//! Modules depend on each other in one direction: catalog ← pricing ← inventory ← sales
//! ← warehouse, and customers ← sales. [`app`] puts them together; [`may`] names every permission.

pub mod app;
pub mod catalog;
pub mod company;
pub mod currencies;
pub mod customers;
pub mod exchange;
pub mod iban;
pub mod inventory;
pub mod ledger;
pub mod may;
pub mod migrations;
pub mod payment_terms;
pub mod payments;
pub mod pricing;
pub mod purchasing;
pub mod receivables;
pub mod revaluations;
pub mod sales;
pub mod schema;
pub mod taxes;
pub mod warehouse;
