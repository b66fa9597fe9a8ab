//! What is done to the business, and how the next thing to do is drawn.

mod buying;
mod dice;
mod money;
mod selling;
mod world;

pub use dice::Dice;
pub use world::{STEPS, World, next_month, rates_of};

use super::model::{Model, Order, Paying, Purchase, Refusal};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

/// One thing done, with everything that it needs: it can be done again to another model.
#[derive(Debug, Clone)]
pub enum Command {
    Order(Order, NaiveDate),
    Amend {
        order: Uuid,
        line: Uuid,
        quantity: Option<Decimal>,
        unit_price: Option<Decimal>,
    },
    Deliver {
        id: Uuid,
        order: Uuid,
        date: NaiveDate,
        lines: Vec<(Uuid, Decimal)>,
    },
    Return {
        id: Uuid,
        order: Uuid,
        delivery: Uuid,
        line: Uuid,
        quantity: Decimal,
        date: NaiveDate,
    },
    Invoice {
        id: Uuid,
        order: Uuid,
        date: NaiveDate,
        rate: Decimal,
    },
    /// Parts of an invoice by line and quantity; or the whole invoice is taken back.
    Credit {
        id: Uuid,
        invoice: Uuid,
        date: NaiveDate,
        lines: Option<Vec<(usize, Decimal)>>,
    },
    /// Asks for a prepayment.
    Ask {
        id: Uuid,
        order: Uuid,
        amount: Decimal,
        date: NaiveDate,
    },
    /// Money comes for it.
    Advance {
        id: Uuid,
        prepayment: Uuid,
        amount: Decimal,
        date: NaiveDate,
        rate: Decimal,
    },
    CancelPrepayment {
        prepayment: Uuid,
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
    ReverseBill {
        bill: Uuid,
        date: NaiveDate,
    },
    Count {
        product: Uuid,
        counted: Decimal,
    },
    Pay {
        id: Uuid,
        paying: Paying,
    },
    ReversePayment {
        payment: Uuid,
        date: NaiveDate,
    },
    /// An entry by hand.
    Enter {
        id: Uuid,
        amount: Decimal,
        currency: &'static str,
        date: NaiveDate,
        rate: Decimal,
    },
    ReverseEntry {
        entry: Uuid,
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
            Command::Amend { .. } => "amendment",
            Command::Deliver { .. } => "delivery",
            Command::Return { .. } => "return",
            Command::Invoice { .. } => "invoice",
            Command::Credit { lines: Some(_), .. } => "credit note",
            Command::Credit { lines: None, .. } => "reversal of an invoice",
            Command::Ask { .. } => "prepayment asked for",
            Command::Advance { .. } => "prepayment received",
            Command::CancelPrepayment { .. } => "reversal of a prepayment",
            Command::Purchase(..) => "purchase order",
            Command::Receive { .. } => "receipt",
            Command::Bill { .. } => "bill",
            Command::ReverseBill { .. } => "reversal of a bill",
            Command::Count { .. } => "count",
            Command::Pay { paying, .. } => {
                let item = model.items.get(&paying.document).expect("an item of the model");
                match (item.currency == paying.bank, paying.bank, item.receivable) {
                    (false, _, true) => "customer's payment across currencies",
                    (false, _, false) => "payment to a supplier across currencies",
                    (true, "EUR", true) => "customer's payment in EUR",
                    (true, "GBP", true) => "customer's payment in GBP",
                    (true, _, true) => "customer's payment in USD",
                    (true, "EUR", false) => "payment to a supplier in EUR",
                    (true, "GBP", false) => "payment to a supplier in GBP",
                    (true, _, false) => "payment to a supplier in USD",
                }
            }
            Command::ReversePayment { .. } => "reversal of a payment",
            Command::Enter { .. } => "entry by hand",
            Command::ReverseEntry { .. } => "reversal of an entry",
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
            Command::Amend {
                order,
                line,
                quantity,
                unit_price,
            } => model.amend(*order, *line, *quantity, *unit_price),
            Command::Deliver { id, order, date, lines } => model.deliver(*id, *order, *date, lines),
            Command::Return {
                delivery,
                line,
                quantity,
                ..
            } => model.take_back(*delivery, *line, *quantity),
            Command::Invoice { id, order, date, rate } => model.invoice(*id, *order, (*date, *rate)),
            Command::Credit {
                id,
                invoice,
                date,
                lines,
            } => model.credit(*id, *invoice, *date, lines.as_deref()),
            Command::Ask {
                id,
                order,
                amount,
                date,
            } => model.ask(*id, *order, *amount, *date),
            Command::Advance {
                id,
                prepayment,
                amount,
                date,
                rate,
            } => model.advance(*id, *prepayment, (*date, *rate), *amount),
            Command::CancelPrepayment { prepayment, date } => model.cancel_prepayment(*prepayment, *date),
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
            Command::ReverseBill { bill, .. } => model.reverse_bill(*bill),
            Command::Count { product, counted } => {
                model.count(*product, *counted);
                Ok(())
            }
            Command::Pay { id, paying } => model.pay(*id, paying),
            Command::ReversePayment { payment, .. } => model.reverse(*payment),
            Command::Enter {
                id,
                amount,
                currency,
                date,
                rate,
            } => model.enter(*id, (*date, *rate), *amount, currency),
            Command::ReverseEntry { entry, .. } => model.reverse_entry(*entry),
            Command::Close { until } => model.close(*until),
        }
    }
}
