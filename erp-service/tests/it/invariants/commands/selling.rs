//! Orders, amendments, deliveries, returns, invoices, credit notes.

use super::world::{perhaps_closed, rate};
use super::{Command, Dice, World};
use crate::invariants::model::{Invoice, Model, Order, OrderLine};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

impl World {
    pub(super) fn order(&self, dice: &mut Dice, _: &Model, date: NaiveDate) -> Option<Command> {
        let (customer, currency) = dice.pick(&self.customers)?;
        let mut lines = Vec::new();
        for product in self.some_products(dice) {
            lines.push(OrderLine {
                id: Uuid::now_v7(),
                product,
                quantity: dice.quantity(20),
                unit_price: dice.price(),
                discount: Decimal::new(dice.pick(&[0, 0, 0, 5, 10, 15])?, 2),
                reserved: Decimal::ZERO,
                backordered: Decimal::ZERO,
                delivered: Decimal::ZERO,
                invoiced: Decimal::ZERO,
                returned: Decimal::ZERO,
            });
        }
        let order = Order {
            id: Uuid::now_v7(),
            customer,
            currency,
            sequence: 0,
            held: false,
            lines,
        };
        Some(Command::Order(order, date))
    }

    /// More or less of a line, or another price; now and then less than is delivered, or a price that is frozen.
    pub(super) fn amend(&self, dice: &mut Dice, model: &Model, _: NaiveDate) -> Option<Command> {
        let order = dice.pick(&model.orders.values().collect::<Vec<_>>())?;
        let line = dice.pick(&order.lines)?;
        let amiss = dice.chance(10);
        let (mut quantity, mut unit_price) = (None, None);
        match dice.between(1, 10) {
            1..=4 => {
                let less = line.delivered + dice.part(line.quantity - line.delivered);
                quantity = Some(less).filter(|less| !less.is_zero());
            }
            5..=8 => quantity = Some(line.quantity + dice.quantity(5)),
            _ if amiss || line.invoiced.is_zero() => unit_price = Some(dice.price()),
            _ => {}
        }
        if amiss && !line.delivered.is_zero() && unit_price.is_none() {
            quantity = Some((line.delivered / Decimal::from(2)).round_dp(3)).filter(|less| !less.is_zero());
        }
        (quantity.is_some() || unit_price.is_some()).then_some(Command::Amend {
            order: order.id,
            line: line.id,
            quantity,
            unit_price,
        })
    }

    pub(super) fn deliver(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(12);
        let fits = |order: &&Order| amiss || (!order.held && order.lines.iter().any(|line| !line.reserved.is_zero()));
        let order = dice.pick(&model.orders.values().filter(fits).collect::<Vec<_>>())?;
        let mut lines = Vec::new();
        for line in &order.lines {
            let quantity = match amiss {
                true if dice.chance(50) => line.reserved + Decimal::ONE,
                _ if line.reserved.is_zero() => continue,
                _ => dice.part(line.reserved),
            };
            lines.push((line.id, quantity));
        }
        let date = perhaps_closed(dice, model, date, if amiss { 40 } else { 0 });
        (!lines.is_empty()).then(|| Command::Deliver {
            id: Uuid::now_v7(),
            order: order.id,
            date,
            lines,
        })
    }

    /// What was not invoiced yet comes back, or more than was delivered.
    pub(super) fn take_back(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(8);
        let mut found = Vec::new();
        for order in model.orders.values() {
            for line in order.lines.iter().filter(|line| line.to_invoice() > Decimal::ZERO) {
                for (delivery, parts) in &model.deliveries {
                    for part in parts.iter().filter(|part| part.order_line == line.id) {
                        let left = part.quantity - part.returned.0;
                        let most = left.min(line.to_invoice());
                        if most > Decimal::ZERO {
                            found.push((order.id, *delivery, line.id, left, most));
                        }
                    }
                }
            }
        }
        let (order, delivery, line, left, most) = dice.pick(&found)?;
        let quantity = if amiss { left + Decimal::ONE } else { dice.part(most) };
        Some(Command::Return {
            id: Uuid::now_v7(),
            order,
            delivery,
            line,
            quantity,
            date,
        })
    }

    pub(super) fn invoice(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(8);
        let fits = |order: &&Order| amiss || order.lines.iter().any(|line| line.to_invoice() > Decimal::ZERO);
        let order = dice.pick(&model.orders.values().filter(fits).collect::<Vec<_>>())?;
        let date = perhaps_closed(dice, model, date, if amiss { 30 } else { 0 });
        Some(Command::Invoice {
            id: Uuid::now_v7(),
            order: order.id,
            date,
            rate: rate(order.currency, date),
        })
    }

    fn some_invoice(dice: &mut Dice, model: &Model, amiss: bool) -> Option<(Uuid, Invoice)> {
        let fits = |(_, invoice): &(&Uuid, &Invoice)| amiss || invoice.credited < invoice.gross;
        let (id, invoice) = dice.pick(&model.invoices.iter().filter(fits).collect::<Vec<_>>())?;
        Some((*id, invoice.clone()))
    }

    /// Parts of some lines of an invoice; now and then more than is left of them.
    pub(super) fn credit(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(10);
        let (invoice, found) = Self::some_invoice(dice, model, amiss)?;
        let mut lines = Vec::new();
        for (index, line) in found.lines.iter().enumerate() {
            let left = line.quantity - line.credited[0];
            if amiss && lines.is_empty() {
                lines.push((index, left + Decimal::ONE));
            } else if !left.is_zero() && (lines.is_empty() || dice.chance(60)) {
                lines.push((index, dice.part(left)));
            }
        }
        (!lines.is_empty()).then(|| Command::Credit {
            id: Uuid::now_v7(),
            invoice,
            date,
            lines: Some(lines),
        })
    }

    pub(super) fn cancel_invoice(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(10);
        let (invoice, _) = Self::some_invoice(dice, model, amiss)?;
        Some(Command::Credit {
            id: Uuid::now_v7(),
            invoice,
            date,
            lines: None,
        })
    }
}
