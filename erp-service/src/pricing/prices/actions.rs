use super::model::{Price, PriceIn, PricePatch};
use super::queries;
use crate::catalog::products;
use crate::pricing::lists::PriceList;
use crate::schema::prices;
use chrono::NaiveDate;
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Quantity, Result, Tx};
use uuid::Uuid;

pub(super) fn create(tx: &mut Tx<'_>, list: Uuid, input: &PriceIn) -> Result<Price> {
    queries::hold_list(tx, list).or_not_found("price list")?;
    let mut faults = Faults::default();
    if products::exist(tx, &[input.product_id])?.is_empty() {
        faults.add("/product_id", "unknown_product", "there is no such product");
    }
    check_period(&mut faults, input.valid_from, input.valid_to);
    faults.check()?;
    let id = tx.mint(input.id);
    diesel::insert_into(prices::table)
        .values((
            prices::id.eq(id),
            prices::price_list_id.eq(list),
            prices::product_id.eq(input.product_id),
            prices::unit_price.eq(input.unit_price),
            prices::minimum_quantity.eq(input.minimum_quantity.unwrap_or(Quantity::ZERO)),
            prices::valid_from.eq(input.valid_from),
            prices::valid_to.eq(input.valid_to),
            prices::created_at.eq(tx.now()),
            prices::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let price = queries::find(tx, id)?;
    tx.changed(None, &price)?;
    Ok(price)
}

pub(super) fn update(tx: &mut Tx<'_>, id: Uuid, patch: &PricePatch) -> Result<Price> {
    let before = queries::lock(tx, id).or_not_found("price")?;
    tx.require_match(&before)?;
    let unit_price = patch.unit_price.unwrap_or(before.unit_price);
    let valid_to = patch.valid_to.unwrap_or(before.valid_to);
    if (unit_price, valid_to) == (before.unit_price, before.valid_to) {
        return Ok(before);
    }
    let mut faults = Faults::default();
    check_period(&mut faults, before.valid_from, valid_to);
    faults.check()?;
    diesel::update(prices::table.find(id))
        .set((
            prices::unit_price.eq(unit_price),
            prices::valid_to.eq(valid_to),
            prices::version.eq(prices::version + 1),
            prices::revision.eq(prices::revision + 1),
            prices::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = queries::find(tx, id)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

fn check_period(faults: &mut Faults, first: Option<NaiveDate>, last: Option<NaiveDate>) {
    if let (Some(first), Some(last)) = (first, last)
        && first > last
    {
        faults.add("/valid_to", "out_of_range", "must not lie before valid_from");
    }
}

/// Prices carry the name of their list, so they change with it.
pub(in crate::pricing) fn renamed(tx: &mut Tx<'_>, before: &PriceList, after: &PriceList) -> Result<()> {
    diesel::update(prices::table.filter(prices::price_list_id.eq(after.id)))
        .set((
            prices::version.eq(prices::version + 1),
            prices::revision.eq(prices::revision + 1),
            prices::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    for price in queries::of_list(tx, after.id)? {
        let old = Price {
            price_list_name: before.name.clone(),
            ..price.clone()
        };
        tx.changed(Some(&old), &price)?;
    }
    Ok(())
}
