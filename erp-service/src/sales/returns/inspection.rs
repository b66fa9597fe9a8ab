//! Inspecting what came back: to stock, or to scrap.

use super::model::{InspectedLineIn, ReturnAction, ReturnInspectionIn, ReturnLineRow, ReturnStatus, SalesReturn};
use super::queries;
use crate::catalog;
use crate::company;
use crate::inventory::levels::{self, Demand, Document, Issue};
use crate::inventory::lots::Named;
use crate::inventory::posting;
use crate::ledger::{self, Entry, Journal, Role, Source};
use crate::sales::backorders;
use crate::sales::deliveries::DeliveredLot;
use service_kit::{Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// Says what becomes of the goods: restocked ones fill backorders, scrapped ones leave: Dr Scrap, Cr Stock.
///
/// # Errors
/// 404; 409 `illegal_transition`, `period_closed`; 422 with every fault.
pub(super) fn inspect(tx: &mut Tx<'_>, id: Uuid, input: &ReturnInspectionIn) -> Result<SalesReturn> {
    let (unlocked, lines) = queries::load(tx, id)?;
    unlocked.status.check(ReturnAction::Inspect)?;
    let verdicts = verdicts(input, &lines)?;
    let on = ledger::posting_day(tx, input.date)?;
    if unlocked.received_on.is_some_and(|received| on.date < received) {
        let mut faults = Faults::default();
        faults.add("/date", "out_of_range", "must not be before the goods were received");
        faults.check()?;
    }
    let facts = catalog::facts(tx, &lines.iter().map(|line| line.product_id).collect::<Vec<_>>())?;
    let mut goods: Vec<Uuid> = facts
        .iter()
        .filter(|(_, facts)| facts.stocked)
        .map(|(product, _)| *product)
        .collect();
    goods.sort_unstable();
    let warehouse = unlocked.warehouse_id.filter(|_| !goods.is_empty());
    if let Some(warehouse) = warehouse {
        levels::lock(tx, warehouse, &goods)?;
    }
    let (mut row, mut lines) = queries::lock_rows(tx, id)?;
    if row.revision != unlocked.revision {
        return Err(Error::Stale);
    }
    let base = company::settings(tx)?.base_currency;
    let before = SalesReturn::from_rows(row.clone(), lines.clone(), base)?;
    tx.match_if_given(&before)?;

    let (mut held, mut scrap, mut named) = (Demand::new(), Demand::new(), Vec::new());
    for line in &mut lines {
        let Some(verdict) = verdicts.get(&line.id) else {
            continue;
        };
        (line.restocked_quantity, line.scrapped_quantity) = (verdict.restock, verdict.scrap);
        if !goods.contains(&line.product_id) {
            continue;
        }
        add(&mut held, line.product_id, line.held_quantity);
        add(&mut scrap, line.product_id, verdict.scrap);
        named.extend(scrapped_lots(line)?);
        line.held_quantity = Quantity::ZERO;
    }
    row.inspected_on = Some(on.date);
    row.status = match lines.iter().all(|line| line.to_credit().is_zero()) {
        true => ReturnStatus::Completed,
        false => ReturnStatus::Inspected,
    };
    queries::save(tx, &mut row, &lines)?;
    let after = SalesReturn::from_rows(row, lines, base)?;
    tx.changed(Some(&before), &after)?;
    let Some(warehouse) = warehouse else {
        return Ok(after);
    };
    // Under the locks nobody else takes what is free for a moment.
    levels::free(tx, warehouse, &held)?;
    let document = Document {
        kind: "scrap",
        id,
        date: on.date,
        base,
    };
    let issued = levels::issue(tx, &Issue::new(warehouse, &scrap, document).named(&named))?;
    backorders::fill(tx, warehouse, &goods)?;
    if !issued.values.is_empty() {
        let rules = ledger::rules(tx)?;
        let number = after.number.clone();
        let description = format!("Scrapped of return {}", number.as_deref().unwrap_or("?"));
        let mut entry = Entry::new(
            Journal::Stock,
            &on,
            Source::new("sales_return", id, number),
            description,
        );
        let values = posting::gone(&issued.values);
        posting::add(
            &mut entry,
            &rules,
            &facts,
            posting::at(warehouse),
            values,
            Role::Scrap,
            base,
        )?;
        posting::post(tx, entry)?;
    }
    Ok(after)
}

fn add(demand: &mut Demand, product: Uuid, quantity: Quantity) {
    if !quantity.is_zero() {
        let sum = demand.entry(product).or_insert(Quantity::ZERO);
        *sum = *sum + quantity;
    }
}

/// Every line that brought something has a verdict on all of it.
fn verdicts(input: &ReturnInspectionIn, lines: &[ReturnLineRow]) -> Result<HashMap<Uuid, InspectedLineIn>, Problem> {
    let (mut faults, mut verdicts) = (Faults::default(), HashMap::new());
    for (index, line) in input.lines.iter().enumerate() {
        match lines.iter().find(|known| known.id == line.id) {
            None => faults.add(
                format!("/lines/{index}/id"),
                "unknown_line",
                "the return has no such line",
            ),
            Some(known) if line.restock + line.scrap != known.received_quantity => faults.add(
                format!("/lines/{index}"),
                "not_all",
                format!("restock and scrap must come to {}", known.received_quantity),
            ),
            Some(_) if verdicts.insert(line.id, line.clone()).is_some() => {
                faults.add(format!("/lines/{index}/id"), "duplicate", "the line is named twice");
            }
            Some(_) => {}
        }
    }
    let forgotten = lines
        .iter()
        .filter(|line| !line.received_quantity.is_zero() && !input.lines.iter().any(|told| told.id == line.id));
    for line in forgotten {
        faults.add("/lines", "missing", format!("the line {} is not inspected", line.id));
    }
    faults.check()?;
    Ok(verdicts)
}

/// What is scrapped of a line in lots comes from the lots that came back.
fn scrapped_lots(line: &ReturnLineRow) -> Result<Vec<Named>> {
    let lots: Vec<DeliveredLot> = serde_json::from_value(line.lots.clone())?;
    let mut left = line.scrapped_quantity;
    let mut named = Vec::new();
    for lot in lots {
        let quantity = left.min(lot.quantity);
        if !quantity.is_zero() {
            left = left - quantity;
            named.push(Named {
                product_id: line.product_id,
                lot_id: lot.lot_id,
                location_id: lot.location_id,
                quantity,
            });
        }
    }
    Ok(named)
}
