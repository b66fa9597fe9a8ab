//! Posting a return.

use super::model::{ReturnLineRow, ReturnRow, SupplierReturn, SupplierReturnIn};
use super::queries;
use crate::catalog::{self, ProductFacts};
use crate::company;
use crate::inventory::average;
use crate::inventory::levels::{self, Demand, Document, Issue, Level, Values};
use crate::inventory::lots::{self, LotLine, Named};
use crate::inventory::posting;
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Entry, Facts, Journal, Role, Rules, Source, Sum};
use crate::purchasing::bills::queries as bills;
use crate::purchasing::orders::{self, Lifecycle};
use crate::purchasing::receipts::queries::{self as receipts, Came};
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Posts a return.
///
/// # Errors
/// 409 `insufficient_stock`, `exceeds_received`; 422 with every fault.
pub fn post(tx: &mut Tx<'_>, input: &SupplierReturnIn) -> Result<SupplierReturn> {
    let on = ledger::posting_day(tx, input.date)?;
    let receipt = match receipts::find(tx, input.receipt_id) {
        Err(Error::Database(diesel::result::Error::NotFound)) => return Err(unknown_receipt()?),
        found => found?,
    };
    let base = company::settings(tx)?.base_currency;
    let products: Vec<Uuid> = receipt.lines.iter().filter_map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    let (demand, named) = check(tx, input, &receipt, &facts)?;
    let mut row = ReturnRow {
        id: tx.mint(input.id),
        number: String::new(),
        receipt_id: receipt.id,
        order_id: receipt.order_id,
        supplier_id: receipt.supplier_id,
        warehouse_id: receipt.warehouse_id,
        returned_on: on.date,
        reason: input.reason.clone(),
        replacement: input.replacement,
        external_ref: input.external_ref.clone(),
        created_by: tx.actor().id,
        created_at: tx.now(),
    };
    let document = Document {
        kind: "supplier_return",
        id: row.id,
        date: on.date,
        base,
    };
    let goods: Vec<Uuid> = demand.keys().copied().collect();
    let locked = match receipt.warehouse_id {
        Some(place) => levels::lock(tx, place, &goods)?,
        None => BTreeMap::new(),
    };
    let before = orders::queries::lock(tx, receipt.order_id)?;
    let (mut order, mut order_lines) = before.clone();
    if input.replacement && order.lifecycle != Lifecycle::Ordered {
        let detail = "the order is closed: nothing more can be delivered on it";
        return Err(Problem::conflict("order_closed", detail).into());
    }
    let ids: Vec<Uuid> = order_lines.iter().map(|line| line.id).collect();
    let mut came = receipts::of_order_lines(tx, &ids)?;
    came.retain(|came| came.line.receipt_id == receipt.id);
    refuse_too_much(input, &came)?;

    let mut issued = Values::new();
    if let Some(place) = receipt.warehouse_id.filter(|_| !demand.is_empty()) {
        let issue = Issue::new(place, &demand, document).named(&named);
        refuse_shortage(tx, &issue, &locked)?;
        issued = levels::issue(tx, &issue)?.values;
    }
    let lines = lines(tx, &row, input, &mut came, &issued, base)?;
    for line in &lines {
        for of in order_lines.iter_mut().filter(|of| of.id == line.order_line_id) {
            of.returned_quantity = of.returned_quantity + line.quantity;
            if input.replacement {
                of.replaced_quantity = of.replaced_quantity + line.quantity;
            }
        }
    }
    order.receipt = orders::progress(&order_lines);
    orders::store(tx, &before, order, &order_lines)?;

    let number = numbers::draw(tx, Series::SupplierReturn, &on)?;
    row.number = number.clone().unwrap_or_else(|| format!("dry run {}", row.id));
    queries::insert(tx, &row, &lines)?;
    let made = queries::shown(&row, &lines, base);
    tx.changed(None, &made)?;
    let rules = ledger::rules(tx)?;
    let what = format!("Return to the supplier: {}", row.reason);
    let what: String = what.chars().take(500).collect();
    let mut entry = Entry::new(
        Journal::Stock,
        &on,
        Source::new("supplier_return", row.id, number),
        what,
    );
    for line in &lines {
        book(&mut entry, &rules, &facts, row.warehouse_id, line, base)?;
    }
    posting::post(tx, entry)?;
    Ok(made)
}

fn unknown_receipt() -> Result<Error> {
    let mut faults = Faults::default();
    faults.add("/receipt_id", "unknown_receipt", "there is no such receipt");
    match faults.check() {
        Err(problem) => Ok(problem.into()),
        Ok(()) => Err(Error::Bug("a fault was lost".into())),
    }
}

/// What leaves stock, by product, and the lots that it must come from.
fn check(
    tx: &mut Tx<'_>,
    input: &SupplierReturnIn,
    receipt: &crate::purchasing::receipts::Receipt,
    facts: &HashMap<Uuid, ProductFacts>,
) -> Result<(Demand, Vec<Named>)> {
    let mut faults = Faults::default();
    let mut seen = HashSet::new();
    let mut demand = Demand::new();
    let mut parts: Vec<LotLine<'_>> = Vec::new();
    for (index, line) in input.lines.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_zero() {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        if !seen.insert(line.line_id) {
            fault("line_id", "duplicate", "the line is named twice");
        }
        let Some(of) = receipt.lines.iter().find(|of| of.id == line.line_id) else {
            fault("line_id", "unknown_line", "the receipt has no such line");
            continue;
        };
        let stocked = |id: &Uuid| facts.get(id).is_some_and(|facts| facts.stocked);
        if let Some(product_id) = of.product_id.filter(stocked) {
            let sum = demand.entry(product_id).or_default();
            *sum = *sum + line.quantity;
            parts.push(LotLine {
                pointer: format!("/lines/{index}"),
                product_id,
                quantity: line.quantity,
                lots: &line.lots,
            });
        }
    }
    let named = match receipt.warehouse_id {
        Some(place) => lots::named(tx, place, facts, &parts, &mut faults)?,
        None => Vec::new(),
    };
    faults.check()?;
    Ok((demand, named))
}

/// At most what came and was kept; all such lines at once.
fn refuse_too_much(input: &SupplierReturnIn, came: &[Came]) -> Result<(), Problem> {
    let over: Vec<_> = input
        .lines
        .iter()
        .filter_map(|line| {
            let of = came.iter().find(|came| came.line.id == line.line_id)?;
            (line.quantity > of.line.kept()).then(
                || serde_json::json!({ "line_id": line.line_id, "wanted": line.quantity, "kept": of.line.kept() }),
            )
        })
        .collect();
    match over.is_empty() {
        true => Ok(()),
        false => Err(Problem::conflict("exceeds_received", "more would go back than came").fact("lines", over)),
    }
}

/// Only what nobody has reserved goes back, and no later day may become negative.
fn refuse_shortage(tx: &mut Tx<'_>, issue: &Issue<'_>, locked: &BTreeMap<Uuid, Level>) -> Result<()> {
    let least = levels::least_on_hand_since(tx, locked, issue.document.date)?;
    let expired = match locked.values().any(|level| !level.expired.is_zero()) {
        true => lots::of_expired(tx, issue)?,
        false => Demand::new(),
    };
    let short: Vec<_> = issue
        .demand
        .iter()
        .filter_map(|(product, wanted)| {
            let free = locked.get(product).map_or(Decimal::ZERO, |level| level.free().value());
            let free = free + expired.get(product).map_or(Decimal::ZERO, |quantity| quantity.value());
            let available = least.get(product).copied().map_or(free, |least| least.min(free));
            (wanted.value() > available).then(|| {
                serde_json::json!({ "product_id": product, "wanted": wanted, "available": available.normalize().to_string() })
            })
        })
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => {
            let detail = "less is free than is to be sent back";
            Err(Problem::conflict("insufficient_stock", detail)
                .fact("products", short)
                .into())
        }
    }
}

/// The lines with their values: what is not billed yet goes back first.
fn lines(
    tx: &mut Tx<'_>,
    row: &ReturnRow,
    input: &SupplierReturnIn,
    came: &mut [Came],
    issued: &Values,
    base: Currency,
) -> Result<Vec<ReturnLineRow>> {
    let mut worth = worth(input, came, issued, base);
    let mut lines = Vec::with_capacity(input.lines.len());
    for (asked, position) in input.lines.iter().zip(1..) {
        let Some(of) = came.iter_mut().find(|came| came.line.id == asked.line_id) else {
            continue;
        };
        let unbilled = asked.quantity.min(of.line.unbilled());
        let unbilled_value = match unbilled.is_zero() {
            true => Decimal::ZERO,
            false => average::share(of.line.unbilled_value(), of.line.unbilled(), unbilled, base),
        };
        let billed = asked.quantity - unbilled;
        let (expected_amount, expected_credit) = expected(tx, of, billed, base)?;
        of.line.returned_quantity = of.line.returned_quantity + unbilled;
        of.line.returned_value += unbilled_value;
        of.line.returned_billed_quantity = of.line.returned_billed_quantity + billed;
        receipts::save_line(tx, &of.line)?;
        lines.push(ReturnLineRow {
            id: Uuid::now_v7(),
            return_id: row.id,
            position,
            receipt_line_id: of.line.id,
            order_line_id: of.line.order_line_id,
            product_id: of.line.product_id,
            quantity: asked.quantity,
            // A service is worth what it was bought for.
            value: worth.remove(&asked.line_id).unwrap_or(unbilled_value + expected_credit),
            unbilled_quantity: unbilled,
            unbilled_value,
            expected_amount,
            expected_credit,
            credited_quantity: Quantity::ZERO,
            credited_amount: Decimal::ZERO,
            credited: Decimal::ZERO,
            lots: serde_json::to_value(&asked.lots)?,
        });
    }
    Ok(lines)
}

/// What each line took along from stock: lines of one product share its value.
fn worth(input: &SupplierReturnIn, came: &[Came], issued: &Values, base: Currency) -> HashMap<Uuid, Decimal> {
    let product = |line: Uuid| {
        came.iter()
            .find(|came| came.line.id == line)
            .and_then(|came| came.line.product_id)
    };
    let mut worth = HashMap::new();
    for (id, value) in issued {
        let lines: Vec<_> = input
            .lines
            .iter()
            .filter(|line| product(line.line_id) == Some(*id))
            .collect();
        let quantities: Vec<Quantity> = lines.iter().map(|line| line.quantity).collect();
        let parts = average::split(*value, &quantities, base);
        worth.extend(lines.iter().zip(parts).map(|(line, part)| (line.line_id, part)));
    }
    worth
}

/// What the supplier has to credit for billed units of a receipt line: (the order's currency, base).
fn expected(tx: &mut Tx<'_>, came: &Came, quantity: Quantity, base: Currency) -> Result<(Decimal, Decimal)> {
    if quantity.is_zero() {
        return Ok((Decimal::ZERO, Decimal::ZERO));
    }
    let (mut amount, mut net, mut own) = (Decimal::ZERO, Decimal::ZERO, base);
    for (row, billed, currency) in bills::billed_for_receipt_line(tx, came.line.id)? {
        amount += currency.line_total(row.quantity, billed, service_kit::Discount::ZERO)?;
        net += row.net;
        own = currency;
    }
    let (amount_before, net_before) = queries::expected_so_far(tx, came.line.id)?;
    let left = came.line.billed_quantity - came.line.returned_billed_quantity;
    Ok((
        average::share(amount - amount_before, left, quantity, own),
        average::share(net - net_before, left, quantity, base),
    ))
}

/// Dr GRNI, Cr stock (or expense); the difference is price variance.
fn book(
    entry: &mut Entry,
    rules: &Rules,
    facts: &HashMap<Uuid, ProductFacts>,
    place: Option<Uuid>,
    line: &ReturnLineRow,
    base: Currency,
) -> Result<()> {
    let known = line.product_id.and_then(|id| facts.get(&id));
    let stocked = known.is_some_and(|facts| facts.stocked);
    let facts = Facts {
        category_id: known.and_then(|facts| facts.category_id),
        warehouse_id: place.filter(|_| stocked),
        tax_code: None,
    };
    let role = if stocked { Role::Stock } else { Role::PurchaseExpense };
    let cleared = line.unbilled_value + line.expected_credit;
    entry.debit(
        &rules.account(Role::GoodsReceivedNotInvoiced, &facts)?,
        Sum::base(base, cleared),
    );
    entry.credit(&rules.account(role, &facts)?, Sum::base(base, line.value));
    entry.debit(
        &rules.account(Role::PriceVariance, &facts)?,
        Sum::base(base, line.value - cleared),
    );
    Ok(())
}
