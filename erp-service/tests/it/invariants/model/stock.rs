//! The warehouse: what is on hand, what it is worth, and which orders have it reserved.

use super::money::{DIFFERENCES, STOCK, even};
use super::{Bug, Model};
use rust_decimal::Decimal;
use uuid::Uuid;

/// What stands in one product's stock level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    pub value: Decimal,
}

impl Model {
    /// Takes stock at its average; the last of it takes all of the value.
    pub(super) fn take(&mut self, product: Uuid, quantity: Decimal) -> Decimal {
        let leaves_cents = self.has(Bug::LastUnitLeavesCents);
        let stock = self.stock.entry(product).or_default();
        let value = match quantity == stock.on_hand {
            true if leaves_cents => even(even(stock.value / stock.on_hand) * quantity),
            true => stock.value,
            false => even(stock.value * quantity / stock.on_hand),
        };
        stock.on_hand -= quantity;
        stock.value -= value;
        value
    }

    pub(super) fn bring(&mut self, product: Uuid, quantity: Decimal, value: Decimal) {
        let stock = self.stock.entry(product).or_default();
        stock.on_hand += quantity;
        stock.value += value;
    }

    pub fn free(&self, product: Uuid) -> Decimal {
        let stock = self.stock.get(&product).copied().unwrap_or_default();
        stock.on_hand - stock.reserved
    }

    /// A cost that comes late, for so many units: the share of those that are still there revalues them; what is left is
    /// variance. Answers what went to stock.
    pub(super) fn late_cost(&mut self, product: Uuid, quantity: Decimal, amount: Decimal) -> Decimal {
        let stock = self.stock.entry(product).or_default();
        let revalued = match stock.on_hand >= quantity {
            true => amount,
            false => even(amount * stock.on_hand / quantity),
        };
        // Goods never become worth less than nothing.
        let revalued = revalued.max(-stock.value);
        stock.value += revalued;
        revalued
    }

    /// Gives free stock to the orders that wait for it, the first first.
    pub(super) fn fill(&mut self, product: Uuid) {
        let mut waiting: Vec<(usize, Uuid)> = self.orders.values().map(|order| (order.sequence, order.id)).collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            let free = self.free(product);
            let Some(order) = self.orders.get_mut(&id).filter(|order| !order.held) else {
                continue;
            };
            for line in order.lines.iter_mut().filter(|line| line.product == product) {
                let given = free.min(line.backordered);
                line.backordered -= given;
                line.reserved += given;
                self.stock.entry(product).or_default().reserved += given;
            }
        }
    }

    pub fn opening_stock(&mut self, product: Uuid, quantity: Decimal, unit_cost: Decimal) {
        let value = even(quantity * unit_cost);
        self.bring(product, quantity, value);
        self.book(&[(STOCK, value), (DIFFERENCES, -value)]);
    }

    /// Counts a product: what is missing leaves at the average and is taken back from the orders that have it
    /// reserved, the last first; what is found comes in at the average and goes to those that wait.
    pub fn count(&mut self, product: Uuid, counted: Decimal) {
        let stock = self.stock.get(&product).copied().unwrap_or_default();
        let difference = counted - stock.on_hand;
        *self.counted.entry(product).or_default() += difference;
        if difference < Decimal::ZERO {
            self.give_back(product, stock.reserved - counted);
            let value = self.take(product, -difference);
            self.book(&[(DIFFERENCES, value), (STOCK, -value)]);
        } else if difference > Decimal::ZERO {
            let value = even(stock.value * difference / stock.on_hand);
            self.bring(product, difference, value);
            self.book(&[(STOCK, value), (DIFFERENCES, -value)]);
            self.fill(product);
        }
    }

    fn give_back(&mut self, product: Uuid, mut missing: Decimal) {
        let mut last: Vec<(usize, Uuid)> = self.orders.values().map(|order| (order.sequence, order.id)).collect();
        last.sort_unstable_by(|one, other| other.cmp(one));
        for (_, id) in last {
            let order = self.orders.get_mut(&id).expect("an order of the model");
            for line in order.lines.iter_mut().rev().filter(|line| line.product == product) {
                let given = missing.min(line.reserved).max(Decimal::ZERO);
                line.reserved -= given;
                line.backordered += given;
                missing -= given;
                self.stock.entry(product).or_default().reserved -= given;
            }
        }
    }
}
