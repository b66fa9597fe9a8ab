use super::plan::{self, Expected, Source, Sources};
use super::{Promise, PromiseIn, PromisesExpired, find};
use crate::catalog;
use crate::inventory::{holds, incoming, levels, warehouses};
use crate::sales::backorders;
use crate::schema::{customers, promises};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Faults, OrNotFound, Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Products whose promises are ended in one transaction.
const BATCH: i64 = 100;

/// Answers what can be promised, and keeps it when asked to.
///
/// # Errors
/// 422 with every fault.
pub(super) fn promise(tx: &mut Tx<'_>, input: &PromiseIn) -> Result<Promise> {
    let warehouse_id = check(tx, input)?;
    // Orders wait longer than this customer.
    backorders::fill(tx, warehouse_id, &[input.product_id])?;
    let sources = sources(tx, warehouse_id, input.product_id)?;
    let parts = plan::plan(input.quantity, &sources);
    let id = store(tx, input, warehouse_id, &parts)?;
    let mut promise = find(tx, id)?;
    match input.hold_until {
        Some(_) => {
            let held: Quantity = parts
                .iter()
                .filter(|part| part.source == Source::Stock)
                .map(|part| part.quantity)
                .sum();
            if !held.is_zero() {
                levels::hold(tx, warehouse_id, &levels::Demand::from([(input.product_id, held)]))?;
            }
            incoming::refresh(tx, warehouse_id, &[input.product_id])?;
            tx.audit(None, &promise)?;
        }
        None => {
            forget(tx, id)?;
            promise.id = None;
            promise.status = None;
            promise.expires_at = None;
            promise.created_at = None;
            promise.updated_at = None;
        }
    }
    Ok(promise)
}

fn check(tx: &mut Tx<'_>, input: &PromiseIn) -> Result<Uuid> {
    let mut faults = Faults::default();
    let known: bool =
        diesel::select(diesel::dsl::exists(customers::table.find(input.customer_id))).get_result(&mut **tx)?;
    if !known {
        faults.add("/customer_id", "unknown_customer", "there is no such customer here");
    }
    match catalog::facts(tx, &[input.product_id])?.get(&input.product_id) {
        None => faults.add("/product_id", "unknown_product", "there is no such product"),
        Some(facts) if !facts.stocked => faults.add("/product_id", "not_stocked", "a service has no stock"),
        Some(_) => {}
    }
    if input.quantity.is_zero() {
        faults.add("/quantity", "out_of_range", "must be more than 0");
    }
    if let Some(until) = input.hold_until {
        let latest = tx.now().checked_add_days(Days::new(366)).unwrap_or(tx.now());
        if until <= tx.now() || until > latest {
            faults.add("/hold_until", "out_of_range", "must be after now, within a year");
        }
    }
    let warehouse = match input.warehouse_id {
        Some(id) if warehouses::exists(tx, id)? => Some(id),
        Some(_) => None,
        None => warehouses::default_warehouse(tx)?,
    };
    if warehouse.is_none() {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    faults.check()?;
    warehouse.ok_or_else(|| Problem::rule("unknown_warehouse", "there is no warehouse").into())
}

#[derive(QueryableByName)]
struct ExpectedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Date)]
    expected_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    open: Quantity,
    #[diesel(sql_type = Numeric)]
    pegged: Quantity,
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
    #[diesel(sql_type = Nullable<Integer>)]
    lead_time_days: Option<i32>,
}

/// What could serve a promise; the level is locked here and promises that are due have ended.
fn sources(tx: &mut Tx<'_>, warehouse_id: Uuid, product_id: Uuid) -> Result<Sources> {
    let locked = levels::lock(tx, warehouse_id, &[product_id])?;
    let supplies: Vec<ExpectedRow> = sql("SELECT s.id, s.expected_on, s.open_quantity AS open,
                coalesce((SELECT sum(p.held_quantity) FROM promise_parts p JOIN promises m ON m.id = p.promise_id
                          WHERE p.supply_id = s.id AND p.held_quantity > 0 AND m.status = 'active' AND m.expires_at > $1), 0) AS pegged
         FROM expected_supply s
         WHERE s.product_id = $2 AND s.warehouse_id = $3 AND s.open_quantity > 0
         ORDER BY s.expected_on, s.id LIMIT 1000")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(product_id)
    .bind::<SqlUuid, _>(warehouse_id)
    .rows(tx)?;
    let today = tx.today();
    let waiting: Waiting = sql(
        "SELECT (SELECT coalesce(sum(l.backordered_quantity), 0) FROM sales_order_lines l JOIN sales_orders o ON o.id = l.order_id
                 WHERE l.known_product_id = $1 AND l.backordered_quantity > 0 AND o.lifecycle = 'confirmed'
                   AND o.warehouse_id = $2) AS quantity,
                (SELECT min(coalesce(p.lead_time_days, s.lead_time_days)) FROM supplier_prices p JOIN suppliers s ON s.id = p.supplier_id
                 WHERE p.product_id = $3 AND s.status = 'active' AND (p.valid_from IS NULL OR p.valid_from <= $4)
                   AND (p.valid_to IS NULL OR p.valid_to >= $5)) AS lead_time_days",
    )
    .bind::<SqlUuid, _>(product_id)
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<SqlUuid, _>(product_id)
    .bind::<Date, _>(today)
    .bind::<Date, _>(today)
    .row(tx)?;
    Ok(Sources {
        today,
        free: locked.get(&product_id).map(levels::Level::free).unwrap_or_default(),
        supplies: supplies
            .into_iter()
            .map(|row| Expected {
                id: row.id,
                expected_on: row.expected_on,
                open: row.open,
                pegged: row.pegged,
            })
            .collect(),
        backordered: waiting.quantity,
        lead_time_days: waiting.lead_time_days,
    })
}

fn store(tx: &mut Tx<'_>, input: &PromiseIn, warehouse_id: Uuid, parts: &[plan::Part]) -> Result<Uuid> {
    let id = tx.mint(input.id);
    diesel::insert_into(promises::table)
        .values((
            promises::id.eq(id),
            promises::customer_id.eq(input.customer_id),
            promises::product_id.eq(input.product_id),
            promises::warehouse_id.eq(warehouse_id),
            promises::quantity.eq(input.quantity),
            promises::expires_at.eq(input.hold_until.unwrap_or(tx.now())),
            promises::created_at.eq(tx.now()),
            promises::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let holds = input.hold_until.is_some();
    let (mut sources, mut supplies, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        let (source, supply) = match part.source {
            Source::Stock => ("stock", None),
            Source::Supply(id) => ("supply", Some(id)),
            Source::LeadTime => ("lead_time", None),
        };
        sources.push(source);
        supplies.push(supply);
        held.push(if holds && source != "lead_time" {
            part.quantity
        } else {
            Quantity::ZERO
        });
    }
    sql(
        "INSERT INTO promise_parts (promise_id, position, source, supply_id, quantity, held_quantity, available_on)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Array<Integer>, _>((1..).zip(parts).map(|(position, _)| position).collect::<Vec<i32>>())
    .bind::<Array<Text>, _>(sources)
    .bind::<Array<Nullable<SqlUuid>>, _>(supplies)
    .bind::<Array<Numeric>, _>(parts.iter().map(|part| part.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(held)
    .bind::<Array<Date>, _>(parts.iter().map(|part| part.available_on).collect::<Vec<_>>())
    .run(tx)?;
    Ok(id)
}

/// A question leaves nothing behind.
fn forget(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    sql("WITH parts AS (DELETE FROM promise_parts WHERE promise_id = $1) DELETE FROM promises WHERE id = $2")
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(id)
        .run(tx)?;
    Ok(())
}

pub(super) fn release(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<Promise> {
    let (warehouse_id, product_id): (Uuid, Uuid) = promises::table
        .find(id)
        .select((promises::warehouse_id, promises::product_id))
        .first(&mut **tx)
        .or_not_found("promise")?;
    levels::lock(tx, warehouse_id, &[product_id])?;
    holds::expire(tx, warehouse_id, &[product_id])?;
    let before = find(tx, id)?;
    tx.match_if_given(&before)?;
    if let Some(status) = before.status.filter(|status| *status != super::PromiseStatus::Active) {
        return Err(Problem::illegal_transition("release", status.as_str(), &[]).into());
    }
    holds::end(tx, id, "released", None, Some(reason))?;
    backorders::fill(tx, warehouse_id, &[product_id])?;
    find(tx, id)
}

pub(super) fn expire(tx: &mut Tx<'_>) -> Result<PromisesExpired> {
    #[derive(QueryableByName)]
    struct Due {
        #[diesel(sql_type = SqlUuid)]
        warehouse_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        product_id: Uuid,
    }
    let due: Vec<Due> = sql("SELECT DISTINCT warehouse_id, product_id FROM (
             SELECT warehouse_id, product_id FROM promises WHERE status = 'active' AND expires_at <= $1
             ORDER BY expires_at LIMIT $2) due ORDER BY warehouse_id, product_id")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<diesel::sql_types::BigInt, _>(BATCH)
    .rows(tx)?;
    for pair in &due {
        levels::lock(tx, pair.warehouse_id, &[pair.product_id])?;
        holds::expire(tx, pair.warehouse_id, &[pair.product_id])?;
        backorders::fill(tx, pair.warehouse_id, &[pair.product_id])?;
    }
    Ok(PromisesExpired {
        freed: due.len(),
        more: i64::try_from(due.len()).unwrap_or(BATCH) >= BATCH,
    })
}
