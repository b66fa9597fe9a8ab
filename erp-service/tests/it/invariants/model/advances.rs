//! Prepayments: asked for, received in advance, cleared by invoices, given back.

use super::ledger::Booked;
use super::money::{ADVANCES, OUTPUT_TAX, RECEIVABLE, bank, convert, share, tax_within};
use super::settlement::{Item, Payment};
use super::{Bug, Model, Refusal};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct Prepayment {
    pub order: Uuid,
    pub customer: Uuid,
    pub currency: &'static str,
    pub gross: Decimal,
    pub received: Decimal,
    pub cancelled: bool,
}

/// Money that came for a prepayment, with what no invoice has cleared of it.
#[derive(Debug, Clone)]
pub struct Advance {
    pub prepayment: Uuid,
    pub payment: Uuid,
    pub order: Uuid,
    pub customer: Uuid,
    pub gross: Decimal,
    pub open_gross: Decimal,
    /// Amount and value.
    pub open_net: (Decimal, Decimal),
    pub open_tax: (Decimal, Decimal),
}

/// What an invoice takes of advances.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub gross: Decimal,
    pub net: (Decimal, Decimal),
    pub tax: (Decimal, Decimal),
}

impl Advance {
    /// Takes so much, gross.
    fn take(&mut self, gross: Decimal) -> Taken {
        let tax = (
            share(self.open_tax.0, gross, self.open_gross),
            share(self.open_tax.1, gross, self.open_gross),
        );
        let amount = gross - tax.0;
        let net = (amount, share(self.open_net.1, amount, self.open_net.0));
        self.open_gross -= gross;
        self.open_tax = (self.open_tax.0 - tax.0, self.open_tax.1 - tax.1);
        self.open_net = (self.open_net.0 - net.0, self.open_net.1 - net.1);
        Taken { gross, net, tax }
    }

    fn taken_back(&mut self) {
        self.open_gross = Decimal::ZERO;
        (self.open_net, self.open_tax) = Default::default();
    }
}

impl Model {
    /// Asks for money before the invoice; posts nothing.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn ask(&mut self, id: Uuid, order: Uuid, amount: Decimal, date: NaiveDate) -> Result<(), Refusal> {
        let found = &self.orders[&order];
        let of_order = self.prepayments.values().filter(|known| known.order == order);
        let asked: Decimal = of_order.filter(|known| !known.cancelled).map(|known| known.gross).sum();
        if amount > self.gross(found) - asked {
            return Err("exceeds_order");
        }
        self.refuse_closed(date)?;
        let prepayment = Prepayment {
            order,
            customer: found.customer,
            currency: found.currency,
            gross: amount,
            received: Decimal::ZERO,
            cancelled: false,
        };
        self.prepayments.insert(id, prepayment);
        Ok(())
    }

    /// Money comes for a prepayment, taxed at once; what is more than it asks for stays on account.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn advance(
        &mut self,
        id: Uuid,
        prepayment: Uuid,
        (date, rate): (NaiveDate, Decimal),
        amount: Decimal,
    ) -> Result<(), Refusal> {
        let asked = self.prepayments[&prepayment].clone();
        self.refuse_closed(date)?;
        let gross = match asked.cancelled {
            true => Decimal::ZERO,
            false => amount.min(asked.gross - asked.received),
        };
        if gross.is_zero() {
            return Err("nothing_to_receive");
        }
        let money = convert(amount, rate);
        let value = share(money, gross, amount);
        let tax = tax_within(gross);
        let tax_base = share(value, tax, gross);
        let entry = vec![
            (bank(asked.currency), money),
            (RECEIVABLE, value - money),
            (ADVANCES, tax_base - value),
            (OUTPUT_TAX, -tax_base),
        ];
        self.book(&entry);
        if gross < amount {
            let rest = Item::credit(asked.customer, true, asked.currency, amount - gross, money - value);
            self.items.insert(id, rest);
        }
        self.advances.push(Advance {
            prepayment,
            payment: id,
            order: asked.order,
            customer: asked.customer,
            gross,
            open_gross: gross,
            open_net: (gross - tax, value - tax_base),
            open_tax: (tax, tax_base),
        });
        self.prepayments.get_mut(&prepayment).expect("a prepayment").received += gross;
        let payment = Payment {
            id,
            booked: Booked::new(entry),
            cleared: Vec::new(),
        };
        self.payments.insert(id, payment);
        Ok(())
    }

    /// What an invoice of so much takes of the advances of its order, the oldest first.
    pub(super) fn take_advances(&mut self, order: Uuid, gross: Decimal, rate: Decimal) -> Taken {
        let at_todays_rate = self.has(Bug::AdvanceRevalued);
        let (mut rest, mut sum) = (gross, Taken::default());
        let open = self
            .advances
            .iter_mut()
            .filter(|advance| advance.order == order && !advance.open_gross.is_zero());
        for advance in open {
            let part = advance.open_gross.min(rest);
            if part.is_zero() {
                break;
            }
            let mut taken = advance.take(part);
            if at_todays_rate {
                taken.net.1 = convert(taken.net.0, rate);
            }
            rest -= taken.gross;
            sum.gross += taken.gross;
            sum.net = (sum.net.0 + taken.net.0, sum.net.1 + taken.net.1);
            sum.tax = (sum.tax.0 + taken.tax.0, sum.tax.1 + taken.tax.1);
        }
        sum
    }

    /// Cancels a prepayment: what no invoice has cleared becomes a credit that can be refunded.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn cancel_prepayment(&mut self, id: Uuid, date: NaiveDate) -> Result<(), Refusal> {
        let found = self.prepayments[&id].clone();
        if found.cancelled {
            return Err("illegal_transition");
        }
        let of_it = |advance: &&mut Advance| advance.prepayment == id && !advance.open_gross.is_zero();
        let open: Vec<Advance> = self
            .advances
            .iter_mut()
            .filter(of_it)
            .map(|open| open.clone())
            .collect();
        if !open.is_empty() {
            self.refuse_closed(date)?;
            let gross: Decimal = open.iter().map(|advance| advance.open_gross).sum();
            let net: Decimal = open.iter().map(|advance| advance.open_net.1).sum();
            let tax: Decimal = open.iter().map(|advance| advance.open_tax.1).sum();
            self.book(&[(ADVANCES, net), (OUTPUT_TAX, tax), (RECEIVABLE, -net - tax)]);
            let credit = Item::credit(found.customer, true, found.currency, gross, net + tax);
            self.items.insert(id, credit);
            self.advances.iter_mut().filter(of_it).for_each(Advance::taken_back);
        }
        self.prepayments.get_mut(&id).expect("a prepayment").cancelled = true;
        Ok(())
    }

    /// The payment that brought an advance is reversed: it never came. Not when an invoice has cleared some of it.
    pub(super) fn refuse_cleared_advance(&self, payment: Uuid) -> Result<(), Refusal> {
        let mut of_it = self.advances.iter().filter(|advance| advance.payment == payment);
        match of_it.all(|advance| advance.open_gross == advance.gross) {
            true => Ok(()),
            false => Err("exceeds_open"),
        }
    }

    pub(super) fn undo_advance(&mut self, payment: Uuid) {
        for advance in self.advances.iter_mut().filter(|advance| advance.payment == payment) {
            let prepayment = self.prepayments.get_mut(&advance.prepayment).expect("a prepayment");
            prepayment.received -= advance.gross;
            advance.taken_back();
        }
    }
}
