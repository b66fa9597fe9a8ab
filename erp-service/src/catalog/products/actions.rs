use super::model::{Product, ProductIn, ProductStatus, Tracking};
use super::queries;
use crate::catalog::{categories, units};
use crate::schema::products;
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Problem, Put, Result, Tx};
use uuid::Uuid;

/// `None` when the id is taken.
pub(super) fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &ProductIn) -> Result<Option<Product>> {
    check_references(tx, input)?;
    let id = tx.mint(id);
    let inserted = diesel::insert_into(products::table)
        .values((
            products::id.eq(id),
            products::sku.eq(&input.sku),
            products::name.eq(&input.name),
            products::description.eq(&input.description),
            products::kind.eq(input.kind),
            products::tracking.eq(input.tracking.unwrap_or(Tracking::None)),
            products::unit.eq(&input.unit),
            products::category_id.eq(input.category_id),
            products::external_ref.eq(&input.external_ref),
            products::tax_class.eq(&input.tax_class),
            products::created_at.eq(tx.now()),
            products::updated_at.eq(tx.now()),
        ))
        .on_conflict(products::id)
        .do_nothing()
        .execute(&mut **tx)?;
    if inserted == 0 {
        return Ok(None);
    }
    let product = queries::find(tx, id)?;
    tx.changed(None, &product)?;
    Ok(Some(product))
}

pub(super) fn put(tx: &mut Tx<'_>, id: Uuid, input: &ProductIn) -> Result<Put<Product>> {
    let Some(current) = queries::lock(tx, id).optional()? else {
        // A twin may have made it in the meantime: look again.
        let created = create(tx, Some(id), input)?;
        return created.map(Put::Created).ok_or(service_kit::Error::Stale);
    };
    match current.is(input) {
        true => Ok(Put::Unchanged(current)),
        false => update(tx, current, input).map(Put::Updated),
    }
}

pub(super) fn update(tx: &mut Tx<'_>, before: Product, wanted: &ProductIn) -> Result<Product> {
    tx.require_match(&before)?;
    if before.is(wanted) {
        return Ok(before);
    }
    check_references(tx, wanted)?;
    diesel::update(products::table.find(before.id))
        .set((
            products::sku.eq(&wanted.sku),
            products::name.eq(&wanted.name),
            products::description.eq(&wanted.description),
            products::kind.eq(wanted.kind),
            wanted.tracking.map(|tracking| products::tracking.eq(tracking)),
            products::unit.eq(&wanted.unit),
            products::category_id.eq(wanted.category_id),
            products::external_ref.eq(&wanted.external_ref),
            products::tax_class.eq(&wanted.tax_class),
            products::version.eq(products::version + 1),
            products::revision.eq(products::revision + 1),
            products::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = queries::find(tx, before.id)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Takes the product out of sale; old documents keep it.
pub(super) fn retire(tx: &mut Tx<'_>, id: Uuid) -> Result<Product> {
    set_status(tx, id, "retire", ProductStatus::Retired)
}

pub(super) fn reactivate(tx: &mut Tx<'_>, id: Uuid) -> Result<Product> {
    set_status(tx, id, "reactivate", ProductStatus::Active)
}

fn set_status(tx: &mut Tx<'_>, id: Uuid, action: &str, status: ProductStatus) -> Result<Product> {
    let before = queries::lock(tx, id).or_not_found("product")?;
    tx.match_if_given(&before)?;
    if before.status == status {
        let open = match status {
            ProductStatus::Retired => "reactivate",
            ProductStatus::Active => "retire",
        };
        return Err(Problem::illegal_transition(action, status.as_str(), &[open]).into());
    }
    diesel::update(products::table.find(id))
        .set((
            products::status.eq(status),
            products::version.eq(products::version + 1),
            products::revision.eq(products::revision + 1),
            products::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = queries::find(tx, id)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

fn check_references(tx: &mut Tx<'_>, input: &ProductIn) -> Result<()> {
    let mut faults = Faults::default();
    if !units::is_known(tx, &input.unit)? {
        faults.add("/unit", "unknown_unit", "there is no such unit");
    }
    if let Some(category) = input.category_id
        && !categories::is_known(tx, category)?
    {
        faults.add("/category_id", "unknown_category", "there is no such category");
    }
    Ok(faults.check()?)
}
