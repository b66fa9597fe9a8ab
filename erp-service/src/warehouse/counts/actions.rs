//! The sheet: making it, filling it in, sending it back.

use super::{
    CountRow, CountStatus, CountedIn, FoundIn, LineRow, StockCount, StockCountIn, allowed, lines_of, load, shown,
};
use crate::catalog;
use crate::inventory::levels;
use crate::inventory::lots::{self, LotLine, LotQuantity};
use crate::inventory::warehouses;
use crate::schema::{locations, stock_count_lines, stock_counts};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Numeric, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Error, Faults, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Lines of a sheet.
const MOST: usize = 500;

/// A place that goods lie in.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    lot_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    location_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
}

pub(super) fn create(tx: &mut Tx<'_>, input: &StockCountIn) -> Result<StockCount> {
    check(tx, input)?;
    let mut places = places(tx, input.warehouse_id, input.product_ids.as_deref())?;
    if let Some(location) = input.location_id {
        places.retain(|place| place.location_id == Some(location));
    }
    // What was asked for is counted even where the books know of nothing; lots are found by counting.
    let products = input.product_ids.clone().unwrap_or_default();
    let facts = catalog::facts(tx, &products)?;
    for product in products {
        let untracked = facts
            .get(&product)
            .is_some_and(|facts| facts.tracking == catalog::Tracking::None);
        if untracked && !places.iter().any(|place| place.product_id == product) {
            places.push(Place {
                product_id: product,
                lot_id: None,
                location_id: input.location_id,
                quantity: Quantity::ZERO,
            });
        }
    }
    if places.len() > MOST {
        return Err(Problem::rule("too_many_lines", "more than 500 places: name products or a location").into());
    }
    let id = tx.mint(input.id);
    diesel::insert_into(stock_counts::table)
        .values((
            stock_counts::id.eq(id),
            stock_counts::warehouse_id.eq(input.warehouse_id),
            stock_counts::status.eq(CountStatus::Draft),
            stock_counts::blind.eq(input.blind),
            stock_counts::note.eq(&input.note),
            stock_counts::counted_on.eq(tx.today()),
            stock_counts::created_at.eq(tx.now()),
            stock_counts::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    insert_lines(tx, id, 0, &places)?;
    let (row, lines) = load(tx, id)?;
    let count = shown(row, &lines);
    tx.changed(None, &count)?;
    Ok(count)
}

fn check(tx: &mut Tx<'_>, input: &StockCountIn) -> Result<()> {
    let mut faults = Faults::default();
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let products = input.product_ids.clone().unwrap_or_default();
    let facts = catalog::facts(tx, &products)?;
    for (index, product) in products.iter().enumerate() {
        match facts.get(product) {
            None => faults.add(
                format!("/product_ids/{index}"),
                "unknown_product",
                "there is no such product",
            ),
            Some(facts) if !facts.stocked => {
                faults.add(format!("/product_ids/{index}"), "not_stocked", "a service has no stock");
            }
            Some(_) => {}
        }
    }
    if let Some(location) = input.location_id
        && !in_warehouse(tx, location, input.warehouse_id)?
    {
        faults.add("/location_id", "unknown_location", "the warehouse has no such location");
    }
    Ok(faults.check()?)
}

fn in_warehouse(tx: &mut Tx<'_>, location: Uuid, warehouse: Uuid) -> QueryResult<bool> {
    let found = locations::table
        .find(location)
        .filter(locations::warehouse_id.eq(warehouse));
    diesel::select(diesel::dsl::exists(found)).get_result(&mut **tx)
}

/// All places with goods, at most one more than a sheet has.
fn places(tx: &mut Tx<'_>, warehouse_id: Uuid, products: Option<&[Uuid]>) -> Result<Vec<Place>> {
    let all = products.is_none();
    let places = sql(
        "SELECT product_id, lot_id, location_id, quantity FROM (
             SELECT p.product_id, p.lot_id, p.location_id, p.quantity, p.warehouse_id FROM stock_places p
             UNION ALL
             SELECT l.product_id, NULL, NULL, l.on_hand - l.placed, l.warehouse_id FROM stock_levels l
             WHERE NOT l.tracked AND l.on_hand > l.placed) places
         JOIN products ON products.id = product_id
         WHERE warehouse_id = $1 AND ($2 OR product_id = ANY ($3)) ORDER BY products.sku, lot_id, location_id LIMIT $4",
    )
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<diesel::sql_types::Bool, _>(all)
    .bind::<Array<SqlUuid>, _>(products.unwrap_or_default().to_vec())
    .bind::<BigInt, _>(i64::try_from(MOST + 1).unwrap_or(i64::MAX))
    .rows(tx)?;
    Ok(places)
}

fn insert_lines(tx: &mut Tx<'_>, count: Uuid, after: i32, places: &[Place]) -> Result<()> {
    sql(
        "INSERT INTO stock_count_lines (count_id, position, id, product_id, lot_id, location_id)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6)",
    )
    .bind::<SqlUuid, _>(count)
    .bind::<Array<Integer>, _>(
        (after + 1..)
            .zip(places)
            .map(|(position, _)| position)
            .collect::<Vec<i32>>(),
    )
    .bind::<Array<SqlUuid>, _>(places.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(places.iter().map(|place| place.product_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(places.iter().map(|place| place.lot_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(places.iter().map(|place| place.location_id).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}

/// A count with its levels locked, and then itself; its state allows the action.
pub(super) fn open(tx: &mut Tx<'_>, id: Uuid, action: &str, more: &[Uuid]) -> Result<(CountRow, Vec<LineRow>)> {
    let (row, lines) = load(tx, id)?;
    let mut products: Vec<Uuid> = lines
        .iter()
        .map(|line| line.product_id)
        .chain(more.iter().copied())
        .collect();
    products.sort_unstable();
    products.dedup();
    levels::lock(tx, row.warehouse_id, &products)?;
    let revision: i64 = stock_counts::table
        .find(id)
        .for_update()
        .select(stock_counts::revision)
        .first(&mut **tx)?;
    if revision != row.revision {
        return Err(Error::Stale);
    }
    let before = shown(row.clone(), &lines);
    tx.match_if_given(&before)?;
    if !allowed(row.status).contains(&action) {
        return Err(Problem::illegal_transition(action, row.status.as_str(), allowed(row.status)).into());
    }
    Ok((row, lines))
}

/// Stores the head of a count and answers the whole.
pub(super) fn store(tx: &mut Tx<'_>, before: &StockCount, mut row: CountRow) -> Result<StockCount> {
    row.version += 1;
    row.revision += 1;
    row.updated_at = tx.now();
    diesel::update(stock_counts::table.find(row.id))
        .set((
            stock_counts::number.eq(&row.number),
            stock_counts::status.eq(row.status),
            stock_counts::counted_on.eq(row.counted_on),
            stock_counts::counted_by.eq(&row.counted_by),
            stock_counts::approved_by.eq(row.approved_by),
            stock_counts::reason.eq(&row.reason),
            stock_counts::version.eq(row.version),
            stock_counts::revision.eq(row.revision),
            stock_counts::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    let lines = lines_of(tx, &[row.id])?;
    let after = shown(row, &lines);
    tx.changed(Some(before), &after)?;
    Ok(after)
}

/// Notes what was counted, beside what the books say at this moment.
pub(super) fn record(tx: &mut Tx<'_>, id: Uuid, input: &CountedIn) -> Result<StockCount> {
    let found: Vec<Uuid> = {
        let asked: Vec<Uuid> = input.found.iter().map(|found| found.product_id).collect();
        let facts = catalog::facts(tx, &asked)?;
        let stocked = facts.into_iter().filter(|(_, facts)| facts.stocked);
        stocked.map(|(product, _)| product).collect()
    };
    let (mut row, lines) = open(tx, id, "record", &found)?;
    let before = shown(row.clone(), &lines);
    let mut faults = Faults::default();
    let mut counted: Vec<(Uuid, Quantity)> = Vec::new();
    for (index, line) in input.lines.iter().enumerate() {
        if !lines.iter().any(|known| known.id == line.line_id) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "unknown_line",
                "the sheet has no such line",
            );
        } else if counted.iter().any(|(known, _)| *known == line.line_id) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "duplicate",
                "the line is named twice",
            );
        }
        counted.push((line.line_id, line.counted_quantity));
    }
    let more = add_found(tx, &row, &lines, &input.found, &mut faults)?;
    faults.check()?;
    counted.extend(more);
    note(tx, &row, &counted)?;
    let actor = tx.actor().id;
    if !counted.is_empty() && !row.counted_by.contains(&actor) {
        row.counted_by.push(actor);
    }
    if input.complete {
        refuse_uncounted(&lines_of(tx, &[id])?)?;
        row.status = CountStatus::Counted;
        // Whoever hands it in vouches for it.
        if !row.counted_by.contains(&actor) {
            row.counted_by.push(actor);
        }
    }
    store(tx, &before, row)
}

fn refuse_uncounted(lines: &[LineRow]) -> Result<(), Problem> {
    let open: Vec<String> = lines
        .iter()
        .filter(|line| line.counted_quantity.is_none())
        .map(|line| line.id.to_string())
        .collect();
    match (open.is_empty(), lines.is_empty()) {
        (true, false) => Ok(()),
        (_, true) => Err(Problem::conflict("nothing_counted", "the sheet has no lines")),
        (false, _) => {
            Err(Problem::conflict("not_counted", "lines of the sheet are not counted").fact("line_ids", open))
        }
    }
}

/// Adds a line for each place that the sheet does not name.
fn add_found(
    tx: &mut Tx<'_>,
    row: &CountRow,
    lines: &[LineRow],
    found: &[FoundIn],
    faults: &mut Faults,
) -> Result<Vec<(Uuid, Quantity)>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let facts = catalog::facts(tx, &found.iter().map(|found| found.product_id).collect::<Vec<_>>())?;
    let parts: Vec<[LotQuantity; 1]> = found
        .iter()
        .map(|found| {
            [LotQuantity {
                lot: found.lot.clone(),
                quantity: found.counted_quantity,
                expires_on: found.expires_on,
                location_id: found.location_id,
            }]
        })
        .collect();
    let wanted: Vec<LotLine<'_>> = found
        .iter()
        .zip(&parts)
        .enumerate()
        .map(|(index, (found, part))| LotLine {
            pointer: format!("/found/{index}"),
            product_id: found.product_id,
            quantity: found.counted_quantity,
            lots: part,
        })
        .collect();
    for (index, found) in found.iter().enumerate() {
        if !facts.get(&found.product_id).is_some_and(|facts| facts.stocked) {
            faults.add(
                format!("/found/{index}/product_id"),
                "unknown_product",
                "there are no such goods",
            );
        }
    }
    lots::check_incoming(tx, row.warehouse_id, &facts, &wanted, faults)?;
    if lines.len() + found.len() > MOST {
        faults.add("/found", "too_many_lines", "a sheet has at most 500 lines");
    }
    if !faults.is_empty() {
        return Ok(Vec::new());
    }
    let mut places = Vec::new();
    for line in &wanted {
        let made = lots::bring(tx, &facts, line, Default::default(), service_kit::Currency::USD)?;
        places.extend(made.into_iter().map(|incoming| Place {
            product_id: incoming.product_id,
            lot_id: incoming.lot_id,
            location_id: incoming.location_id,
            quantity: incoming.quantity,
        }));
    }
    insert_lines(tx, row.id, i32::try_from(lines.len()).unwrap_or(i32::MAX), &places)?;
    let stored = lines_of(tx, &[row.id])?;
    let counted = stored.iter().skip(lines.len()).zip(found);
    Ok(counted.map(|(line, found)| (line.id, found.counted_quantity)).collect())
}

/// Writes what was counted and what the books say now; the levels are locked.
fn note(tx: &mut Tx<'_>, row: &CountRow, counted: &[(Uuid, Quantity)]) -> Result<()> {
    let (ids, quantities): (Vec<Uuid>, Vec<Quantity>) = counted.iter().copied().unzip();
    sql("UPDATE stock_count_lines c SET counted_quantity = w.quantity, counted_at = $1,
             book_quantity = CASE WHEN c.lot_id IS NULL AND c.location_id IS NULL
                 THEN (SELECT l.on_hand - l.placed FROM stock_levels l WHERE l.product_id = c.product_id AND l.warehouse_id = $2)
                 ELSE coalesce((SELECT p.quantity FROM stock_places p WHERE p.product_id = c.product_id AND p.warehouse_id = $3
                                AND p.lot_id IS NOT DISTINCT FROM c.lot_id AND p.location_id IS NOT DISTINCT FROM c.location_id), 0) END
         FROM unnest($4, $5) AS w(id, quantity) WHERE c.id = w.id")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(row.warehouse_id)
    .bind::<SqlUuid, _>(row.warehouse_id)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Numeric>, _>(quantities)
    .run(tx)?;
    Ok(())
}

pub(super) fn reject(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<StockCount> {
    let (mut row, lines) = open(tx, id, "reject", &[])?;
    let before = shown(row.clone(), &lines);
    diesel::update(stock_count_lines::table.filter(stock_count_lines::count_id.eq(id)))
        .set((
            stock_count_lines::counted_quantity.eq(None::<Quantity>),
            stock_count_lines::book_quantity.eq(None::<Quantity>),
        ))
        .execute(&mut **tx)?;
    row.status = CountStatus::Draft;
    row.counted_by = Vec::new();
    row.reason = Some(reason.to_owned());
    store(tx, &before, row)
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<StockCount> {
    let (mut row, lines) = open(tx, id, "cancel", &[])?;
    let before = shown(row.clone(), &lines);
    row.status = CountStatus::Cancelled;
    row.reason = Some(reason.to_owned());
    store(tx, &before, row)
}
