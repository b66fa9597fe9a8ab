//! Posting what a count found: surplus comes at the average, what is missing leaves at it.

use super::actions::{open, store};
use super::{CountApprovalIn, CountStatus, LineRow, StockCount, shown};
use crate::catalog;
use crate::company;
use crate::inventory::levels::{self, Demand, Document, Incoming, Issue, Issued, Level};
use crate::inventory::lots::Named;
use crate::inventory::{cost, posting};
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Entry, Journal, Role, Source};
use crate::sales::backorders;
use crate::schema::stock_count_lines;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Approves a count: posts its differences.
///
/// # Errors
/// 409 `illegal_transition`, `same_person`, `insufficient_stock`, `period_closed`.
pub(super) fn approve(tx: &mut Tx<'_>, id: Uuid, input: &CountApprovalIn) -> Result<StockCount> {
    let (mut row, mut lines) = open(tx, id, "approve", &[])?;
    let before = shown(row.clone(), &lines);
    let actor = tx.actor().id;
    if row.counted_by.contains(&actor) {
        return Err(Problem::conflict("same_person", "a count is approved by somebody else than who counted").into());
    }
    let on = ledger::posting_day(tx, input.date)?;
    if on.date < row.counted_on {
        let mut faults = Faults::default();
        let message = format!("the sheet is of {}", row.counted_on);
        faults.add("/date", "date_before_original", message);
        faults.check()?;
    }
    let base = company::settings(tx)?.base_currency;
    let document = Document {
        kind: "count",
        id,
        date: on.date,
        base,
    };
    let (more, less, named) = differences(&lines);
    let products: Vec<Uuid> = lines.iter().map(|line| line.product_id).collect();
    let locked = levels::lock(tx, row.warehouse_id, &products)?;
    let came = bring(tx, &locked, &more, document)?;
    levels::receive(tx, row.warehouse_id, &came, document)?;
    make_room(tx, row.warehouse_id, &less)?;
    let issued = levels::issue(tx, &Issue::new(row.warehouse_id, &less, document).named(&named))?;
    set_values(tx, &mut lines, &came, &issued, base)?;
    backorders::fill(
        tx,
        row.warehouse_id,
        &more.iter().map(|line| line.product_id).collect::<Vec<_>>(),
    )?;

    row.status = CountStatus::Posted;
    row.approved_by = Some(actor);
    row.counted_on = on.date;
    row.number = numbers::draw(tx, Series::Count, &on)?;
    let source = Source::new("stock_count", id, row.number.clone());
    let facts = catalog::facts(tx, &products)?;
    let mut entry = Entry::new(Journal::Stock, &on, source, "Stock count");
    let values: Vec<(Uuid, Decimal)> = came
        .iter()
        .map(|line| (line.product_id, line.value))
        .chain(posting::gone(&issued.values))
        .collect();
    let rules = ledger::rules(tx)?;
    posting::add(
        &mut entry,
        &rules,
        &facts,
        posting::at(row.warehouse_id),
        values,
        Role::CountDifference,
        base,
    )?;
    let count = store(tx, &before, row)?;
    posting::post(tx, entry)?;
    Ok(count)
}

/// What was found, and what is missing with where it is missing.
fn differences(lines: &[LineRow]) -> (Vec<LineRow>, Demand, Vec<Named>) {
    let (mut more, mut less, mut named) = (Vec::new(), Demand::new(), Vec::new());
    for line in lines {
        let difference = line.difference().map_or(Decimal::ZERO, |difference| difference.value());
        let quantity = Quantity::new(difference.abs()).unwrap_or_default();
        if difference > Decimal::ZERO {
            more.push(line.clone());
        } else if difference < Decimal::ZERO {
            let sum = less.entry(line.product_id).or_default();
            *sum = *sum + quantity;
            named.push(Named {
                product_id: line.product_id,
                lot_id: line.lot_id,
                location_id: line.location_id,
                quantity,
            });
        }
    }
    // What lies nowhere in particular comes from there first by itself.
    named.retain(|named| named.lot_id.is_some() || named.location_id.is_some());
    (more, less, named)
}

/// What was found is worth the average, else the last cost known.
fn bring(
    tx: &mut Tx<'_>,
    locked: &BTreeMap<Uuid, Level>,
    more: &[LineRow],
    document: Document,
) -> Result<Vec<Incoming>> {
    let products: Vec<Uuid> = more.iter().map(|line| line.product_id).collect();
    let known = cost::known(tx, locked, &products)?;
    let incoming = more.iter().map(|line| {
        let quantity = line.difference().map_or(Decimal::ZERO, |difference| difference.value());
        let quantity = Quantity::new(quantity).unwrap_or_default();
        Incoming {
            product_id: line.product_id,
            quantity,
            value: known
                .get(&line.product_id)
                .map_or(Decimal::ZERO, |cost| cost.of(quantity, document.base)),
            lot_id: line.lot_id,
            location_id: line.location_id,
        }
    });
    Ok(incoming.collect())
}

/// What is not there cannot stay reserved: orders give back what is missing.
fn make_room(tx: &mut Tx<'_>, warehouse_id: Uuid, less: &Demand) -> Result<()> {
    let products: Vec<Uuid> = less.keys().copied().collect();
    let locked = levels::lock(tx, warehouse_id, &products)?;
    let missing: Demand = less
        .iter()
        .filter_map(|(product, gone)| {
            let level = locked.get(product)?;
            let left = level.on_hand.value() - gone.value();
            let missing = level.reserved.value() - left;
            Quantity::new(missing)
                .ok()
                .filter(|missing| !missing.is_zero())
                .map(|missing| (*product, missing))
        })
        .collect();
    backorders::take_back(tx, warehouse_id, &missing)
}

fn set_values(
    tx: &mut Tx<'_>,
    lines: &mut [LineRow],
    came: &[Incoming],
    issued: &Issued,
    base: Currency,
) -> Result<()> {
    let mut picks = issued.picks.clone();
    for line in lines {
        let difference = line.difference().map_or(Decimal::ZERO, |difference| difference.value());
        let found = came.iter().find(|came| {
            (came.product_id, came.lot_id, came.location_id) == (line.product_id, line.lot_id, line.location_id)
        });
        let value = match (found, difference < Decimal::ZERO) {
            (Some(found), false) => found.value,
            (_, true) => {
                let own = |pick: &&mut levels::Pick| {
                    (pick.product_id, pick.lot_id, pick.location_id) == (line.product_id, line.lot_id, line.location_id)
                };
                picks
                    .iter_mut()
                    .filter(own)
                    .map(|pick| -std::mem::take(&mut pick.value))
                    .sum()
            }
            (None, false) => Decimal::ZERO,
        };
        line.value = Some(Amount::money(base, value).ok_or_else(|| Error::Bug(format!("stock is worth {value}")))?);
        diesel::update(stock_count_lines::table.find(line.id))
            .set(stock_count_lines::value.eq(line.value))
            .execute(&mut **tx)?;
    }
    Ok(())
}
