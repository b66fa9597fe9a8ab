//! Placing and confirming: decide, check credit, reserve, store.

use super::decision::{self, AskedLine, Grounds, PricedLine};
use super::facts::{self, Facts};
use super::model::{Hold, RejectionReason, SalesOrder};
use super::rows::{LineRow, OrderRow};
use super::{queries, totals};
use crate::company::InvoicingPolicy;
use crate::customers::{self, Terms};
use crate::inventory::holds;
use crate::inventory::levels::{self, Demand};
use crate::sales::backorders;
use crate::sales::credit::{self, Asked, Step};
use crate::taxes::{self, Direction, Rounding, Taxable};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::money::Currency;
use service_kit::{Error, Faults, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// The decision on the lines of an order, with what it rests on.
pub(super) struct Decided {
    pub terms: Terms,
    pub lines: Vec<PricedLine>,
    pub reasons: Vec<RejectionReason>,
    pub facts: Facts,
}

impl Decided {
    /// What an accepted quote promised is ordered, even if the product was retired since.
    pub(super) fn keep_promises(&mut self) {
        self.reasons.retain(|reason| reason.code != decision::RETIRED);
    }
}

/// A new order without lines, stamped.
pub(super) fn new_row(tx: &Tx<'_>, id: Uuid, origin: &str, customer_id: Uuid, currency: &str) -> OrderRow {
    OrderRow {
        id,
        number: None,
        origin: origin.to_owned(),
        lifecycle: "draft".to_owned(),
        delivery: "none".to_owned(),
        holds: json!([]),
        customer_id,
        currency: currency.to_owned(),
        order_date: tx.today(),
        requested_date: None,
        warehouse_id: None,
        priority: 0,
        external_ref: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
        gross: Decimal::ZERO,
        credit_counted: false,
        credit_released: false,
        rejection: json!([]),
        cancellation: None,
        end_reason: None,
        source_version: None,
        version: 1,
        revision: 1,
        confirmed_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        invoicing: "none".to_owned(),
        payment: "none".to_owned(),
        invoicing_policy: InvoicingPolicy::Delivered,
        prices_include_tax: false,
        tax_rounding: Rounding::Document,
        uninvoiced_gross: Decimal::ZERO,
        charges: json!([]),
        change_requests: json!([]),
        shipping_address: None,
        legal_entity_id: None,
        department_id: None,
        project_id: None,
        promise_id: None,
    }
}

/// Decides on an order, and gives it what its money is computed by. `None` when there is no such
/// customer.
pub(super) fn decide(tx: &mut Tx<'_>, row: &mut OrderRow, asked: &[AskedLine]) -> Result<Option<Decided>> {
    let Some(terms) = customers::terms(tx, row.customer_id)? else {
        return Ok(None);
    };
    let facts = facts::gather(tx, row, asked)?;
    let currency: Option<Currency> = row.currency.parse().ok();
    let grounds = Grounds {
        currency,
        customer_blocked: terms.blocked,
        warehouse_known: row.warehouse_id.is_none() || facts.warehouse_id.is_some(),
        products: &facts.products,
        prices: &facts.prices,
    };
    let (mut lines, mut reasons) = decision::decide(asked, &grounds)?;
    row.tax_rounding = facts.tax_rounding;
    if facts.taxed {
        reasons.extend(estimate_taxes(tx, row, &facts, &mut lines)?);
    }
    Ok(Some(Decided {
        terms,
        lines,
        reasons,
        facts,
    }))
}

/// Finds the taxes of lines and charges for the order date; the invoice decides at its tax point.
fn estimate_taxes(
    tx: &mut Tx<'_>,
    row: &mut OrderRow,
    facts: &Facts,
    lines: &mut [PricedLine],
) -> Result<Option<RejectionReason>> {
    let mut charges = totals::charges(row)?;
    let products = lines.iter().map(|line| Taxable::Product(line.asked.product_id));
    let classes = charges.iter().map(|charge| Taxable::Class(charge.tax_class.as_deref()));
    let taxable: Vec<Taxable<'_>> = products.chain(classes).collect();
    let found = match taxes::determine(tx, Direction::Sale, &facts.party, &taxable, row.order_date) {
        Ok(found) => found,
        Err(Error::Problem(problem)) if problem.code == "tax_rate_missing" => {
            return Ok(Some(RejectionReason {
                line: None,
                code: problem.code.clone(),
                message: problem.detail.clone(),
            }));
        }
        Err(error) => return Err(error),
    };
    let mut found = found.into_iter();
    for (line, taxes) in lines.iter_mut().zip(&mut found) {
        line.taxes = taxes;
    }
    for (charge, taxes) in charges.iter_mut().zip(found) {
        charge.taxes = taxes;
    }
    row.charges = serde_json::to_value(charges)?;
    Ok(None)
}

/// Makes the order binding: totals, credit, holds, reservation. The row is not stored yet.
///
/// # Errors
/// 422 `out_of_range` when the total does not fit.
pub(super) fn confirm(tx: &mut Tx<'_>, row: &mut OrderRow, decided: &Decided) -> Result<Vec<LineRow>> {
    row.lifecycle = "confirmed".to_owned();
    row.confirmed_at = Some(tx.now());
    row.warehouse_id = decided.facts.warehouse_id;
    let mut lines = line_rows(row.id, &decided.lines)?;
    totals::set(row, &lines)?;
    let holds = holds(tx, row, decided)?;
    row.credit_counted = !holds.iter().any(|hold| hold.code.starts_with("credit"));
    row.holds = serde_json::to_value(&holds)?;
    if holds.is_empty() {
        let stocked: Vec<bool> = decided.lines.iter().map(|line| line.stocked).collect();
        reserve(tx, row, &mut lines, &stocked)?;
    }
    Ok(lines)
}

fn holds(tx: &mut Tx<'_>, row: &OrderRow, decided: &Decided) -> Result<Vec<Hold>> {
    let mut holds = Vec::new();
    // A limit is checked under the customer's lock, so that two orders cannot pass it together.
    let locked = match decided.terms.credit_limit {
        Some(_) => customers::lock_terms(tx, row.customer_id)?,
        None => None,
    };
    let terms = locked.as_ref().unwrap_or(&decided.terms);
    let asked = Asked {
        step: Step::Confirm,
        gross: row.gross,
        currency: &row.currency,
        counted: false,
    };
    let today = tx.today();
    if let Some(stop) = credit::check(tx, terms, row.customer_id, asked, today)? {
        holds.push(Hold {
            code: stop.code.to_owned(),
            reason: stop.reason,
            placed_at: tx.now(),
        });
    }
    holds.extend(price_hold(tx, decided));
    Ok(holds)
}

/// A hold for prices that lie further below the list than the actor's role may go.
pub(super) fn price_hold(tx: &Tx<'_>, decided: &Decided) -> Option<Hold> {
    let limit = decided.facts.price_deviation_limit(tx.actor().role.name)?;
    let below = |line: &&PricedLine| decision::below_limit(line, limit);
    match decided.lines.iter().filter(below).count() {
        0 => None,
        below => Some(Hold {
            code: "price".to_owned(),
            reason: format!("{below} lines are priced further below the list than {limit} allows"),
            placed_at: tx.now(),
        }),
    }
}

/// The rows of lines that reserve nothing yet.
pub(super) fn line_rows(order_id: Uuid, lines: &[PricedLine]) -> Result<Vec<LineRow>> {
    let numbered = lines.iter().zip(1..);
    numbered
        .map(|(line, position)| line_row(order_id, position, line))
        .collect()
}

/// The row of a line that reserves nothing yet.
pub(super) fn line_row(order_id: Uuid, position: i32, line: &PricedLine) -> Result<LineRow> {
    Ok(LineRow {
        known_product_id: line.known.then_some(line.asked.product_id),
        unit: line.unit.clone(),
        unit_price: line.unit_price,
        list_price: line.list_price,
        price_explanation: line.explanation.clone(),
        line_total: line.line_total,
        taxes: serde_json::to_value(&line.taxes)?,
        ..LineRow::asked(order_id, position, &line.asked)
    })
}

/// Reserves what lines still want, in the order of the lines; the rest is backordered. Services
/// need no stock and count as reserved. Without any warehouse everything waits.
pub(super) fn reserve(tx: &mut Tx<'_>, row: &OrderRow, lines: &mut [LineRow], stocked: &[bool]) -> Result<()> {
    let mut demand = Demand::new();
    for (line, _) in lines.iter().zip(stocked).filter(|(_, stocked)| **stocked) {
        let wanted = demand.entry(line.product_id).or_insert(Quantity::ZERO);
        *wanted = *wanted + line.idle_quantity();
    }
    demand.retain(|_, quantity| !quantity.is_zero());
    let surplus = match (row.promise_id, row.warehouse_id) {
        (Some(promise), Some(warehouse)) => {
            let products: Vec<Uuid> = demand.keys().copied().collect();
            levels::lock(tx, warehouse, &products)?;
            holds::consume(tx, promise, row.customer_id, warehouse, row.id)?
        }
        _ => Demand::new(),
    };
    let mut taken = match row.warehouse_id {
        Some(warehouse) => backorders::reserve(tx, warehouse, &demand)?,
        None => Demand::new(),
    };
    // What was held for this order and it did not want.
    if let Some(warehouse) = row.warehouse_id.filter(|_| !surplus.is_empty()) {
        backorders::fill(tx, warehouse, &surplus.into_keys().collect::<Vec<_>>())?;
    }
    for (line, stocked) in lines.iter_mut().zip(stocked) {
        let idle = line.idle_quantity();
        let got = match taken.get_mut(&line.product_id).filter(|_| *stocked) {
            Some(left) => {
                let got = idle.min(*left);
                *left = *left - got;
                got
            }
            None if *stocked => Quantity::ZERO,
            None => idle,
        };
        line.reserved_quantity = line.reserved_quantity + got;
        line.backordered_quantity = line.backordered_quantity + (idle - got);
    }
    Ok(())
}

/// Stores a new order and leaves its traces.
pub(super) fn store_new(tx: &mut Tx<'_>, mut row: OrderRow, lines: Vec<LineRow>) -> Result<SalesOrder> {
    queries::insert(tx, &mut row, &lines)?;
    let order = SalesOrder::from_rows(row, lines, Vec::new())?;
    tx.changed(None, &order)?;
    backorders::wait(tx, None, &order)?;
    Ok(order)
}

/// Refuses an order of the back office: every reason, with a pointer to its line.
pub(super) fn refuse(asked: &[AskedLine], reasons: &[RejectionReason]) -> Result<(), Problem> {
    let mut faults = Faults::default();
    for reason in reasons {
        let line = reason
            .line
            .and_then(|line| asked.iter().position(|asked| asked.id == line));
        let pointer = match (line, reason.code.as_str()) {
            (Some(index), "no_price") => format!("/lines/{index}/unit_price"),
            (Some(index), _) => format!("/lines/{index}/product_id"),
            (None, "unknown_currency") => "/currency".to_owned(),
            (None, "unknown_warehouse") => "/warehouse_id".to_owned(),
            (None, "tax_rate_missing") => "/order_date".to_owned(),
            (None, _) => "/customer_id".to_owned(),
        };
        faults.add(pointer, &reason.code, &reason.message);
    }
    faults.check()
}

/// JSON of reasons for the row.
pub(super) fn reasons_value(reasons: &[RejectionReason]) -> Result<Value> {
    Ok(serde_json::to_value(reasons)?)
}
