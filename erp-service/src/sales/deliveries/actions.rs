use super::model::{Delivery, DeliveryIn, DeliveryLine, PostedDelivery};
use crate::catalog;
use crate::inventory::levels::{self, Demand, Document, Level};
use crate::sales::orders::release::check_credit_to_ship;
use crate::sales::orders::status::Action;
use crate::sales::orders::{OrderRow, SalesOrder, queries};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A line of the order.
type OrderLine = crate::sales::orders::LineRow;

/// Ships reserved stock of an order.
///
/// # Errors
/// 409 `illegal_transition`, `exceeds_reserved`, `nothing_reserved`, `credit_exceeded` or
/// `insufficient_stock`; 422 with every faulty line.
pub fn post(tx: &mut Tx<'_>, order_id: Uuid, input: &DeliveryIn) -> Result<PostedDelivery> {
    let (mut row, mut lines) = queries::load(tx, order_id).or_not_found("sales order")?;
    let state = row.state()?;
    state.check(Action::Deliver)?;
    let date = checked_date(tx, input.date)?;
    let shipped = wanted(input, &lines)?;
    refuse_more_than_reserved(&shipped, &lines)?;
    check_credit_to_ship(tx, &row)?;

    let demand = stocked_demand(tx, &shipped, &lines)?;
    let warehouse = from_warehouse(&row, &demand)?;
    let locked = match warehouse {
        Some(warehouse) => levels::lock(tx, warehouse, &demand.keys().copied().collect::<Vec<_>>())?,
        None => BTreeMap::new(),
    };
    queries::lock_unchanged(tx, &row)?;
    refuse_backdating(tx, &locked, &demand, date)?;

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

    let mut delivery = Delivery {
        id: tx.mint(input.id),
        number: None,
        order_id,
        order_number: row.number.clone(),
        customer_id: row.customer_id,
        warehouse_id: row.warehouse_id,
        date,
        external_ref: input.external_ref.clone(),
        lines: delivered_lines(&shipped, &lines),
        revision: 1,
        created_at: tx.now(),
    };
    insert(tx, &mut delivery)?;
    if let Some(warehouse) = warehouse {
        let document = Document {
            kind: "delivery",
            id: delivery.id,
            date,
            base: crate::company::settings(tx)?.base_currency,
        };
        levels::issue_reserved(tx, &levels::Issue::new(warehouse, &demand, document))?;
    }
    let deliveries = queries::deliveries_of_order(tx, &row)?;
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

fn checked_date(tx: &Tx<'_>, date: Option<NaiveDate>) -> Result<NaiveDate, Problem> {
    let today = tx.today();
    match date {
        Some(date) if date > today => {
            let mut faults = Faults::default();
            faults.add("/date", "future_date", format!("must not be after today, {today}"));
            faults.check().map(|()| date)
        }
        other => Ok(other.unwrap_or(today)),
    }
}

/// Quantities by line: as asked, or all that is reserved.
fn wanted(input: &DeliveryIn, lines: &[OrderLine]) -> Result<BTreeMap<Uuid, Quantity>> {
    let Some(asked) = &input.lines else {
        let all: BTreeMap<Uuid, Quantity> = lines
            .iter()
            .filter(|line| !line.reserved_quantity.is_zero())
            .map(|line| (line.id, line.reserved_quantity))
            .collect();
        return match all.is_empty() {
            true => Err(Problem::conflict("nothing_reserved", "no line has anything reserved").into()),
            false => Ok(all),
        };
    };
    let (mut faults, mut shipped) = (Faults::default(), BTreeMap::new());
    for (index, line) in asked.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if !lines.iter().any(|known| known.id == line.line_id) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "unknown_line",
                "the order has no such line",
            );
        } else if shipped.insert(line.line_id, line.quantity).is_some() {
            faults.add(
                format!("/lines/{index}/line_id"),
                "duplicate",
                "the line is named twice",
            );
        }
    }
    faults.check()?;
    Ok(shipped)
}

/// A delivery ships what is reserved, never more; all lines at fault are named.
fn refuse_more_than_reserved(shipped: &BTreeMap<Uuid, Quantity>, lines: &[OrderLine]) -> Result<(), Problem> {
    let short: Vec<_> = lines
        .iter()
        .filter_map(|line| shipped.get(&line.id).filter(|wanted| **wanted > line.reserved_quantity).map(|wanted| (line, wanted)))
        .map(|(line, wanted)| serde_json::json!({ "line_id": line.id, "wanted": wanted, "reserved": line.reserved_quantity }))
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => {
            Err(Problem::conflict("exceeds_reserved", "more is to be delivered than is reserved").fact("lines", short))
        }
    }
}

/// What leaves the warehouse, by product; services leave none.
fn stocked_demand(tx: &mut Tx<'_>, shipped: &BTreeMap<Uuid, Quantity>, lines: &[OrderLine]) -> Result<Demand> {
    let products: Vec<Uuid> = lines
        .iter()
        .filter(|line| shipped.contains_key(&line.id))
        .map(|line| line.product_id)
        .collect();
    let facts = catalog::facts(tx, &products)?;
    let mut demand = Demand::new();
    for line in lines
        .iter()
        .filter(|line| facts.get(&line.product_id).is_some_and(|facts| facts.stocked))
    {
        if let Some(quantity) = shipped.get(&line.id) {
            let sum = demand.entry(line.product_id).or_insert(Quantity::ZERO);
            *sum = *sum + *quantity;
        }
    }
    Ok(demand)
}

/// A backdated issue must leave every later day with stock that is not negative.
fn refuse_backdating(tx: &mut Tx<'_>, locked: &BTreeMap<Uuid, Level>, demand: &Demand, date: NaiveDate) -> Result<()> {
    let least: BTreeMap<Uuid, Decimal> = levels::least_on_hand_since(tx, locked, date)?;
    let short: Vec<_> = demand
        .iter()
        .filter_map(|(product, wanted)| {
            least
                .get(product)
                .filter(|least| **least < wanted.value())
                .map(|least| (product, wanted, least))
        })
        .map(
            |(product, wanted, least)| serde_json::json!({ "product_id": product, "wanted": wanted, "on_hand": least }),
        )
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => {
            let detail = format!("shipping on {date} would make the stock of a later day negative");
            Err(Problem::conflict("insufficient_stock", detail)
                .fact("products", short)
                .into())
        }
    }
}

fn delivered_lines(shipped: &BTreeMap<Uuid, Quantity>, lines: &[OrderLine]) -> Vec<DeliveryLine> {
    let delivered = lines.iter().filter_map(|line| {
        shipped.get(&line.id).map(|quantity| DeliveryLine {
            line_id: line.id,
            product_id: line.product_id,
            quantity: *quantity,
        })
    });
    delivered.collect()
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Text)]
    number: String,
}

/// Stores the delivery with its lines in one statement and fills in its number.
fn insert(tx: &mut Tx<'_>, delivery: &mut Delivery) -> Result<()> {
    let lines = &delivery.lines;
    let stored: Numbered = sql(
        "WITH new_lines AS (
             INSERT INTO delivery_lines (delivery_id, line_id, product_id, quantity)
             SELECT $1, * FROM unnest($2, $3, $4))
         INSERT INTO deliveries (id, number, order_id, warehouse_id, delivered_on, external_ref, created_at)
         VALUES ($5, CASE WHEN $6 THEN 'dry run ' || $7 ELSE 'DN-' || lpad(nextval('delivery_numbers')::text, 6, '0') END,
                 $8, $9, $10, $11, $12)
         RETURNING number",
    )
    .bind::<SqlUuid, _>(delivery.id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.line_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(delivery.id)
    .bind::<Bool, _>(tx.dry_run())
    .bind::<Text, _>(delivery.id.to_string())
    .bind::<SqlUuid, _>(delivery.order_id)
    .bind::<Nullable<SqlUuid>, _>(delivery.warehouse_id)
    .bind::<Date, _>(delivery.date)
    .bind::<Nullable<Text>, _>(delivery.external_ref.clone())
    .bind::<Timestamptz, _>(delivery.created_at)
    .row(tx)?;
    delivery.number = Some(stored.number).filter(|_| !tx.dry_run());
    Ok(())
}

/// Deliveries by id, whole.
///
/// # Errors
/// When the database refuses.
pub fn complete(conn: &mut diesel::PgConnection, rows: Vec<super::handlers::DeliveryRow>) -> Result<Vec<Delivery>> {
    use crate::schema::{delivery_lines, sales_order_lines};
    use diesel::prelude::*;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<(Uuid, Uuid, Uuid, Quantity)> = delivery_lines::table
        .inner_join(sales_order_lines::table.on(sales_order_lines::id.eq(delivery_lines::line_id)))
        .filter(delivery_lines::delivery_id.eq_any(&ids))
        .order(sales_order_lines::position)
        .select((
            delivery_lines::delivery_id,
            delivery_lines::line_id,
            delivery_lines::product_id,
            delivery_lines::quantity,
        ))
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<DeliveryLine>> = HashMap::new();
    for (delivery, line_id, product_id, quantity) in all {
        lines.entry(delivery).or_default().push(DeliveryLine {
            line_id,
            product_id,
            quantity,
        });
    }
    let deliveries = rows.into_iter().map(|row| Delivery {
        lines: lines.remove(&row.id).unwrap_or_default(),
        id: row.id,
        number: Some(row.number),
        order_id: row.order_id,
        order_number: row.order_number,
        customer_id: row.customer_id,
        warehouse_id: row.warehouse_id,
        date: row.delivered_on,
        external_ref: row.external_ref,
        revision: 1,
        created_at: row.created_at,
    });
    Ok(deliveries.collect())
}
