//! SQL of deliveries.

use super::model::{Delivery, DeliveryLine};
use crate::company;
use crate::schema::{delivery_lines, sales_order_lines};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Jsonb, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Amount, Quantity, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// A delivery with what its order says.
#[derive(Debug, Queryable)]
pub struct DeliveryRow {
    pub id: Uuid,
    pub number: String,
    pub order_id: Uuid,
    pub order_number: Option<String>,
    pub customer_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub delivered_on: NaiveDate,
    pub external_ref: Option<String>,
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = Text)]
    number: String,
}

/// Stores the delivery with its lines in one statement and fills in its number.
pub(super) fn insert(tx: &mut Tx<'_>, delivery: &mut Delivery) -> Result<()> {
    let lines = &delivery.lines;
    let lots = lines.iter().map(|line| serde_json::to_value(&line.lots));
    let lots = lots.collect::<Result<Vec<Value>, _>>()?;
    let stored: Numbered = sql(
        "WITH new_lines AS (
             INSERT INTO delivery_lines (delivery_id, line_id, product_id, quantity, value, lots)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6))
         INSERT INTO deliveries (id, number, order_id, warehouse_id, delivered_on, external_ref, created_at)
         VALUES ($7, CASE WHEN $8 THEN 'dry run ' || $9 ELSE 'DN-' || lpad(nextval('delivery_numbers')::text, 6, '0') END,
                 $10, $11, $12, $13, $14)
         RETURNING number",
    )
    .bind::<SqlUuid, _>(delivery.id)
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.line_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.value).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(lots)
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
pub fn complete(conn: &mut PgConnection, rows: Vec<DeliveryRow>) -> Result<Vec<Delivery>> {
    let base = company::settings(conn)?.base_currency;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<(Uuid, Uuid, Uuid, Quantity, Decimal, Value)> = delivery_lines::table
        .inner_join(sales_order_lines::table.on(sales_order_lines::id.eq(delivery_lines::line_id)))
        .filter(delivery_lines::delivery_id.eq_any(&ids))
        .order(sales_order_lines::position)
        .select((
            delivery_lines::delivery_id,
            delivery_lines::line_id,
            delivery_lines::product_id,
            delivery_lines::quantity,
            delivery_lines::value,
            delivery_lines::lots,
        ))
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<DeliveryLine>> = HashMap::new();
    for (delivery, line_id, product_id, quantity, value, lots) in all {
        lines.entry(delivery).or_default().push(DeliveryLine {
            line_id,
            product_id,
            quantity,
            value: Amount::money(base, value).unwrap_or_default(),
            lots: serde_json::from_value(lots)?,
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
