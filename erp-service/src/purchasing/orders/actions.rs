//! The verbs of a purchase order.

use super::lines;
use super::model::{LineRow, OrderRow, PurchaseOrder, PurchaseOrderIn, PurchaseOrderPatch};
use super::queries::{self, Loaded};
use super::status::{Lifecycle, PurchaseOrderAction, ReceiptProgress};
use crate::company;
use crate::inventory::supply::{self, Supply};
use crate::inventory::warehouses;
use crate::ledger;
use crate::ledger::numbers::{self, Series};
use crate::purchasing::exchange::Rate;
use crate::purchasing::suppliers::{self, SupplierStatus};
use crate::purchasing::{approval, settings};
use diesel::OptionalExtension;
use rust_decimal::Decimal;
use service_kit::{Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Enters an order, as a draft or submitted at once.
///
/// # Errors
/// 422 with every fault.
pub fn place(tx: &mut Tx<'_>, input: &PurchaseOrderIn) -> Result<PurchaseOrder> {
    let mut faults = Faults::default();
    let Some(supplier) = suppliers::hold(tx, input.supplier_id).optional()? else {
        faults.add("/supplier_id", "unknown_supplier", "there is no such supplier");
        faults.check()?;
        return Err(Error::Bug("a fault was lost".into()));
    };
    if supplier.status == SupplierStatus::Archived {
        faults.add("/supplier_id", "archived_supplier", "the supplier is archived");
    }
    let actor = tx.actor().id;
    let mut row = OrderRow {
        id: tx.mint(input.id),
        number: None,
        lifecycle: Lifecycle::Draft,
        receipt: ReceiptProgress::None,
        supplier_id: supplier.id,
        currency: input.currency.unwrap_or(supplier.currency),
        order_date: input.order_date.unwrap_or(tx.today()),
        warehouse_id: input.warehouse_id,
        external_ref: input.external_ref.clone(),
        supplier_reference: input.supplier_reference.clone(),
        note: input.note.clone(),
        net: Decimal::ZERO,
        value: None,
        approved_value: None,
        rejection: None,
        end_reason: None,
        created_by: actor,
        changed_by: actor,
        submitted_by: None,
        approved_by: None,
        approved_at: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check_header(tx, &row, &mut faults)?;
    let lines = lines::make(tx, &row, &supplier, &input.lines, &[], &mut faults)?;
    faults.check()?;
    row.net = lines::net(row.currency, &lines)?;
    if input.submit {
        submitted(tx, &mut row)?;
    }
    queries::insert(tx, &row, &lines)?;
    announce(tx, None, &row, &lines)?;
    let order = shown(tx, &row, &lines)?;
    tx.changed(None, &order)?;
    Ok(order)
}

fn check_header(tx: &mut Tx<'_>, row: &OrderRow, faults: &mut Faults) -> Result<()> {
    if let Some(place) = row.warehouse_id
        && !warehouses::exists(tx, place)?
    {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    if row.order_date > tx.today() {
        faults.add(
            "/order_date",
            "future_date",
            format!("must not be after today, {}", tx.today()),
        );
    }
    Ok(())
}

fn shown(tx: &mut Tx<'_>, row: &OrderRow, lines: &[LineRow]) -> Result<PurchaseOrder> {
    let base = company::settings(tx)?.base_currency;
    Ok(PurchaseOrder::from_rows(row, lines, base))
}

/// Locks the order and checks `If-Match`, which verbs need not carry.
fn open(tx: &mut Tx<'_>, id: Uuid, action: PurchaseOrderAction) -> Result<Loaded> {
    let before = queries::lock(tx, id).or_not_found("purchase order")?;
    let seen = shown(tx, &before.0, &before.1)?;
    match action {
        PurchaseOrderAction::Edit => tx.require_match(&seen)?,
        _ => tx.match_if_given(&seen)?,
    }
    before.0.state().check(action)?;
    Ok(before)
}

/// Stores a changed order and announces what is still to come of it.
///
/// # Errors
/// `Stale` when somebody else changed it.
pub fn store(tx: &mut Tx<'_>, before: &Loaded, mut row: OrderRow, lines: &[LineRow]) -> Result<PurchaseOrder> {
    let order = queries::save(tx, before, &mut row, lines)?;
    announce(tx, Some(before), &row, lines)?;
    Ok(order)
}

fn announce(tx: &mut Tx<'_>, before: Option<&Loaded>, row: &OrderRow, lines: &[LineRow]) -> Result<()> {
    let old = before
        .map(|(row, lines)| lines::still_to_come(row, lines))
        .unwrap_or_default();
    let new = lines::still_to_come(row, lines);
    let ids: HashSet<Uuid> = new.iter().map(|line| line.0).collect();
    let gone: Vec<Uuid> = old.iter().map(|line| line.0).filter(|id| !ids.contains(id)).collect();
    if !gone.is_empty() {
        supply::withdraw(tx, &gone)?;
    }
    let changed = new.into_iter().filter(|line| !old.contains(line));
    let supplies: Vec<Supply> = changed
        .map(|(id, product_id, warehouse_id, expected_on, quantity)| Supply {
            id,
            product_id,
            warehouse_id,
            source_type: "purchase_order",
            source_id: row.id,
            source_number: row.number.clone(),
            expected_on,
            quantity,
        })
        .collect();
    supply::announce(tx, &supplies)
}

/// How much of the lines has come.
pub fn progress(lines: &[LineRow]) -> ReceiptProgress {
    if lines.iter().all(|line| line.received_quantity.is_zero()) {
        ReceiptProgress::None
    } else if lines.iter().all(|line| line.open_quantity().is_zero()) {
        ReceiptProgress::Full
    } else {
        ReceiptProgress::Partial
    }
}

/// Changes an order. Worth more than was approved, it has to be approved again.
pub(super) fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &PurchaseOrderPatch) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Edit)?;
    let (mut row, mut lines) = before.clone();
    row.order_date = patch.order_date.unwrap_or(row.order_date);
    row.warehouse_id = patch.warehouse_id.unwrap_or(row.warehouse_id);
    row.external_ref = patch.external_ref.clone().unwrap_or(row.external_ref);
    row.supplier_reference = patch.supplier_reference.clone().unwrap_or(row.supplier_reference);
    row.note = patch.note.clone().unwrap_or(row.note);
    let mut faults = Faults::default();
    check_header(tx, &row, &mut faults)?;
    if let Some(asked) = &patch.lines {
        for (index, line) in asked.iter().enumerate() {
            if line.id.is_some_and(|id| !lines.iter().any(|old| old.id == id)) {
                faults.add(
                    format!("/lines/{index}/id"),
                    "unknown_line",
                    "the order has no such line",
                );
            }
        }
        let supplier = suppliers::find(tx, row.supplier_id)?;
        lines = lines::make(tx, &row, &supplier, asked, &before.1, &mut faults)?;
    }
    faults.check()?;
    lines::refuse_undoing(&before.1, &lines)?;
    row.net = lines::net(row.currency, &lines)?;
    if (&row, &lines) == (&before.0, &before.1) {
        return shown(tx, &row, &lines);
    }
    row.changed_by = tx.actor().id;
    row.receipt = progress(&lines);
    if row.lifecycle != Lifecycle::Draft {
        let value = worth(tx, &row)?;
        row.value = Some(value);
        // An order that was binding once stays so up to what was approved.
        row.lifecycle = match row.approved_value.is_some_and(|approved| value <= approved) {
            true => Lifecycle::Ordered,
            false => Lifecycle::AwaitingApproval,
        };
    }
    store(tx, &before, row, &lines)
}

fn worth(tx: &mut Tx<'_>, row: &OrderRow) -> Result<Decimal> {
    Ok(Rate::of(tx, row.currency, row.order_date)?.convert(row.net)?)
}

pub(super) fn submit(tx: &mut Tx<'_>, id: Uuid) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Submit)?;
    let (mut row, lines) = before.clone();
    submitted(tx, &mut row)?;
    store(tx, &before, row, &lines)
}

fn submitted(tx: &mut Tx<'_>, row: &mut OrderRow) -> Result<()> {
    let value = worth(tx, row)?;
    row.value = Some(value);
    row.submitted_by = Some(tx.actor().id);
    row.rejection = None;
    row.lifecycle = Lifecycle::AwaitingApproval;
    if value <= settings::settings(tx)?.approval_free_up_to.value() {
        ordered(tx, row)?;
    }
    Ok(())
}

/// Makes the order binding.
fn ordered(tx: &mut Tx<'_>, row: &mut OrderRow) -> Result<()> {
    row.approved_value = row.value;
    row.approved_at = Some(tx.now());
    row.lifecycle = Lifecycle::Ordered;
    if row.number.is_none() {
        let on = ledger::posting_day(tx, None)?;
        let drawn = numbers::draw(tx, Series::PurchaseOrder, &on)?;
        row.number = drawn.or_else(|| Some(format!("dry run {}", row.id)));
    }
    Ok(())
}

pub(super) fn approve(tx: &mut Tx<'_>, id: Uuid) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Approve)?;
    let (mut row, lines) = before.clone();
    let value = worth(tx, &row)?;
    approval::require(tx, &[row.created_by, row.changed_by], value)?;
    row.value = Some(value);
    row.approved_by = Some(tx.actor().id);
    row.rejection = None;
    ordered(tx, &mut row)?;
    store(tx, &before, row, &lines)
}

pub(super) fn reject(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Reject)?;
    let (mut row, lines) = before.clone();
    row.rejection = Some(reason.to_owned());
    // What was binding before the change waits for another change.
    if row.number.is_none() {
        row.lifecycle = Lifecycle::Draft;
    }
    store(tx, &before, row, &lines)
}

pub(super) fn close(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Close)?;
    let (mut row, lines) = before.clone();
    if reason.is_none() && lines.iter().any(|line| !line.open_quantity().is_zero()) {
        let mut faults = Faults::default();
        faults.add(
            "/reason",
            "required",
            "something is still to come: say why it is given up",
        );
        faults.check()?;
    }
    row.lifecycle = Lifecycle::Closed;
    row.end_reason = reason.map(str::to_owned);
    store(tx, &before, row, &lines)
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<PurchaseOrder> {
    let before = open(tx, id, PurchaseOrderAction::Cancel)?;
    let (mut row, lines) = before.clone();
    let billed: Quantity = lines.iter().map(|line| line.billed_quantity).sum();
    if !billed.is_zero() {
        return Err(Problem::conflict("billed", "the order was billed; reverse the bill first").into());
    }
    row.lifecycle = Lifecycle::Cancelled;
    row.end_reason = reason.map(str::to_owned);
    store(tx, &before, row, &lines)
}
