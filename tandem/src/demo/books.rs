//! What the ledger must show of a company once it is loaded, computed from the files alone.
//!
//! - A unit costs 60 % of its list price of today, rounded half to even to cents.
//! - The opening stock stands against opening equity on the opening date.
//! - No tax. An order that was shipped is invoiced on that day, with its freight as a line of its
//!   own, net 30 days.
//! - Invoices dated up to 60 days before the newest order are paid, 30 days after their date.

use super::{CURRENCY, Company, Order, Product};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

/// Days until an invoice is due; paid ones were paid on that day.
const NET_DAYS: u64 = 30;
/// Invoices of the last days before the newest order are not paid yet.
const UNPAID_DAYS: u64 = 60;

/// Balances on the day of the newest order; each positive on the side where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Books {
    pub bank: Decimal,
    pub receivable: Decimal,
    /// Of the receivable: due on that day or later.
    pub not_due: Decimal,
    pub stock: Decimal,
    pub cost_of_goods_sold: Decimal,
    pub revenue: Decimal,
    pub freight: Decimal,
    pub opening_equity: Decimal,
}

impl Books {
    /// Of each side of the trial balance.
    pub fn debit(&self) -> Decimal {
        self.bank + self.receivable + self.stock + self.cost_of_goods_sold
    }

    pub fn credit(&self) -> Decimal {
        self.revenue + self.freight + self.opening_equity
    }
}

impl Product {
    pub fn unit_cost(&self) -> Decimal {
        CURRENCY.round(self.unit_price * Decimal::new(6, 1))
    }
}

impl Order {
    pub fn invoiced(&self) -> Decimal {
        self.net() + self.freight
    }

    /// The day on which its invoice is due.
    pub fn due_date(&self) -> Option<NaiveDate> {
        self.delivery_date()?.checked_add_days(Days::new(NET_DAYS))
    }
}

impl Company {
    /// The day that the books are looked at: that of the newest order.
    pub fn closing_date(&self) -> NaiveDate {
        self.orders
            .iter()
            .map(|order| order.order_date)
            .max()
            .unwrap_or_default()
    }

    /// Orders whose invoices are paid.
    pub fn paid_orders(&self) -> impl Iterator<Item = &Order> {
        let last = self.closing_date() - Days::new(UNPAID_DAYS);
        self.shipped_orders()
            .filter(move |order| order.delivery_date() <= Some(last))
    }

    pub fn books(&self) -> Books {
        let closing = self.closing_date();
        let cost = |units: std::collections::HashMap<i64, i64>| -> Decimal {
            let known = self.products.iter();
            known
                .map(|product| product.unit_cost() * Decimal::from(units.get(&product.id).copied().unwrap_or_default()))
                .sum()
        };
        let shipped = |order: &Order| order.delivery_date().is_some_and(|date| date <= closing);
        let opening_equity = cost(self.opening_units());
        let cost_of_goods_sold = cost(self.units(shipped));
        let bank: Decimal = self.paid_orders().map(Order::invoiced).sum();
        let invoiced: Vec<&Order> = self.orders.iter().filter(|order| shipped(order)).collect();
        let freight: Decimal = invoiced.iter().map(|order| order.freight).sum();
        let revenue: Decimal = invoiced.iter().map(|order| order.net()).sum();
        let paid = |order: &Order| self.paid_orders().any(|other| other.id == order.id);
        let not_due = invoiced
            .iter()
            .filter(|order| !paid(order) && order.due_date() >= Some(closing));
        Books {
            bank,
            receivable: revenue + freight - bank,
            not_due: not_due.map(|order| order.invoiced()).sum(),
            stock: opening_equity - cost_of_goods_sold,
            cost_of_goods_sold,
            revenue,
            freight,
            opening_equity,
        }
    }
}
