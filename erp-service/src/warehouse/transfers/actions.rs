use super::{
    LineRow, Transfer, TransferCloseIn, TransferIn, TransferReceiptIn, TransferRow, TransferStatus, WriteOff, load,
    shown,
};
use crate::catalog::{self, ProductFacts};
use crate::company;
use crate::inventory::levels::{self, Demand, Document, Incoming, Issue, Issued};
use crate::inventory::lots::{self, LotLine, Named};
use crate::inventory::supply::{self, Supply};
use crate::inventory::{average, posting, warehouses};
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Entry, Journal, PostingDay, Role, Source};
use crate::sales::backorders;
use crate::schema::{locations, transfer_lines, transfers};
use crate::warehouse::shortage;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Jsonb, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A part of a line that is under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OpenLot {
    lot_id: Option<Uuid>,
    quantity: Quantity,
}

/// Ships: the goods leave, and lie in the transit warehouse at what they were worth.
///
/// # Errors
/// 422 with every fault; 409 `insufficient_stock` or `period_closed`.
pub(super) fn ship(tx: &mut Tx<'_>, input: &TransferIn) -> Result<Transfer> {
    let (facts, named) = check(tx, input)?;
    let on = ledger::posting_day(tx, input.date)?;
    let base = company::settings(tx)?.base_currency;
    let transit = warehouses::transit(tx)?;
    let document = document(tx.mint(input.id), &on, base);
    let demand = sum(input.lines.iter().map(|line| (line.product_id, line.quantity)));
    let products: Vec<Uuid> = demand.keys().copied().collect();
    let locked = levels::lock(tx, input.from_warehouse_id, &products)?;
    levels::lock(tx, transit, &products)?;
    let issue = Issue::new(input.from_warehouse_id, &demand, document).named(&named);
    shortage::refuse(tx, &Demand::new(), &issue, &locked)?;
    let issued = levels::issue(tx, &issue)?;
    levels::receive(tx, transit, &incoming(&issued, None), document)?;

    let lines = lines(tx, (document.id, input), &issued, base)?;
    let mut row = TransferRow {
        id: document.id,
        number: None,
        status: TransferStatus::InTransit,
        from_warehouse_id: input.from_warehouse_id,
        to_warehouse_id: input.to_warehouse_id,
        transit_warehouse_id: transit,
        shipped_on: on.date,
        expected_on: input.expected_on.unwrap_or(on.date).max(on.date),
        note: input.note.clone(),
        close_reason: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    row.number = numbers::draw(tx, Series::Transfer, &on)?;
    insert(tx, &row, &lines)?;
    announce(tx, &row, &lines)?;
    let places = (posting::at(row.from_warehouse_id), posting::in_transit(transit));
    let mut entry = entry(&row, &on, "shipped");
    posting::between(&mut entry, &ledger::rules(tx)?, &facts, places, &issued.values, base)?;
    posting::post(tx, entry)?;
    let transfer = shown(row, &lines);
    tx.changed(None, &transfer)?;
    Ok(transfer)
}

fn document(id: Uuid, on: &PostingDay, base: Currency) -> Document {
    Document {
        kind: "transfer",
        id,
        date: on.date,
        base,
    }
}

fn sum(lines: impl Iterator<Item = (Uuid, Quantity)>) -> Demand {
    let mut demand = Demand::new();
    for (product, quantity) in lines {
        let sum = demand.entry(product).or_default();
        *sum = *sum + quantity;
    }
    demand
}

fn incoming(issued: &Issued, location_id: Option<Uuid>) -> Vec<Incoming> {
    let picks = issued.picks.iter().map(|pick| Incoming {
        product_id: pick.product_id,
        quantity: pick.quantity,
        value: pick.value,
        lot_id: pick.lot_id,
        location_id,
    });
    picks.collect()
}

fn entry(row: &TransferRow, on: &PostingDay, what: &str) -> Entry {
    let source = Source::new("transfer", row.id, row.number.clone());
    let name = row.number.as_deref().unwrap_or_default();
    Entry::new(
        Journal::Stock,
        on,
        source,
        format!("Transfer {name} {what}").replace("  ", " "),
    )
}

fn check(tx: &mut Tx<'_>, input: &TransferIn) -> Result<(HashMap<Uuid, ProductFacts>, Vec<Named>)> {
    let mut faults = Faults::default();
    for (pointer, id) in [
        ("/from_warehouse_id", input.from_warehouse_id),
        ("/to_warehouse_id", input.to_warehouse_id),
    ] {
        if !warehouses::exists(tx, id)? {
            faults.add(pointer, "unknown_warehouse", "there is no such warehouse");
        }
    }
    if input.from_warehouse_id == input.to_warehouse_id {
        faults.add(
            "/to_warehouse_id",
            "same_warehouse",
            "within a warehouse goods are relocated",
        );
    }
    let products: Vec<Uuid> = input.lines.iter().map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    for (index, line) in input.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        match facts.get(&line.product_id) {
            None => faults.add(at("product_id"), "unknown_product", "there is no such product"),
            Some(facts) if !facts.stocked => faults.add(at("product_id"), "not_stocked", "a service has no stock"),
            Some(_) => {}
        }
        if line.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must be more than 0");
        }
    }
    let lines = input.lines.iter().enumerate().map(|(index, line)| LotLine {
        pointer: format!("/lines/{index}"),
        product_id: line.product_id,
        quantity: line.quantity,
        lots: &line.lots,
    });
    let lines: Vec<LotLine<'_>> = lines.collect();
    let named = lots::named(tx, input.from_warehouse_id, &facts, &lines, &mut faults)?;
    faults.check()?;
    Ok((facts, named))
}

/// The lines with what each took along: lines of one product share its picks in their order.
fn lines(
    tx: &Tx<'_>,
    (transfer_id, input): (Uuid, &TransferIn),
    issued: &Issued,
    base: Currency,
) -> Result<Vec<LineRow>> {
    let mut picks: BTreeMap<Uuid, Vec<OpenLot>> = BTreeMap::new();
    for pick in &issued.picks {
        picks.entry(pick.product_id).or_default().push(OpenLot {
            lot_id: pick.lot_id,
            quantity: pick.quantity,
        });
    }
    let mut values: BTreeMap<Uuid, std::vec::IntoIter<Decimal>> = BTreeMap::new();
    for (product, value) in &issued.values {
        let own = input.lines.iter().filter(|line| line.product_id == *product);
        let quantities: Vec<Quantity> = own.map(|line| line.quantity).collect();
        values.insert(*product, average::split(*value, &quantities, base).into_iter());
    }
    let lines = input.lines.iter().map(|line| {
        let open = picks
            .get_mut(&line.product_id)
            .map(|picks| take(picks, line.quantity))
            .unwrap_or_default();
        let value = values
            .get_mut(&line.product_id)
            .and_then(Iterator::next)
            .unwrap_or_default();
        Ok(LineRow {
            id: tx.mint(line.id),
            transfer_id,
            product_id: line.product_id,
            quantity: line.quantity,
            received_quantity: Quantity::ZERO,
            written_off_quantity: Quantity::ZERO,
            value: Amount::money(base, value).ok_or_else(|| Error::Bug(format!("stock is worth {value}")))?,
            open_lots: serde_json::to_value(open)?,
        })
    });
    lines.collect()
}

/// Takes a quantity out of the front.
fn take(lots: &mut Vec<OpenLot>, quantity: Quantity) -> Vec<OpenLot> {
    let (mut left, mut taken) = (quantity, Vec::new());
    for lot in lots.iter_mut() {
        let got = left.min(lot.quantity);
        if !got.is_zero() {
            lot.quantity = lot.quantity - got;
            left = left - got;
            taken.push(OpenLot {
                lot_id: lot.lot_id,
                quantity: got,
            });
        }
    }
    lots.retain(|lot| !lot.quantity.is_zero());
    taken
}

fn insert(tx: &mut Tx<'_>, row: &TransferRow, lines: &[LineRow]) -> Result<()> {
    diesel::insert_into(transfers::table)
        .values((
            transfers::id.eq(row.id),
            transfers::number.eq(&row.number),
            transfers::status.eq(row.status),
            transfers::from_warehouse_id.eq(row.from_warehouse_id),
            transfers::to_warehouse_id.eq(row.to_warehouse_id),
            transfers::transit_warehouse_id.eq(row.transit_warehouse_id),
            transfers::shipped_on.eq(row.shipped_on),
            transfers::expected_on.eq(row.expected_on),
            transfers::note.eq(&row.note),
            transfers::created_at.eq(row.created_at),
            transfers::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    sql(
        "INSERT INTO transfer_lines (transfer_id, position, id, product_id, quantity, value, open_lots)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(row.id)
    .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.value).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(lines.iter().map(|line| line.open_lots.clone()).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}

fn announce(tx: &mut Tx<'_>, row: &TransferRow, lines: &[LineRow]) -> Result<()> {
    let supplies = lines.iter().map(|line| Supply {
        id: line.id,
        product_id: line.product_id,
        warehouse_id: row.to_warehouse_id,
        source_type: "transfer",
        source_id: row.id,
        source_number: row.number.clone(),
        expected_on: row.expected_on,
        quantity: line.quantity,
    });
    supply::announce(tx, &supplies.collect::<Vec<_>>())
}

/// A transfer that is under way, with the levels at both ends of what is still to come locked, and then
/// the transfer itself.
fn open(
    tx: &mut Tx<'_>,
    id: Uuid,
    action: &str,
    date: Option<NaiveDate>,
) -> Result<(TransferRow, Vec<LineRow>, PostingDay)> {
    let (row, lines) = load(tx, id)?;
    let products: Vec<Uuid> = lines.iter().map(|line| line.product_id).collect();
    levels::lock(tx, row.to_warehouse_id, &products)?;
    levels::lock(tx, row.transit_warehouse_id, &products)?;
    let revision: i64 = transfers::table
        .find(id)
        .for_update()
        .select(transfers::revision)
        .first(&mut **tx)?;
    if revision != row.revision {
        return Err(Error::Stale);
    }
    let before = shown(row.clone(), &lines);
    tx.match_if_given(&before)?;
    if row.status != TransferStatus::InTransit {
        return Err(Problem::illegal_transition(action, row.status.as_str(), &[]).into());
    }
    let on = ledger::posting_day(tx, date)?;
    if on.date < row.shipped_on {
        let mut faults = Faults::default();
        faults.add(
            "/date",
            "date_before_original",
            format!("it was shipped on {}", row.shipped_on),
        );
        faults.check()?;
    }
    Ok((row, lines, on))
}

/// Receives all or some of what is under way.
///
/// # Errors
/// 422 with every fault; 409 `illegal_transition` or `period_closed`.
pub(super) fn receive(tx: &mut Tx<'_>, id: Uuid, input: &TransferReceiptIn) -> Result<Transfer> {
    let (mut row, mut lines, on) = open(tx, id, "receive", input.date)?;
    let before = shown(row.clone(), &lines);
    let arrived = arrived(tx, &row, &lines, input)?;
    let base = company::settings(tx)?.base_currency;
    let document = document(id, &on, base);
    let mut values = levels::Values::new();
    for (line_id, (quantity, location)) in &arrived {
        let Some(line) = lines.iter_mut().find(|line| line.id == *line_id) else {
            continue;
        };
        let issued = leave_transit(tx, &row, line, *quantity, document)?;
        levels::receive(tx, row.to_warehouse_id, &incoming(&issued, *location), document)?;
        line.received_quantity = line.received_quantity + *quantity;
        for (product, value) in issued.values {
            *values.entry(product).or_default() += value;
        }
    }
    let done = lines.iter().all(|line| line.open().is_zero());
    row.status = if done {
        TransferStatus::Received
    } else {
        TransferStatus::InTransit
    };
    store(tx, &mut row, &lines)?;
    let arrived: Vec<(Uuid, Quantity)> = arrived.iter().map(|(line, (quantity, _))| (*line, *quantity)).collect();
    supply::arrived(tx, &arrived)?;
    let products: Vec<Uuid> = values.keys().copied().collect();
    backorders::fill(tx, row.to_warehouse_id, &products)?;
    let facts = catalog::facts(tx, &products)?;
    let places = (
        posting::in_transit(row.transit_warehouse_id),
        posting::at(row.to_warehouse_id),
    );
    let mut entry = entry(&row, &on, "received");
    posting::between(&mut entry, &ledger::rules(tx)?, &facts, places, &values, base)?;
    posting::post(tx, entry)?;
    let after = shown(row, &lines);
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// What arrived of each line, and where it is put.
fn arrived(
    tx: &mut Tx<'_>,
    row: &TransferRow,
    lines: &[LineRow],
    input: &TransferReceiptIn,
) -> Result<BTreeMap<Uuid, (Quantity, Option<Uuid>)>> {
    let Some(asked) = &input.lines else {
        let open = lines.iter().filter(|line| !line.open().is_zero());
        return Ok(open.map(|line| (line.id, (line.open(), None))).collect());
    };
    let known: Vec<Uuid> = locations::table
        .filter(locations::warehouse_id.eq(row.to_warehouse_id))
        .filter(locations::id.eq_any(asked.iter().filter_map(|line| line.location_id)))
        .select(locations::id)
        .load(&mut **tx)?;
    let (mut faults, mut arrived) = (Faults::default(), BTreeMap::new());
    for (index, wanted) in asked.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        if wanted.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must be more than 0");
        }
        match lines.iter().find(|line| line.id == wanted.line_id) {
            None => faults.add(at("line_id"), "unknown_line", "the transfer has no such line"),
            Some(line) if wanted.quantity > line.open() => {
                let message = format!("only {} are under way", line.open());
                faults.add(at("quantity"), "exceeds_open", message);
            }
            Some(_) => {}
        }
        if wanted.location_id.is_some_and(|id| !known.contains(&id)) {
            faults.add(
                at("location_id"),
                "unknown_location",
                "the warehouse has no such location",
            );
        }
        if arrived
            .insert(wanted.line_id, (wanted.quantity, wanted.location_id))
            .is_some()
        {
            faults.add(at("line_id"), "duplicate", "the line is named twice");
        }
    }
    faults.check()?;
    Ok(arrived)
}

/// Takes a part of a line out of the transit warehouse: its own lots, not those of another transfer.
fn leave_transit(
    tx: &mut Tx<'_>,
    row: &TransferRow,
    line: &mut LineRow,
    quantity: Quantity,
    document: Document,
) -> Result<Issued> {
    let mut open: Vec<OpenLot> = serde_json::from_value(line.open_lots.clone())?;
    let taken = take(&mut open, quantity);
    line.open_lots = serde_json::to_value(open)?;
    let named = taken.into_iter().filter(|lot| lot.lot_id.is_some()).map(|lot| Named {
        product_id: line.product_id,
        lot_id: lot.lot_id,
        location_id: None,
        quantity: lot.quantity,
    });
    let named: Vec<Named> = named.collect();
    let demand = Demand::from([(line.product_id, quantity)]);
    levels::issue(
        tx,
        &Issue::new(row.transit_warehouse_id, &demand, document).named(&named),
    )
}

fn store(tx: &mut Tx<'_>, row: &mut TransferRow, lines: &[LineRow]) -> Result<()> {
    row.version += 1;
    row.revision += 1;
    row.updated_at = tx.now();
    diesel::update(transfers::table.find(row.id))
        .set((
            transfers::status.eq(row.status),
            transfers::close_reason.eq(&row.close_reason),
            transfers::version.eq(row.version),
            transfers::revision.eq(row.revision),
            transfers::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    for line in lines {
        diesel::update(transfer_lines::table.find(line.id))
            .set((
                transfer_lines::received_quantity.eq(line.received_quantity),
                transfer_lines::written_off_quantity.eq(line.written_off_quantity),
                transfer_lines::open_lots.eq(&line.open_lots),
            ))
            .execute(&mut **tx)?;
    }
    Ok(())
}

/// Writes off what is still under way.
///
/// # Errors
/// 409 `illegal_transition` or `period_closed`.
pub(super) fn close(tx: &mut Tx<'_>, id: Uuid, input: &TransferCloseIn) -> Result<Transfer> {
    let (mut row, mut lines, on) = open(tx, id, "close", input.date)?;
    let before = shown(row.clone(), &lines);
    let base = company::settings(tx)?.base_currency;
    let (kind, contra) = match input.write_off.unwrap_or(WriteOff::Scrap) {
        WriteOff::Scrap => ("scrap", Role::Scrap),
        WriteOff::Adjustment => ("adjustment", Role::StockAdjustment),
    };
    let document = Document {
        kind,
        ..document(id, &on, base)
    };
    let mut values = levels::Values::new();
    for line in lines.iter_mut().filter(|line| !line.open().is_zero()) {
        let rest = line.open();
        let issued = leave_transit(tx, &row, line, rest, document)?;
        line.written_off_quantity = rest;
        for (product, value) in issued.values {
            *values.entry(product).or_default() += value;
        }
    }
    row.status = TransferStatus::Closed;
    row.close_reason = Some(input.reason.clone());
    store(tx, &mut row, &lines)?;
    supply::withdraw(tx, &lines.iter().map(|line| line.id).collect::<Vec<_>>())?;
    let facts = catalog::facts(tx, &values.keys().copied().collect::<Vec<_>>())?;
    let place = posting::in_transit(row.transit_warehouse_id);
    let mut entry = entry(&row, &on, "lost");
    posting::add(
        &mut entry,
        &ledger::rules(tx)?,
        &facts,
        place,
        posting::gone(&values),
        contra,
        base,
    )?;
    posting::post(tx, entry)?;
    let after = shown(row, &lines);
    tx.changed(Some(&before), &after)?;
    Ok(after)
}
