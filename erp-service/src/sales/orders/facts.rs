//! What a decision rests on, read in one statement: an order is placed many times a second, and each
//! round trip counts. It reads what other modules own and changes nothing; their rules stay theirs,
//! as the functions `price_for` and `customer_tier` of the database.

use super::decision::AskedLine;
use super::rows::OrderRow;
use crate::catalog::{ProductFacts, Tracking};
use crate::company::InvoicingPolicy;
use crate::pricing::Found;
use crate::taxes::{Party, Rounding};
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
    pub tax_rounding: Rounding,
    /// Whether there are rules by which sales are taxed.
    pub taxed: bool,
    /// What the customer brings to them.
    pub party: Party,
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
    #[diesel(sql_type = Text)]
    tax_rounding: Rounding,
    #[diesel(sql_type = Bool)]
    taxed: bool,
    #[diesel(sql_type = Nullable<Text>)]
    tax_class: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    country: Option<String>,
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
        SELECT warehouse.id AS warehouse_id, company.invoicing_policy, company.price_deviation_limits, company.tax_rounding,
               tax.taxed, tax.tax_class, tax.country,
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
        CROSS JOIN (SELECT rules.taxed, c.tax_class, CASE WHEN rules.taxed THEN (
                        SELECT a ->> 'country' FROM jsonb_array_elements(c.addresses) a
                        ORDER BY a ->> 'kind' = 'shipping' DESC NULLS LAST, a ->> 'kind' = 'billing' DESC NULLS LAST LIMIT 1) END AS country
                    FROM question JOIN customers c ON c.id = question.buyer
                    CROSS JOIN (SELECT EXISTS (SELECT FROM tax_rules WHERE direction = 'sale') AS taxed) rules) AS tax
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
        tax_rounding: Rounding::Document,
        taxed: false,
        party: Party::default(),
        products: HashMap::new(),
        prices: vec![None; asked.len()],
    };
    for row in rows {
        facts.warehouse_id = row.warehouse_id;
        facts.invoicing_policy = row.invoicing_policy;
        (facts.taxed, facts.tax_rounding) = (row.taxed, row.tax_rounding);
        facts.party = Party {
            tax_class: row.tax_class.clone(),
            country: country_of(order).or_else(|| row.country.clone()),
        };
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

/// Where the order goes, when it says so itself.
fn country_of(order: &OrderRow) -> Option<String> {
    let address = order.shipping_address.as_ref()?;
    address["country"].as_str().map(str::to_owned)
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
