//! Receiving what comes back: stock enters at its delivery's cost.

use super::model::{ReturnAction, ReturnLineRow, ReturnReceiptIn, ReturnStatus, ReturnedLineIn, SalesReturn};
use super::queries::{self, Delivered};
use crate::catalog::{self, ProductFacts};
use crate::company;
use crate::inventory::average;
use crate::inventory::levels::{self, Demand, Document, Incoming};
use crate::inventory::lots::{self, LotLine, LotQuantity};
use crate::inventory::posting;
use crate::ledger::{self, Entry, Journal, Role, Source};
use crate::sales::deliveries::DeliveredLot;
use crate::sales::orders;
use service_kit::{Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Takes goods back: Dr Stock, Cr Cost of goods sold. They count as reserved until they are inspected.
///
/// # Errors
/// 404; 409 `illegal_transition`, `period_closed`; 422 with every fault.
pub(super) fn receive(tx: &mut Tx<'_>, id: Uuid, input: &ReturnReceiptIn) -> Result<SalesReturn> {
    let (unlocked, lines) = queries::load(tx, id)?;
    unlocked.status.check(ReturnAction::Receive)?;
    let on = ledger::posting_day(tx, input.date)?;
    let came = came(input, &lines)?;
    let products: Vec<Uuid> = lines.iter().map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    let stocked = |product: &Uuid| facts.get(product).is_some_and(|facts| facts.stocked);
    let mut goods: Vec<Uuid> = products.iter().copied().filter(|product| stocked(product)).collect();
    goods.sort_unstable();
    goods.dedup();
    let warehouse = unlocked.warehouse_id.filter(|_| !goods.is_empty());
    if let Some(warehouse) = warehouse {
        levels::lock(tx, warehouse, &goods)?;
    }
    // What was authorised and did not come is free to be returned another time.
    let deltas = by_line(&lines, &came);
    let (order, mut uninvoiced) = orders::note_returned(tx, unlocked.order_id, &deltas)?;
    let (mut row, mut lines) = queries::lock_rows(tx, id)?;
    if row.revision != unlocked.revision {
        return Err(Error::Stale);
    }
    let base = company::settings(tx)?.base_currency;
    let before = SalesReturn::from_rows(row.clone(), lines.clone(), base)?;
    tx.match_if_given(&before)?;

    let delivered = queries::delivered(tx, row.order_id)?;
    let mut incoming = Vec::new();
    for line in &mut lines {
        let quantity = came.get(&line.id).map_or(Quantity::ZERO, |came| came.quantity);
        line.received_quantity = quantity;
        line.uninvoiced_quantity = take(&mut uninvoiced, line.line_id, quantity);
        if quantity.is_zero() || !stocked(&line.product_id) {
            continue;
        }
        let from = delivered
            .iter()
            .find(|d| (d.delivery_id, d.line_id) == (line.delivery_id, line.line_id));
        let from = from.ok_or_else(|| Error::Bug("a return without its delivery".into()))?;
        let (rest, left) = (from.value - from.returned_value, from.quantity.less(from.returned));
        line.value = average::share(rest, left, quantity, base);
        let asked = came.get(&line.id);
        let parts = parts(tx, row.warehouse_id, line, from, asked, &facts, base)?;
        line.lots = serde_json::to_value(told(&parts))?;
        incoming.extend(parts);
    }
    if let Some(warehouse) = warehouse {
        let document = Document {
            kind: "customer_return",
            id,
            date: on.date,
            base,
        };
        levels::receive(tx, warehouse, &incoming, document)?;
        hold(tx, warehouse, &mut lines, &stocked)?;
    }
    row.status = ReturnStatus::Received;
    row.received_on = Some(on.date);
    queries::save(tx, &mut row, &lines)?;
    let after = SalesReturn::from_rows(row, lines, base)?;
    tx.changed(Some(&before), &after)?;
    if let Some(warehouse) = warehouse {
        let rules = ledger::rules(tx)?;
        let number = after.number.clone();
        let description = format!(
            "Return {} of {}",
            number.as_deref().unwrap_or("?"),
            order.number.as_deref().unwrap_or("?")
        );
        let mut entry = Entry::new(
            Journal::Stock,
            &on,
            Source::new("sales_return", id, number),
            description,
        );
        let values = after.lines.iter().map(|line| (line.product_id, line.value.value()));
        posting::add(
            &mut entry,
            &rules,
            &facts,
            posting::at(warehouse),
            values,
            Role::CostOfGoodsSold,
            base,
        )?;
        for line in &mut entry.lines {
            line.dimensions(order.department_id, order.project_id);
        }
        posting::post(tx, entry)?;
    }
    Ok(after)
}

/// What came, by line: as told, or all that was authorised.
fn came(input: &ReturnReceiptIn, lines: &[ReturnLineRow]) -> Result<HashMap<Uuid, ReturnedLineIn>, Problem> {
    let Some(told) = &input.lines else {
        let all = lines.iter().map(|line| {
            let whole = ReturnedLineIn {
                id: line.id,
                quantity: line.quantity,
                lots: Vec::new(),
            };
            (line.id, whole)
        });
        return Ok(all.collect());
    };
    let (mut faults, mut came) = (Faults::default(), HashMap::new());
    for (index, line) in told.iter().enumerate() {
        let known = lines.iter().find(|known| known.id == line.id);
        match known {
            None => faults.add(
                format!("/lines/{index}/id"),
                "unknown_line",
                "the return has no such line",
            ),
            Some(known) if line.quantity > known.quantity => faults.add(
                format!("/lines/{index}/quantity"),
                "exceeds_authorised",
                format!("at most {} is authorised", known.quantity),
            ),
            Some(_) if came.insert(line.id, line.clone()).is_some() => {
                faults.add(format!("/lines/{index}/id"), "duplicate", "the line is named twice");
            }
            Some(_) => {}
        }
    }
    faults.check()?;
    if came.values().all(|line| line.quantity.is_zero()) {
        let mut faults = Faults::default();
        faults.add("/lines", "out_of_range", "nothing came back; cancel the return instead");
        faults.check()?;
    }
    Ok(came)
}

/// What came of each line of the order.
fn by_line(lines: &[ReturnLineRow], came: &HashMap<Uuid, ReturnedLineIn>) -> Vec<(Uuid, Quantity)> {
    let mut sums: BTreeMap<Uuid, Quantity> = BTreeMap::new();
    for line in lines {
        if let Some(came) = came.get(&line.id).filter(|came| !came.quantity.is_zero()) {
            let sum = sums.entry(line.line_id).or_insert(Quantity::ZERO);
            *sum = *sum + came.quantity;
        }
    }
    sums.into_iter().collect()
}

/// Takes at most `quantity` of what was not invoiced of a line.
fn take(uninvoiced: &mut [(Uuid, Quantity)], line_id: Uuid, quantity: Quantity) -> Quantity {
    match uninvoiced.iter_mut().find(|(id, _)| *id == line_id) {
        Some((_, left)) => {
            let got = quantity.min(*left);
            *left = *left - got;
            got
        }
        None => Quantity::ZERO,
    }
}

/// What comes in of a line: in the lots that are told, or the one that was delivered.
fn parts(
    tx: &mut Tx<'_>,
    warehouse: Option<Uuid>,
    line: &ReturnLineRow,
    from: &Delivered,
    asked: Option<&ReturnedLineIn>,
    facts: &HashMap<Uuid, ProductFacts>,
    base: Currency,
) -> Result<Vec<Incoming>> {
    let delivered: Vec<DeliveredLot> = serde_json::from_value(from.lots.clone())?;
    let tracked: Vec<&DeliveredLot> = delivered.iter().filter(|lot| lot.lot_id.is_some()).collect();
    let given: &[LotQuantity] = asked.map_or(&[], |asked| &asked.lots);
    let quantity = line.received_quantity;
    let (Some(warehouse), false) = (warehouse, tracked.is_empty()) else {
        return Ok(vec![Incoming::new(line.product_id, quantity, line.value)]);
    };
    let pointer = "/lines".to_owned();
    let mut faults = Faults::default();
    let mut wanted: Vec<(Uuid, Quantity)> = Vec::new();
    if given.is_empty() {
        let mut ids: Vec<Uuid> = tracked.iter().filter_map(|lot| lot.lot_id).collect();
        ids.sort_unstable();
        ids.dedup();
        match (ids.as_slice(), quantity == from.quantity) {
            ([one], _) => wanted.push((*one, quantity)),
            (_, true) => wanted.extend(tracked.iter().filter_map(|lot| Some((lot.lot_id?, lot.quantity)))),
            _ => faults.add(
                pointer,
                "lots_required",
                "several lots were delivered: name those that came back",
            ),
        }
    } else {
        let of_line = LotLine {
            pointer: pointer.clone(),
            product_id: line.product_id,
            quantity,
            lots: given,
        };
        let named = lots::named(tx, warehouse, facts, &[of_line], &mut faults)?;
        for lot in &named {
            let of_delivery: Quantity = tracked
                .iter()
                .filter(|known| known.lot_id == lot.lot_id)
                .map(|known| known.quantity)
                .sum();
            if lot.quantity > of_delivery {
                faults.add(
                    &*pointer,
                    "not_delivered",
                    "more of a lot came back than was delivered of it",
                );
            }
            wanted.extend(lot.lot_id.map(|id| (id, lot.quantity)));
        }
        if wanted.iter().map(|(_, quantity)| *quantity).sum::<Quantity>() != quantity {
            faults.add(&*pointer, "lots_required", "name lots for the whole quantity");
        }
    }
    faults.check()?;
    let quantities: Vec<Quantity> = wanted.iter().map(|(_, quantity)| *quantity).collect();
    let values = average::split(line.value, &quantities, base);
    let parts = wanted.into_iter().zip(values).map(|((lot, quantity), value)| Incoming {
        lot_id: Some(lot),
        ..Incoming::new(line.product_id, quantity, value)
    });
    Ok(parts.collect())
}

fn told(parts: &[Incoming]) -> Vec<DeliveredLot> {
    let in_lots = parts.iter().filter(|part| part.lot_id.is_some());
    in_lots
        .map(|part| DeliveredLot {
            lot_id: part.lot_id,
            location_id: part.location_id,
            quantity: part.quantity,
        })
        .collect()
}

/// Reserves what came, so that it is not promised before it is inspected. What has expired cannot be
/// reserved and is not promised anyway.
fn hold(tx: &mut Tx<'_>, warehouse: Uuid, lines: &mut [ReturnLineRow], stocked: &impl Fn(&Uuid) -> bool) -> Result<()> {
    let mut demand = Demand::new();
    for line in lines
        .iter()
        .filter(|line| stocked(&line.product_id) && !line.received_quantity.is_zero())
    {
        let sum = demand.entry(line.product_id).or_insert(Quantity::ZERO);
        *sum = *sum + line.received_quantity;
    }
    let mut held = levels::reserve(tx, warehouse, &demand)?;
    for line in lines.iter_mut() {
        if let Some(left) = held.get_mut(&line.product_id) {
            line.held_quantity = line.received_quantity.min(*left);
            *left = left.less(line.held_quantity);
        }
    }
    Ok(())
}
