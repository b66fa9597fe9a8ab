//! Payments, prepayments, entries by hand, and what takes them back.

use super::world::{perhaps_closed, rate, rate_to};
use super::{Command, Dice, World};
use crate::invariants::model::{Item, Model, Paying, Prepayment, discount_rate, even, usual_discount};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

const CURRENCIES: [&str; 3] = ["USD", "EUR", "GBP"];

fn cent() -> Decimal {
    Decimal::new(1, 2)
}

/// At most all of it, in whole cents, at least one.
fn part_of(dice: &mut Dice, amount: Decimal, least: i64, most: i64) -> Decimal {
    let part = even(amount * Decimal::new(dice.between(least, most), 2));
    part.max(cent()).min(amount)
}

impl World {
    pub(super) fn paid(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        self.settle(dice, model, date, true)
    }

    pub(super) fn pay(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        self.settle(dice, model, date, false)
    }

    fn settle(&self, dice: &mut Dice, model: &Model, date: NaiveDate, receivable: bool) -> Option<Command> {
        let amiss = dice.chance(8);
        // What stands on account is no document to pay.
        let fits = |(_, item): &(&Uuid, &Item)| {
            item.receivable == receivable && item.amount > Decimal::ZERO && (amiss || item.open > Decimal::ZERO)
        };
        let (document, item) = dice.pick(&model.items.iter().filter(fits).collect::<Vec<_>>())?;
        let in_time = item.discount_until.is_some_and(|until| date <= until);
        let (mut cleared, mut discount, mut more) = (item.open, Decimal::ZERO, Decimal::ZERO);
        match dice.between(1, 10) {
            1..=3 => cleared = part_of(dice, item.open, 1, 99),
            4..=6 if in_time || amiss => {
                discount = even(item.open * discount_rate())
                    .min(item.open - cent())
                    .max(Decimal::ZERO);
                cleared = item.open - discount;
                if amiss && dice.chance(50) && cleared > cent() {
                    (cleared, discount) = (cleared - cent(), discount + cent());
                }
            }
            7 if in_time => {
                cleared = part_of(dice, item.open, 10, 90);
                discount = usual_discount(item.open, cleared);
            }
            8 | 9 => more = Decimal::new(dice.between(1, 20_000), 2),
            _ if amiss => cleared += cent(),
            _ => {}
        }
        if cleared <= Decimal::ZERO {
            (cleared, discount) = (cent(), Decimal::ZERO);
        }
        let across = dice.chance(35);
        let bank = match across {
            true => dice.pick(&CURRENCIES)?,
            false => item.currency,
        };
        // A limit is in the base currency: what its customer has on account in another needs a rate of today.
        if bank != item.currency && model.limits.contains_key(&item.party) {
            return None;
        }
        let date = perhaps_closed(dice, model, date, if amiss { 20 } else { 0 });
        let mut paying = Paying {
            document: *document,
            bank,
            amount: Decimal::ZERO,
            cleared,
            paid: None,
            discount,
            date,
            rate: rate(bank, date),
            cross: rate_to(item.currency, bank, date),
        };
        if bank != item.currency && dice.chance(40) {
            // The bank's own rate is a little off.
            let own = even(paying.used(item) * Decimal::new(dice.between(97, 103), 2));
            paying.paid = Some(own.max(cent()));
        }
        let short = bank != item.currency && discount.is_zero() && dice.chance(4);
        paying.amount = match short {
            true => paying.used(item) - cent(),
            false => paying.used(item) + more,
        };
        (paying.amount > Decimal::ZERO).then(|| Command::Pay {
            id: Uuid::now_v7(),
            paying,
        })
    }

    pub(super) fn reverse_payment(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let again = dice.chance(10);
        let fits = model
            .payments
            .values()
            .filter(|payment| again || !payment.booked.reversed);
        let payment = dice.pick(&fits.map(|payment| payment.id).collect::<Vec<_>>())?;
        Some(Command::ReversePayment { payment, date })
    }

    /// A part of an order's total; now and then more than all of it.
    pub(super) fn ask(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let order = dice.pick(&model.orders.values().collect::<Vec<_>>())?;
        // What comes in advance for an order that is invoiced already is cleared by none.
        let open = model.uninvoiced(order);
        let amiss = dice.chance(8);
        if open < cent() && !amiss {
            return None;
        }
        let amount = match amiss {
            true => model.gross(order) + cent(),
            false => part_of(dice, open, 10, 70),
        };
        Some(Command::Ask {
            id: Uuid::now_v7(),
            order: order.id,
            amount,
            date,
        })
    }

    fn some_prepayment<F>(dice: &mut Dice, model: &Model, fits: F) -> Option<(Uuid, Prepayment)>
    where
        F: Fn(&Prepayment) -> bool,
    {
        let amiss = dice.chance(8);
        let found = model.prepayments.iter().filter(|(_, known)| amiss || fits(known));
        let (id, found) = dice.pick(&found.collect::<Vec<_>>())?;
        Some((*id, found.clone()))
    }

    pub(super) fn advance(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let waits = |known: &Prepayment| !known.cancelled && known.received < known.gross;
        let (prepayment, found) = Self::some_prepayment(dice, model, waits)?;
        let open = (found.gross - found.received).max(cent());
        let amount = match dice.between(1, 10) {
            1..=3 => part_of(dice, open, 10, 90),
            4 => open + Decimal::new(dice.between(1, 5_000), 2),
            _ => open,
        };
        Some(Command::Advance {
            id: Uuid::now_v7(),
            prepayment,
            amount,
            date,
            rate: rate(found.currency, date),
        })
    }

    pub(super) fn cancel_prepayment(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let (prepayment, _) = Self::some_prepayment(dice, model, |known| !known.cancelled)?;
        Some(Command::CancelPrepayment { prepayment, date })
    }

    pub(super) fn enter(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let currency = dice.pick(&CURRENCIES)?;
        let date = perhaps_closed(dice, model, date, 5);
        Some(Command::Enter {
            id: Uuid::now_v7(),
            amount: Decimal::new(dice.between(1, 99_999), 2),
            currency,
            date,
            rate: rate(currency, date),
        })
    }

    pub(super) fn reverse_entry(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let again = dice.chance(10);
        let fits = model.entries.iter().filter(|(_, entry)| again || !entry.reversed);
        let (entry, _) = dice.pick(&fits.collect::<Vec<_>>())?;
        Some(Command::ReverseEntry { entry: *entry, date })
    }
}
