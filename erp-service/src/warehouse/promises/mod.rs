//! Promises: when can this customer have how much of it?
//!
//! `POST /v1/promises` answers the earliest day for each part with the supply that it rests on: free
//! stock, then what is expected and not pegged, then what can still be bought within the lead time.
//! With `hold_until` the promise is kept: its stock counts as reserved and its supply is pegged, until an
//! order names it, it is released, or it expires. See [`holds`](crate::inventory::holds).
//!
//! States: `active` → `consumed` (by an order), `expired` (by its date alone) or `released`.

mod actions;
pub mod plan;

use crate::may;
use crate::schema::{expected_supply, promise_parts, promises};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Quantity, Query, Read, Resource, Result,
    Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    PromiseStatus {
        Active = "active",
        /// An order made use of it.
        Consumed = "consumed",
        Expired = "expired",
        Released = "released",
    }
}

text_enum! {
    PromiseSource { Stock = "stock", Supply = "supply", LeadTime = "lead_time" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseIn {
    /// Of the promise, when it is held.
    pub id: Option<Uuid>,
    pub customer_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Absent: the default warehouse.
    pub warehouse_id: Option<Uuid>,
    /// Hold it until then, at most a year; absent: only ask.
    pub hold_until: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromiseReleaseIn {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// What a customer can have, and when.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Promise {
    /// `null` when it was only asked for.
    pub id: Option<Uuid>,
    pub customer_id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub quantity: Quantity,
    /// Earliest first.
    pub parts: Vec<PromisePart>,
    /// What neither stock nor supply nor any supplier can serve.
    pub unpromised_quantity: Quantity,
    /// `null` when it was only asked for.
    pub status: Option<PromiseStatus>,
    pub expires_at: Option<DateTime<Utc>>,
    /// The order that made use of it.
    pub order_id: Option<Uuid>,
    /// Why it was released.
    pub reason: Option<String>,
    pub revision: i64,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
}

/// A quantity that can be delivered on a day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PromisePart {
    pub quantity: Quantity,
    pub available_on: NaiveDate,
    pub source: PromiseSource,
    /// What is expected, e.g. a line of a purchase order.
    pub supply: Option<PromiseSupply>,
    /// Of it still held.
    pub held_quantity: Quantity,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PromiseSupply {
    pub id: Uuid,
    /// `purchase_order`, `transfer`, …
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub expected_on: NaiveDate,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = promises)]
struct PromiseRow {
    id: Uuid,
    customer_id: Uuid,
    product_id: Uuid,
    warehouse_id: Uuid,
    quantity: Quantity,
    status: PromiseStatus,
    expires_at: DateTime<Utc>,
    order_id: Option<Uuid>,
    reason: Option<String>,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PromisesQuery {
    customer_id: Option<Uuid>,
    product_id: Option<Uuid>,
    #[param(inline)]
    status: Option<PromiseStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `expires_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Promise {
    const PATH: &'static str = "promises";
    const TYPE: &'static str = "promise";
    fn id(&self) -> Uuid {
        self.id.unwrap_or_default()
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_promises)
        .add(create_promise)
        .add(get_promise)
        .add(release_promise)
        .add(clear_expired_promises);
}

/// When can a customer have how much of a product? Held when asked to.
#[utoipa::path(tag = "inventory", request_body = PromiseIn, security(("api_key" = ["promises:write"])),
    responses((status = 200, description = "What could be promised; nothing is kept", body = Promise),
        (status = 201, description = "The promise, held", body = Promise)))]
#[post("/promises")]
async fn create_promise(command: Command<may::WritePromises>, body: Body<PromiseIn>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let promise = actions::promise(tx, &body.0)?;
            Ok(match promise.id {
                Some(_) => Answer::created(&promise)?,
                None => Answer::json(&promise)?,
            })
        })
        .await
}

/// Promises that were held.
#[utoipa::path(tag = "inventory", params(PromisesQuery), security(("api_key" = ["promises:read"])),
    responses((status = 200, description = "A page of promises", body = Page<Promise>)))]
#[get("/promises")]
async fn list_promises(read: Read<may::ReadPromises>, query: Query<PromisesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = promises::table.select(PromiseRow::as_select()).into_boxed();
        if let Some(customer) = query.customer_id {
            found = found.filter(promises::customer_id.eq(customer));
        }
        if let Some(product) = query.product_id {
            found = found.filter(promises::product_id.eq(product));
        }
        let now = Utc::now();
        match query.status {
            // By its date alone, whether or not anybody has noticed yet.
            Some(PromiseStatus::Expired) => {
                let due = promises::status
                    .eq(PromiseStatus::Active)
                    .and(promises::expires_at.le(now));
                found = found.filter(promises::status.eq(PromiseStatus::Expired).or(due));
            }
            Some(PromiseStatus::Active) => {
                found = found.filter(
                    promises::status
                        .eq(PromiseStatus::Active)
                        .and(promises::expires_at.gt(now)),
                );
            }
            Some(status) => found = found.filter(promises::status.eq(status)),
            None => {}
        }
        let page: Result<Page<PromiseRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: promises::id as Uuid => |row: &PromiseRow| row.id, [
            "created_at" => promises::created_at as DateTime<Utc> => |row: &PromiseRow| row.created_at,
            "expires_at" => promises::expires_at as DateTime<Utc> => |row: &PromiseRow| row.expires_at,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: complete(conn, items)?,
            next_cursor,
        })
    })
    .await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["promises:read"])),
    responses((status = 200, description = "The promise", body = Promise)))]
#[get("/promises/{id}")]
async fn get_promise(read: Read<may::ReadPromises>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Give up what a promise holds; it goes to the orders that wait.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = PromiseReleaseIn, security(("api_key" = ["promises:write"])),
    responses((status = 200, description = "The released promise", body = Promise)))]
#[post("/promises/{id}/release")]
async fn release_promise(
    command: Command<may::WritePromises>,
    path: Path<IdPath>,
    body: Body<PromiseReleaseIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::release(tx, path.id, &body.0.reason))
        .await
}

/// How many promises were ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PromisesExpired {
    /// Products and warehouses whose stock was given to the orders that wait.
    pub freed: usize,
    /// Whether there may be more: call it again.
    pub more: bool,
}

/// End promises that are due, at most those of 100 products, and give their stock to the orders that
/// wait. Nobody needs to call it for promises to be right: it only lets orders have the stock earlier.
#[utoipa::path(tag = "inventory", security(("api_key" = ["promises:write"])),
    responses((status = 200, description = "What was done", body = PromisesExpired)))]
#[post("/expired-promises")]
async fn clear_expired_promises(command: Command<may::WritePromises>) -> Result<Answer, Problem> {
    command.answer(move |tx| Ok(Answer::json(&actions::expire(tx)?)?)).await
}

fn find(conn: &mut PgConnection, id: Uuid) -> Result<Promise> {
    let row = promises::table
        .find(id)
        .select(PromiseRow::as_select())
        .first(conn)
        .or_not_found("promise")?;
    complete(conn, vec![row])?
        .pop()
        .ok_or_else(|| Problem::not_found("promise").into())
}

type PartRow = (
    Uuid,
    PromiseSource,
    Quantity,
    Quantity,
    NaiveDate,
    Option<(Uuid, String, Uuid, Option<String>, NaiveDate)>,
);

fn complete(conn: &mut PgConnection, rows: Vec<PromiseRow>) -> Result<Vec<Promise>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let parts: Vec<PartRow> = promise_parts::table
        .left_join(expected_supply::table)
        .filter(promise_parts::promise_id.eq_any(&ids))
        .order((
            promise_parts::promise_id,
            promise_parts::available_on,
            promise_parts::position,
        ))
        .select((
            promise_parts::promise_id,
            promise_parts::source,
            promise_parts::quantity,
            promise_parts::held_quantity,
            promise_parts::available_on,
            (
                expected_supply::id,
                expected_supply::source_type,
                expected_supply::source_id,
                expected_supply::source_number,
                expected_supply::expected_on,
            )
                .nullable(),
        ))
        .load(conn)?;
    let now = Utc::now();
    let promises = rows.into_iter().map(|row| {
        let own: Vec<PromisePart> = parts
            .iter()
            .filter(|part| part.0 == row.id)
            .map(
                |(_, source, quantity, held_quantity, available_on, supply)| PromisePart {
                    quantity: *quantity,
                    available_on: *available_on,
                    source: *source,
                    held_quantity: *held_quantity,
                    supply: supply
                        .clone()
                        .map(
                            |(id, source_type, source_id, source_number, expected_on)| PromiseSupply {
                                id,
                                source_type,
                                source_id,
                                source_number,
                                expected_on,
                            },
                        ),
                },
            )
            .collect();
        let promised: Quantity = own.iter().map(|part| part.quantity).sum();
        let lapsed = row.status == PromiseStatus::Active && row.expires_at <= now;
        Promise {
            unpromised_quantity: Quantity::new(row.quantity.value() - promised.value()).unwrap_or_default(),
            parts: own,
            id: Some(row.id),
            customer_id: row.customer_id,
            product_id: row.product_id,
            warehouse_id: row.warehouse_id,
            quantity: row.quantity,
            status: Some(if lapsed { PromiseStatus::Expired } else { row.status }),
            expires_at: Some(row.expires_at),
            order_id: row.order_id,
            reason: row.reason,
            revision: row.revision,
            created_at: Some(row.created_at),
            updated_at: Some(row.updated_at),
        }
    });
    Ok(promises.collect())
}
