//! Placing, editing and confirming orders of the back office.

use super::change::store;
use super::decision::AskedLine;
use super::input::{ChargeIn, SalesOrderIn, SalesOrderLineIn, SalesOrderPatch};
use super::model::{Charge, SalesOrder};
use super::rows::{LineRow, OrderRow};
use super::status::Action;
use super::{place, queries, totals};
use crate::customers;
use service_kit::{Amount, Discount, Error, Faults, OrNotFound, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Enters an order of the back office, as a draft or confirmed at once.
///
/// # Errors
/// 422 with every fault.
pub fn place(tx: &mut Tx<'_>, input: &SalesOrderIn) -> Result<SalesOrder> {
    let mut faults = Faults::default();
    let asked = asked_lines(&input.lines, &mut faults);
    let mut row = place::new_row(tx, tx.mint(input.id), "erp", input.customer_id, input.currency.code());
    row.order_date = input.order_date.unwrap_or(row.order_date);
    row.requested_date = input.requested_date;
    row.warehouse_id = input.warehouse_id;
    row.priority = input.priority.unwrap_or(0);
    row.external_ref = input.external_ref.clone();
    row.prices_include_tax = input.prices_include_tax;
    row.charges = serde_json::to_value(charges(&row, &input.charges, &mut faults))?;
    row.shipping_address = input.shipping_address.as_ref().map(serde_json::to_value).transpose()?;
    row.legal_entity_id = input.legal_entity_id;
    row.department_id = input.department_id;
    row.project_id = input.project_id;
    row.promise_id = input.promise_id;
    check_dates(&row, &mut faults);
    check_legal_entity(tx, &row, &mut faults)?;
    faults.check()?;
    let Some(decided) = place::decide(tx, &mut row, &asked)? else {
        return Err(unknown_customer());
    };
    row.invoicing_policy = input.invoicing_policy.unwrap_or(decided.facts.invoicing_policy);
    if !input.confirm {
        let mut lines = draft_lines(&row, &asked)?;
        accept_draft(&asked, &decided, &mut lines)?;
        totals::set(&mut row, &lines)?;
        return place::store_new(tx, row, lines);
    }
    place::refuse(&asked, &decided.reasons)?;
    let lines = place::confirm(tx, &mut row, &decided)?;
    place::store_new(tx, row, lines)
}

fn unknown_customer() -> Error {
    let mut faults = Faults::default();
    faults.add("/customer_id", "unknown_customer", "there is no such customer here");
    match faults.check() {
        Err(problem) => problem.into(),
        Ok(()) => Error::Bug("a fault was lost".into()),
    }
}

pub(super) fn asked_lines(lines: &[SalesOrderLineIn], faults: &mut Faults) -> Vec<AskedLine> {
    let mut seen = HashSet::new();
    let asked = lines.iter().enumerate().map(|(index, line)| {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        let id = line.id.unwrap_or_else(Uuid::now_v7);
        if !seen.insert(id) {
            faults.add(format!("/lines/{index}/id"), "duplicate", "another line has this id");
        }
        AskedLine {
            id,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount.unwrap_or(Discount::ZERO),
        }
    });
    asked.collect()
}

/// The charges of an order; each fault is named.
pub(super) fn charges(row: &OrderRow, input: &[ChargeIn], faults: &mut Faults) -> Vec<Charge> {
    let (currency, mut seen) = (totals::currency_of(row), HashSet::new());
    let charges = input.iter().enumerate().map(|(index, charge)| {
        let amount = charge.amount.value();
        if amount.is_sign_negative() || amount.is_zero() || currency.round(amount) != amount {
            let message = format!(
                "must be more than 0, with at most {} digits after the point",
                currency.minor_digits()
            );
            faults.add(format!("/charges/{index}/amount"), "out_of_range", message);
        }
        let id = charge.id.unwrap_or_else(Uuid::now_v7);
        if !seen.insert(id) {
            faults.add(
                format!("/charges/{index}/id"),
                "duplicate",
                "another charge has this id",
            );
        }
        Charge {
            id,
            kind: charge.kind,
            description: charge.description.clone(),
            amount: Amount::money(currency, amount).unwrap_or_default(),
            tax_class: charge.tax_class.clone(),
            taxes: Vec::new(),
            invoiced_amount: Amount::money(currency, rust_decimal::Decimal::ZERO).unwrap_or_default(),
        }
    });
    charges.collect()
}

fn check_legal_entity(tx: &mut Tx<'_>, row: &OrderRow, faults: &mut Faults) -> Result<()> {
    if let Some(entity) = row.legal_entity_id
        && !customers::has_legal_entity(tx, row.customer_id, entity)?
    {
        faults.add(
            "/legal_entity_id",
            "unknown_legal_entity",
            "the customer has no such legal entity",
        );
    }
    Ok(())
}

fn check_dates(row: &OrderRow, faults: &mut Faults) {
    if row.requested_date.is_some_and(|date| date < row.order_date) {
        faults.add("/requested_date", "out_of_range", "must not be before the order date");
    }
}

/// The lines of a draft: only given prices count, the rest is priced at confirmation.
fn draft_lines(row: &OrderRow, asked: &[AskedLine]) -> Result<Vec<LineRow>> {
    let currency: service_kit::Currency = row.currency.parse().map_err(Error::Bug)?;
    asked
        .iter()
        .zip(1..)
        .map(|(line, position)| {
            let total = line
                .unit_price
                .map(|price| currency.line_total(line.quantity, price, line.discount))
                .transpose()?;
            Ok(LineRow {
                line_total: total,
                ..LineRow::asked(row.id, position, line)
            })
        })
        .collect()
}

/// A draft may name what cannot be confirmed yet, but nothing that does not exist; its lines get the
/// taxes of the order date.
fn accept_draft(asked: &[AskedLine], decided: &place::Decided, lines: &mut [LineRow]) -> Result<()> {
    let unknown = decided
        .reasons
        .iter()
        .filter(|reason| reason.code.starts_with("unknown"));
    place::refuse(asked, &unknown.cloned().collect::<Vec<_>>())?;
    for (line, priced) in lines.iter_mut().zip(&decided.lines) {
        line.taxes = serde_json::to_value(&priced.taxes)?;
    }
    Ok(())
}

fn asked_of(lines: &[LineRow]) -> Vec<AskedLine> {
    lines.iter().map(AskedLine::of).collect()
}

/// Changes a draft.
///
/// # Errors
/// 409 when it is no draft, 412/428 by `If-Match`, 422 with every fault.
pub fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &SalesOrderPatch) -> Result<SalesOrder> {
    let (mut row, mut lines) = queries::load(tx, id).or_not_found("sales order")?;
    queries::lock_unchanged(tx, &row)?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), Vec::new())?;
    tx.require_match(&before)?;
    row.state()?.check(Action::Edit)?;
    row.order_date = patch.order_date.unwrap_or(row.order_date);
    row.requested_date = patch.requested_date.unwrap_or(row.requested_date);
    row.warehouse_id = patch.warehouse_id.unwrap_or(row.warehouse_id);
    row.priority = patch.priority.unwrap_or(row.priority);
    row.external_ref = patch.external_ref.clone().unwrap_or(row.external_ref);
    row.invoicing_policy = patch.invoicing_policy.unwrap_or(row.invoicing_policy);
    row.prices_include_tax = patch.prices_include_tax.unwrap_or(row.prices_include_tax);
    row.legal_entity_id = patch.legal_entity_id.unwrap_or(row.legal_entity_id);
    row.department_id = patch.department_id.unwrap_or(row.department_id);
    row.project_id = patch.project_id.unwrap_or(row.project_id);
    if let Some(address) = &patch.shipping_address {
        row.shipping_address = address.as_ref().map(serde_json::to_value).transpose()?;
    }
    let mut faults = Faults::default();
    if let Some(input) = &patch.charges {
        row.charges = serde_json::to_value(charges(&row, input, &mut faults))?;
    }
    check_dates(&row, &mut faults);
    check_legal_entity(tx, &row, &mut faults)?;
    let asked = patch.lines.as_ref().map(|lines| asked_lines(lines, &mut faults));
    faults.check()?;
    let checked = asked.clone().unwrap_or_else(|| asked_of(&lines));
    let decided = place::decide(tx, &mut row, &checked)?;
    if let Some(asked) = asked {
        lines = draft_lines(&row, &asked)?;
        queries::replace_lines(tx, id, &lines)?;
    }
    if let Some(decided) = &decided {
        accept_draft(&checked, decided, &mut lines)?;
    }
    totals::set(&mut row, &lines)?;
    queries::save(tx, &mut row, &lines, false)?;
    let after = SalesOrder::from_rows(row, lines, Vec::new())?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Confirms a draft: prices it, checks the customer's credit, reserves stock.
///
/// # Errors
/// 409 `illegal_transition`; 422 with every line that cannot be confirmed.
pub fn confirm(tx: &mut Tx<'_>, id: Uuid) -> Result<SalesOrder> {
    let (mut row, lines) = queries::load(tx, id).or_not_found("sales order")?;
    let before = SalesOrder::from_rows(row.clone(), lines.clone(), Vec::new())?;
    tx.match_if_given(&before)?;
    row.state()?.check(Action::Confirm)?;
    let asked = asked_of(&lines);
    let Some(decided) = place::decide(tx, &mut row, &asked)? else {
        return Err(unknown_customer());
    };
    place::refuse(&asked, &decided.reasons)?;
    let unlocked = row.clone();
    let lines = place::confirm(tx, &mut row, &decided)?;
    queries::lock_unchanged(tx, &unlocked)?;
    store(tx, &before, row, lines)
}
