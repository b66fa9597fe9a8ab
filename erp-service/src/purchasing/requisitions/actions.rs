//! The verbs of a requisition.

use super::model::{
    OrderRequisition, OrderRequisitionLine, OrderedRequisition, Requisition, RequisitionAction, RequisitionIn,
    RequisitionLineIn, RequisitionLineRow, RequisitionPatch, RequisitionRow, RequisitionStatus,
};
use super::queries::{self, Loaded};
use crate::company;
use crate::ledger;
use crate::ledger::numbers::{self, Series};
use crate::purchasing::orders::{self, PurchaseOrderIn, PurchaseOrderLineIn};
use crate::purchasing::references::{self, Named};
use crate::purchasing::{approval, prices, suppliers};
use rust_decimal::Decimal;
use service_kit::{Currency, Discount, Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

pub(super) fn create(tx: &mut Tx<'_>, input: &RequisitionIn) -> Result<Requisition> {
    let actor = tx.actor().id;
    let base = company::settings(tx)?.base_currency;
    let mut row = RequisitionRow {
        id: tx.mint(input.id),
        number: None,
        status: match input.submit {
            true => RequisitionStatus::Submitted,
            false => RequisitionStatus::Draft,
        },
        reason: input.reason.clone(),
        needed_by: input.needed_by,
        warehouse_id: input.warehouse_id,
        external_ref: input.external_ref.clone(),
        value: Decimal::ZERO,
        decision: None,
        created_by: actor,
        changed_by: actor,
        decided_by: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let lines = lines(tx, &row, &input.lines)?;
    row.value = worth(base, &lines)?;
    queries::insert(tx, &row, &lines)?;
    let made = Requisition::from_rows(&row, &lines, base);
    tx.changed(None, &made)?;
    Ok(made)
}

/// The lines; every fault, also of the warehouse.
fn lines(tx: &mut Tx<'_>, row: &RequisitionRow, asked: &[RequisitionLineIn]) -> Result<Vec<RequisitionLineRow>> {
    let mut faults = Faults::default();
    if let Some(place) = row.warehouse_id
        && !crate::inventory::warehouses::exists(tx, place)?
    {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let named: Vec<Named> = asked
        .iter()
        .map(|line| Named {
            product_id: line.product_id,
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            warehouse_id: None,
        })
        .collect();
    references::check(tx, &named, &mut faults)?;
    let preferred: Vec<Uuid> = asked.iter().filter_map(|line| line.supplier_id).collect();
    let known = suppliers::exist(tx, &preferred)?;
    for (index, line) in asked.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_zero() {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        if line.product_id.is_none() && line.description.is_none() {
            fault("product_id", "one_of", "name a product, or say what is needed");
        }
        if line.supplier_id.is_some_and(|id| !known.contains(&id)) {
            fault("supplier_id", "unknown_supplier", "there is no such supplier");
        }
    }
    faults.check()?;
    let lines = asked.iter().zip(1..).map(|(line, position)| RequisitionLineRow {
        id: Uuid::now_v7(),
        requisition_id: row.id,
        position,
        product_id: line.product_id,
        description: line.description.clone(),
        account_id: line.account_id,
        department_id: line.department_id,
        project_id: line.project_id,
        quantity: line.quantity,
        estimated_price: line.estimated_price,
        supplier_id: line.supplier_id,
        ordered_quantity: Quantity::ZERO,
    });
    Ok(lines.collect())
}

fn worth(base: Currency, lines: &[RequisitionLineRow]) -> Result<Decimal> {
    let mut worth = Decimal::ZERO;
    for line in lines {
        if let Some(price) = line.estimated_price {
            worth += base.line_total(line.quantity, price, Discount::ZERO)?;
        }
    }
    Ok(worth)
}

/// Locks the requisition and checks `If-Match`, which verbs need not carry.
fn open(tx: &mut Tx<'_>, id: Uuid, action: RequisitionAction) -> Result<Loaded> {
    let before = queries::lock(tx, id).or_not_found("requisition")?;
    let base = company::settings(tx)?.base_currency;
    let seen = Requisition::from_rows(&before.0, &before.1, base);
    match action {
        RequisitionAction::Edit => tx.require_match(&seen)?,
        _ => tx.match_if_given(&seen)?,
    }
    before.0.status.check(action)?;
    Ok(before)
}

pub(super) fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &RequisitionPatch) -> Result<Requisition> {
    let before = open(tx, id, RequisitionAction::Edit)?;
    let (mut row, mut rows) = before.clone();
    row.reason = patch.reason.clone().unwrap_or(row.reason);
    row.needed_by = patch.needed_by.unwrap_or(row.needed_by);
    row.warehouse_id = patch.warehouse_id.unwrap_or(row.warehouse_id);
    match &patch.lines {
        Some(asked) => {
            rows = lines(tx, &row, asked)?;
            queries::replace_lines(tx, id, &rows)?;
        }
        None => drop(lines(tx, &row, &[])?),
    }
    let base = company::settings(tx)?.base_currency;
    row.value = worth(base, &rows)?;
    row.changed_by = tx.actor().id;
    queries::save(tx, &before, &mut row, &rows)
}

pub(super) fn submit(tx: &mut Tx<'_>, id: Uuid) -> Result<Requisition> {
    let before = open(tx, id, RequisitionAction::Submit)?;
    let (mut row, lines) = before.clone();
    row.status = RequisitionStatus::Submitted;
    row.decision = None;
    queries::save(tx, &before, &mut row, &lines)
}

pub(super) fn approve(tx: &mut Tx<'_>, id: Uuid) -> Result<Requisition> {
    let before = open(tx, id, RequisitionAction::Approve)?;
    let (mut row, lines) = before.clone();
    approval::require(tx, &[row.created_by, row.changed_by], row.value)?;
    row.status = RequisitionStatus::Approved;
    row.decided_by = Some(tx.actor().id);
    let on = ledger::posting_day(tx, None)?;
    let drawn = numbers::draw(tx, Series::Requisition, &on)?;
    row.number = drawn.or_else(|| Some(format!("dry run {id}")));
    queries::save(tx, &before, &mut row, &lines)
}

pub(super) fn reject(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<Requisition> {
    let before = open(tx, id, RequisitionAction::Reject)?;
    let (mut row, lines) = before.clone();
    row.status = RequisitionStatus::Rejected;
    row.decision = Some(reason.to_owned());
    row.decided_by = Some(tx.actor().id);
    queries::save(tx, &before, &mut row, &lines)
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<Requisition> {
    let before = open(tx, id, RequisitionAction::Cancel)?;
    let (mut row, lines) = before.clone();
    row.status = RequisitionStatus::Cancelled;
    row.decision = reason.map(str::to_owned);
    queries::save(tx, &before, &mut row, &lines)
}

/// Makes purchase orders of an approved requisition, one for each supplier.
pub(super) fn order(tx: &mut Tx<'_>, id: Uuid, input: &OrderRequisition) -> Result<OrderedRequisition> {
    let before = open(tx, id, RequisitionAction::Order)?;
    let (mut row, mut lines) = before.clone();
    let asked = asked(&lines, input)?;
    let suppliers = choose(tx, &lines, &asked)?;
    let base = company::settings(tx)?.base_currency;
    let mut groups: BTreeMap<Uuid, Vec<PurchaseOrderLineIn>> = BTreeMap::new();
    for (line, asked) in &asked {
        let Some(of) = lines.iter_mut().find(|of| of.id == *line) else {
            continue;
        };
        let (supplier, currency, priced) = suppliers.get(line).copied().ok_or_else(lost)?;
        let quantity = asked.quantity.unwrap_or(of.quantity - of.ordered_quantity);
        of.ordered_quantity = of.ordered_quantity + quantity;
        queries::note_ordered(tx, *line, quantity)?;
        let estimate = of.estimated_price.filter(|_| currency == base && !priced);
        groups.entry(supplier).or_default().push(PurchaseOrderLineIn {
            product_id: of.product_id,
            description: of.description.clone(),
            account_id: of.account_id,
            department_id: of.department_id,
            project_id: of.project_id,
            quantity,
            unit_price: asked.unit_price.or(estimate),
            requisition_line_id: Some(of.id),
            ..PurchaseOrderLineIn::default()
        });
    }
    let mut made = Vec::with_capacity(groups.len());
    for (supplier_id, lines) in groups {
        let order = PurchaseOrderIn {
            id: None,
            supplier_id,
            currency: None,
            order_date: None,
            warehouse_id: row.warehouse_id,
            external_ref: None,
            supplier_reference: None,
            note: row.number.as_ref().map(|number| format!("Requisition {number}")),
            submit: input.submit,
            lines,
        };
        made.push(orders::place(tx, &order)?);
    }
    if lines.iter().all(|line| line.ordered_quantity == line.quantity) {
        row.status = RequisitionStatus::Ordered;
    }
    let requisition = queries::save(tx, &before, &mut row, &lines)?;
    Ok(OrderedRequisition {
        requisition,
        orders: made,
    })
}

fn lost() -> Error {
    Error::Bug("a fault was lost".into())
}

/// What is to be ordered, by line of the requisition.
fn asked(lines: &[RequisitionLineRow], input: &OrderRequisition) -> Result<Vec<(Uuid, OrderRequisitionLine)>> {
    let Some(given) = &input.lines else {
        let open = lines.iter().filter(|line| line.ordered_quantity < line.quantity);
        let all = open.map(|line| {
            let asked = OrderRequisitionLine {
                line_id: line.id,
                quantity: None,
                supplier_id: None,
                unit_price: None,
            };
            (line.id, asked)
        });
        return Ok(all.collect());
    };
    let mut faults = Faults::default();
    let mut seen = HashSet::new();
    for (index, asked) in given.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        let Some(line) = lines.iter().find(|line| line.id == asked.line_id) else {
            fault("line_id", "unknown_line", "the requisition has no such line");
            continue;
        };
        if !seen.insert(asked.line_id) {
            fault("line_id", "duplicate", "the line is named twice");
        }
        let open = line.quantity - line.ordered_quantity;
        if open.is_zero()
            || asked
                .quantity
                .is_some_and(|quantity| quantity.is_zero() || quantity > open)
        {
            fault(
                "quantity",
                "out_of_range",
                "must be more than 0 and at most what is not ordered yet",
            );
        }
    }
    faults.check()?;
    Ok(given.iter().map(|asked| (asked.line_id, asked.clone())).collect())
}

/// Supplier, its currency, and whether it has a price, by line.
type Chosen = HashMap<Uuid, (Uuid, Currency, bool)>;

fn choose(tx: &mut Tx<'_>, lines: &[RequisitionLineRow], asked: &[(Uuid, OrderRequisitionLine)]) -> Result<Chosen> {
    let base = company::settings(tx)?.base_currency;
    let today = tx.today();
    let products: Vec<Uuid> = lines.iter().filter_map(|line| line.product_id).collect();
    let cheapest = prices::cheapest(tx, base, today, &products)?;
    let mut faults = Faults::default();
    let mut chosen = Chosen::new();
    for (index, (id, asked)) in asked.iter().enumerate() {
        let Some(line) = lines.iter().find(|line| line.id == *id) else {
            continue;
        };
        let least = line.product_id.and_then(|product| cheapest.get(&product));
        let Some(supplier) = asked
            .supplier_id
            .or(line.supplier_id)
            .or(least.map(|found| found.supplier_id))
        else {
            let message = "nobody is known to sell it: name a supplier";
            faults.add(format!("/lines/{index}/supplier_id"), "no_supplier", message);
            continue;
        };
        match suppliers::find(tx, supplier) {
            Ok(supplier) => {
                let question = prices::Question {
                    supplier_id: supplier.id,
                    currency: supplier.currency,
                    date: today,
                };
                let quantity = asked.quantity.unwrap_or(line.quantity - line.ordered_quantity);
                let product = line.product_id.unwrap_or_default();
                let found = prices::answers(tx, question, &[(product, quantity)])?;
                let priced = found.first().is_some_and(Option::is_some);
                let estimated = line.estimated_price.is_some() && supplier.currency == base;
                if !priced && !estimated && asked.unit_price.is_none() {
                    let message = "the supplier has no price for it; give one";
                    faults.add(format!("/lines/{index}/unit_price"), "no_price", message);
                }
                chosen.insert(*id, (supplier.id, supplier.currency, priced));
            }
            Err(diesel::NotFound) => {
                let message = "there is no such supplier";
                faults.add(format!("/lines/{index}/supplier_id"), "unknown_supplier", message);
            }
            Err(other) => return Err(other.into()),
        }
    }
    faults.check()?;
    if chosen.is_empty() {
        return Err(Problem::conflict("nothing_to_order", "everything is ordered already").into());
    }
    Ok(chosen)
}
