//! Lots and serials: a tracked product lies in lots, and every move of it names one.
//!
//! - A **lot** has a code that is unique for its product and perhaps a last day on which it may be
//!   sold; a **serial** is a lot of one piece. Receiving a code that is not known makes the lot.
//! - What lies where is in `stock_places`, which follows the moves: on hand of a tracked product is
//!   the sum of its lots, the database sees to it.
//! - What nobody names leaves **first expired, first out**. Expired lots are neither promised nor
//!   delivered; they leave by scrap, adjustment, count or return to the supplier.
//!
//! Documents take [`LotQuantity`] on their lines. Those that bring goods check them with
//! [`check_incoming`] and turn them into [`Incoming`] with [`bring`]; those that take goods check and
//! resolve them with [`named`] and pass that to [`Issue::named`](super::levels::Issue::named).

mod allocate;
mod handlers;

pub use allocate::{allocate, of_expired};

use super::average;
use super::levels::Incoming;
use crate::catalog::{ProductFacts, Tracking};
use crate::schema::{locations, lots};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Currency, Faults, Problem, Quantity, Resource, Result, Routes, Tx};
use std::collections::{BTreeSet, HashMap, HashSet};
use utoipa::ToSchema;
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// A lot, or one piece with its serial number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = lots)]
pub struct Lot {
    pub id: Uuid,
    pub product_id: Uuid,
    /// The number on the goods; unique for the product.
    pub code: String,
    /// One piece.
    pub serial: bool,
    /// The last day on which it may be sold.
    pub expires_on: Option<NaiveDate>,
    /// In all warehouses, goods in transit included.
    pub on_hand: Quantity,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Lot {
    const PATH: &'static str = "lots";
    const TYPE: &'static str = "lot";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// A part of a line: so much of this lot, in this location.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotQuantity {
    /// Code of the lot or serial number; of tracked products only.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub lot: Option<String>,
    pub quantity: Quantity,
    /// The last day on which it may be sold: of a lot that comes for the first time.
    pub expires_on: Option<NaiveDate>,
    /// Within the warehouse.
    pub location_id: Option<Uuid>,
}

/// A line of a document with its lots, and where it stands in the body.
#[derive(Debug, Clone)]
pub struct LotLine<'a> {
    /// e.g. `/lines/0`.
    pub pointer: String,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub lots: &'a [LotQuantity],
}

/// A wish, or a place: so much of a product, of this lot, in this location.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub product_id: Uuid,
    pub lot_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub quantity: Quantity,
}

/// What of these levels lies in lots that may not be sold on `today` any more.
pub(super) fn expired(
    conn: &mut PgConnection,
    levels: Vec<Uuid>,
    today: NaiveDate,
) -> QueryResult<HashMap<Uuid, Quantity>> {
    #[derive(QueryableByName)]
    struct Expired {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Numeric)]
        quantity: Quantity,
    }
    let rows: Vec<Expired> = sql("SELECT l.id, sum(p.quantity) AS quantity FROM stock_levels l
         JOIN stock_places p ON p.product_id = l.product_id AND p.warehouse_id = l.warehouse_id
         JOIN lots ON lots.id = p.lot_id AND lots.expires_on < $1
         WHERE l.id = ANY ($2) GROUP BY l.id")
    .bind::<Date, _>(today)
    .bind::<Array<SqlUuid>, _>(levels)
    .rows(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row.quantity)).collect())
}

/// Lots by product and code.
fn by_code(conn: &mut PgConnection, lines: &[LotLine<'_>]) -> QueryResult<HashMap<(Uuid, String), Lot>> {
    let products: Vec<Uuid> = lines
        .iter()
        .filter(|line| !line.lots.is_empty())
        .map(|line| line.product_id)
        .collect();
    let codes: Vec<&String> = lines
        .iter()
        .flat_map(|line| line.lots)
        .filter_map(|part| part.lot.as_ref())
        .collect();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<Lot> = lots::table
        .filter(lots::product_id.eq_any(products).and(lots::code.eq_any(codes)))
        .select(Lot::as_select())
        .load(conn)?;
    Ok(found
        .into_iter()
        .map(|lot| ((lot.product_id, lot.code.clone()), lot))
        .collect())
}

fn unknown_locations(conn: &mut PgConnection, warehouse_id: Uuid, lines: &[LotLine<'_>]) -> QueryResult<HashSet<Uuid>> {
    let mut asked: HashSet<Uuid> = lines
        .iter()
        .flat_map(|line| line.lots)
        .filter_map(|part| part.location_id)
        .collect();
    if asked.is_empty() {
        return Ok(asked);
    }
    let known: Vec<Uuid> = locations::table
        .filter(
            locations::warehouse_id
                .eq(warehouse_id)
                .and(locations::id.eq_any(&asked)),
        )
        .select(locations::id)
        .load(conn)?;
    for id in known {
        asked.remove(&id);
    }
    Ok(asked)
}

/// What is wrong with the parts of a line, whether its goods come or go.
fn check_parts(line: &LotLine<'_>, tracking: Tracking, unknown: &HashSet<Uuid>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for (index, part) in line.lots.iter().enumerate() {
        let at = |field: &str| format!("{}/lots/{index}/{field}", line.pointer);
        if part.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must be more than 0");
        }
        match (&part.lot, tracking) {
            (None, Tracking::Lot | Tracking::Serial) => {
                faults.add(at("lot"), "required", "the product is tracked: name the lot")
            }
            (Some(_), Tracking::None) => faults.add(at("lot"), "not_tracked", "the product is not tracked"),
            (Some(code), Tracking::Serial) => {
                if part.quantity.value() != Decimal::ONE {
                    faults.add(at("quantity"), "serial_is_one_piece", "a serial number is one piece");
                }
                if !seen.insert(code) {
                    faults.add(at("lot"), "duplicate", "the serial number is named twice");
                }
            }
            _ => {}
        }
        if part.location_id.is_some_and(|id| unknown.contains(&id)) {
            faults.add(
                at("location_id"),
                "unknown_location",
                "the warehouse has no such location",
            );
        }
    }
    let sum: Decimal = line.lots.iter().map(|part| part.quantity.value()).sum();
    if sum > line.quantity.value() {
        faults.add(
            format!("{}/lots", line.pointer),
            "exceeds_line",
            "the lots are more than the line",
        );
    }
}

/// Checks the lots of goods that come: tracked products name lots for all of it, others may name
/// locations.
///
/// # Errors
/// When the database refuses; faults are added.
pub fn check_incoming(
    conn: &mut PgConnection,
    warehouse_id: Uuid,
    facts: &HashMap<Uuid, ProductFacts>,
    lines: &[LotLine<'_>],
    faults: &mut Faults,
) -> QueryResult<()> {
    let unknown = unknown_locations(conn, warehouse_id, lines)?;
    let known = by_code(conn, lines)?;
    for line in lines {
        let Some(facts) = facts.get(&line.product_id) else {
            continue;
        };
        check_parts(line, facts.tracking, &unknown, faults);
        let sum: Decimal = line.lots.iter().map(|part| part.quantity.value()).sum();
        if facts.tracking != Tracking::None && sum < line.quantity.value() {
            let message = "the product is tracked: name lots for the whole quantity";
            faults.add(format!("{}/lots", line.pointer), "lots_required", message);
        }
        for (index, part) in line.lots.iter().enumerate() {
            let lot = part
                .lot
                .as_ref()
                .and_then(|code| known.get(&(line.product_id, code.clone())));
            if let Some(lot) = lot
                && part.expires_on.is_some()
                && part.expires_on != lot.expires_on
            {
                let pointer = format!("{}/lots/{index}/expires_on", line.pointer);
                faults.add(
                    pointer,
                    "lot_differs",
                    "the lot is known with another date; change the lot first",
                );
            }
        }
    }
    Ok(())
}

/// Turns a checked line that brings goods worth `value` into what [`receive`](super::levels::receive)
/// takes, making the lots that are not known yet. The lots share the value by quantity.
///
/// # Errors
/// When the database refuses.
pub fn bring(
    tx: &mut Tx<'_>,
    facts: &HashMap<Uuid, ProductFacts>,
    line: &LotLine<'_>,
    value: Decimal,
    base: Currency,
) -> Result<Vec<Incoming>> {
    let mut quantities: Vec<Quantity> = line.lots.iter().map(|part| part.quantity).collect();
    let told: Quantity = quantities.iter().copied().sum();
    // Of products that are not tracked, the rest lies nowhere in particular.
    let rest = Quantity::new(line.quantity.value() - told.value()).unwrap_or_default();
    let rest = Some(rest).filter(|rest| !rest.is_zero());
    quantities.extend(rest);
    let values = average::split(value, &quantities, base);
    let serial = facts
        .get(&line.product_id)
        .is_some_and(|facts| facts.tracking == Tracking::Serial);
    make(tx, line, serial)?;
    let lots = by_code(tx, std::slice::from_ref(line))?;
    let mut parts = line.lots.iter();
    let incoming = quantities.into_iter().zip(values).map(|(quantity, value)| {
        let part = parts.next();
        let code = part.and_then(|part| part.lot.clone());
        Incoming {
            product_id: line.product_id,
            quantity,
            value,
            lot_id: code.and_then(|code| lots.get(&(line.product_id, code)).map(|lot| lot.id)),
            location_id: part.and_then(|part| part.location_id),
        }
    });
    Ok(incoming.collect())
}

/// Makes the lots of a line that do not exist yet.
fn make(tx: &mut Tx<'_>, line: &LotLine<'_>, serial: bool) -> Result<()> {
    let (codes, expiries): (Vec<String>, Vec<Option<NaiveDate>>) = line
        .lots
        .iter()
        .filter_map(|part| Some((part.lot.clone()?, part.expires_on)))
        .unzip();
    if codes.is_empty() {
        return Ok(());
    }
    sql(
        "INSERT INTO lots (id, product_id, code, serial, expires_on, created_at, updated_at)
         SELECT id, $1, code, $2, expires_on, $3, $4 FROM unnest($5, $6, $7) AS w(id, code, expires_on) ORDER BY code
         ON CONFLICT (product_id, code) DO NOTHING",
    )
    .bind::<SqlUuid, _>(line.product_id)
    .bind::<Bool, _>(serial)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(codes.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(codes)
    .bind::<Array<Nullable<Date>>, _>(expiries)
    .run(tx)?;
    Ok(())
}

/// Checks the lots of goods that go, and finds them: what the lines do not name is left to
/// first expired, first out.
///
/// # Errors
/// When the database refuses; faults are added.
pub fn named(
    conn: &mut PgConnection,
    warehouse_id: Uuid,
    facts: &HashMap<Uuid, ProductFacts>,
    lines: &[LotLine<'_>],
    faults: &mut Faults,
) -> QueryResult<Vec<Named>> {
    if lines.iter().all(|line| line.lots.is_empty()) {
        return Ok(Vec::new());
    }
    let unknown = unknown_locations(conn, warehouse_id, lines)?;
    let known = by_code(conn, lines)?;
    let mut named = Vec::new();
    for line in lines {
        let Some(facts) = facts.get(&line.product_id) else {
            continue;
        };
        check_parts(line, facts.tracking, &unknown, faults);
        for (index, part) in line.lots.iter().enumerate() {
            let lot = part
                .lot
                .as_ref()
                .map(|code| known.get(&(line.product_id, code.clone())));
            if lot == Some(None) && facts.tracking != Tracking::None {
                faults.add(
                    format!("{}/lots/{index}/lot", line.pointer),
                    "unknown_lot",
                    "the product has no such lot",
                );
            }
            named.push(Named {
                product_id: line.product_id,
                lot_id: lot.flatten().map(|lot| lot.id),
                location_id: part.location_id,
                quantity: part.quantity,
            });
        }
    }
    Ok(named)
}

/// 409 with every lot or product of which less is there than is asked for.
fn short(products: Vec<serde_json::Value>) -> Problem {
    Problem::conflict("insufficient_stock", "less is there than is to be taken").fact("products", products)
}
