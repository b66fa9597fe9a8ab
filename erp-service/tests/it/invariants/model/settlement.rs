//! What parties owe, and the payments that settle it.

use super::ledger::Booked;
use super::money::{
    DISCOUNTS, DISCOUNTS_RECEIVED, GAINS, INPUT_TAX, LOSSES, OUTPUT_TAX, PAYABLE, RECEIVABLE, away, bank, convert,
    discount_rate, even, share,
};
use super::{Bug, Model, Refusal};
use chrono::NaiveDate;
use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

/// What a party owes on a document: signed, as the service shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Tax in the document's currency and in the base currency.
    pub tax: (Decimal, Decimal),
    /// Last day of the cash discount.
    pub discount_until: Option<NaiveDate>,
    pub party: Uuid,
    pub receivable: bool,
    pub currency: &'static str,
    pub amount: Decimal,
    pub open: Decimal,
    pub open_base: Decimal,
    /// Discounts of payments that no credit note took back.
    pub discounts: Discounts,
}

/// A cash discount: in the document's currency, and its base value with the tax in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Discounts {
    pub amount: Decimal,
    pub base: Decimal,
    pub base_tax: Decimal,
}

/// A payment for one document, in the currency of the document or of another bank.
#[derive(Debug, Clone)]
pub struct Paying {
    pub document: Uuid,
    /// In the currency of the bank.
    pub bank: &'static str,
    pub amount: Decimal,
    /// What goes to the document, in its currency; the rest stays on account.
    pub cleared: Decimal,
    /// What of the money that takes, where the bank has a rate of its own.
    pub paid: Option<Decimal>,
    pub discount: Decimal,
    pub date: NaiveDate,
    /// Of the bank's currency, in the base currency.
    pub rate: Decimal,
    /// Of the document's currency, in that of the bank.
    pub cross: Decimal,
}

/// What a payment did to an item: enough to take it back.
#[derive(Debug, Clone)]
pub struct Cleared {
    pub document: Uuid,
    pub amount: Decimal,
    pub base: Decimal,
    pub discount: Discounts,
}

#[derive(Debug, Clone)]
pub struct Payment {
    pub id: Uuid,
    pub booked: Booked,
    pub cleared: Vec<Cleared>,
}

impl Discounts {
    /// Adds to them, or with −1 takes off.
    pub fn add(&mut self, other: Discounts, factor: Decimal) {
        self.amount += other.amount * factor;
        self.base += other.base * factor;
        self.base_tax += other.base_tax * factor;
    }

    /// What goes back with a credit of `credited`, of `settled` that was paid: the price of the goods less what the discount was.
    pub fn taken_back(&self, credited: Decimal, settled: Decimal) -> Discounts {
        match self.amount <= Decimal::ZERO || credited.is_zero() {
            true => Discounts::default(),
            false if credited == settled => *self,
            false => Discounts {
                amount: even(self.amount * credited / settled),
                base: even(self.base * credited / settled),
                base_tax: away(self.base_tax * credited / settled),
            },
        }
    }
}

impl Item {
    /// What we owe a party, or have of its money: nothing that is paid with a discount.
    pub fn credit(party: Uuid, receivable: bool, currency: &'static str, amount: Decimal, base: Decimal) -> Self {
        Item {
            tax: (Decimal::ZERO, Decimal::ZERO),
            discount_until: None,
            party,
            receivable,
            currency,
            amount: -amount,
            open: -amount,
            open_base: -base,
            discounts: Discounts::default(),
        }
    }
}

impl Paying {
    /// What of the money goes to the document.
    pub fn used(&self, item: &Item) -> Decimal {
        match (item.currency == self.bank, self.paid) {
            (true, _) => self.cleared,
            (false, Some(paid)) => paid,
            (false, None) => convert(self.cleared, self.cross),
        }
    }
}

impl Model {
    /// What clearing so much of an item takes from its base value.
    fn base_share(&self, item: &Item, amount: Decimal) -> Decimal {
        match self.has(Bug::BaseShareRoundedDown) && amount != item.open {
            true => (item.open_base * amount / item.open).round_dp_with_strategy(2, RoundingStrategy::ToZero),
            false => share(item.open_base, amount, item.open),
        }
    }

    /// Money from a customer or to a supplier, for one document. What is more than the document has open
    /// stays on account, as an item of the payment in the currency of the bank.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn pay(&mut self, id: Uuid, paying: &Paying) -> Result<(), Refusal> {
        let item = self.items.get(&paying.document).expect("an item of the model").clone();
        if item.open.is_zero() {
            return Err("nothing_open");
        }
        self.refuse_closed(paying.date)?;
        refuse_discount(&item, paying)?;
        let used = paying.used(&item);
        if used > paying.amount {
            return Err("exceeds_payment");
        }
        let total = paying.cleared + paying.discount;
        if total > item.open {
            return Err("exceeds_open");
        }
        let sign = match item.receivable {
            true => Decimal::ONE,
            false => Decimal::NEGATIVE_ONE,
        };
        let money = convert(paying.amount, paying.rate);
        let value = share(money, used, paying.amount);
        let cleared = match self.has(Bug::SettlementWithoutExchangeDifference) {
            true => value,
            false => self.base_share(&item, total),
        };
        let discounted = match paying.discount.is_zero() {
            true => Decimal::ZERO,
            false => even(cleared * paying.discount / total),
        };
        // The document's tax goes down in proportion to what is lost of the document.
        let tax = match self.has(Bug::DiscountWithoutTax) {
            true => Decimal::ZERO,
            false => away(item.tax.1 * paying.discount / item.amount),
        };
        let difference = (value + discounted - cleared) * sign;
        let loss = difference < Decimal::ZERO && !self.has(Bug::ExchangeDifferenceWithoutSign);
        let (control, lost, taxes) = match item.receivable {
            true => (RECEIVABLE, DISCOUNTS, OUTPUT_TAX),
            false => (PAYABLE, DISCOUNTS_RECEIVED, INPUT_TAX),
        };
        let rest = money - value;
        let entry = vec![
            (bank(paying.bank), money * sign),
            (control, -(cleared + rest) * sign),
            (if loss { LOSSES } else { GAINS }, -difference),
            (lost, (discounted - tax) * sign),
            (taxes, tax * sign),
        ];
        self.book(&entry);
        let open = self.items.get_mut(&paying.document).expect("an item of the model");
        open.open -= total;
        open.open_base -= cleared;
        let discount = Discounts {
            amount: paying.discount,
            base: discounted,
            base_tax: tax,
        };
        open.discounts.add(discount, Decimal::ONE);
        if used < paying.amount {
            let credit = Item::credit(item.party, item.receivable, paying.bank, paying.amount - used, rest);
            self.items.insert(id, credit);
        }
        let cleared = Cleared {
            document: paying.document,
            amount: total,
            base: cleared,
            discount,
        };
        let payment = Payment {
            id,
            booked: Booked::new(entry),
            cleared: vec![cleared],
        };
        self.payments.insert(id, payment);
        Ok(())
    }

    /// A payment bounces: its entry is mirrored, what it cleared is open again, and what it brought in advance
    /// never came. Dated into a closed period, on the first open day after it.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn reverse(&mut self, id: Uuid) -> Result<(), Refusal> {
        if self.payments[&id].booked.reversed {
            return Err("illegal_transition");
        }
        self.refuse_cleared_advance(id)?;
        self.undo_advance(id);
        let payment = self.payments.get_mut(&id).expect("a payment of the model");
        payment.booked.reversed = true;
        let (mirrored, cleared) = (payment.booked.mirrored(), payment.cleared.clone());
        self.book(&mirrored);
        if let Some(own) = self.items.get_mut(&id) {
            (own.open, own.open_base) = (Decimal::ZERO, Decimal::ZERO);
        }
        if self.has(Bug::ReversalKeepsInvoicePaid) {
            return Ok(());
        }
        for part in cleared {
            let item = self.items.get_mut(&part.document).expect("an item of the model");
            item.open += part.amount;
            item.open_base += part.base;
            item.discounts.add(part.discount, Decimal::NEGATIVE_ONE);
        }
        Ok(())
    }
}

/// The discount that comes with paying so much of an item.
pub fn usual_discount(open: Decimal, amount: Decimal) -> Decimal {
    let least = open - even(open * discount_rate());
    if amount >= open {
        Decimal::ZERO
    } else if amount >= least {
        open - amount
    } else {
        (even(amount / (Decimal::ONE - discount_rate())) - amount).clamp(Decimal::ZERO, open - amount)
    }
}

fn refuse_discount(item: &Item, paying: &Paying) -> Result<(), Refusal> {
    let (amount, discount) = (paying.cleared, paying.discount);
    let in_time = item.discount_until.is_some_and(|until| paying.date <= until);
    let most = match in_time {
        true => even((amount + discount) * discount_rate()).max(usual_discount(item.open, amount)),
        false => Decimal::ZERO,
    };
    match (discount > most, in_time) {
        (true, true) => Err("discount_exceeded"),
        (true, false) => Err("no_discount"),
        _ => Ok(()),
    }
}
