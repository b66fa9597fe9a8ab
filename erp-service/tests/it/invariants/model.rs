//! The business as a naive program in memory: no database, no locks, every figure by the rules of the
//! books. The service is right when it does the same.
//!
//! A [`Bug`] can be planted here: then the comparison must find a difference, or it would not find
//! that mistake in the service either.

use chrono::{Days, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Mistakes that the comparison must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A return enters at the average of today instead of its delivery's cost.
    ReturnAtCurrentAverage,
    /// What the rate moved between receipt and bill counts as a difference of the price.
    RateCountsAsPrice,
    /// The exposure counts an order and its invoice.
    ExposureCountedTwice,
    /// A cash discount leaves the tax as it was.
    DiscountWithoutTax,
    /// The last unit leaves with its share instead of the rest of the value.
    LastUnitLeavesCents,
    /// A bill's difference goes to the variance although the goods are still there.
    VarianceNeverRevaluesStock,
    /// A settlement in a foreign currency clears at the rate of the day.
    SettlementWithoutExchangeDifference,
    /// The tax is rounded for each line.
    TaxRoundedPerLine,
    /// A reversed payment does not open its invoice again.
    ReversalKeepsInvoicePaid,
    /// What a receipt brings does not go to the orders that wait.
    ReceiptFillsNoBackorder,
    /// A partial payment of the base value rounds down instead of half to even.
    BaseShareRoundedDown,
}

impl Bug {
    pub const ALL: [Bug; 11] = [
        Bug::ReturnAtCurrentAverage,
        Bug::RateCountsAsPrice,
        Bug::ExposureCountedTwice,
        Bug::DiscountWithoutTax,
        Bug::LastUnitLeavesCents,
        Bug::VarianceNeverRevaluesStock,
        Bug::SettlementWithoutExchangeDifference,
        Bug::TaxRoundedPerLine,
        Bug::ReversalKeepsInvoicePaid,
        Bug::ReceiptFillsNoBackorder,
        Bug::BaseShareRoundedDown,
    ];
}

/// Half to even, to cents.
pub fn even(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// Half away from zero, to cents: taxes.
pub fn away(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// At a rate, to cents; a rate that is an inverse is cut after 28 digits, which must not undo a half.
pub fn convert(amount: Decimal, rate: Decimal) -> Decimal {
    let exact = (amount * rate).round_sf_with_strategy(20, RoundingStrategy::MidpointNearestEven);
    even(exact.expect("an amount that fits"))
}

/// 20 % on everything, both ways.
pub fn tax_rate() -> Decimal {
    Decimal::new(20, 2)
}

/// What stands in one product's stock level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    pub value: Decimal,
}

#[derive(Debug, Clone)]
pub struct OrderLine {
    pub id: Uuid,
    pub product: Uuid,
    pub quantity: Decimal,
    pub unit_price: Decimal,
    pub discount: Decimal,
    pub reserved: Decimal,
    pub backordered: Decimal,
    pub delivered: Decimal,
    pub invoiced: Decimal,
    pub returned: Decimal,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub id: Uuid,
    pub customer: Uuid,
    pub currency: &'static str,
    /// Orders wait in the order in which they were confirmed.
    pub sequence: usize,
    pub held: bool,
    pub lines: Vec<OrderLine>,
}

#[derive(Debug, Clone)]
pub struct DeliveryLine {
    pub order_line: Uuid,
    pub product: Uuid,
    pub quantity: Decimal,
    pub cost: Decimal,
    /// Quantity and cost of what came back.
    pub returned: (Decimal, Decimal),
}

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
}

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

/// A payment for one document, in its currency.
#[derive(Debug, Clone)]
pub struct Paying {
    pub document: Uuid,
    pub amount: Decimal,
    /// What of it goes to the document; the rest stays on account.
    pub cleared: Decimal,
    pub discount: Decimal,
    pub date: NaiveDate,
    pub rate: Decimal,
}

/// What a payment did to an item: enough to take it back.
#[derive(Debug, Clone)]
pub struct Cleared {
    pub document: Uuid,
    pub amount: Decimal,
    pub base: Decimal,
}

#[derive(Debug, Clone)]
pub struct Payment {
    pub id: Uuid,
    /// What it changed, account by account, debit positive.
    pub entry: Vec<(&'static str, Decimal)>,
    pub cleared: Vec<Cleared>,
    pub reversed: bool,
}

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub bug: Option<Bug>,
    /// Balance by account code, debit positive.
    pub accounts: BTreeMap<&'static str, Decimal>,
    pub stock: BTreeMap<Uuid, Stock>,
    pub orders: BTreeMap<Uuid, Order>,
    /// In the order in which they were made.
    pub deliveries: Vec<(Uuid, Vec<DeliveryLine>)>,
    pub purchases: BTreeMap<Uuid, Purchase>,
    pub payments: BTreeMap<Uuid, Payment>,
    /// By document.
    pub items: BTreeMap<Uuid, Item>,
    /// Customers with a credit limit, in the base currency.
    pub limits: BTreeMap<Uuid, Decimal>,
    /// Sum of the differences that counts found: they are of today, later than everything else.
    pub counted: BTreeMap<Uuid, Decimal>,
    /// Nothing posts up to this day.
    pub closed_to: Option<NaiveDate>,
    sequence: usize,
}

/// What the service answers instead, as the code of its problem.
pub type Refusal = &'static str;

/// A cash discount of 2 % within 10 days.
pub fn discount_rate() -> Decimal {
    Decimal::new(2, 2)
}

pub fn bank(currency: &str) -> &'static str {
    match currency {
        "EUR" => "1021",
        "GBP" => "1022",
        _ => "1020",
    }
}

pub const BASE: &str = "USD";
pub const RECEIVABLE: &str = "1100";
pub const INPUT_TAX: &str = "1200";
pub const STOCK: &str = "1300";
pub const PAYABLE: &str = "2010";
pub const RECEIVED_NOT_INVOICED: &str = "2050";
pub const OUTPUT_TAX: &str = "2100";
pub const OPENING: &str = "3020";
pub const REVENUE: &str = "4010";
pub const GAINS: &str = "4200";
pub const COST_OF_SALES: &str = "5010";
pub const VARIANCE: &str = "5020";
pub const DIFFERENCES: &str = "5030";
pub const DISCOUNTS: &str = "6100";
pub const DISCOUNTS_RECEIVED: &str = "4100";
pub const LOSSES: &str = "6300";

impl OrderLine {
    pub fn to_invoice(&self) -> Decimal {
        self.delivered - self.returned - self.invoiced
    }

    fn total(&self) -> Decimal {
        even(self.quantity * self.unit_price * (Decimal::ONE - self.discount))
    }
}

impl Model {
    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Books an entry, debit positive.
    ///
    /// # Panics
    /// When it does not balance: the model is wrong then.
    fn book(&mut self, lines: &[(&'static str, Decimal)]) {
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
    fn refuse_closed(&self, date: NaiveDate) -> Result<(), Refusal> {
        match self.closed_to.is_some_and(|closed| date <= closed) {
            true => Err("period_closed"),
            false => Ok(()),
        }
    }

    /// Takes stock at its average; the last of it takes all of the value.
    fn take(&mut self, product: Uuid, quantity: Decimal) -> Decimal {
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

    fn bring(&mut self, product: Uuid, quantity: Decimal, value: Decimal) {
        let stock = self.stock.entry(product).or_default();
        stock.on_hand += quantity;
        stock.value += value;
    }

    pub fn free(&self, product: Uuid) -> Decimal {
        let stock = self.stock.get(&product).copied().unwrap_or_default();
        stock.on_hand - stock.reserved
    }

    /// Gives free stock to the orders that wait for it, the first first.
    fn fill(&mut self, product: Uuid) {
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
        self.book(&[(STOCK, value), (OPENING, -value)]);
    }

    /// Tax on lines that are rounded already.
    pub fn tax(&self, lines: &[Decimal]) -> Decimal {
        match self.has(Bug::TaxRoundedPerLine) {
            true => lines.iter().map(|line| away(*line * tax_rate())).sum(),
            false => away(lines.iter().sum::<Decimal>() * tax_rate()),
        }
    }

    /// Gross of an order that is still to be invoiced, in its currency.
    pub fn uninvoiced(&self, order: &Order) -> Decimal {
        let open: Vec<Decimal> = order
            .lines
            .iter()
            .map(|line| (line, line.quantity - line.returned - line.invoiced))
            .map(|(line, open)| match open == line.quantity {
                true => line.total(),
                false => even(line.total() * open / line.quantity),
            })
            .filter(|open| !open.is_zero())
            .collect();
        open.iter().sum::<Decimal>() + self.tax(&open)
    }

    /// What a customer has of our money, in the base currency; limits are for customers who buy in it.
    pub fn exposure(&self, customer: Uuid) -> Decimal {
        let twice = self.has(Bug::ExposureCountedTwice);
        let orders = self
            .orders
            .values()
            .filter(|order| order.customer == customer && !order.held);
        let to_invoice: Decimal = orders
            .map(|order| match twice {
                true => {
                    let all: Vec<Decimal> = order.lines.iter().map(OrderLine::total).collect();
                    all.iter().sum::<Decimal>() + self.tax(&all)
                }
                false => self.uninvoiced(order),
            })
            .sum();
        let items = self
            .items
            .values()
            .filter(|item| item.party == customer && item.receivable);
        to_invoice + items.map(|item| item.open_base).sum::<Decimal>()
    }

    /// Confirms an order: held when it is too much for the customer, else it reserves what is free.
    pub fn order(&mut self, mut order: Order) {
        let all: Vec<Decimal> = order.lines.iter().map(OrderLine::total).collect();
        let gross = all.iter().sum::<Decimal>() + self.tax(&all);
        self.sequence += 1;
        order.sequence = self.sequence;
        let limit = self.limits.get(&order.customer);
        order.held = limit.is_some_and(|limit| self.exposure(order.customer) + gross > *limit);
        if !order.held {
            for line in &mut order.lines {
                let stock = self.stock.entry(line.product).or_default();
                line.reserved = line.quantity.min(stock.on_hand - stock.reserved);
                line.backordered = line.quantity - line.reserved;
                stock.reserved += line.reserved;
            }
        }
        self.orders.insert(order.id, order);
    }

    /// Ships what is reserved.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn deliver(
        &mut self,
        id: Uuid,
        order: Uuid,
        date: NaiveDate,
        shipped: &[(Uuid, Decimal)],
    ) -> Result<(), Refusal> {
        let found = self.orders.get(&order).expect("an order of the model");
        if found.held || found.lines.iter().all(|line| line.delivered == line.quantity) {
            return Err("illegal_transition");
        }
        self.refuse_closed(date)?;
        let lines = found.lines.clone();
        let line = |id: &Uuid| lines.iter().find(|line| line.id == *id).expect("a line of the order");
        if shipped.iter().any(|(id, quantity)| line(id).reserved < *quantity) {
            return Err("exceeds_reserved");
        }
        if let Some(limit) = self.limits.get(&found.customer)
            && self.exposure(found.customer) > *limit
        {
            return Err("credit_exceeded");
        }
        // What a count of today found was not there on that day.
        let mut demand: BTreeMap<Uuid, Decimal> = BTreeMap::new();
        for (id, quantity) in shipped {
            *demand.entry(line(id).product).or_default() += *quantity;
        }
        for (product, quantity) in demand {
            let found = self
                .counted
                .get(&product)
                .copied()
                .unwrap_or_default()
                .max(Decimal::ZERO);
            if self.stock[&product].on_hand - found < quantity {
                return Err("insufficient_stock");
            }
        }
        let mut delivered = Vec::new();
        for (line_id, quantity) in shipped {
            let product = line(line_id).product;
            self.stock.entry(product).or_default().reserved -= *quantity;
            let cost = self.take(product, *quantity);
            self.book(&[(COST_OF_SALES, cost), (STOCK, -cost)]);
            delivered.push(DeliveryLine {
                order_line: *line_id,
                product,
                quantity: *quantity,
                cost,
                returned: (Decimal::ZERO, Decimal::ZERO),
            });
        }
        let order = self.orders.get_mut(&order).expect("an order of the model");
        for (line_id, quantity) in shipped {
            let line = order.lines.iter_mut().find(|line| line.id == *line_id).expect("a line");
            line.reserved -= *quantity;
            line.delivered += *quantity;
        }
        self.deliveries.push((id, delivered));
        Ok(())
    }

    /// Takes back what was not invoiced yet, at its delivery's cost, and puts it to stock again.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn take_back(&mut self, delivery: Uuid, line: Uuid, quantity: Decimal) -> Result<(), Refusal> {
        let at_average = self.has(Bug::ReturnAtCurrentAverage);
        let (_, lines) = self
            .deliveries
            .iter_mut()
            .find(|(id, _)| *id == delivery)
            .expect("a delivery");
        let part = lines
            .iter_mut()
            .find(|part| part.order_line == line)
            .expect("a line of the delivery");
        let left = part.quantity - part.returned.0;
        if quantity > left {
            return Err("exceeds_delivered");
        }
        let (rest, product) = (part.cost - part.returned.1, part.product);
        let stock = self.stock.get(&product).copied().unwrap_or_default();
        let value = match quantity == left {
            _ if at_average && !stock.on_hand.is_zero() => even(stock.value * quantity / stock.on_hand),
            true => rest,
            false => even(rest * quantity / left),
        };
        part.returned.0 += quantity;
        part.returned.1 += value;
        let mut lines = self.orders.values_mut().flat_map(|order| &mut order.lines);
        lines
            .find(|known| known.id == line)
            .expect("a line of an order")
            .returned += quantity;
        self.bring(product, quantity, value);
        self.book(&[(STOCK, value), (COST_OF_SALES, -value)]);
        self.fill(product);
        Ok(())
    }

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
        let (mut nets, mut base, mut entry) = (Vec::new(), Decimal::ZERO, Vec::new());
        for (index, quantity, unit_price) in billed {
            let line = &mut self.purchases.get_mut(&purchase).expect("a purchase").lines[*index];
            let net = even(*quantity * *unit_price);
            let value = convert(net, rate);
            let cleared = take_waiting(&mut line.waiting, *quantity);
            line.billed += *quantity;
            let expected = even(*quantity * line.unit_price);
            let off = line.matched.1 + net - expected;
            let worth = line.matched.0 + expected;
            let outside = off.abs() > worth * Decimal::new(2, 2) || off.abs() * rate > Decimal::from(50);
            if !outside {
                line.matched = (worth, off);
            }
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
            let stock = self.stock.get(&product).copied().unwrap_or_default();
            let revalued = match self.has(Bug::VarianceNeverRevaluesStock) {
                true => Decimal::ZERO,
                false if stock.on_hand >= *quantity => difference,
                false => even(difference * stock.on_hand / *quantity),
            };
            // Goods never become worth less than nothing.
            let revalued = revalued.max(-stock.value);
            self.stock.entry(product).or_default().value += revalued;
            entry.push((STOCK, revalued));
            entry.push((VARIANCE, difference - revalued));
            entry.push((if exchange < Decimal::ZERO { GAINS } else { LOSSES }, exchange));
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
            tax: (tax, tax_base),
            discount_until: date.checked_add_days(Days::new(10)),
        };
        self.items.insert(id, item);
        Ok(())
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

    /// Invoices what was delivered of an order and is not invoiced yet.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn invoice(&mut self, id: Uuid, order: Uuid, (date, rate): (NaiveDate, Decimal)) -> Result<(), Refusal> {
        let found = self.orders.get(&order).expect("an order of the model").clone();
        let mut lines = Vec::new();
        for line in &found.lines {
            // One invoice line for each delivery, so that each has its tax point.
            let (mut skip, mut before) = (line.invoiced + line.returned, line.invoiced);
            for (_, delivered) in &self.deliveries {
                for part in delivered.iter().filter(|part| part.order_line == line.id) {
                    let gone = skip.min(part.quantity);
                    skip -= gone;
                    let quantity = part.quantity - gone;
                    if !quantity.is_zero() {
                        let total =
                            |quantity: Decimal| even(quantity * line.unit_price * (Decimal::ONE - line.discount));
                        lines.push((line.id, quantity, total(before + quantity) - total(before)));
                        before += quantity;
                    }
                }
            }
        }
        if lines.is_empty() {
            return Err("nothing_to_invoice");
        }
        self.refuse_closed(date)?;
        let nets: Vec<Decimal> = lines.iter().map(|(_, _, amount)| *amount).collect();
        let tax = self.tax(&nets);
        let tax_base = convert(tax, rate);
        let revenue: Decimal = nets.iter().map(|net| convert(*net, rate)).sum();
        self.book(&[
            (RECEIVABLE, revenue + tax_base),
            (REVENUE, -revenue),
            (OUTPUT_TAX, -tax_base),
        ]);
        let amount = nets.iter().sum::<Decimal>() + tax;
        self.items.insert(
            id,
            Item {
                party: found.customer,
                receivable: true,
                currency: found.currency,
                amount,
                open: amount,
                open_base: revenue + tax_base,
                tax: (tax, tax_base),
                discount_until: date.checked_add_days(Days::new(10)),
            },
        );
        let order = self.orders.get_mut(&order).expect("an order of the model");
        for (line_id, quantity, _) in &lines {
            let line = order.lines.iter_mut().find(|line| line.id == *line_id).expect("a line");
            line.invoiced += *quantity;
        }
        Ok(())
    }

    /// What clearing so much of an item takes from its base value.
    fn share(&self, item: &Item, amount: Decimal) -> Decimal {
        if amount == item.open {
            return item.open_base;
        }
        let exact = item.open_base * amount / item.open;
        match self.has(Bug::BaseShareRoundedDown) {
            true => exact.round_dp_with_strategy(2, RoundingStrategy::ToZero),
            false => even(exact),
        }
    }

    /// Money from a customer or to a supplier, for one document, in the document's currency. What is more than the
    /// document has open stays on account, as an item of the payment.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn pay(&mut self, id: Uuid, paid: &Paying) -> Result<(), Refusal> {
        let Paying {
            amount,
            cleared: most,
            discount,
            date,
            rate,
            ..
        } = *paid;
        let item = self.items.get(&paid.document).expect("an item of the model").clone();
        if item.open.is_zero() {
            return Err("nothing_open");
        }
        self.refuse_closed(date)?;
        refuse_discount(&item, most, discount, date)?;
        if most + discount > item.open {
            return Err("exceeds_open");
        }
        let sign = if item.receivable {
            Decimal::ONE
        } else {
            Decimal::NEGATIVE_ONE
        };
        let control = if item.receivable { RECEIVABLE } else { PAYABLE };
        let money = convert(amount, rate);
        let value = match most == amount {
            true => money,
            false => even(money * most / amount),
        };
        let cleared = match self.has(Bug::SettlementWithoutExchangeDifference) {
            true => value,
            false => self.share(&item, most + discount),
        };
        let discounted = match discount.is_zero() {
            true => Decimal::ZERO,
            false => even(cleared * discount / (most + discount)),
        };
        // The document's tax goes down in proportion to what is lost of the document.
        let tax = match self.has(Bug::DiscountWithoutTax) {
            true => Decimal::ZERO,
            false => away(item.tax.1 * discount / item.amount),
        };
        let difference = (value + discounted - cleared) * sign;
        let mut entry = vec![
            (bank(item.currency), money * sign),
            (control, -(cleared + money - value) * sign),
            (if difference < Decimal::ZERO { LOSSES } else { GAINS }, -difference),
        ];
        let (lost, taxes) = match item.receivable {
            true => (DISCOUNTS, OUTPUT_TAX),
            false => (DISCOUNTS_RECEIVED, INPUT_TAX),
        };
        entry.push((lost, (discounted - tax) * sign));
        entry.push((taxes, tax * sign));
        self.book(&entry);
        let open = self.items.get_mut(&paid.document).expect("an item of the model");
        open.open -= most + discount;
        open.open_base -= cleared;
        let mut changed = vec![Cleared {
            document: paid.document,
            amount: most + discount,
            base: cleared,
        }];
        if most < amount {
            let rest = Item {
                amount: -(amount - most),
                open: -(amount - most),
                open_base: -(money - value),
                ..item
            };
            changed.push(Cleared {
                document: id,
                amount: rest.open,
                base: rest.open_base,
            });
            self.items.insert(id, rest);
        }
        let payment = Payment {
            id,
            entry,
            cleared: changed,
            reversed: false,
        };
        self.payments.insert(id, payment);
        Ok(())
    }

    /// A payment bounces: its entry is mirrored and what it cleared is open again.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn reverse(&mut self, id: Uuid) -> Result<(), Refusal> {
        let payment = self.payments.get_mut(&id).expect("a payment of the model");
        if payment.reversed {
            return Err("illegal_transition");
        }
        // A reversal that is dated into a closed period goes to the next open day.
        payment.reversed = true;
        let (entry, cleared) = (payment.entry.clone(), payment.cleared.clone());
        let mirrored: Vec<_> = entry.into_iter().map(|(account, amount)| (account, -amount)).collect();
        self.book(&mirrored);
        for part in cleared {
            if self.has(Bug::ReversalKeepsInvoicePaid) && part.document != id {
                continue;
            }
            let item = self.items.get_mut(&part.document).expect("an item of the model");
            match part.document == id {
                true => (item.open, item.open_base) = (Decimal::ZERO, Decimal::ZERO),
                false => {
                    item.open += part.amount;
                    item.open_base += part.base;
                }
            }
        }
        Ok(())
    }
}

/// What a bill takes from what came, the oldest first: all of a receipt takes all of its value.
fn take_waiting(waiting: &mut [(Decimal, Decimal)], mut quantity: Decimal) -> Decimal {
    let mut taken = Decimal::ZERO;
    for (left, value) in waiting {
        let part = quantity.min(*left);
        if part.is_zero() {
            continue;
        }
        let share = match part == *left {
            true => *value,
            false => even(*value * part / *left),
        };
        *left -= part;
        *value -= share;
        quantity -= part;
        taken += share;
    }
    taken
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

fn refuse_discount(item: &Item, amount: Decimal, discount: Decimal, date: NaiveDate) -> Result<(), Refusal> {
    let in_time = item.discount_until.is_some_and(|until| date <= until);
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
