//! The general ledger: balances by account, entries by hand, closed months.

use super::money::{RENT, bank, convert};
use super::{Model, Refusal};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

/// What was booked, account by account, debit positive: enough to take it back.
#[derive(Debug, Clone)]
pub struct Booked {
    pub lines: Vec<(&'static str, Decimal)>,
    pub reversed: bool,
}

impl Booked {
    pub fn new(lines: Vec<(&'static str, Decimal)>) -> Self {
        Booked { lines, reversed: false }
    }

    /// The other way round.
    pub fn mirrored(&self) -> Vec<(&'static str, Decimal)> {
        self.lines
            .iter()
            .map(|(account, amount)| (*account, -*amount))
            .collect()
    }
}

impl Model {
    /// Books an entry, debit positive.
    ///
    /// # Panics
    /// When it does not balance: the model is wrong then.
    pub(super) fn book(&mut self, lines: &[(&'static str, Decimal)]) {
        let sum: Decimal = lines.iter().map(|(_, amount)| *amount).sum();
        assert!(sum.is_zero(), "the model's entry is off by {sum}: {lines:?}");
        for (account, amount) in lines {
            *self.accounts.entry(account).or_default() += *amount;
        }
    }

    /// Closes the month that ends on this day, and all before it.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn close(&mut self, until: NaiveDate) -> Result<(), Refusal> {
        if self.closed_to.is_some_and(|closed| until <= closed) {
            return Err("illegal_transition");
        }
        self.closed_to = Some(until);
        Ok(())
    }

    /// Nothing is posted into a closed period.
    pub(super) fn refuse_closed(&self, date: NaiveDate) -> Result<(), Refusal> {
        match self.closed_to.is_some_and(|closed| date <= closed) {
            true => Err("period_closed"),
            false => Ok(()),
        }
    }

    /// An entry by hand: the rent, paid from the bank of this currency.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn enter(
        &mut self,
        id: Uuid,
        (date, rate): (NaiveDate, Decimal),
        amount: Decimal,
        currency: &str,
    ) -> Result<(), Refusal> {
        self.refuse_closed(date)?;
        let value = convert(amount, rate);
        let entry = Booked::new(vec![(RENT, value), (bank(currency), -value)]);
        self.book(&entry.lines);
        self.entries.insert(id, entry);
        Ok(())
    }

    /// An entry by hand is taken back; dated into a closed period, on the first open day after it.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn reverse_entry(&mut self, id: Uuid) -> Result<(), Refusal> {
        let entry = self.entries.get_mut(&id).expect("an entry of the model");
        if entry.reversed {
            return Err("already_reversed");
        }
        entry.reversed = true;
        let mirrored = entry.mirrored();
        self.book(&mirrored);
        Ok(())
    }
}
