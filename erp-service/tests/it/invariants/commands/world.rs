//! Who takes part, when things happen, and how often.

use super::{Command, Dice};
use crate::invariants::model::Model;
use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Who and what takes part in a sequence, and when.
#[derive(Debug, Clone)]
pub struct World {
    pub products: Vec<Uuid>,
    /// With the currency that they buy in.
    pub customers: Vec<(Uuid, &'static str)>,
    pub suppliers: Vec<(Uuid, &'static str)>,
    /// First day of the first of its two months.
    pub start: NaiveDate,
}

pub const STEPS: usize = 60;

type Draw = fn(&World, &mut Dice, &Model, NaiveDate) -> Option<Command>;

/// How often each kind is drawn; one that is not possible now is drawn again.
const DRAWS: [(i64, Draw); 21] = [
    (24, World::order),
    (7, World::amend),
    (26, World::deliver),
    (5, World::take_back),
    (24, World::invoice),
    (7, World::credit),
    (4, World::cancel_invoice),
    (8, World::ask),
    (9, World::advance),
    (9, World::cancel_prepayment),
    (13, World::purchase),
    (26, World::receive),
    (34, World::bill),
    (14, World::reverse_bill),
    (8, World::count),
    (30, World::paid),
    (45, World::pay),
    (7, World::reverse_payment),
    (5, World::enter),
    (6, World::reverse_entry),
    (4, World::close),
];

/// Exchange rates that everybody can work out: of the last day of 1, 8, 15, 22 and 29 of the month.
pub fn rates_of(day: NaiveDate) -> (Decimal, Decimal) {
    let rated = day
        .with_day(day.day() - (day.day() - 1) % 7)
        .expect("a day of the month");
    let seed = i64::from(rated.num_days_from_ce()) / 7;
    (
        Decimal::new(10_503 + (seed * 7_919) % 1_500, 4),
        Decimal::new(8_001 + (seed * 6_271) % 1_200, 4),
    )
}

/// What a unit is worth in another currency; what is not against the euro goes by way of it.
pub fn rate_to(from: &str, to: &str, day: NaiveDate) -> Decimal {
    let (dollars, pounds) = rates_of(day);
    let in_euro = |currency: &str| match currency {
        "EUR" => Decimal::ONE,
        "GBP" => pounds,
        _ => dollars,
    };
    match (from == to, to) {
        (true, _) => Decimal::ONE,
        (false, "EUR") => Decimal::ONE / in_euro(from),
        (false, _) => in_euro(to) / in_euro(from),
    }
}

/// What a unit is worth in the base currency.
pub fn rate(currency: &str, day: NaiveDate) -> Decimal {
    rate_to(currency, "USD", day)
}

impl World {
    /// Customers and suppliers.
    pub fn parties(&self) -> Vec<Uuid> {
        self.customers
            .iter()
            .chain(&self.suppliers)
            .map(|(id, _)| *id)
            .collect()
    }

    /// The day of a step: a month, and then the next.
    pub fn day(&self, step: usize) -> NaiveDate {
        let half = STEPS / 2;
        let first = match step < half {
            true => self.start,
            false => next_month(self.start),
        };
        first + Days::new(u64::try_from(step % half * 27 / half).expect("a day"))
    }

    /// The next thing to do at this step.
    pub fn draw(&self, dice: &mut Dice, model: &Model, step: usize) -> Command {
        let date = self.day(step);
        let all: i64 = DRAWS.iter().map(|(weight, _)| weight).sum();
        loop {
            let mut left = dice.between(1, all);
            let drawn = DRAWS.iter().find(|(weight, _)| {
                left -= weight;
                left <= 0
            });
            let (_, draw) = drawn.expect("a number within the sum");
            if let Some(command) = draw(self, dice, model, date) {
                return command;
            }
        }
    }

    pub(super) fn some_products(&self, dice: &mut Dice) -> Vec<Uuid> {
        let mut products = self.products.clone();
        let wanted = usize::try_from(dice.between(1, 3)).expect("a number");
        while products.len() > wanted {
            let gone = dice.between(0, i64::try_from(products.len()).expect("a length") - 1);
            products.remove(usize::try_from(gone).expect("an index"));
        }
        products
    }

    fn close(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let closed = model.closed_to?;
        let next = month_end(closed + Days::new(1));
        match (next < date, dice.chance(10)) {
            (true, _) => Some(Command::Close { until: next }),
            (false, true) => Some(Command::Close { until: closed }),
            (false, false) => None,
        }
    }
}

/// Now and then, a day that is closed already.
pub(super) fn perhaps_closed(dice: &mut Dice, model: &Model, date: NaiveDate, percent: i64) -> NaiveDate {
    let closed = model.closed_to.filter(|day| day.year() >= 1999);
    closed.filter(|_| dice.chance(percent)).unwrap_or(date)
}

pub fn next_month(first: NaiveDate) -> NaiveDate {
    month_end(first) + Days::new(1)
}

pub fn month_end(day: NaiveDate) -> NaiveDate {
    let (year, month) = match day.month() {
        12 => (day.year() + 1, 1),
        month => (day.year(), month + 1),
    };
    NaiveDate::from_ymd_opt(year, month, 1).expect("a day") - Days::new(1)
}
