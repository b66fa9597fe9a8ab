//! Lines of a quote: checked against the catalogue, priced by its lists.

use super::model::QuoteLineIn;
use super::stored::LineRow;
use crate::catalogue::{self, Described, ProductStatus};
use crate::json::AsJson;
use service_kit::{Currency, Faults, Quantity, Result, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// For whom and in which currency lines are priced.
#[derive(Debug, Clone)]
pub struct Pricing {
    pub customer_id: Uuid,
    pub tier: Option<String>,
    pub currency: Currency,
}

/// The lines that are asked for, in this order. A line that was there before and is named by its id,
/// with the same product and quantity, keeps its list price and may be of a retired product.
pub fn put_together(
    tx: &mut Tx<'_>,
    quote: Uuid,
    input: &[QuoteLineIn],
    before: &[LineRow],
    pricing: &Pricing,
    faults: &mut Faults,
) -> Result<Vec<LineRow>> {
    let ids: Vec<Uuid> = input.iter().map(|line| line.product_id).collect();
    let products = catalogue::described(tx, &ids)?;
    let mut seen = HashSet::new();
    let mut lines = Vec::with_capacity(input.len());
    let mut fresh = Vec::new();
    for (index, (position, said)) in (1..).zip(input).enumerate() {
        let kept = said.id.and_then(|id| before.iter().find(|line| line.id == id));
        let kept = kept.filter(|line| line.product_id == said.product_id);
        check(index, said, kept.is_some(), &products, faults);
        let id = said.id.unwrap_or_else(Uuid::now_v7);
        if !seen.insert(id) {
            faults.add(format!("/lines/{index}/id"), "duplicate", "an earlier line has this id");
        }
        let priced = kept.filter(|line| line.quantity == said.quantity);
        let mut line = LineRow {
            id,
            quote_id: quote,
            position,
            product_id: said.product_id,
            sku: String::new(),
            name: String::new(),
            unit: String::new(),
            quantity: said.quantity,
            unit_price: said.unit_price,
            price_given: said.unit_price.is_some(),
            list_price: priced.and_then(|line| line.list_price),
            discount: said.discount,
            line_total: None,
            price_trace: priced.and_then(|line| line.price_trace.clone()),
        };
        if line.unit_price.is_none() {
            line.unit_price = line.list_price;
        }
        match (kept, products.get(&said.product_id)) {
            (Some(kept), _) => describe(&mut line, &kept.sku, &kept.name, &kept.unit),
            (None, Some(product)) => describe(&mut line, &product.sku, &product.name, &product.unit),
            (None, None) => {}
        }
        if priced.is_none() || line.list_price.is_none() {
            fresh.push(lines.len());
        }
        lines.push(line);
    }
    price(tx, &mut lines, &fresh, pricing)?;
    Ok(lines)
}

fn check(index: usize, said: &QuoteLineIn, kept: bool, products: &HashMap<Uuid, Described>, faults: &mut Faults) {
    let product = format!("/lines/{index}/product_id");
    match products.get(&said.product_id).map(|product| product.status) {
        None if !kept => faults.add(product, "unknown_product", "the catalogue has no such product"),
        Some(ProductStatus::Retired) if !kept => {
            faults.add(product, "product_retired", "the product is no longer sold");
        }
        _ => {}
    }
    if said.quantity.is_zero() {
        faults.add(
            format!("/lines/{index}/quantity"),
            "out_of_range",
            "must be more than zero",
        );
    }
}

fn describe(line: &mut LineRow, sku: &str, name: &str, unit: &str) {
    line.sku = sku.to_owned();
    line.name = name.to_owned();
    line.unit = unit.to_owned();
}

/// Finds today's list prices of the lines at these places; a line without a price of its own gets it.
fn price(tx: &mut Tx<'_>, lines: &mut [LineRow], places: &[usize], pricing: &Pricing) -> Result<()> {
    let asked: Vec<(Uuid, Quantity)> = places
        .iter()
        .filter_map(|place| lines.get(*place))
        .map(|line| (line.product_id, line.quantity))
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let today = tx.today();
    let (tier, currency) = (pricing.tier.as_deref(), pricing.currency);
    let traces = catalogue::price_traces(tx, pricing.customer_id, tier, currency, today, &asked)?;
    for (place, trace) in places.iter().zip(traces) {
        let Some(line) = lines.get_mut(*place) else { continue };
        line.list_price = trace.as_ref().map(|trace| trace.unit_price);
        line.price_trace = trace.map(AsJson);
        if !line.price_given {
            line.unit_price = line.list_price;
        }
    }
    Ok(())
}

/// Finds all list prices anew, as of today.
pub fn price_anew(tx: &mut Tx<'_>, lines: &mut [LineRow], pricing: &Pricing) -> Result<()> {
    let all: Vec<usize> = (0..lines.len()).collect();
    price(tx, lines, &all, pricing)
}

/// Names what keeps the lines from being offered.
pub fn check_offer(tx: &mut Tx<'_>, lines: &[LineRow], faults: &mut Faults) -> Result<()> {
    if lines.is_empty() {
        faults.add("/lines", "no_lines", "there is nothing to offer");
    }
    let ids: Vec<Uuid> = lines.iter().map(|line| line.product_id).collect();
    let statuses = catalogue::statuses(tx, &ids)?;
    for (index, line) in lines.iter().enumerate() {
        if statuses.get(&line.product_id) == Some(&ProductStatus::Retired) {
            faults.add(
                format!("/lines/{index}/product_id"),
                "product_retired",
                "the product is no longer sold",
            );
        }
        if line.unit_price.is_none() {
            faults.add(
                format!("/lines/{index}/unit_price"),
                "no_price",
                "nobody named a price and no price list has one",
            );
        }
    }
    Ok(())
}
