//! Invoices of what was delivered, and credit notes on them.

use super::money::{
    ADVANCES, DISCOUNTS, OUTPUT_TAX, RECEIVABLE, REVENUE, ROUNDING, away, convert, even, share, tax_rate,
};
use super::settlement::{Discounts, Item};
use super::{Bug, Model, Refusal};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct InvoiceLine {
    pub order_line: Uuid,
    pub quantity: Decimal,
    pub unit_price: Decimal,
    pub amount: Decimal,
    /// The amount in the base currency.
    pub base: Decimal,
    /// Quantity, amount and base amount that were credited.
    pub credited: [Decimal; 3],
}

#[derive(Debug, Clone)]
pub struct Invoice {
    pub order: Uuid,
    pub customer: Uuid,
    pub currency: &'static str,
    pub rate: Decimal,
    pub lines: Vec<InvoiceLine>,
    /// Tax of the document, before advances, in its currency and in the base currency.
    pub tax: (Decimal, Decimal),
    pub tax_credited: (Decimal, Decimal),
    pub gross: Decimal,
    pub credited: Decimal,
}

impl Model {
    /// Tax on lines that are rounded already.
    pub fn tax(&self, lines: &[Decimal]) -> Decimal {
        match self.has(Bug::TaxRoundedPerLine) {
            true => lines.iter().map(|line| away(*line * tax_rate())).sum(),
            false => away(lines.iter().sum::<Decimal>() * tax_rate()),
        }
    }

    /// What of an order was delivered by that day and is not invoiced: one line for each delivery, so that each has its
    /// tax point.
    fn to_invoice(&self, order: Uuid, (date, rate): (NaiveDate, Decimal)) -> Vec<InvoiceLine> {
        let mut lines = Vec::new();
        for line in &self.orders[&order].lines {
            let (mut skip, mut before) = (line.invoiced + line.returned, line.invoiced);
            for (_, delivered) in &self.deliveries {
                for part in delivered.iter().filter(|part| part.order_line == line.id) {
                    let gone = skip.min(part.quantity);
                    skip -= gone;
                    let quantity = part.quantity - gone;
                    if !quantity.is_zero() && part.date <= date {
                        let amount = line.amount(before + quantity) - line.amount(before);
                        lines.push(InvoiceLine {
                            order_line: line.id,
                            quantity,
                            unit_price: line.unit_price,
                            amount,
                            base: convert(amount, rate),
                            credited: [Decimal::ZERO; 3],
                        });
                        before += quantity;
                    }
                }
            }
        }
        lines
    }

    /// Invoices what was delivered of an order and is not invoiced yet; what came in advance for it comes off.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn invoice(&mut self, id: Uuid, order: Uuid, (date, rate): (NaiveDate, Decimal)) -> Result<(), Refusal> {
        let mut lines = self.to_invoice(order, (date, rate));
        if lines.is_empty() {
            return Err("nothing_to_invoice");
        }
        self.refuse_closed(date)?;
        let found = &self.orders[&order];
        let (customer, currency) = (found.customer, found.currency);
        let nets: Vec<Decimal> = lines.iter().map(|line| line.amount).collect();
        let (net, tax) = (nets.iter().sum::<Decimal>(), self.tax(&nets));
        let taken = self.take_advances(order, net + tax, rate);
        // What came in advance keeps the rate of its day.
        let tax_base = convert(tax - taken.tax.0, rate) + taken.tax.1;
        if !taken.gross.is_zero() {
            let wanted = convert(net - taken.net.0, rate) + taken.net.1;
            let odd = wanted - lines.iter().map(|line| line.base).sum::<Decimal>();
            let largest = lines.iter_mut().max_by_key(|line| line.base.abs()).expect("a line");
            largest.base += odd;
        }
        let revenue: Decimal = lines.iter().map(|line| line.base).sum();
        let taxed = match self.has(Bug::PrepaymentTaxedTwice) {
            true => tax_base,
            false => tax_base - taken.tax.1,
        };
        let owed = revenue + taxed - taken.net.1;
        self.book(&[
            (RECEIVABLE, owed),
            (ADVANCES, taken.net.1),
            (REVENUE, -revenue),
            (OUTPUT_TAX, -taxed),
        ]);
        let amount = net + tax - taken.gross;
        self.items.insert(
            id,
            Item {
                party: customer,
                receivable: true,
                currency,
                amount,
                open: amount,
                open_base: owed,
                discounts: Discounts::default(),
                tax: (tax - taken.tax.0, taxed),
                discount_until: date.checked_add_days(Days::new(10)),
            },
        );
        let order_lines = &mut self.orders.get_mut(&order).expect("an order of the model").lines;
        for line in &lines {
            let of = order_lines.iter_mut().find(|of| of.id == line.order_line);
            of.expect("a line").invoiced += line.quantity;
        }
        let invoice = Invoice {
            order,
            customer,
            currency,
            rate,
            lines,
            tax: (tax, tax_base),
            tax_credited: (Decimal::ZERO, Decimal::ZERO),
            gross: net + tax,
            credited: Decimal::ZERO,
        };
        self.invoices.insert(id, invoice);
        Ok(())
    }

    /// Credits parts of an invoice, by line and quantity, or all that is left of it: at its price, discount, tax and
    /// rate. It clears its invoice first; the rest, less the cash discount that it was paid with, is an open credit.
    ///
    /// # Errors
    /// As the service refuses it.
    pub fn credit(
        &mut self,
        id: Uuid,
        invoice: Uuid,
        date: NaiveDate,
        wanted: Option<&[(usize, Decimal)]>,
    ) -> Result<(), Refusal> {
        let mut found = self.invoices.get(&invoice).expect("an invoice of the model").clone();
        if found.credited >= found.gross {
            return Err("illegal_transition");
        }
        let all: Vec<(usize, Decimal)> = found
            .lines
            .iter()
            .enumerate()
            .map(|(index, line)| (index, line.quantity - line.credited[0]))
            .filter(|(index, left)| {
                let line = &found.lines[*index];
                !left.is_zero() || line.amount != line.credited[1]
            })
            .collect();
        let wanted = wanted.unwrap_or(&all);
        let left = |index: usize| found.lines[index].quantity - found.lines[index].credited[0];
        if wanted.iter().any(|(index, quantity)| *quantity > left(*index)) {
            return Err("exceeds_credited");
        }
        self.refuse_closed(date)?;
        let at_list = self.has(Bug::CreditAtListPrice);
        let (mut nets, mut revenue) = (Vec::new(), Decimal::ZERO);
        for (index, quantity) in wanted {
            let line = &mut found.lines[*index];
            let rest = line.amount - line.credited[1];
            let amount = match *quantity == line.quantity - line.credited[0] {
                _ if at_list => even(*quantity * line.unit_price),
                true => rest,
                false => even(line.amount * *quantity / line.quantity).min(rest),
            };
            let base = match amount == rest {
                true => line.base - line.credited[2],
                false => convert(amount, found.rate),
            };
            line.credited = [
                line.credited[0] + *quantity,
                line.credited[1] + amount,
                line.credited[2] + base,
            ];
            nets.push(amount);
            revenue += base;
        }
        let net: Decimal = nets.iter().sum();
        let left = (found.tax.0 - found.tax_credited.0, found.tax.1 - found.tax_credited.1);
        let complete = found.lines.iter().all(|line| line.credited[1] == line.amount);
        let tax = match complete {
            true => left,
            false => {
                let tax = self.tax(&nets).min(left.0);
                (tax, convert(tax, found.rate))
            }
        };
        found.tax_credited = (found.tax_credited.0 + tax.0, found.tax_credited.1 + tax.1);
        found.credited += net + tax.0;
        let (gross, base) = (net + tax.0, revenue + tax.1);

        let item = self.items.get_mut(&invoice).expect("an item of the model");
        let cleared = item.open.min(gross);
        let cleared_base = match cleared.is_zero() {
            true => Decimal::ZERO,
            false => share(item.open_base, cleared, item.open),
        };
        item.open -= cleared;
        item.open_base -= cleared_base;
        let settled = found.gross - (found.credited - gross) - cleared;
        let back = item.discounts.taken_back(gross - cleared, settled);
        item.discounts.add(back, Decimal::NEGATIVE_ONE);
        let excess = gross - cleared - back.amount;
        let base = base - back.base;
        // What parts of a foreign amount, each rounded, differ from the value of the item.
        let (credit, odd) = match excess.is_zero() {
            true => (Decimal::ZERO, base - cleared_base),
            false => (base - cleared_base, Decimal::ZERO),
        };
        self.book(&[
            (REVENUE, revenue),
            (OUTPUT_TAX, tax.1 - back.base_tax),
            (DISCOUNTS, back.base_tax - back.base),
            (RECEIVABLE, -cleared_base - credit),
            (ROUNDING, -odd),
        ]);
        if !excess.is_zero() {
            let item = Item::credit(found.customer, true, found.currency, excess, credit);
            self.items.insert(id, item);
        }
        if self.has(Bug::CreditInvoiceableAgain) {
            let order_lines = &mut self.orders.get_mut(&found.order).expect("an order").lines;
            for (index, quantity) in wanted {
                let of = order_lines
                    .iter_mut()
                    .find(|of| of.id == found.lines[*index].order_line);
                of.expect("a line").invoiced -= *quantity;
            }
        }
        self.invoices.insert(invoice, found);
        Ok(())
    }
}
