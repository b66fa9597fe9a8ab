//! Prices, by list, product, minimum quantity and first day.

use super::named::Named;
use crate::catalog::products::{self, bulk as product_bulk};
use crate::may;
use crate::pricing::prices::bulk::{self, PriceKey, PriceTerms};
use chrono::NaiveDate;
use service_kit::exchange::{Column, Done, Entry, Fields, Importer, Rows};
use service_kit::{Permission, Quantity, Result, Tx, UnitPrice};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub struct Prices;

pub struct Row {
    list: Named,
    product: Named,
    minimum_quantity: Quantity,
    valid_from: Option<NaiveDate>,
    unit_price: Option<UnitPrice>,
    valid_to: Option<Option<NaiveDate>>,
}

impl Importer for Prices {
    type Row = Row;
    const KIND: &'static str = "prices";
    const ABOUT: &'static str = "Prices in existing lists, matched by list, product, `minimum_quantity` and `valid_from`. A new one needs `unit_price`.";
    const READ: &'static str = may::ReadPriceLists::NAME;
    const WRITE: &'static str = may::WritePriceLists::NAME;
    const LIST: &'static str = "/v1/prices";
    const COLUMNS: &'static [Column] = &[
        Column::optional("price_list_id", "UUID of the list; goes before `price_list_name`"),
        Column::optional("price_list_name", "the name of the list, if only one has it"),
        Column::optional("product_id", "UUID of the product; goes before `sku`"),
        Column::optional("sku", "SKU of the product, without spaces around it"),
        Column::optional(
            "minimum_quantity",
            "the price holds from this quantity on; empty: any quantity",
        ),
        Column::optional("valid_from", "first day; empty: from the beginning"),
        Column::optional("unit_price", "at most 8 digits before and 4 after the point"),
        Column::optional("valid_to", "last day; empty: without end"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let list = Named::read(fields, "price_list_id", "price_list_name", 200);
        let product = Named::read(fields, "product_id", "sku", 60);
        let minimum_quantity = fields.optional("minimum_quantity").flatten().unwrap_or(Quantity::ZERO);
        let valid_from = fields.optional("valid_from").flatten();
        let unit_price = fields.value("unit_price");
        let valid_to = fields.optional("valid_to");
        Some(Row {
            list: list?,
            product: product?,
            minimum_quantity,
            valid_from,
            unit_price,
            valid_to,
        })
    }

    fn key(row: &Row) -> String {
        let from = row.valid_from.map(|day| day.to_string()).unwrap_or_default();
        let (list, product) = (row.list.text(), row.product.text());
        format!("{list} | {product} | {} | {from}", row.minimum_quantity)
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let known = Known::of(tx, rows)?;
        let keys: Vec<Option<PriceKey>> = rows.iter_mut().map(|entry| known.key(entry)).collect();
        let found: Vec<PriceKey> = keys.iter().flatten().copied().collect();
        let mut existing = bulk::lock(tx, &found)?;
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (entry, key) in rows.iter_mut().zip(keys) {
            let Some(key) = key else { continue };
            let before = existing.remove(&key);
            let current = before.as_ref().map(|price| PriceTerms {
                unit_price: price.unit_price,
                valid_to: price.valid_to,
            });
            let Some(terms) = terms(entry, current) else { continue };
            match before {
                None => {
                    let id = Uuid::now_v7();
                    entry.done(Done::Created(id));
                    new.push((id, key, terms));
                }
                Some(before) if current == Some(terms) => entry.done(Done::Unchanged(before.id)),
                Some(before) => {
                    entry.done(Done::Updated(before.id));
                    changed.push((before, terms));
                }
            }
        }
        bulk::create(tx, &new)?;
        bulk::update(tx, &changed)
    }
}

fn terms(entry: &mut Entry<Row>, current: Option<PriceTerms>) -> Option<PriceTerms> {
    let unit_price = entry.row.unit_price.or(current.map(|terms| terms.unit_price));
    if unit_price.is_none() {
        entry.reject("unit_price", "required", "a new price needs it");
    }
    let valid_to = entry
        .row
        .valid_to
        .unwrap_or_else(|| current.and_then(|terms| terms.valid_to));
    if let (Some(first), Some(last)) = (entry.row.valid_from, valid_to)
        && first > last
    {
        entry.reject("valid_to", "out_of_range", "must not lie before valid_from");
    }
    let terms = PriceTerms {
        unit_price: unit_price?,
        valid_to,
    };
    entry.is_good().then_some(terms)
}

/// What the rows refer to, as far as it is there.
struct Known {
    list_ids: HashSet<Uuid>,
    list_names: HashMap<String, Vec<Uuid>>,
    product_ids: HashSet<Uuid>,
    skus: HashMap<String, Uuid>,
}

impl Known {
    fn of(tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<Self> {
        let lists: HashSet<Uuid> = rows.iter().filter_map(|entry| entry.row.list.id()).collect();
        let names: HashSet<&str> = rows.iter().filter_map(|entry| entry.row.list.word()).collect();
        let products: HashSet<Uuid> = rows.iter().filter_map(|entry| entry.row.product.id()).collect();
        let skus: HashSet<&str> = rows.iter().filter_map(|entry| entry.row.product.word()).collect();
        let mut list_names: HashMap<String, Vec<Uuid>> = HashMap::new();
        for (id, name) in bulk::hold_lists_by_name(tx, &names.into_iter().collect::<Vec<_>>())? {
            list_names.entry(name).or_default().push(id);
        }
        let lists = bulk::hold_lists(tx, &lists.into_iter().collect::<Vec<_>>())?;
        Ok(Known {
            list_ids: lists.into_iter().collect(),
            list_names,
            product_ids: products::exist(tx, &products.into_iter().collect::<Vec<_>>())?,
            skus: product_bulk::ids_by_sku(tx, &skus.into_iter().collect::<Vec<_>>())?,
        })
    }

    fn key(&self, entry: &mut Entry<Row>) -> Option<PriceKey> {
        let list = match &entry.row.list {
            Named::Id(id) => self.list_ids.get(id).copied().ok_or(("price_list_id", false)),
            Named::Word(name) => match self.list_names.get(name).map(Vec::as_slice) {
                Some([id]) => Ok(*id),
                several => Err(("price_list_name", several.is_some())),
            },
        };
        let product = match &entry.row.product {
            Named::Id(id) => self.product_ids.get(id).copied().ok_or("product_id"),
            Named::Word(sku) => self.skus.get(sku).copied().ok_or("sku"),
        };
        match list {
            Err((column, true)) => {
                entry.reject(column, "ambiguous", "several lists have this name; give price_list_id")
            }
            Err((column, false)) => entry.reject(column, "unknown_price_list", "there is no such price list"),
            Ok(_) => {}
        }
        if let Err(column) = product {
            entry.reject(column, "unknown_product", "there is no such product");
        }
        Some(PriceKey {
            price_list_id: list.ok()?,
            product_id: product.ok()?,
            minimum_quantity: entry.row.minimum_quantity,
            valid_from: entry.row.valid_from,
        })
    }
}
