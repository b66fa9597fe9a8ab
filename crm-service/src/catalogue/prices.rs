//! Prices by list, tier and quantity, as the ERP last told them; and which of them applies.

use crate::replica::{apply_replica, replica, storable};
use crate::schema::prices;
use crate::{customers, may};
use actix_web::{get, patch, post, put};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Currency, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Put, Quantity, Query,
    Read, Result, Routes, Sight, Sort, Tx, UnitPrice, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A price as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub price_list_id: Uuid,
    #[schema(min_length = 1, max_length = 200)]
    pub price_list_name: String,
    pub currency: Currency,
    /// The tier of customers that it is for; absent for the base list of the currency.
    #[schema(min_length = 1, max_length = 60)]
    pub tier: Option<String>,
    /// The customer whose own price it is.
    pub customer_id: Option<Uuid>,
    pub product_id: Uuid,
    pub unit_price: UnitPrice,
    /// Applies from this quantity on.
    #[serde(default)]
    pub minimum_quantity: Quantity,
    /// First day; absent for always.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; absent for no end.
    pub valid_to: Option<NaiveDate>,
}

/// A price of a product. The ERP is its master.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    ToSchema,
)]
#[diesel(table_name = prices, treat_none_as_null = true)]
pub struct Price {
    pub id: Uuid,
    pub price_list_id: Uuid,
    pub price_list_name: String,
    pub currency: Currency,
    /// The tier of customers that it is for; null for the base list of the currency.
    pub tier: Option<String>,
    /// The customer whose own price it is: it goes before the tier's.
    pub customer_id: Option<Uuid>,
    pub product_id: Uuid,
    pub unit_price: UnitPrice,
    /// Applies from this quantity on.
    pub minimum_quantity: Quantity,
    pub valid_from: Option<NaiveDate>,
    /// Last day, included.
    pub valid_to: Option<NaiveDate>,
    /// The ERP's version of the record.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(Price, path: "prices", type: "price");

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PricesQuery {
    product_id: Option<Uuid>,
    price_list_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_prices)
        .add(create_price)
        .add(get_price)
        .add(apply_price)
        .add(update_price);
}

/// Prices of all lists.
#[utoipa::path(tag = "catalogue", params(PricesQuery), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "A page of prices", body = Page<Price>)))]
#[get("/prices")]
async fn list_prices(read: Read<may::ReadProducts>, query: Query<PricesQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let mut found = prices::table.select(Price::as_select()).into_boxed();
        if let Some(customers) = customers::in_sight(&sight) {
            found = found.filter(
                prices::customer_id
                    .is_null()
                    .or(prices::customer_id.eq_any(customers.nullable())),
            );
        }
        if let Some(product) = query.product_id {
            found = found.filter(prices::product_id.eq(product));
        }
        if let Some(list) = query.price_list_id {
            found = found.filter(prices::price_list_id.eq(list));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: prices::id as Uuid => |p: &Price| p.id, [
            "created_at" => prices::created_at as DateTime<Utc> => |p: &Price| p.created_at,
        ])
    })
    .await
}

/// One price.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "The price", body = Price)))]
#[get("/prices/{id}")]
async fn get_price(read: Read<may::ReadProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| {
        let price: Price = prices::table
            .find(path.id)
            .select(Price::as_select())
            .first(conn)
            .or_not_found("price")?;
        // What is agreed with a customer is seen with the customer.
        match price.customer_id {
            Some(customer) if customers::standing(conn, &sight, customer)?.is_none() => {
                Err(Problem::not_found("price").into())
            }
            _ => Ok(price),
        }
    })
    .await
}

/// Apply a price as the ERP has it. For the sync.
#[utoipa::path(tag = "catalogue", params(IdPath), request_body = PriceReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored price", body = Price),
        (status = 201, description = "The price, new here", body = Price)))]
#[put("/prices/{id}")]
async fn apply_price(
    command: Command<may::ApplyPrices>,
    path: Path<IdPath>,
    body: Body<PriceReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

/// Prices are made in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", security(("api_key" = ["products:write"])), responses())]
#[post("/prices")]
async fn create_price(_command: Command<may::WriteCatalogue>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, "/v1/price-lists/{id}/prices"))
}

/// Prices are changed in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:write"])), responses())]
#[patch("/prices/{id}")]
async fn update_price(_command: Command<may::WriteCatalogue>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, &format!("/v1/prices/{}", path.id)))
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &PriceReplicaIn) -> Result<Put<Price>> {
    let mut faults = Faults::default();
    if let (Some(from), Some(to)) = (told.valid_from, told.valid_to)
        && to < from
    {
        faults.add("/valid_to", "out_of_range", "must not be before valid_from");
    }
    faults.check()?;
    let price = Price {
        id,
        price_list_id: told.price_list_id,
        price_list_name: told.price_list_name.clone(),
        currency: told.currency,
        tier: told.tier.clone(),
        customer_id: told.customer_id,
        product_id: told.product_id,
        unit_price: told.unit_price,
        minimum_quantity: told.minimum_quantity,
        valid_from: told.valid_from,
        valid_to: told.valid_to,
        source_version: told.source_version,
        as_of: storable(told.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    apply_replica!(tx, prices, price, replace: told.replace)
}

/// All prices of these products, in the order in which a reader looks for one. What is agreed with a customer is
/// seen with the customer.
pub(super) fn of_products(conn: &mut PgConnection, sight: &Sight, product_ids: &[Uuid]) -> QueryResult<Vec<Price>> {
    let mut found = prices::table
        .filter(prices::product_id.eq_any(product_ids.to_vec()))
        .select(Price::as_select())
        .into_boxed();
    if let Some(customers) = customers::in_sight(sight) {
        found = found.filter(
            prices::customer_id
                .is_null()
                .or(prices::customer_id.eq_any(customers.nullable())),
        );
    }
    found
        .order((
            prices::currency.asc(),
            prices::tier.asc().nulls_first(),
            prices::minimum_quantity.asc(),
            prices::valid_from.asc().nulls_first(),
            prices::id.asc(),
        ))
        .load(conn)
}

/// Which kind of list answers before which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceRule {
    /// The customer's own price.
    Customer,
    /// The list of the customer's tier.
    Tier,
    /// The base list of the currency.
    Base,
}

/// Which price answered for a product, a customer, a quantity and a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceTrace {
    pub rule: PriceRule,
    pub price_id: Uuid,
    pub price_list_id: Uuid,
    pub price_list_name: String,
    /// Of the customer when it was asked.
    pub tier: Option<String>,
    pub unit_price: UnitPrice,
    /// Applies from this quantity on.
    pub minimum_quantity: Quantity,
    pub valid_from: Option<NaiveDate>,
    /// Last day, included.
    pub valid_to: Option<NaiveDate>,
    /// The day that was asked for.
    pub priced_on: NaiveDate,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    position: i64,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    price_list_id: Uuid,
    #[diesel(sql_type = Text)]
    price_list_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    tier: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    customer_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    unit_price: UnitPrice,
    #[diesel(sql_type = Numeric)]
    minimum_quantity: Quantity,
    #[diesel(sql_type = Nullable<Date>)]
    valid_from: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    valid_to: Option<NaiveDate>,
    #[diesel(sql_type = Timestamptz)]
    as_of: DateTime<Utc>,
}

/// The list price of each (product, quantity) on a date, in the order asked; `None` where the
/// replica knows none. See [`price_traces`].
///
/// # Errors
/// When the database refuses.
pub fn prices_for(
    conn: &mut PgConnection,
    customer: Uuid,
    tier: Option<&str>,
    currency: Currency,
    date: NaiveDate,
    asked: &[(Uuid, Quantity)],
) -> QueryResult<Vec<Option<UnitPrice>>> {
    let traces = price_traces(conn, customer, tier, currency, date, asked)?;
    Ok(traces
        .into_iter()
        .map(|trace| trace.map(|trace| trace.unit_price))
        .collect())
}

/// Which price answers for each (product, quantity) on a date, in the order asked; `None` where the
/// replica knows none.
///
/// The ERP's rule: the customer's own list before the tier's, that before the base list, then the largest minimum quantity that is
/// reached, then the latest `valid_from`; `valid_to` includes that day.
///
/// # Errors
/// When the database refuses.
pub fn price_traces(
    conn: &mut PgConnection,
    customer: Uuid,
    tier: Option<&str>,
    currency: Currency,
    date: NaiveDate,
    asked: &[(Uuid, Quantity)],
) -> QueryResult<Vec<Option<PriceTrace>>> {
    let found: Vec<Found> = sql("SELECT asked.position, price.*
         FROM (SELECT $1 AS customer, $2 AS tier, $3 AS currency, $4 AS date) AS question
         CROSS JOIN unnest($5, $6) WITH ORDINALITY AS asked (product_id, quantity, position)
         CROSS JOIN LATERAL (
             SELECT id, price_list_id, price_list_name, tier, customer_id, unit_price, minimum_quantity, valid_from, valid_to, as_of
             FROM prices
             WHERE product_id = asked.product_id AND currency = question.currency
               AND (tier IS NULL OR tier = question.tier) AND (customer_id IS NULL OR customer_id = question.customer)
               AND minimum_quantity <= asked.quantity
               AND (valid_from IS NULL OR valid_from <= question.date)
               AND (valid_to IS NULL OR valid_to >= question.date)
             ORDER BY customer_id NULLS LAST, tier NULLS LAST, minimum_quantity DESC, valid_from DESC NULLS LAST, id
             LIMIT 1) AS price")
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Text>, _>(tier)
    .bind::<Text, _>(currency)
    .bind::<Date, _>(date)
    .bind::<Array<SqlUuid>, _>(asked.iter().map(|(product, _)| *product).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(asked.iter().map(|(_, quantity)| *quantity).collect::<Vec<_>>())
    .rows(conn)?;
    let mut prices = vec![None; asked.len()];
    for price in found {
        let slot = usize::try_from(price.position)
            .ok()
            .and_then(|n| prices.get_mut(n.checked_sub(1)?));
        if let Some(slot) = slot {
            *slot = Some(PriceTrace {
                rule: match (price.customer_id, &price.tier) {
                    (Some(_), _) => PriceRule::Customer,
                    (None, Some(_)) => PriceRule::Tier,
                    (None, None) => PriceRule::Base,
                },
                price_id: price.id,
                price_list_id: price.price_list_id,
                price_list_name: price.price_list_name,
                tier: tier.map(str::to_owned),
                unit_price: price.unit_price,
                minimum_quantity: price.minimum_quantity,
                valid_from: price.valid_from,
                valid_to: price.valid_to,
                priced_on: date,
                as_of: price.as_of,
            });
        }
    }
    Ok(prices)
}
