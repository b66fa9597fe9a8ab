//! Shipping: the order, its stock, the delivery and its entry, in one command.

use super::lines::{delivered_lines, named_lots, refuse_backdating, refuse_more_than_reserved, stocked_demand, wanted};
use super::model::{Delivery, DeliveryIn, PostedDelivery};
use super::queries::insert;
use crate::catalog::ProductFacts;
use crate::company;
use crate::inventory::levels::{self, Demand, Document, Issue, Issued, Values};
use crate::inventory::lots::Named;
use crate::inventory::posting;
use crate::ledger::{self, Entry, Journal, PostingDay, Role, Source};
use crate::sales::orders::release::check_credit_to_ship;
use crate::sales::orders::status::Action;
use crate::sales::orders::{OrderRow, SalesOrder, queries};
use service_kit::{Currency, Error, OrNotFound, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Ships reserved stock of an order: Dr Cost of goods sold, Cr Stock, at the moving average.
///
/// # Errors
/// 409 `illegal_transition`, `exceeds_reserved`, `nothing_reserved`, `credit_exceeded`,
/// `insufficient_stock` or `period_closed`; 422 with every faulty line.
pub fn post(tx: &mut Tx<'_>, order_id: Uuid, input: &DeliveryIn) -> Result<PostedDelivery> {
    let (mut row, mut lines) = queries::load(tx, order_id).or_not_found("sales order")?;
    let state = row.state()?;
    state.check(Action::Deliver)?;
    let on = ledger::posting_day(tx, input.date)?;
    let shipped = wanted(input, &lines)?;
    refuse_more_than_reserved(&shipped, &lines)?;
    check_credit_to_ship(tx, &row)?;

    let (demand, facts) = stocked_demand(tx, &shipped, &lines)?;
    let warehouse = from_warehouse(&row, &demand)?;
    let locked = match warehouse {
        Some(warehouse) => levels::lock(tx, warehouse, &demand.keys().copied().collect::<Vec<_>>())?,
        None => BTreeMap::new(),
    };
    queries::lock_unchanged(tx, &row)?;
    refuse_backdating(tx, &locked, &demand, on.date)?;

    let before = SalesOrder::from_rows(row.clone(), lines.clone(), queries::deliveries_of_order(tx, &row)?)?;
    for line in &mut lines {
        let Some(quantity) = shipped.get(&line.id) else {
            continue;
        };
        line.reserved_quantity = line.reserved_quantity - *quantity;
        line.delivered_quantity = line.delivered_quantity + *quantity;
    }
    let full = lines.iter().all(|line| line.delivered_quantity == line.quantity);
    row.delivery = if full { "full" } else { "partial" }.to_owned();
    queries::save(tx, &mut row, &lines, false)?;

    let base = company::settings(tx)?.base_currency;
    let id = tx.mint(input.id);
    let named = match warehouse {
        Some(warehouse) => named_lots(tx, warehouse, input, &lines, &facts)?,
        None => HashMap::new(),
    };
    let issued = match warehouse {
        Some(warehouse) => {
            let document = Document {
                kind: "delivery",
                id,
                date: on.date,
                base,
            };
            let wishes: Vec<Named> = named.values().flatten().cloned().collect();
            levels::issue_reserved(tx, &Issue::new(warehouse, &demand, document).named(&wishes))?
        }
        None => Issued::default(),
    };
    let mut delivery = Delivery {
        id,
        number: None,
        order_id,
        order_number: row.number.clone(),
        customer_id: row.customer_id,
        warehouse_id: row.warehouse_id,
        date: on.date,
        external_ref: input.external_ref.clone(),
        lines: delivered_lines(&shipped, &lines, &named, &issued, base)?,
        revision: 1,
        created_at: tx.now(),
    };
    insert(tx, &mut delivery)?;
    let deliveries = queries::deliveries_of_order(tx, &row)?;
    if let Some(warehouse) = warehouse {
        post_cost(tx, &on, (&delivery, &row), (warehouse, &issued.values, base), &facts)?;
    }
    let order = SalesOrder::from_rows(row, lines, deliveries)?;
    tx.changed(Some(&before), &order)?;
    tx.changed(None, &delivery)?;
    Ok(PostedDelivery { delivery, order })
}

/// The warehouse that stock leaves; none when only services are delivered.
fn from_warehouse(row: &OrderRow, demand: &Demand) -> Result<Option<Uuid>> {
    match row.warehouse_id {
        _ if demand.is_empty() => Ok(None),
        None => Err(Error::Bug("stock is reserved without a warehouse".into())),
        some => Ok(some),
    }
}

/// Posts what the goods cost.
fn post_cost(
    tx: &mut Tx<'_>,
    on: &PostingDay,
    (delivery, order): (&Delivery, &OrderRow),
    (warehouse, values, base): (Uuid, &Values, Currency),
    facts: &HashMap<Uuid, ProductFacts>,
) -> Result<()> {
    if values.values().all(|value| value.is_zero()) {
        return Ok(());
    }
    let rules = ledger::rules(tx)?;
    let number = delivery.number.clone();
    let description = match &number {
        Some(number) => format!("Delivery {number}"),
        None => "Delivery".to_owned(),
    };
    let source = Source::new("delivery", delivery.id, number);
    let mut entry = Entry::new(Journal::Stock, on, source, description);
    let place = posting::at(warehouse);
    posting::add(
        &mut entry,
        &rules,
        facts,
        place,
        posting::gone(values),
        Role::CostOfGoodsSold,
        base,
    )?;
    for line in &mut entry.lines {
        line.dimensions(order.department_id, order.project_id);
    }
    posting::post(tx, entry)?;
    Ok(())
}

/// The order that a delivery belongs to.
///
/// # Errors
/// `NotFound`, or when the database refuses.
pub fn order_of(conn: &mut diesel::PgConnection, delivery_id: Uuid) -> diesel::QueryResult<Uuid> {
    use crate::schema::deliveries;
    use diesel::prelude::*;
    deliveries::table
        .find(delivery_id)
        .select(deliveries::order_id)
        .first(conn)
}
