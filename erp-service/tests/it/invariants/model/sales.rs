//! Orders: confirmed, amended, delivered, taken back; and the exposure that they leave.

use super::money::{COST_OF_SALES, STOCK, even};
use super::{Bug, Model, Refusal};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

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
    pub date: NaiveDate,
    pub order_line: Uuid,
    pub product: Uuid,
    pub quantity: Decimal,
    pub cost: Decimal,
    /// Quantity and cost of what came back.
    pub returned: (Decimal, Decimal),
}

impl OrderLine {
    pub fn to_invoice(&self) -> Decimal {
        self.delivered - self.returned - self.invoiced
    }

    /// What so much of it costs.
    pub fn amount(&self, quantity: Decimal) -> Decimal {
        even(quantity * self.unit_price * (Decimal::ONE - self.discount))
    }

    fn total(&self) -> Decimal {
        self.amount(self.quantity)
    }
}

impl Model {
    /// Gross of an order, in its currency.
    pub fn gross(&self, order: &Order) -> Decimal {
        let all: Vec<Decimal> = order.lines.iter().map(OrderLine::total).collect();
        all.iter().sum::<Decimal>() + self.tax(&all)
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
                true => self.gross(order),
                false => self.uninvoiced(order),
            })
            .sum();
        let items = self
            .items
            .values()
            .filter(|item| item.party == customer && item.receivable);
        let advances = self.advances.iter().filter(|advance| advance.customer == customer);
        let advanced: Decimal = advances.map(|advance| advance.open_gross).sum();
        to_invoice + items.map(|item| item.open_base).sum::<Decimal>() - advanced
    }

    /// Confirms an order: held when it is too much for the customer, else it reserves what is free.
    pub fn order(&mut self, mut order: Order) {
        let gross = self.gross(&order);
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

    /// Changes the quantity or the price of a line of a confirmed order. It keeps what it has reserved as far as it
    /// still wants it; what it gives up goes to the orders that wait; only what the order grows by is checked for credit.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn amend(
        &mut self,
        order: Uuid,
        line: Uuid,
        quantity: Option<Decimal>,
        unit_price: Option<Decimal>,
    ) -> Result<(), Refusal> {
        let before = self.orders.get(&order).expect("an order of the model").clone();
        let mut after = before.clone();
        let changed = after.lines.iter_mut().find(|known| known.id == line).expect("a line");
        let was_reserved = changed.reserved;
        if let Some(quantity) = quantity {
            if quantity < changed.delivered {
                return Err("below_delivered");
            }
            let wanted = quantity - changed.delivered;
            changed.quantity = quantity;
            changed.reserved = changed.reserved.min(wanted);
            changed.backordered = changed.backordered.min(wanted - changed.reserved);
        }
        if let Some(price) = unit_price.filter(|price| *price != changed.unit_price) {
            if !changed.invoiced.is_zero() {
                return Err("price_frozen");
            }
            changed.unit_price = price;
        }
        let (product, given_up) = (changed.product, was_reserved - changed.reserved);
        let growth = self.uninvoiced(&after) - self.uninvoiced(&before);
        let limit = self.limits.get(&after.customer).filter(|_| !after.held);
        if growth > Decimal::ZERO && limit.is_some_and(|limit| self.exposure(after.customer) + growth > *limit) {
            return Err("credit_exceeded");
        }
        if !after.held {
            let free = self.free(product);
            let changed = after.lines.iter_mut().find(|known| known.id == line).expect("a line");
            let idle = changed.quantity - changed.delivered - changed.reserved - changed.backordered;
            let got = idle.min(free);
            changed.reserved += got;
            changed.backordered += idle - got;
            self.stock.entry(product).or_default().reserved += got;
        }
        self.orders.insert(order, after);
        self.stock.entry(product).or_default().reserved -= given_up;
        if given_up > Decimal::ZERO && !self.has(Bug::AmendmentFreesNothing) {
            self.fill(product);
        }
        Ok(())
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
            let counted = self.counted.get(&product).copied().unwrap_or_default();
            if self.stock[&product].on_hand - counted.max(Decimal::ZERO) < quantity {
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
                date,
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
}
