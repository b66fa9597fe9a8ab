//! The business as a naive program in memory: no database, no locks, every figure by the rules of the
//! books. The service is right when it does the same. One file for each subledger.
//!
//! A [`Bug`] can be planted here: then the comparison must find a difference, or it would not find
//! that mistake in the service either.

mod advances;
mod bug;
mod ledger;
mod money;
mod payables;
mod receivables;
mod sales;
mod settlement;
mod stock;

pub use advances::{Advance, Prepayment};
pub use bug::Bug;
pub use ledger::Booked;
pub use money::{bank, convert, discount_rate, even};
pub use payables::{Bill, Purchase, PurchaseLine};
pub use receivables::Invoice;
pub use sales::{DeliveryLine, Order, OrderLine};
pub use settlement::{Item, Paying, Payment, usual_discount};
pub use stock::Stock;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the service answers instead, as the code of its problem.
pub type Refusal = &'static str;

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub bug: Option<Bug>,
    /// Balance by account code, debit positive.
    pub accounts: BTreeMap<&'static str, Decimal>,
    pub stock: BTreeMap<Uuid, Stock>,
    pub orders: BTreeMap<Uuid, Order>,
    /// In the order in which they were made.
    pub deliveries: Vec<(Uuid, Vec<DeliveryLine>)>,
    pub invoices: BTreeMap<Uuid, Invoice>,
    pub prepayments: BTreeMap<Uuid, Prepayment>,
    /// In the order in which they came.
    pub advances: Vec<Advance>,
    pub purchases: BTreeMap<Uuid, Purchase>,
    pub bills: BTreeMap<Uuid, Bill>,
    pub payments: BTreeMap<Uuid, Payment>,
    /// Entries by hand.
    pub entries: BTreeMap<Uuid, Booked>,
    /// By document.
    pub items: BTreeMap<Uuid, Item>,
    /// Customers with a credit limit, in the base currency.
    pub limits: BTreeMap<Uuid, Decimal>,
    /// Sum of the differences that counts found: they are of today, later than everything else.
    pub counted: BTreeMap<Uuid, Decimal>,
    /// Nothing posts up to this day.
    pub closed_to: Option<NaiveDate>,
    sequence: usize,
}

impl Model {
    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}
