//! Purchases: ordered, received, billed; and bills taken back.

use super::ledger::Booked;
use super::money::{
    BASE, GAINS, INPUT_TAX, LOSSES, PAYABLE, RECEIVED_NOT_INVOICED, STOCK, VARIANCE, convert, even, share,
};
use super::settlement::{Discounts, Item};
use super::{Bug, Model, Refusal};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct PurchaseLine {
    pub product: Uuid,
    pub quantity: Decimal,
    pub unit_price: Decimal,
    /// What each receipt brought and is not billed: quantity and value.
    pub waiting: Vec<(Decimal, Decimal)>,
    pub received: Decimal,
    pub billed: Decimal,
    /// Of bills within the tolerance: their worth at the order's price, and how far they were off.
    pub matched: (Decimal, Decimal),
}

#[derive(Debug, Clone)]
pub struct Purchase {
    pub id: Uuid,
    pub supplier: Uuid,
    pub currency: &'static str,
    pub lines: Vec<PurchaseLine>,
}

/// A part of a receipt that a bill took.
#[derive(Debug, Clone, Copy)]
struct Match {
    receipt: usize,
    quantity: Decimal,
    value: Decimal,
}

/// What a bill did with a line of its order: enough to take it back.
#[derive(Debug, Clone)]
struct BillLine {
    line: usize,
    quantity: Decimal,
    matches: Vec<Match>,
    /// What it added to the line's [`PurchaseLine::matched`].
    matched: (Decimal, Decimal),
    /// What revalued stock, and for how many units.
    revalued: (Decimal, Decimal),
}

#[derive(Debug, Clone)]
pub struct Bill {
    pub booked: Booked,
    purchase: Uuid,
    lines: Vec<BillLine>,
}

impl Model {
    /// Brings in what was ordered, at the order's price and the day's rate.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn receive(
        &mut self,
        purchase: Uuid,
        date: NaiveDate,
        rate: Decimal,
        received: &[(usize, Decimal)],
    ) -> Result<(), Refusal> {
        self.refuse_closed(date)?;
        let found = self.purchases.get(&purchase).expect("a purchase of the model");
        if received.iter().any(|(line, quantity)| {
            let line = &found.lines[*line];
            line.received + *quantity > line.quantity
        }) {
            return Err("over_receipt");
        }
        for (index, quantity) in received {
            let purchase = self.purchases.get_mut(&purchase).expect("a purchase of the model");
            let line = &mut purchase.lines[*index];
            let value = convert(even(*quantity * line.unit_price), rate);
            line.received += *quantity;
            line.waiting.push((*quantity, value));
            let product = line.product;
            self.bring(product, *quantity, value);
            self.book(&[(STOCK, value), (RECEIVED_NOT_INVOICED, -value)]);
        }
        if !self.has(Bug::ReceiptFillsNoBackorder) {
            for (index, _) in received {
                let product = self.purchases[&purchase].lines[*index].product;
                self.fill(product);
            }
        }
        Ok(())
    }

    /// A bill for what was received, at its own prices; outside of the tolerance somebody else releases it, but not
    /// when more is billed than came.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn bill(
        &mut self,
        id: Uuid,
        purchase: Uuid,
        (date, rate): (NaiveDate, Decimal),
        billed: &[(usize, Decimal, Decimal)],
    ) -> Result<(), Refusal> {
        let found = self.purchases[&purchase].clone();
        self.refuse_closed(date)?;
        let more = |(index, quantity, _): &(usize, Decimal, Decimal)| {
            found.lines[*index].billed + *quantity > found.lines[*index].received
        };
        if billed.iter().any(more) {
            return Err("match_held");
        }
        let (mut nets, mut base, mut entry, mut lines) = (Vec::new(), Decimal::ZERO, Vec::new(), Vec::new());
        for (index, quantity, unit_price) in billed {
            let line = &mut self.purchases.get_mut(&purchase).expect("a purchase").lines[*index];
            let net = even(*quantity * *unit_price);
            let value = convert(net, rate);
            let matches = take_waiting(&mut line.waiting, *quantity);
            let cleared: Decimal = matches.iter().map(|part| part.value).sum();
            line.billed += *quantity;
            let expected = even(*quantity * line.unit_price);
            let off = line.matched.1 + net - expected;
            let worth = line.matched.0 + expected;
            let outside = off.abs() > worth * Decimal::new(2, 2) || off.abs() * rate > Decimal::from(50);
            let matched = match outside {
                true => (Decimal::ZERO, Decimal::ZERO),
                false => (expected, net - expected),
            };
            line.matched = (line.matched.0 + matched.0, line.matched.1 + matched.1);
            // In the base currency all of it is the price; else a part is the rate having moved.
            let difference = match found.currency == BASE || self.bug == Some(Bug::RateCountsAsPrice) {
                true => value - cleared,
                false => value - convert(expected, rate),
            };
            let exchange = value - cleared - difference;
            let product = line.product;
            nets.push(net);
            base += value;
            entry.push((RECEIVED_NOT_INVOICED, cleared));
            let there = self.stock.get(&product).copied().unwrap_or_default().on_hand;
            let revalued = match self.has(Bug::VarianceNeverRevaluesStock) {
                true => Decimal::ZERO,
                false => self.late_cost(product, *quantity, difference),
            };
            entry.push((STOCK, revalued));
            entry.push((VARIANCE, difference - revalued));
            entry.push((if exchange < Decimal::ZERO { GAINS } else { LOSSES }, exchange));
            lines.push(BillLine {
                line: *index,
                quantity: *quantity,
                matches,
                matched,
                revalued: (revalued, there.min(*quantity)),
            });
        }
        let tax = self.tax(&nets);
        let tax_base = convert(tax, rate);
        entry.push((INPUT_TAX, tax_base));
        entry.push((PAYABLE, -(base + tax_base)));
        self.book(&entry);
        let amount = nets.iter().sum::<Decimal>() + tax;
        let item = Item {
            party: found.supplier,
            receivable: false,
            currency: found.currency,
            amount,
            open: amount,
            open_base: base + tax_base,
            discounts: Discounts::default(),
            tax: (tax, tax_base),
            discount_until: date.checked_add_days(Days::new(10)),
        };
        self.items.insert(id, item);
        let bill = Bill {
            booked: Booked::new(entry),
            purchase,
            lines,
        };
        self.bills.insert(id, bill);
        Ok(())
    }

    /// A bill is taken back as if it had not come: what it billed can be billed again. What it added to stock goes from
    /// what is left of those goods; what has left with them stays a variance. Not when something of it was paid.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn reverse_bill(&mut self, id: Uuid) -> Result<(), Refusal> {
        let bill = self.bills.get(&id).expect("a bill of the model").clone();
        if bill.booked.reversed {
            return Err("illegal_transition");
        }
        let item = &self.items[&id];
        if item.open != item.amount {
            return Err("exceeds_open");
        }
        self.bills.get_mut(&id).expect("a bill of the model").booked.reversed = true;
        self.book(&bill.booked.mirrored());
        for billed in &bill.lines {
            let purchase = self.purchases.get_mut(&bill.purchase).expect("a purchase of the model");
            let line = &mut purchase.lines[billed.line];
            line.billed -= billed.quantity;
            line.matched = (line.matched.0 - billed.matched.0, line.matched.1 - billed.matched.1);
            for part in &billed.matches {
                let (quantity, value) = &mut line.waiting[part.receipt];
                *quantity += part.quantity;
                *value += part.value;
            }
            let (product, (value, quantity)) = (line.product, billed.revalued);
            if value.is_zero() {
                continue;
            }
            if self.has(Bug::BillReversalTakesAllFromStock) {
                self.stock.entry(product).or_default().value -= value;
                continue;
            }
            let gone = -value - self.late_cost(product, quantity, -value);
            self.book(&[(STOCK, -gone), (VARIANCE, gone)]);
        }
        let item = self.items.get_mut(&id).expect("an item of the model");
        (item.open, item.open_base) = (Decimal::ZERO, Decimal::ZERO);
        Ok(())
    }
}

/// What a bill takes from what came, the oldest first: all of a receipt takes all of its value.
fn take_waiting(waiting: &mut [(Decimal, Decimal)], mut quantity: Decimal) -> Vec<Match> {
    let mut taken = Vec::new();
    for (receipt, (left, value)) in waiting.iter_mut().enumerate() {
        let part = quantity.min(*left);
        if part.is_zero() {
            continue;
        }
        let worth = share(*value, part, *left);
        *left -= part;
        *value -= worth;
        quantity -= part;
        taken.push(Match {
            receipt,
            quantity: part,
            value: worth,
        });
    }
    taken
}
