use super::model::{
    PricesOfSupplierQuery, SupplierPrice, SupplierPriceAnswer, SupplierPriceAnswerLine, SupplierPriceIn,
    SupplierPricePatch, SupplierPriceQuestion, SupplierPricesQuery,
};
use super::rule::{Question, answers};
use crate::catalog::products;
use crate::purchasing::suppliers;
use crate::schema::supplier_prices;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Page, Quantity, Result, Tx, keyset_page};
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<SupplierPrice> {
    supplier_prices::table
        .find(id)
        .select(SupplierPrice::as_select())
        .first(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &SupplierPricesQuery) -> Result<Page<SupplierPrice>> {
    let mut found = supplier_prices::table.select(SupplierPrice::as_select()).into_boxed();
    if let Some(supplier) = query.supplier_id {
        found = found.filter(supplier_prices::supplier_id.eq(supplier));
    }
    if let Some(product) = query.product_id {
        found = found.filter(supplier_prices::product_id.eq(product));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: supplier_prices::id as Uuid => |p: &SupplierPrice| p.id, [
        "created_at" => supplier_prices::created_at as DateTime<Utc> => |p: &SupplierPrice| p.created_at,
    ])
}

pub(super) fn page_of(
    conn: &mut PgConnection,
    supplier: Uuid,
    query: &PricesOfSupplierQuery,
) -> Result<Page<SupplierPrice>> {
    suppliers::find(conn, supplier).or_not_found("supplier")?;
    let query = SupplierPricesQuery {
        supplier_id: Some(supplier),
        product_id: query.product_id,
        limit: query.limit,
        cursor: query.cursor.clone(),
        sort: query.sort.clone(),
    };
    page(conn, &query)
}

pub(super) fn create(tx: &mut Tx<'_>, supplier: Uuid, input: &SupplierPriceIn) -> Result<SupplierPrice> {
    let supplier = suppliers::hold(tx, supplier).or_not_found("supplier")?;
    let mut faults = Faults::default();
    if products::exist(tx, &[input.product_id])?.is_empty() {
        faults.add("/product_id", "unknown_product", "there is no such product");
    }
    check_period(&mut faults, input.valid_from, input.valid_to);
    faults.check()?;
    let id = tx.mint(input.id);
    diesel::insert_into(supplier_prices::table)
        .values((
            supplier_prices::id.eq(id),
            supplier_prices::supplier_id.eq(supplier.id),
            supplier_prices::product_id.eq(input.product_id),
            supplier_prices::supplier_sku.eq(&input.supplier_sku),
            supplier_prices::currency.eq(input.currency.unwrap_or(supplier.currency)),
            supplier_prices::unit_price.eq(input.unit_price),
            supplier_prices::minimum_quantity.eq(input.minimum_quantity.unwrap_or(Quantity::ZERO)),
            supplier_prices::valid_from.eq(input.valid_from),
            supplier_prices::valid_to.eq(input.valid_to),
            supplier_prices::lead_time_days.eq(input.lead_time_days),
            supplier_prices::created_at.eq(tx.now()),
            supplier_prices::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let price = find(tx, id)?;
    tx.audit(None, &price)?;
    Ok(price)
}

pub(super) fn update(tx: &mut Tx<'_>, id: Uuid, patch: &SupplierPricePatch) -> Result<SupplierPrice> {
    let before = supplier_prices::table
        .find(id)
        .for_update()
        .select(SupplierPrice::as_select())
        .first(&mut **tx)
        .or_not_found("supplier price")?;
    tx.require_match(&before)?;
    let supplier_sku = patch
        .supplier_sku
        .clone()
        .unwrap_or_else(|| before.supplier_sku.clone());
    let unit_price = patch.unit_price.unwrap_or(before.unit_price);
    let valid_to = patch.valid_to.unwrap_or(before.valid_to);
    let lead_time_days = patch.lead_time_days.unwrap_or(before.lead_time_days);
    let same = (&supplier_sku, unit_price, valid_to, lead_time_days)
        == (
            &before.supplier_sku,
            before.unit_price,
            before.valid_to,
            before.lead_time_days,
        );
    if same {
        return Ok(before);
    }
    let mut faults = Faults::default();
    check_period(&mut faults, before.valid_from, valid_to);
    faults.check()?;
    let after = diesel::update(supplier_prices::table.find(id))
        .set((
            supplier_prices::supplier_sku.eq(supplier_sku),
            supplier_prices::unit_price.eq(unit_price),
            supplier_prices::valid_to.eq(valid_to),
            supplier_prices::lead_time_days.eq(lead_time_days),
            supplier_prices::revision.eq(supplier_prices::revision + 1),
            supplier_prices::updated_at.eq(tx.now()),
        ))
        .returning(SupplierPrice::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn check_period(faults: &mut Faults, first: Option<NaiveDate>, last: Option<NaiveDate>) {
    if let (Some(first), Some(last)) = (first, last)
        && first > last
    {
        faults.add("/valid_to", "out_of_range", "must not lie before valid_from");
    }
}

pub(super) fn answer(
    conn: &mut PgConnection,
    supplier: Uuid,
    question: &SupplierPriceQuestion,
    today: NaiveDate,
) -> Result<SupplierPriceAnswer> {
    let supplier = suppliers::find(conn, supplier).or_not_found("supplier")?;
    let asked = Question {
        supplier_id: supplier.id,
        currency: question.currency.unwrap_or(supplier.currency),
        date: question.date.unwrap_or(today),
    };
    let lines: Vec<_> = question
        .lines
        .iter()
        .map(|line| (line.product_id, line.quantity))
        .collect();
    let found = answers(conn, asked, &lines)?;
    let lines = question
        .lines
        .iter()
        .zip(found)
        .map(|(line, found)| SupplierPriceAnswerLine {
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: found.as_ref().map(|found| found.unit_price),
            price_id: found.as_ref().map(|found| found.price_id),
            supplier_sku: found.as_ref().and_then(|found| found.supplier_sku.clone()),
            lead_time_days: found
                .as_ref()
                .and_then(|found| found.lead_time_days)
                .unwrap_or(supplier.lead_time_days),
            explanation: found.map_or_else(
                || format!("the supplier has no price in {} that holds", asked.currency),
                |found| found.explain(),
            ),
        });
    Ok(SupplierPriceAnswer {
        supplier_id: supplier.id,
        currency: asked.currency,
        date: asked.date,
        lines: lines.collect(),
    })
}
