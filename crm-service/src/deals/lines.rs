//! Lines of a deal: checked against the catalogue, priced by its lists.

use super::model::DealLineIn;
use super::stored::LineRow;
use crate::catalogue::{self, ProductStatus};
use service_kit::{Currency, Faults, Quantity, Result, Tx};
use std::collections::HashSet;
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
    deal: Uuid,
    input: &[DealLineIn],
    before: &[LineRow],
    pricing: &Pricing,
    faults: &mut Faults,
) -> Result<Vec<LineRow>> {
    let products: Vec<Uuid> = input.iter().map(|line| line.product_id).collect();
    let statuses = catalogue::statuses(tx, &products)?;
    let mut ids = HashSet::new();
    let mut lines = Vec::with_capacity(input.len());
    for (index, (position, said)) in (1..).zip(input).enumerate() {
        let kept = said.id.and_then(|id| before.iter().find(|line| line.id == id));
        let kept = kept.filter(|line| line.product_id == said.product_id);
        match statuses.get(&said.product_id) {
            None => faults.add(
                format!("/lines/{index}/product_id"),
                "unknown_product",
                "the catalogue has no such product",
            ),
            Some(ProductStatus::Retired) if kept.is_none() => faults.add(
                format!("/lines/{index}/product_id"),
                "product_retired",
                "the product is no longer sold",
            ),
            Some(_) => {}
        }
        if said.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than zero",
            );
        }
        let id = said.id.unwrap_or_else(Uuid::now_v7);
        if !ids.insert(id) {
            faults.add(format!("/lines/{index}/id"), "duplicate", "an earlier line has this id");
        }
        let list_price = kept.filter(|line| !line.price_given && line.quantity == said.quantity);
        lines.push(LineRow {
            id,
            deal_id: deal,
            position,
            product_id: said.product_id,
            quantity: said.quantity,
            unit_price: said.unit_price.or_else(|| list_price.and_then(|line| line.unit_price)),
            price_given: said.unit_price.is_some(),
            discount: said.discount,
            line_total: None,
        });
    }
    price(tx, &mut lines, pricing)?;
    Ok(lines)
}

/// Gives the lines without a price today's list price, where a list has one.
fn price(tx: &mut Tx<'_>, lines: &mut [LineRow], pricing: &Pricing) -> Result<()> {
    let today = tx.today();
    let mut unpriced: Vec<&mut LineRow> = lines.iter_mut().filter(|line| line.unit_price.is_none()).collect();
    if unpriced.is_empty() {
        return Ok(());
    }
    let asked: Vec<(Uuid, Quantity)> = unpriced.iter().map(|line| (line.product_id, line.quantity)).collect();
    let prices = catalogue::prices_for(
        tx,
        pricing.customer_id,
        pricing.tier.as_deref(),
        pricing.currency,
        today,
        &asked,
    )?;
    for (line, price) in unpriced.iter_mut().zip(prices) {
        line.unit_price = price;
    }
    Ok(())
}

/// Forgets the list prices of lines, which were in another currency, and finds them anew.
pub fn price_anew(tx: &mut Tx<'_>, lines: &mut [LineRow], pricing: &Pricing) -> Result<()> {
    for line in lines.iter_mut().filter(|line| !line.price_given) {
        line.unit_price = None;
    }
    price(tx, lines, pricing)
}
