//! What posting a bill books.

use super::actions::{Ground, expected, ordered};
use super::matching::{MatchFinding, MatchFindingCode};
use super::model::{BillLineRow, BillRow, MatchRow, RevaluationRow, SupplierBill};
use super::queries;
use super::status::SupplierBillStatus;
use crate::catalog::{self, ProductFacts};
use crate::inventory::average;
use crate::inventory::levels::{self, Document};
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, NewItem, Side};
use crate::ledger::{self, Account, Entry, Facts, Journal, PostingDay, Role, Rules, Source, Sum};
use crate::payment_terms::{self, Due};
use crate::purchasing::exchange::Rate;
use crate::purchasing::orders;
use crate::purchasing::receipts::queries::{self as receipts, Came};
use crate::purchasing::{suppliers, taxation};
use crate::taxes::{self, Conversion, Direction, TaxCodeRate};
use rust_decimal::Decimal;
use service_kit::{Currency, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What is needed while the lines are booked.
struct Books<'a> {
    entry: Entry,
    rules: Rules,
    facts: HashMap<Uuid, ProductFacts>,
    accounts: HashMap<Uuid, Account>,
    rate: Rate,
    on: &'a PostingDay,
    bill: Uuid,
}

/// Posts a locked bill.
///
/// # Errors
/// 409 `posting_rule_missing`, `period_closed`.
pub(super) fn post(
    tx: &mut Tx<'_>,
    mut ground: Ground,
    mut row: BillRow,
    findings: &[MatchFinding],
    on: &PostingDay,
    rate: Rate,
) -> Result<SupplierBill> {
    let supplier = suppliers::find(tx, row.supplier_id)?;
    let products: Vec<Uuid> = ground.before.1.iter().filter_map(|line| line.product_id).collect();
    let named: Vec<Uuid> = ground.before.1.iter().filter_map(|line| line.account_id).collect();
    let what = format!("Bill {} of {}", row.supplier_number, supplier.name);
    let mut books = Books {
        entry: Entry::new(Journal::Purchases, on, Source::new("supplier_bill", row.id, None), what),
        rules: ledger::rules(tx)?,
        facts: catalog::facts(tx, &products)?,
        accounts: ledger::postable(tx, &named)?,
        rate,
        on,
        bill: row.id,
    };
    let mut lines = ground.before.1.clone();
    let mut owed = Decimal::ZERO;
    for line in &mut lines {
        let net = rate.convert(line.line_total)?;
        owed += net;
        let from = books.entry.lines.len();
        match line.order_line_id {
            Some(_) => clear(tx, &mut books, &mut ground, line, net, findings)?,
            None => books.expense(line, net)?,
        }
        books.note_untaxed(from, line, net)?;
        queries::save_line(tx, line)?;
    }
    for (_, (order, order_lines)) in std::mem::take(&mut ground.orders) {
        let before = orders::queries::load(tx, order.id)?;
        orders::store(tx, &before, order, &order_lines)?;
    }
    owed += books.taxes(&row)?;
    row.status = SupplierBillStatus::Posted;
    row.posted_on = Some(on.date);
    row.rate = Some(rate.rate);
    let drawn = numbers::draw(tx, Series::Bill, on)?;
    row.number = drawn.clone().or_else(|| Some(format!("dry run {}", row.id)));
    books.entry.source.number = drawn.clone();
    let terms = row.payment_terms_id.or(supplier.payment_terms_id);
    owe(tx, &mut books, &row, drawn, terms, owed)?;
    row.entry_id = match books.entry.lines.iter().all(|line| line.sum.is_zero()) {
        true => None,
        false => Some(books.entry.id),
    };
    if row.entry_id.is_some() {
        ledger::post(tx, books.entry)?;
    }
    queries::save(tx, &ground.before, &mut row, &lines)
}

/// Takes what a line bills from what came, the oldest first; what has not come waits in GRNI.
fn clear(
    tx: &mut Tx<'_>,
    books: &mut Books<'_>,
    ground: &mut Ground,
    line: &mut BillLineRow,
    net: Decimal,
    findings: &[MatchFinding],
) -> Result<()> {
    let Some(of) = ordered(ground, line).cloned() else {
        return Ok(());
    };
    let base = books.rate.base;
    let taken = take(&mut ground.came, of.id, line.quantity, base);
    let mut quantities: Vec<Quantity> = taken.iter().map(|part| part.quantity).collect();
    let received: Quantity = quantities.iter().copied().sum();
    quantities.push(line.quantity - received);
    let nets = average::split(net, &quantities, base);
    let mut matches = Vec::with_capacity(quantities.len());
    for (part, net) in taken.iter().zip(&nets) {
        receipts::save_line(tx, &part.came.line)?;
        matches.push(books.matched(line, of.id, Some(part.came.line.id), (part.quantity, part.value, *net)));
        books.grni(line.product_id, part.came.warehouse_id, part.value)?;
    }
    let ahead = nets.last().copied().unwrap_or_default();
    if received < line.quantity {
        matches.push(books.matched(line, of.id, None, (line.quantity - received, ahead, ahead)));
        books.grni(line.product_id, of.warehouse_id, ahead)?;
    }
    queries::insert_matches(tx, &matches)?;
    let cleared: Decimal = taken.iter().map(|part| part.value).sum();
    let billed = net - ahead;
    // In the base currency all of it is the price; else a part is the rate having moved.
    line.price_difference = match books.rate.is_foreign() && !received.is_zero() {
        true => billed - books.rate.convert(expected(books.rate.currency, received, &of)?)?,
        false => billed - cleared,
    };
    line.exchange_difference = billed - cleared - line.price_difference;
    spread(tx, books, line, &taken)?;
    books.exchange(line.exchange_difference)?;

    let released = findings
        .iter()
        .any(|finding| finding.line_id == line.id && finding.code == MatchFindingCode::Price);
    if !released {
        line.matched_expected = expected(books.rate.currency, line.quantity, &of)?;
        line.matched_difference = line.line_total - line.matched_expected;
    }
    let order_lines = ground.orders.values_mut().flat_map(|(_, lines)| lines);
    for of in order_lines.filter(|order_line| order_line.id == of.id) {
        of.billed_quantity = of.billed_quantity + line.quantity;
        of.matched_expected += line.matched_expected;
        of.matched_difference += line.matched_difference;
    }
    Ok(())
}

/// A part of a receipt line that a bill takes, with what it was worth in GRNI.
struct Taken {
    came: Came,
    quantity: Quantity,
    value: Decimal,
}

fn take(came: &mut [Came], order_line: Uuid, quantity: Quantity, base: Currency) -> Vec<Taken> {
    let mut left = quantity;
    let mut taken = Vec::new();
    for came in came.iter_mut().filter(|came| came.line.order_line_id == order_line) {
        let part = left.min(came.line.unbilled());
        if part.is_zero() {
            continue;
        }
        left = left - part;
        let value = average::share(came.line.unbilled_value(), came.line.unbilled(), part, base);
        came.line.billed_quantity = came.line.billed_quantity + part;
        came.line.billed_value += value;
        taken.push(Taken {
            came: came.clone(),
            quantity: part,
            value,
        });
    }
    taken
}

/// Spreads a price difference: what is left in stock of the goods is revalued, the rest is variance.
fn spread(tx: &mut Tx<'_>, books: &mut Books<'_>, line: &mut BillLineRow, taken: &[Taken]) -> Result<()> {
    line.variance = line.price_difference;
    let stocked = line
        .product_id
        .filter(|id| books.facts.get(id).is_some_and(|facts| facts.stocked));
    let Some(product) = stocked.filter(|_| !line.price_difference.is_zero()) else {
        return books.variance(line.product_id, None, line.variance);
    };
    let mut places: BTreeMap<Option<Uuid>, Quantity> = BTreeMap::new();
    for part in taken {
        let sum = places.entry(part.came.warehouse_id).or_insert(Quantity::ZERO);
        *sum = *sum + part.quantity;
    }
    let quantities: Vec<Quantity> = places.values().copied().collect();
    let parts = average::split(line.price_difference, &quantities, books.rate.base);
    let document = Document {
        kind: "revaluation",
        id: books.bill,
        date: books.on.date,
        base: books.rate.base,
    };
    let mut revaluations = Vec::new();
    for ((place, quantity), part) in places.into_iter().zip(parts) {
        let Some(place) = place else {
            books.variance(Some(product), None, part)?;
            continue;
        };
        let levels = levels::lock(tx, place, &[product])?;
        let on_hand = levels.get(&product).map_or(Quantity::ZERO, |level| level.on_hand);
        let late = levels::late_cost(tx, place, product, quantity, part, document)?;
        line.revalued += late.stock;
        line.variance -= late.stock;
        books.stock(product, place, late.stock)?;
        books.variance(Some(product), Some(place), late.variance)?;
        if !late.stock.is_zero() {
            revaluations.push(RevaluationRow {
                id: Uuid::now_v7(),
                bill_line_id: line.id,
                warehouse_id: place,
                product_id: product,
                quantity: on_hand.min(quantity),
                value: late.stock,
            });
        }
    }
    Ok(queries::insert_revaluations(tx, &revaluations)?)
}

impl Books<'_> {
    fn account(&self, role: Role, product: Option<Uuid>, warehouse_id: Option<Uuid>) -> Result<Account> {
        let facts = product.and_then(|id| self.facts.get(&id));
        let facts = Facts {
            category_id: facts.and_then(|facts| facts.category_id),
            warehouse_id: warehouse_id.filter(|_| facts.is_some_and(|facts| facts.stocked)),
            tax_code: None,
        };
        Ok(self.rules.account(role, &facts)?)
    }

    fn debit(&mut self, role: Role, product: Option<Uuid>, place: Option<Uuid>, value: Decimal) -> Result<()> {
        let account = self.account(role, product, place)?;
        self.entry.debit(&account, Sum::base(self.rate.base, value));
        Ok(())
    }

    fn grni(&mut self, product: Option<Uuid>, place: Option<Uuid>, value: Decimal) -> Result<()> {
        self.debit(Role::GoodsReceivedNotInvoiced, product, place, value)
    }

    fn stock(&mut self, product: Uuid, place: Uuid, value: Decimal) -> Result<()> {
        self.debit(Role::Stock, Some(product), Some(place), value)
    }

    fn variance(&mut self, product: Option<Uuid>, place: Option<Uuid>, value: Decimal) -> Result<()> {
        self.debit(Role::PriceVariance, product, place, value)
    }

    /// A loss is positive.
    fn exchange(&mut self, difference: Decimal) -> Result<()> {
        let role = match difference.is_sign_negative() {
            true => Role::ExchangeGain,
            false => Role::ExchangeLoss,
        };
        self.debit(role, None, None, difference)
    }

    fn expense(&mut self, line: &BillLineRow, net: Decimal) -> Result<()> {
        let account = match line.account_id.and_then(|id| self.accounts.get(&id)) {
            Some(account) => account.clone(),
            None => self.account(Role::PurchaseExpense, line.product_id, None)?,
        };
        let sum = Sum {
            base: net,
            amount: line.line_total,
            currency: self.rate.currency,
        };
        let booked = self.entry.debit(&account, sum);
        booked.dimensions(line.department_id, line.project_id);
        if let Some(text) = &line.description {
            booked.describe(text.clone());
        }
        Ok(())
    }

    /// Books the taxes; answers what of them the supplier is owed, in the base currency.
    fn taxes(&mut self, row: &BillRow) -> Result<Decimal> {
        let totals = taxation::from_json(&row.taxes)?;
        let conversion = Conversion {
            currency: self.rate.currency,
            base_currency: self.rate.base,
            rate: self.rate.rate,
        };
        let charged = taxes::post(&mut self.entry, &self.rules, Direction::Purchase, &totals, conversion)?;
        Ok(charged.base)
    }

    /// Where a code makes no tax line, the line of the cost reports what it was computed on.
    fn note_untaxed(&mut self, from: usize, line: &BillLineRow, net: Decimal) -> Result<()> {
        let codes: Vec<TaxCodeRate> = serde_json::from_value(line.taxes.clone())?;
        if let Some(booked) = self.entry.lines.get_mut(from) {
            taxes::note_untaxed(booked, Direction::Purchase, &codes, net);
        }
        Ok(())
    }

    fn matched(
        &self,
        line: &BillLineRow,
        order_line_id: Uuid,
        receipt_line_id: Option<Uuid>,
        (quantity, value, net): (Quantity, Decimal, Decimal),
    ) -> MatchRow {
        MatchRow {
            id: Uuid::now_v7(),
            bill_line_id: line.id,
            order_line_id,
            receipt_line_id,
            quantity,
            value,
            net,
            reversed: false,
        }
    }
}

/// Cr payable: an open item for each instalment; `owed` is their sum in the base currency.
fn owe(
    tx: &mut Tx<'_>,
    books: &mut Books<'_>,
    row: &BillRow,
    number: Option<String>,
    terms: Option<Uuid>,
    owed: Decimal,
) -> Result<()> {
    let account = books.rules.of(Role::Payable)?;
    let dues = match row.due_date {
        Some(due_on) if !row.gross.is_zero() => vec![Due {
            instalment: 1,
            due_on,
            amount: row.gross,
            discount_until: None,
            discount: None,
        }],
        Some(_) => Vec::new(),
        None => payment_terms::of(tx, terms)?.schedule(row.currency, row.bill_date, row.gross),
    };
    let last = dues.len().saturating_sub(1);
    let mut rest = owed;
    for (index, due) in dues.into_iter().enumerate() {
        let share = owed
            .checked_mul(due.amount)
            .and_then(|product| product.checked_div(row.gross));
        let part = match (index == last, share) {
            (false, Some(share)) => books.rate.base.round(share),
            _ => rest,
        };
        rest -= part;
        let item = NewItem {
            id: Uuid::now_v7(),
            side: Side::Payable,
            party_id: row.supplier_id,
            account_id: account.id,
            document_type: "supplier_bill",
            document_id: row.id,
            document_number: number.clone(),
            instalment: due.instalment,
            order_id: None,
            currency: row.currency,
            amount: due.amount,
            posted_on: books.on.date,
            due_on: due.due_on,
            discount_until: due.discount_until,
            discount: due.discount,
        };
        let id = open_items::create(tx, item)?;
        let sum = Sum {
            base: part,
            amount: due.amount,
            currency: row.currency,
        };
        books.entry.credit(&account, sum).item(id);
    }
    Ok(())
}
