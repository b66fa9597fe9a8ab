//! What a decision rests on, read in one statement: an order is placed many times a second, and each
//! round trip counts. It reads what other modules own and changes nothing; their rules stay theirs,
//! as the functions `price_for` and `customer_tier` of the database.

use super::decision::AskedLine;
use super::rows::OrderRow;
use crate::catalog::{ProductFacts, Tracking};
use crate::company::InvoicingPolicy;
use crate::pricing::Found;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Quantity, Result, UnitPrice};
use std::collections::HashMap;
use uuid::Uuid;

/// What a decision rests on, beside the terms of the customer.
pub(super) struct Facts {
    /// The one asked for, else the default one; `None` when there is none.
    pub warehouse_id: Option<Uuid>,
    pub invoicing_policy: InvoicingPolicy,
    price_deviation_limits: Value,
    pub products: HashMap<Uuid, ProductFacts>,
    /// One for each line, in their order.
    pub prices: Vec<Option<Found>>,
}

impl Facts {
    /// How far below the list price a role may sell, as a fraction; `None`: as far as it likes.
    pub fn price_deviation_limit(&self, role: &str) -> Option<Decimal> {
        self.price_deviation_limits[role].as_str()?.parse().ok()
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    warehouse_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    invoicing_policy: InvoicingPolicy,
    #[diesel(sql_type = Jsonb)]
    price_deviation_limits: Value,
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    unit: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    category_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    tracking: Option<Tracking>,
    #[diesel(sql_type = Bool)]
    stocked: bool,
    #[diesel(sql_type = Bool)]
    retired: bool,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    price_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    price_list_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    price_list_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    tier: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    unit_price: Option<UnitPrice>,
    #[diesel(sql_type = Nullable<Numeric>)]
    minimum_quantity: Option<Quantity>,
    #[diesel(sql_type = Nullable<Date>)]
    valid_from: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    valid_to: Option<NaiveDate>,
}

/// Gathers the facts for an order of these lines.
///
/// # Errors
/// When the database refuses.
pub(super) fn gather(conn: &mut PgConnection, order: &OrderRow, asked: &[AskedLine]) -> Result<Facts> {
    let rows: Vec<Row> = sql("
        WITH question (buyer, currency, day, warehouse_id) AS (SELECT $1::uuid, $2::text, $3::date, $4::uuid)
        SELECT warehouse.id AS warehouse_id, company.invoicing_policy, company.price_deviation_limits,
               asked.line, asked.product_id, p.unit, p.category_id, p.tracking, coalesce(p.kind = 'goods', false) AS stocked,
               coalesce(p.status = 'retired', false) AS retired,
               price.price_id, price.price_list_id, price.price_list_name, price.customer_id, price.tier, price.unit_price,
               price.minimum_quantity, price.valid_from, price.valid_to
        FROM question q
        CROSS JOIN company
        CROSS JOIN (SELECT (SELECT id FROM warehouses w JOIN question ON w.id = question.warehouse_id AND w.kind = 'normal'
                            UNION ALL
                            SELECT id FROM warehouses w JOIN question ON question.warehouse_id IS NULL WHERE w.is_default
                            LIMIT 1) AS id) AS warehouse
        CROSS JOIN (SELECT customer_tier(buyer, day) AS name FROM question) AS tier
        CROSS JOIN unnest($5::uuid[], $6::numeric[]) WITH ORDINALITY AS asked (product_id, quantity, line)
        LEFT JOIN products p ON p.id = asked.product_id
        LEFT JOIN LATERAL price_for(asked.product_id, asked.quantity, q.buyer, tier.name, q.currency, q.day) price ON true")
    .bind::<SqlUuid, _>(order.customer_id)
    .bind::<Text, _>(&*order.currency)
    .bind::<Date, _>(order.order_date)
    .bind::<Nullable<SqlUuid>, _>(order.warehouse_id)
    .bind::<Array<SqlUuid>, _>(asked.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(asked.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .rows(conn)?;
    let mut facts = Facts {
        warehouse_id: None,
        invoicing_policy: InvoicingPolicy::Delivered,
        price_deviation_limits: Value::Null,
        products: HashMap::new(),
        prices: vec![None; asked.len()],
    };
    for row in rows {
        facts.warehouse_id = row.warehouse_id;
        facts.invoicing_policy = row.invoicing_policy;
        // Ordinality counts from 1.
        let index = usize::try_from(row.line - 1).unwrap_or(usize::MAX);
        let price = row.price();
        if let Some(place) = facts.prices.get_mut(index) {
            *place = price;
        }
        if let Some(unit) = row.unit {
            let product = ProductFacts {
                unit,
                stocked: row.stocked,
                retired: row.retired,
                category_id: row.category_id,
                tracking: row.tracking.unwrap_or(Tracking::None),
            };
            facts.products.insert(row.product_id, product);
        }
        facts.price_deviation_limits = row.price_deviation_limits;
    }
    Ok(facts)
}

impl Row {
    fn price(&self) -> Option<Found> {
        Some(Found {
            price_id: self.price_id?,
            price_list_id: self.price_list_id?,
            price_list_name: self.price_list_name.clone()?,
            customer_id: self.customer_id,
            tier: self.tier.clone(),
            unit_price: self.unit_price?,
            minimum_quantity: self.minimum_quantity?,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        })
    }
}
