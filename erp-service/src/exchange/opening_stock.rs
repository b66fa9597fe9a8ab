//! Opening stock with what it cost, by warehouse, product and lot. The rows of a batch become one adjustment
//! for each warehouse and day, posted against the opening balance.

use super::named::Named;
use crate::catalog::products::{self, bulk as product_bulk};
use crate::inventory::lots::LotQuantity;
use crate::inventory::warehouses;
use crate::may;
use crate::warehouse::adjustments::{self, AdjustmentKind, StockAdjustmentIn, StockAdjustmentLineIn};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::decimal::SignedQuantity;
use service_kit::exchange::{Column, Done, Entry, Fields, Importer, Rows};
use service_kit::{Error, Permission, Quantity, Result, Tx, UnitPrice};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

pub struct OpeningStock;

pub struct Row {
    warehouse: String,
    product: Named,
    quantity: Quantity,
    unit_cost: UnitPrice,
    lot: Option<String>,
    expires_on: Option<NaiveDate>,
    date: Option<NaiveDate>,
}

/// Where stock lies: the match key.
type Place = (Uuid, Uuid, Option<String>);

impl Importer for OpeningStock {
    type Row = Row;
    const KIND: &'static str = "opening-stock";
    const ABOUT: &'static str = "Stock of the time before with its cost, matched by `warehouse`, product and `lot`; posted against the opening balance.";
    const READ: &'static str = may::ReadStock::NAME;
    const WRITE: &'static str = may::AdjustStock::NAME;
    const LIST: &'static str = "/v1/availability";
    const COLUMNS: &'static [Column] = &[
        Column::required("warehouse", "code of the warehouse"),
        Column::optional("product_id", "UUID of the product; goes before `sku`"),
        Column::optional("sku", "SKU of the product"),
        Column::required("quantity", "more than 0"),
        Column::required("unit_cost", "what a unit is worth, in the base currency"),
        Column::optional("lot", "code of the lot or serial number, of tracked products"),
        Column::optional("expires_on", "the last day on which the lot may be sold"),
        Column::optional("date", "posting date; empty: today"),
    ];
    const BATCH: usize = 250;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let warehouse = fields.code("warehouse", 60);
        let product = Named::read(fields, "product_id", "sku", 60);
        let quantity: Option<Quantity> = fields.value("quantity");
        if quantity.is_some_and(Quantity::is_zero) {
            fields.fault("quantity", "out_of_range", "must be more than 0");
        }
        let unit_cost = fields.value("unit_cost");
        let lot = fields.optional_code("lot", 100).flatten();
        let expires_on = fields.optional("expires_on").flatten();
        let date = fields.optional("date").flatten();
        Some(Row {
            warehouse: warehouse?,
            product: product?,
            quantity: quantity?,
            unit_cost: unit_cost?,
            lot,
            expires_on,
            date,
        })
    }

    fn key(row: &Row) -> String {
        let lot = row.lot.clone().unwrap_or_default();
        format!("{} | {} | {lot}", row.warehouse, row.product.text())
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let known = Known::of(tx, rows)?;
        let today = tx.today();
        for entry in rows
            .iter_mut()
            .filter(|entry| entry.row.date.is_some_and(|date| date > today))
        {
            entry.reject("date", "future_date", format!("must not be after today, {today}"));
        }
        let places: Vec<Option<Place>> = rows.iter_mut().map(|entry| known.place(entry)).collect();
        let there = lock(tx, &places)?;
        let mut documents: BTreeMap<(Uuid, Option<NaiveDate>), Vec<usize>> = BTreeMap::new();
        for (index, (entry, place)) in rows.iter_mut().zip(&places).enumerate() {
            let Some(place) = place else { continue };
            match there.get(place) {
                None if entry.is_good() => documents.entry((place.0, entry.row.date)).or_default().push(index),
                None => {}
                Some((document, quantity, cost)) if (*quantity, *cost) == (entry.row.quantity, entry.row.unit_cost) => {
                    entry.done(Done::Unchanged(*document));
                }
                Some(_) => {
                    let message = "opening stock with another quantity or cost was posted here: adjust it instead";
                    entry.reject("quantity", "already_posted", message);
                }
            }
        }
        for ((warehouse, date), lines) in documents {
            post(tx, rows, &places, (warehouse, date), lines)?;
        }
        Ok(())
    }
}

/// Posts a document of these rows; those that are at fault are rejected, and the others posted without them.
fn post(
    tx: &mut Tx<'_>,
    rows: &mut Rows<Row>,
    places: &[Option<Place>],
    (warehouse_id, date): (Uuid, Option<NaiveDate>),
    mut lines: Vec<usize>,
) -> Result<()> {
    while !lines.is_empty() {
        let input = StockAdjustmentIn {
            id: Some(Uuid::now_v7()),
            warehouse_id,
            kind: Some(AdjustmentKind::Opening),
            reason: "Opening stock".to_owned(),
            date,
            lines: lines
                .iter()
                .filter_map(|index| line(&rows[*index].row, places[*index].as_ref()?))
                .collect(),
        };
        match tx.savepoint(|tx| adjustments::adjust(tx, &input)) {
            Ok(document) => {
                note(tx, rows, places, &lines, document.id)?;
                lines
                    .iter()
                    .for_each(|index| rows[*index].done(Done::Created(document.id)));
                return Ok(());
            }
            Err(Error::Problem(problem)) => {
                let faulty = reject(rows, &lines, &problem);
                // Not a fault of single lines: one by one, each row will tell.
                if faulty.is_empty() {
                    return Err(Error::Problem(problem));
                }
                lines.retain(|index| !faulty.contains(index));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn line(row: &Row, place: &Place) -> Option<StockAdjustmentLineIn> {
    let lots = row.lot.as_ref().map(|lot| LotQuantity {
        lot: Some(lot.clone()),
        quantity: row.quantity,
        expires_on: row.expires_on,
        location_id: None,
    });
    Some(StockAdjustmentLineIn {
        product_id: place.1,
        quantity: SignedQuantity::new(row.quantity.value()).ok()?,
        unit_cost: Some(row.unit_cost),
        lots: lots.into_iter().collect(),
    })
}

/// Gives the faults of a document's lines to their rows; which rows these are.
fn reject(rows: &mut Rows<Row>, lines: &[usize], problem: &service_kit::Problem) -> HashSet<usize> {
    let mut faulty = HashSet::new();
    for fault in &problem.errors {
        let mut parts = fault.pointer.trim_start_matches('/').split('/');
        let (Some("lines"), Some(number)) = (parts.next(), parts.next()) else {
            continue;
        };
        let index = number
            .parse::<usize>()
            .ok()
            .and_then(|number| lines.get(number).copied());
        let column = match parts.next() {
            Some("lots") => parts.nth(1).unwrap_or("lot"),
            Some("product_id") => "sku",
            column => column.unwrap_or("lot"),
        };
        if let Some(index) = index {
            rows[index].reject(column, &fault.code, fault.message.clone());
            faulty.insert(index);
        }
    }
    faulty
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    lot: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    adjustment_id: Uuid,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
    #[diesel(sql_type = Numeric)]
    unit_cost: UnitPrice,
}

/// What was taken over at these places before.
fn lock(tx: &mut Tx<'_>, places: &[Option<Place>]) -> Result<HashMap<Place, (Uuid, Quantity, UnitPrice)>> {
    let products: Vec<Uuid> = places.iter().flatten().map(|place| place.1).collect();
    let found: Vec<Found> = sql(
        "SELECT warehouse_id, product_id, lot, adjustment_id, quantity, unit_cost FROM opening_stock
         WHERE product_id = ANY ($1) ORDER BY product_id, warehouse_id, lot FOR SHARE",
    )
    .bind::<Array<SqlUuid>, _>(products)
    .rows(tx)?;
    let place = |found: Found| {
        let place = (found.warehouse_id, found.product_id, found.lot);
        (place, (found.adjustment_id, found.quantity, found.unit_cost))
    };
    Ok(found.into_iter().map(place).collect())
}

fn note(tx: &mut Tx<'_>, rows: &Rows<Row>, places: &[Option<Place>], lines: &[usize], document: Uuid) -> Result<()> {
    let now = tx.now();
    let noted = || {
        lines
            .iter()
            .filter_map(|index| Some((places[*index].as_ref()?, &rows[*index].row)))
    };
    sql(
        "INSERT INTO opening_stock (adjustment_id, created_at, warehouse_id, product_id, lot, quantity, unit_cost)
         SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(document)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(noted().map(|(place, _)| place.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(noted().map(|(place, _)| place.1).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(noted().map(|(place, _)| place.2.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(noted().map(|(_, row)| row.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(noted().map(|(_, row)| row.unit_cost).collect::<Vec<_>>())
    .run(tx)?;
    Ok(())
}

/// What the rows refer to, as far as it is there.
struct Known {
    warehouses: HashMap<String, Uuid>,
    product_ids: HashSet<Uuid>,
    skus: HashMap<String, Uuid>,
}

impl Known {
    fn of(tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<Self> {
        let codes: HashSet<&str> = rows.iter().map(|entry| entry.row.warehouse.as_str()).collect();
        let ids: Vec<Uuid> = rows.iter().filter_map(|entry| entry.row.product.id()).collect();
        let skus: Vec<&str> = rows.iter().filter_map(|entry| entry.row.product.word()).collect();
        Ok(Known {
            warehouses: warehouses::ids_by_code(tx, &codes.into_iter().collect::<Vec<_>>())?,
            product_ids: products::exist(tx, &ids)?,
            skus: product_bulk::ids_by_sku(tx, &skus)?,
        })
    }

    fn place(&self, entry: &mut Entry<Row>) -> Option<Place> {
        let warehouse = self.warehouses.get(&entry.row.warehouse).copied();
        if warehouse.is_none() {
            entry.reject("warehouse", "unknown_warehouse", "there is no warehouse with this code");
        }
        let (column, product) = match &entry.row.product {
            Named::Id(id) => ("product_id", self.product_ids.get(id).copied()),
            Named::Word(sku) => ("sku", self.skus.get(sku).copied()),
        };
        if product.is_none() {
            entry.reject(column, "unknown_product", "there is no such product");
        }
        Some((warehouse?, product?, entry.row.lot.clone()))
    }
}
