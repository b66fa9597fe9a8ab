//! What is done to the business, and how the next thing to do is drawn.

use super::model::{Model, Order, OrderLine, Paying, Purchase, PurchaseLine, Refusal, discount_rate, even};
use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

/// One thing done, with everything that it needs: it can be done again to another model.
#[derive(Debug, Clone)]
pub enum Command {
    Order(Order, NaiveDate),
    Deliver {
        id: Uuid,
        order: Uuid,
        date: NaiveDate,
        lines: Vec<(Uuid, Decimal)>,
    },
    Invoice {
        id: Uuid,
        order: Uuid,
        date: NaiveDate,
        rate: Decimal,
    },
    Return {
        id: Uuid,
        order: Uuid,
        delivery: Uuid,
        line: Uuid,
        quantity: Decimal,
        date: NaiveDate,
    },
    Purchase(Purchase, NaiveDate),
    Receive {
        purchase: Uuid,
        date: NaiveDate,
        rate: Decimal,
        lines: Vec<(usize, Decimal)>,
    },
    Bill {
        id: Uuid,
        purchase: Uuid,
        date: NaiveDate,
        rate: Decimal,
        lines: Vec<(usize, Decimal, Decimal)>,
    },
    Count {
        product: Uuid,
        counted: Decimal,
    },
    Pay {
        id: Uuid,
        paying: Paying,
    },
    Reverse {
        payment: Uuid,
        date: NaiveDate,
    },
    /// Closes the month that ends on this day.
    Close {
        until: NaiveDate,
    },
}

impl Command {
    pub fn kind(&self, model: &Model) -> &'static str {
        match self {
            Command::Order(..) => "order",
            Command::Deliver { .. } => "delivery",
            Command::Invoice { .. } => "invoice",
            Command::Return { .. } => "return",
            Command::Purchase(..) => "purchase order",
            Command::Receive { .. } => "receipt",
            Command::Bill { .. } => "bill",
            Command::Count { .. } => "count",
            Command::Pay { paying, .. } => match model.items.get(&paying.document) {
                Some(item) if item.receivable => "customer payment",
                _ => "supplier payment",
            },
            Command::Reverse { .. } => "reversal",
            Command::Close { .. } => "period close",
        }
    }

    /// What the model makes of it.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn apply(&self, model: &mut Model) -> Result<(), Refusal> {
        match self {
            Command::Order(order, _) => {
                model.order(order.clone());
                Ok(())
            }
            Command::Deliver { id, order, date, lines } => model.deliver(*id, *order, *date, lines),
            Command::Invoice { id, order, date, rate } => model.invoice(*id, *order, (*date, *rate)),
            Command::Return {
                delivery,
                line,
                quantity,
                ..
            } => model.take_back(*delivery, *line, *quantity),
            Command::Purchase(purchase, _) => {
                model.purchases.insert(purchase.id, purchase.clone());
                Ok(())
            }
            Command::Receive {
                purchase,
                date,
                rate,
                lines,
            } => model.receive(*purchase, *date, *rate, lines),
            Command::Bill {
                id,
                purchase,
                date,
                rate,
                lines,
            } => model.bill(*id, *purchase, (*date, *rate), lines),
            Command::Count { product, counted } => {
                model.count(*product, *counted);
                Ok(())
            }
            Command::Pay { id, paying } => model.pay(*id, paying),
            Command::Reverse { payment, .. } => model.reverse(*payment),
            Command::Close { until } => model.close(*until),
        }
    }
}

/// Pseudo-random numbers (SplitMix64): the same seed, the same sequence, whatever libraries change.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).expect("a range");
        low + i64::try_from(self.next() % span).expect("within the range")
    }

    pub fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let last = i64::try_from(from.len()).expect("a length") - 1;
        (last >= 0).then(|| from[usize::try_from(self.between(0, last)).expect("an index")].clone())
    }

    /// Mostly whole, now and then with decimals.
    fn quantity(&mut self, most: i64) -> Decimal {
        match self.chance(80) {
            true => Decimal::from(self.between(1, most)),
            false => Decimal::new(self.between(1, most * 1000), 3),
        }
    }

    fn price(&mut self) -> Decimal {
        match self.chance(70) {
            true => Decimal::new(self.between(50, 9_999), 2),
            false => Decimal::new(self.between(1_000, 999_999), 4),
        }
    }

    /// Some of it, or all.
    fn part(&mut self, of: Decimal) -> Decimal {
        match self.chance(50) {
            true => of,
            false => (of * Decimal::new(self.between(1, 99), 2))
                .round_dp(3)
                .max(Decimal::new(1, 3))
                .min(of),
        }
    }
}

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

/// What a unit is worth in the base currency; pounds by way of the euro.
pub fn rate(currency: &str, day: NaiveDate) -> Decimal {
    let (dollars, pounds) = rates_of(day);
    match currency {
        "EUR" => dollars,
        "GBP" => dollars / pounds,
        _ => Decimal::ONE,
    }
}

impl World {
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
        loop {
            let drawn = match dice.between(1, 100) {
                1..=13 => Some(self.order(dice, date)),
                14..=15 => Self::take_back(dice, model, date),
                16..=31 => self.deliver(dice, model, date),
                32..=43 => Self::invoice(dice, model, date),
                44..=50 => Some(self.purchase(dice, date)),
                51..=61 => Self::receive(dice, model, date),
                62..=70 => Self::bill(dice, model, date),
                71..=74 => self.count(dice, model),
                75..=87 => Self::pay(dice, model, date, true),
                88..=93 => Self::pay(dice, model, date, false),
                94..=97 => Self::reverse(dice, model, date),
                _ => Self::close(dice, model, date),
            };
            if let Some(command) = drawn {
                return command;
            }
        }
    }

    fn some_products(&self, dice: &mut Dice) -> Vec<Uuid> {
        let mut products = self.products.clone();
        let wanted = usize::try_from(dice.between(1, 3)).expect("a number");
        while products.len() > wanted {
            let gone = dice.between(0, i64::try_from(products.len()).expect("a length") - 1);
            products.remove(usize::try_from(gone).expect("an index"));
        }
        products
    }

    fn order(&self, dice: &mut Dice, date: NaiveDate) -> Command {
        let (customer, currency) = dice.pick(&self.customers).expect("customers");
        let mut lines = Vec::new();
        for product in self.some_products(dice) {
            lines.push(OrderLine {
                id: Uuid::now_v7(),
                product,
                quantity: dice.quantity(20),
                unit_price: dice.price(),
                discount: Decimal::new(*dice.pick(&[0, 0, 0, 5, 10, 15]).as_ref().expect("a discount"), 2),
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
        Command::Order(order, date)
    }

    fn deliver(&self, dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(12);
        let fits = |order: &&Order| amiss || (!order.held && order.lines.iter().any(|line| !line.reserved.is_zero()));
        let order = dice
            .pick(&model.orders.values().filter(fits).collect::<Vec<_>>())?
            .clone();
        let mut lines = Vec::new();
        for line in &order.lines {
            let quantity = match amiss {
                true if dice.chance(50) => line.reserved + Decimal::ONE,
                _ if line.reserved.is_zero() => continue,
                _ => dice.part(line.reserved),
            };
            lines.push((line.id, quantity));
        }
        let early = amiss && dice.chance(40);
        let date = model
            .closed_to
            .filter(|day| early && day.year() >= 1984)
            .unwrap_or(date);
        (!lines.is_empty()).then(|| Command::Deliver {
            id: Uuid::now_v7(),
            order: order.id,
            date,
            lines,
        })
    }

    fn invoice(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let amiss = dice.chance(8);
        let fits = |order: &&Order| amiss || order.lines.iter().any(|line| line.to_invoice() > Decimal::ZERO);
        let order = dice
            .pick(&model.orders.values().filter(fits).collect::<Vec<_>>())?
            .clone();
        Some(Command::Invoice {
            id: Uuid::now_v7(),
            order: order.id,
            date,
            rate: rate(order.currency, date),
        })
    }

    /// What was not invoiced yet comes back, or more than was delivered.
    fn take_back(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
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

    fn purchase(&self, dice: &mut Dice, date: NaiveDate) -> Command {
        let (supplier, currency) = dice.pick(&self.suppliers).expect("suppliers");
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
        Command::Purchase(
            Purchase {
                id: Uuid::now_v7(),
                supplier,
                currency,
                lines,
            },
            date,
        )
    }

    fn receive(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let open = |purchase: &&Purchase| purchase.lines.iter().any(|line| line.received < line.quantity);
        let purchase = dice
            .pick(&model.purchases.values().filter(open).collect::<Vec<_>>())?
            .clone();
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

    fn bill(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let open = |purchase: &&Purchase| purchase.lines.iter().any(|line| line.billed < line.received);
        let purchase = dice
            .pick(&model.purchases.values().filter(open).collect::<Vec<_>>())?
            .clone();
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
        let rate = rate(purchase.currency, date);
        Some(Command::Bill {
            id: Uuid::now_v7(),
            purchase: purchase.id,
            date,
            rate,
            lines,
        })
    }

    fn count(&self, dice: &mut Dice, model: &Model) -> Option<Command> {
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

    fn pay(dice: &mut Dice, model: &Model, date: NaiveDate, receivable: bool) -> Option<Command> {
        let amiss = dice.chance(8);
        // What stands on account is no document to pay.
        let fits = |(_, item): &(&Uuid, &super::model::Item)| {
            item.receivable == receivable && item.amount > Decimal::ZERO && (amiss || item.open > Decimal::ZERO)
        };
        let (document, item) = dice.pick(&model.items.iter().filter(fits).collect::<Vec<_>>())?;
        let in_time = item.discount_until.is_some_and(|until| date <= until);
        let cent = Decimal::new(1, 2);
        let (mut cleared, mut discount, mut more) = (item.open, Decimal::ZERO, Decimal::ZERO);
        match dice.between(1, 10) {
            1..=3 => {
                cleared = even(item.open * Decimal::new(dice.between(1, 99), 2))
                    .max(cent)
                    .min(item.open)
            }
            4..=6 if in_time || amiss => {
                discount = even(item.open * discount_rate())
                    .min(item.open - cent)
                    .max(Decimal::ZERO);
                cleared = item.open - discount;
                if amiss && dice.chance(50) && cleared > cent {
                    (cleared, discount) = (cleared - cent, discount + cent);
                }
            }
            7 if in_time => {
                cleared = even(item.open * Decimal::new(dice.between(10, 90), 2))
                    .max(cent)
                    .min(item.open);
                discount = super::model::usual_discount(item.open, cleared);
            }
            8 | 9 => more = Decimal::new(dice.between(1, 20_000), 2),
            _ if amiss => cleared += cent,
            _ => {}
        }
        if cleared <= Decimal::ZERO {
            (cleared, discount) = (cent, Decimal::ZERO);
        }
        let date = model
            .closed_to
            .filter(|day| day.year() >= 1984 && amiss && dice.chance(20))
            .unwrap_or(date);
        let paying = Paying {
            document: *document,
            amount: cleared + more,
            cleared,
            discount,
            date,
            rate: rate(item.currency, date),
        };
        Some(Command::Pay {
            id: Uuid::now_v7(),
            paying,
        })
    }

    fn reverse(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let again = dice.chance(10);
        let fits = model.payments.values().filter(|payment| again || !payment.reversed);
        let payment = dice.pick(&fits.map(|payment| payment.id).collect::<Vec<_>>())?;
        Some(Command::Reverse { payment, date })
    }

    fn close(dice: &mut Dice, model: &Model, date: NaiveDate) -> Option<Command> {
        let closed = model.closed_to?;
        let next = month_end(closed + Days::new(1));
        match (next < date, dice.chance(10)) {
            (true, _) => Some(Command::Close { until: next }),
            (false, true) => Some(Command::Close { until: closed }),
            (false, false) => None,
        }
    }
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
