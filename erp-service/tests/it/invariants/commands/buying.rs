//! Purchase orders, receipts, bills, counts.

use super::world::rate;
use super::{Command, Dice, World};
use crate::invariants::model::{Bill, Model, Purchase, PurchaseLine};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

impl World {
    pub(super) fn purchase(&self, dice: &mut Dice, _: &Model, date: NaiveDate) -> Option<Command> {
        let (supplier, currency) = dice.pick(&self.suppliers)?;
        let mut lines = Vec::new();
        for product in self.some_products(dice) {
            lines.push(PurchaseLine {
                product,
                quantity: dice.quantity(40),
                unit_price: dice.price(),
                waiting: Vec::new(),
                received: Decimal::ZERO,
                billed: Decimal::ZERO,
                matched: (Decimal::ZERO, Decimal::ZERO),
            });
        }
        let purchase = Purchase {
            id: Uuid::now_v7(),
            supplier,
            currency,
            lines,
        };
        Some(Command::Purchase(purchase, date))
    }

    pub(super) fn receive(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let open = |purchase: &&Purchase| purchase.lines.iter().any(|line| line.received < line.quantity);
        let purchase = dice.pick(&model.purchases.values().filter(open).collect::<Vec<_>>())?;
        let amiss = dice.chance(8);
        let mut lines = Vec::new();
        for (index, line) in purchase.lines.iter().enumerate() {
            let left = line.quantity - line.received;
            if amiss {
                lines.push((index, left + Decimal::ONE));
            } else if !left.is_zero() && (lines.is_empty() || dice.chance(70)) {
                lines.push((index, dice.part(left)));
            }
        }
        Some(Command::Receive {
            purchase: purchase.id,
            date,
            rate: rate(purchase.currency, date),
            lines,
        })
    }

    pub(super) fn bill(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let open = |purchase: &&Purchase| purchase.lines.iter().any(|line| line.billed < line.received);
        let purchase = dice.pick(&model.purchases.values().filter(open).collect::<Vec<_>>())?;
        let amiss = dice.chance(8);
        let mut lines = Vec::new();
        for (index, line) in purchase.lines.iter().enumerate() {
            let left = line.received - line.billed;
            let unit_price = match dice.between(1, 10) {
                1..=5 => line.unit_price,
                6..=8 => line.unit_price * Decimal::new(dice.between(985, 1015), 3),
                _ => line.unit_price * Decimal::new(dice.between(850, 1200), 3),
            };
            let unit_price = unit_price.round_dp(4);
            if amiss {
                lines.push((index, left + Decimal::ONE, unit_price));
            } else if !left.is_zero() {
                lines.push((index, dice.part(left), unit_price));
            }
        }
        Some(Command::Bill {
            id: Uuid::now_v7(),
            purchase: purchase.id,
            date,
            rate: rate(purchase.currency, date),
            lines,
        })
    }

    /// A bill that nothing was paid of; now and then another.
    pub(super) fn reverse_bill(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(10);
        let unpaid = |id: &Uuid| model.items.get(id).is_some_and(|item| item.open == item.amount);
        let fits = |(id, _): &(&Uuid, &Bill)| amiss || unpaid(id);
        let (bill, _) = dice.pick(&model.bills.iter().filter(fits).collect::<Vec<_>>())?;
        Some(Command::ReverseBill { bill: *bill, date })
    }

    pub(super) fn count(&self, dice: &mut Dice, model: &Model, _: NaiveDate) -> Option<Command> {
        let product = dice.pick(&self.products)?;
        let on_hand = model.stock.get(&product)?.on_hand;
        if on_hand.is_zero() {
            return None;
        }
        let difference = Decimal::from(dice.between(-3, 3));
        Some(Command::Count {
            product,
            counted: (on_hand + difference).max(Decimal::ZERO),
        })
    }
}
