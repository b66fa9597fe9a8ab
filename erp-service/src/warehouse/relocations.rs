//! Moving goods between the locations of a warehouse: putting away, picking, tidying up. The stock
//! of the warehouse and its value stay as they are; only stock moves tell of it.

use crate::catalog;
use crate::inventory::levels::{self, Demand, Document, Issue};
use crate::inventory::lots::{self, LotLine, LotQuantity};
use crate::inventory::warehouses;
use crate::schema::locations;
use crate::{company, ledger, may};
use actix_web::post;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Answer, Body, Command, Faults, Problem, Quantity, Resource, Result, Routes, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelocationIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    /// Business day; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<RelocationLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelocationLine {
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Code of the lot, of a tracked product; absent: first expired first.
    #[schema(min_length = 1, max_length = 100)]
    pub lot: Option<String>,
    /// Absent: wherever it lies, what was not put away first.
    pub from_location_id: Option<Uuid>,
    /// Absent: nowhere in particular.
    pub to_location_id: Option<Uuid>,
}

/// Goods that were moved within a warehouse. Its stock moves carry its id.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Relocation {
    pub id: Uuid,
    pub warehouse_id: Uuid,
    pub date: NaiveDate,
    pub lines: Vec<RelocationLine>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

impl Resource for Relocation {
    const PATH: &'static str = "relocations";
    const TYPE: &'static str = "relocation";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(create_relocation);
}

/// Move goods between locations of a warehouse; nothing is posted, the value stays.
#[utoipa::path(tag = "inventory", request_body = RelocationIn, security(("api_key" = ["transfers:write"])),
    responses((status = 200, description = "What was moved", body = Relocation)))]
#[post("/relocations")]
async fn create_relocation(command: Command<may::WriteTransfers>, body: Body<RelocationIn>) -> Result<Answer, Problem> {
    command.run(move |tx| relocate(tx, &body.0)).await
}

fn relocate(tx: &mut Tx<'_>, input: &RelocationIn) -> Result<Relocation> {
    let parts = parts(input);
    let lines = lot_lines(input, &parts);
    check(tx, input, &lines)?;
    let on = ledger::posting_day(tx, input.date)?;
    let document = Document {
        kind: "relocation",
        id: tx.mint(input.id),
        date: on.date,
        base: company::settings(tx)?.base_currency,
    };
    let products: Vec<Uuid> = input.lines.iter().map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    levels::lock(tx, input.warehouse_id, &products)?;
    for (line, target) in lines.iter().zip(&input.lines) {
        let mut faults = Faults::default();
        let named = lots::named(tx, input.warehouse_id, &facts, std::slice::from_ref(line), &mut faults)?;
        faults.check()?;
        let demand = Demand::from([(line.product_id, line.quantity)]);
        let issue = Issue::new(input.warehouse_id, &demand, document).named(&named);
        let places = lots::allocate(tx, &issue, &demand)?;
        store(tx, &issue, &places, target.to_location_id)?;
    }
    let relocation = Relocation {
        id: document.id,
        warehouse_id: input.warehouse_id,
        date: on.date,
        lines: input.lines.clone(),
        revision: 1,
        created_at: tx.now(),
    };
    tx.audit(None, &relocation)?;
    Ok(relocation)
}

/// Where each line comes from, as lots say it; nothing when the line does not care.
fn parts(input: &RelocationIn) -> Vec<Vec<LotQuantity>> {
    let parts = input.lines.iter().map(|line| match (&line.lot, line.from_location_id) {
        (None, None) => Vec::new(),
        (lot, location_id) => vec![LotQuantity {
            lot: lot.clone(),
            quantity: line.quantity,
            expires_on: None,
            location_id,
        }],
    });
    parts.collect()
}

fn lot_lines<'a>(input: &RelocationIn, parts: &'a [Vec<LotQuantity>]) -> Vec<LotLine<'a>> {
    let lines = input.lines.iter().zip(parts).enumerate();
    lines
        .map(|(index, (line, lots))| LotLine {
            pointer: format!("/lines/{index}"),
            product_id: line.product_id,
            quantity: line.quantity,
            lots,
        })
        .collect()
}

fn check(tx: &mut Tx<'_>, input: &RelocationIn, lines: &[LotLine<'_>]) -> Result<()> {
    let mut faults = Faults::default();
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let products: Vec<Uuid> = input.lines.iter().map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    let known: Vec<Uuid> = locations::table
        .filter(locations::warehouse_id.eq(input.warehouse_id))
        .filter(locations::id.eq_any(input.lines.iter().filter_map(|line| line.to_location_id)))
        .select(locations::id)
        .load(&mut **tx)?;
    for (index, line) in input.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        if !facts.contains_key(&line.product_id) {
            faults.add(at("product_id"), "unknown_product", "there is no such product");
        }
        if line.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must be more than 0");
        }
        if line.to_location_id.is_some_and(|id| !known.contains(&id)) {
            faults.add(
                at("to_location_id"),
                "unknown_location",
                "the warehouse has no such location",
            );
        }
        if line.from_location_id.is_some() && line.from_location_id == line.to_location_id {
            faults.add(at("to_location_id"), "same_location", "the goods lie there already");
        }
    }
    lots::named(tx, input.warehouse_id, &facts, lines, &mut faults)?;
    Ok(faults.check()?)
}

/// Each place gives, the target gets: the sum is nothing, in quantity and in value.
fn store(tx: &mut Tx<'_>, issue: &Issue<'_>, places: &[lots::Named], target: Option<Uuid>) -> Result<()> {
    let moved: Vec<&lots::Named> = places.iter().filter(|place| place.location_id != target).collect();
    let (mut products, mut lots, mut locations, mut quantities) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::<Decimal>::new());
    for place in moved {
        for (location, quantity) in [
            (place.location_id, -place.quantity.value()),
            (target, place.quantity.value()),
        ] {
            products.push(place.product_id);
            lots.push(place.lot_id);
            locations.push(location);
            quantities.push(quantity);
        }
    }
    sql("INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at, lot_id, location_id)
         SELECT product_id, $1, quantity, 0, $2, 'relocation', $3, $4, lot_id, location_id
         FROM unnest($5, $6, $7, $8) AS w(product_id, lot_id, location_id, quantity)")
    .bind::<SqlUuid, _>(issue.warehouse_id)
    .bind::<Date, _>(issue.document.date)
    .bind::<SqlUuid, _>(issue.document.id)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<Array<Nullable<SqlUuid>>, _>(lots)
    .bind::<Array<Nullable<SqlUuid>>, _>(locations)
    .bind::<Array<Numeric>, _>(quantities)
    .run(tx)?;
    Ok(())
}
