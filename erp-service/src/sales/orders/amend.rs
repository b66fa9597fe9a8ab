//! Amending a confirmed order.
//!
//! A quantity stays at or above what is delivered, and invoiced; the price of an invoiced line is
//! frozen; agreed prices stay unless a new one is given or `reprice` asks the price rules again. Only
//! what the order grows by is checked for credit, and only what changed is reserved again; what
//! becomes free fills backorders. An amendment happens as a whole or not at all.

use super::change::{change_with, stocked_products};
use super::decision::AskedLine;
use super::drafts::asked_lines;
use super::input::{LineAmendment, SalesOrderAmendment};
use super::model::{Hold, SalesOrder};
use super::release::lock_terms_for_credit;
use super::rows::{LineRow, OrderRow};
use super::status::Action;
use super::{place, queries, totals};
use crate::customers::Terms;
use crate::sales::credit::{self, Asked, Step};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::{Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Changes a confirmed order.
///
/// # Errors
/// 409 `illegal_transition`, `below_delivered`, `below_invoiced`, `price_frozen` with every line at
/// fault, or `credit_exceeded`; 422 with every fault of the input.
pub fn amend(tx: &mut Tx<'_>, id: Uuid, input: &SalesOrderAmendment) -> Result<SalesOrder> {
    let (row, _) = queries::load(tx, id).or_not_found("sales order")?;
    row.state()?.check(Action::Amend)?;
    let terms = lock_terms_for_credit(tx, row.customer_id)?;
    let added: Vec<Uuid> = input.add.iter().map(|line| line.product_id).collect();
    change_with(tx, id, &added, |tx, row, lines| {
        row.state()?.check(Action::Amend)?;
        let before = Before::of(row, lines);
        check_input(input, row, lines)?;
        row.requested_date = input.requested_date.unwrap_or(row.requested_date);
        row.priority = input.priority.unwrap_or(row.priority);
        if let Some(address) = &input.shipping_address {
            row.shipping_address = address.as_ref().map(serde_json::to_value).transpose()?;
        }
        change_lines(row, lines, &input.lines, &input.remove)?;
        queries::delete_lines(tx, &input.remove)?;
        let hold = price(tx, row, lines, input)?;
        settle(tx, &before, row, lines, terms.as_ref())?;
        reserve_again(tx, &before, row, lines)?;
        if let Some(hold) = hold {
            put_on_hold(row, hold);
        }
        Ok(())
    })
}

/// What an order was before it was amended.
pub(super) struct Before {
    uninvoiced: Decimal,
    /// By product.
    reserved: BTreeMap<Uuid, Quantity>,
}

impl Before {
    pub(super) fn of(row: &OrderRow, lines: &[LineRow]) -> Self {
        Before {
            uninvoiced: row.uninvoiced_gross,
            reserved: reserved(lines),
        }
    }
}

fn reserved(lines: &[LineRow]) -> BTreeMap<Uuid, Quantity> {
    let mut sums = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(line.product_id).or_insert(Quantity::ZERO);
        *sum = *sum + line.reserved_quantity;
    }
    sums
}

/// Computes the money again and checks what the order grew by.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    before: &Before,
    row: &mut OrderRow,
    lines: &[LineRow],
    terms: Option<&Terms>,
) -> Result<()> {
    totals::set(row, lines)?;
    let all = lines.iter().all(|line| line.delivered_quantity == line.quantity);
    let some = lines.iter().any(|line| !line.delivered_quantity.is_zero());
    row.delivery = match (some, all) {
        (false, _) => "none",
        (true, false) => "partial",
        (true, true) => "full",
    }
    .to_owned();
    totals::keep(row, lines)?;
    let growth = row.uninvoiced_gross - before.uninvoiced;
    let today = tx.today();
    let asked = Asked {
        step: Step::Confirm,
        gross: growth,
        currency: &row.currency,
        counted: false,
    };
    // An order that waits for credit is checked as a whole when it is released.
    if growth > Decimal::ZERO
        && row.credit_counted
        && let Some(terms) = terms
        && let Some(stop) = credit::check(tx, terms, row.customer_id, asked, today)?
    {
        let problem = Problem::conflict("credit_exceeded", stop.reason);
        return Err(problem.fact("hold", stop.code).into());
    }
    Ok(())
}

/// Reserves what changed, unless the order is held. Do it once, after all changes: what is freed is
/// counted against what was reserved before them.
pub(super) fn reserve_again(tx: &mut Tx<'_>, before: &Before, row: &OrderRow, lines: &mut [LineRow]) -> Result<()> {
    if row.state()?.held {
        return Ok(());
    }
    // What one line gives up another of the same product takes first.
    let now = reserved(lines);
    let mut pool: BTreeMap<Uuid, Quantity> = before.reserved.clone();
    for (product, left) in &mut pool {
        *left = left.less(now.get(product).copied().unwrap_or(Quantity::ZERO));
    }
    for line in lines.iter_mut() {
        if let Some(left) = pool.get_mut(&line.product_id) {
            let got = line.idle_quantity().min(*left);
            line.reserved_quantity = line.reserved_quantity + got;
            *left = left.less(got);
        }
    }
    let products: Vec<Uuid> = lines.iter().map(|line| line.product_id).collect();
    let stocked = stocked_products(tx, &products)?;
    let stocked: Vec<bool> = lines.iter().map(|line| stocked.contains(&line.product_id)).collect();
    place::reserve(tx, row, lines, &stocked)
}

/// Held later it keeps what it has reserved, and stays counted.
fn put_on_hold(row: &mut OrderRow, hold: Hold) {
    if let (Some(holds), Ok(hold)) = (row.holds.as_array_mut(), serde_json::to_value(hold)) {
        holds.push(hold);
    }
}

fn check_input(input: &SalesOrderAmendment, row: &OrderRow, lines: &[LineRow]) -> Result<(), Problem> {
    let (mut faults, mut seen) = (Faults::default(), HashSet::new());
    let known = |id: Uuid| lines.iter().any(|line| line.id == id);
    for (index, change) in input.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        if !known(change.line_id) {
            faults.add(at("line_id"), "unknown_line", "the order has no such line");
        } else if !seen.insert(change.line_id) {
            faults.add(at("line_id"), "duplicate", "the line is named twice");
        }
        if change.quantity.is_some_and(Quantity::is_zero) {
            faults.add(
                at("quantity"),
                "out_of_range",
                "must be more than 0; remove the line instead",
            );
        }
    }
    for (index, id) in input.remove.iter().enumerate() {
        if !known(*id) {
            faults.add(format!("/remove/{index}"), "unknown_line", "the order has no such line");
        } else if !seen.insert(*id) {
            faults.add(format!("/remove/{index}"), "duplicate", "the line is named twice");
        }
    }
    for (index, line) in input.add.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.add(format!("/add/{index}/quantity"), "out_of_range", "must be more than 0");
        }
        if line.id.is_some_and(|id| known(id) || !seen.insert(id)) {
            faults.add(format!("/add/{index}/id"), "duplicate", "another line has this id");
        }
    }
    if lines.len() + input.add.len() - input.remove.len().min(lines.len()) > 500 {
        faults.add("/add", "too_long", "an order has at most 500 lines");
    }
    if input.remove.len() >= lines.len() && input.add.is_empty() {
        faults.add(
            "/remove",
            "out_of_range",
            "an order keeps a line; cancel or close it instead",
        );
    }
    if input.requested_date.flatten().is_some_and(|date| date < row.order_date) {
        faults.add("/requested_date", "out_of_range", "must not be before the order date");
    }
    faults.check()
}

/// Changes and removes lines, unless deliveries and invoices forbid it: every line at fault is named.
pub(super) fn change_lines(
    row: &OrderRow,
    lines: &mut Vec<LineRow>,
    changes: &[LineAmendment],
    remove: &[Uuid],
) -> Result<(), Problem> {
    let mut refused: Vec<(&str, Value)> = Vec::new();
    for change in changes {
        let Some(line) = lines.iter_mut().find(|line| line.id == change.line_id) else {
            continue;
        };
        if let Some(quantity) = change.quantity {
            let invoiced = line.invoiced_quantity + line.returned_uninvoiced_quantity;
            if quantity < line.delivered_quantity {
                let fact = json!({ "line_id": line.id, "wanted": quantity, "delivered": line.delivered_quantity });
                refused.push(("below_delivered", fact));
            } else if quantity < invoiced {
                refused.push((
                    "below_invoiced",
                    json!({ "line_id": line.id, "wanted": quantity, "invoiced": invoiced }),
                ));
            } else {
                set_quantity(line, quantity);
            }
        }
        let price = change.unit_price.filter(|price| Some(*price) != line.unit_price);
        let discount = change.discount.filter(|discount| *discount != line.discount);
        if (price.is_some() || discount.is_some()) && !line.invoiced_quantity.is_zero() {
            refused.push((
                "price_frozen",
                json!({ "line_id": line.id, "unit_price": line.unit_price }),
            ));
            continue;
        }
        line.unit_price = price.or(line.unit_price);
        line.discount = discount.unwrap_or(line.discount);
    }
    for id in remove {
        let Some(line) = lines.iter().find(|line| line.id == *id) else {
            continue;
        };
        if !line.delivered_quantity.is_zero() {
            let fact = json!({ "line_id": id, "wanted": "0", "delivered": line.delivered_quantity });
            refused.push(("below_delivered", fact));
        } else if !line.invoiced_quantity.is_zero() {
            refused.push((
                "below_invoiced",
                json!({ "line_id": id, "wanted": "0", "invoiced": line.invoiced_quantity }),
            ));
        }
    }
    refuse(refused)?;
    lines.retain(|line| !remove.contains(&line.id));
    let currency = totals::currency_of(row);
    for line in lines.iter_mut() {
        if let Some(price) = line.unit_price {
            line.line_total = Some(currency.line_total(line.quantity, price, line.discount)?);
        }
    }
    Ok(())
}

fn refuse(refused: Vec<(&str, Value)>) -> Result<(), Problem> {
    let Some((code, _)) = refused.first() else {
        return Ok(());
    };
    let detail = match *code {
        "below_delivered" => "a quantity does not go below what is delivered",
        "below_invoiced" => "a quantity does not go below what is invoiced",
        _ => "the price of an invoiced line is frozen",
    };
    let problem = Problem::conflict(code, detail);
    let lines: Vec<Value> = refused
        .into_iter()
        .map(|(code, mut line)| {
            line["code"] = code.into();
            line
        })
        .collect();
    Err(problem.fact("lines", lines))
}

/// A line keeps what it has reserved as far as it still wants it.
fn set_quantity(line: &mut LineRow, quantity: Quantity) {
    let wanted = quantity.less(line.delivered_quantity);
    line.quantity = quantity;
    line.reserved_quantity = line.reserved_quantity.min(wanted);
    line.backordered_quantity = line.backordered_quantity.min(wanted.less(line.reserved_quantity));
}

/// Prices what is added, and again what stays when `reprice` says so; adds the new lines.
fn price(
    tx: &mut Tx<'_>,
    row: &mut OrderRow,
    lines: &mut Vec<LineRow>,
    input: &SalesOrderAmendment,
) -> Result<Option<Hold>> {
    let given: HashSet<Uuid> = input
        .lines
        .iter()
        .filter(|line| line.unit_price.is_some())
        .map(|line| line.line_id)
        .collect();
    let again: Vec<AskedLine> = lines
        .iter()
        .filter(|line| input.reprice && line.invoiced_quantity.is_zero() && !given.contains(&line.id))
        .map(|line| AskedLine {
            unit_price: None,
            ..AskedLine::of(line)
        })
        .collect();
    let added = asked_lines(&input.add, &mut Faults::default());
    let changed: Vec<AskedLine> = lines
        .iter()
        .filter(|line| given.contains(&line.id))
        .map(AskedLine::of)
        .collect();
    let asked: Vec<AskedLine> = again.iter().chain(&added).chain(&changed).cloned().collect();
    if asked.is_empty() {
        return Ok(None);
    }
    let decided = place::decide(tx, row, &asked)?.ok_or_else(|| Problem::not_found("customer"))?;
    let mut faults = Faults::default();
    for reason in &decided.reasons {
        let index = added.iter().position(|line| Some(line.id) == reason.line);
        match (index, reason.code.as_str()) {
            (Some(index), "no_price") => {
                faults.add(format!("/add/{index}/unit_price"), &reason.code, &reason.message);
            }
            (Some(index), _) => faults.add(format!("/add/{index}/product_id"), &reason.code, &reason.message),
            // A product that was retired since stays ordered; one without a price has none to be set to.
            (None, "no_price") if reason.line.is_some() => faults.add("/reprice", &reason.code, &reason.message),
            _ => {}
        }
    }
    faults.check()?;
    for priced in &decided.lines {
        match lines.iter_mut().find(|line| line.id == priced.asked.id) {
            Some(line) => {
                line.unit_price = priced.unit_price;
                line.list_price = priced.list_price;
                line.price_explanation = priced.explanation.clone();
                line.line_total = priced.line_total;
                line.taxes = serde_json::to_value(&priced.taxes)?;
            }
            None => {
                let position = lines.iter().map(|line| line.position).max().unwrap_or(0) + 1;
                lines.push(place::line_row(row.id, position, priced)?);
            }
        }
    }
    let new: Vec<LineRow> = lines
        .iter()
        .filter(|line| added.iter().any(|asked| asked.id == line.id))
        .cloned()
        .collect();
    if !new.is_empty() {
        queries::insert_lines(tx, row.id, &new)?;
    }
    Ok(place::price_hold(tx, &decided))
}
