use super::actions;
use super::model::{Delivery, DeliveryIn, PostedDelivery};
use super::queries::{self, DeliveryRow};
use crate::may;
use crate::schema::{deliveries, sales_orders};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Command, Cursor, Limit, OptionalBody, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeliveriesQuery {
    /// Deliveries of this sales order.
    order_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    date_from: Option<NaiveDate>,
    date_to: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeliveriesOfOrderQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(deliver_sales_order)
        .add(list_deliveries_of_order)
        .add(list_deliveries)
        .add(get_delivery);
}

/// Ship what is reserved of an order: all of it, or the lines named.
///
/// More than a line has reserved is refused with 409 `exceeds_reserved`.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = DeliveryIn, security(("api_key" = ["deliveries:write"])),
    responses((status = 201, description = "The delivery, with its order as it stands now", body = PostedDelivery)))]
#[post("/sales-orders/{id}/deliveries")]
async fn deliver_sales_order(
    command: Command<may::WriteDeliveries>,
    path: Path<IdPath>,
    body: OptionalBody<DeliveryIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::post(tx, path.id, &body.0)).await
}

/// The deliveries of an order.
#[utoipa::path(tag = "sales orders", params(IdPath, DeliveriesOfOrderQuery), security(("api_key" = ["deliveries:read"])),
    responses((status = 200, description = "A page of deliveries", body = Page<Delivery>)))]
#[get("/sales-orders/{id}/deliveries")]
async fn list_deliveries_of_order(
    read: Read<may::ReadDeliveries>,
    path: Path<IdPath>,
    query: Query<DeliveriesOfOrderQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        sales_orders::table
            .find(path.id)
            .select(sales_orders::id)
            .first::<Uuid>(conn)
            .or_not_found("sales order")?;
        let rows = all().filter(deliveries::order_id.eq(path.id));
        page(conn, rows, query.limit, query.cursor.as_ref(), query.sort.as_ref())
    })
    .await
}

#[utoipa::path(tag = "sales orders", params(DeliveriesQuery), security(("api_key" = ["deliveries:read"])),
    responses((status = 200, description = "A page of deliveries", body = Page<Delivery>)))]
#[get("/deliveries")]
async fn list_deliveries(read: Read<may::ReadDeliveries>, query: Query<DeliveriesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = all();
        if let Some(order) = query.order_id {
            rows = rows.filter(deliveries::order_id.eq(order));
        }
        if let Some(customer) = query.customer_id {
            rows = rows.filter(sales_orders::customer_id.eq(customer));
        }
        if let Some(date) = query.date_from {
            rows = rows.filter(deliveries::delivered_on.ge(date));
        }
        if let Some(date) = query.date_to {
            rows = rows.filter(deliveries::delivered_on.le(date));
        }
        page(conn, rows, query.limit, query.cursor.as_ref(), query.sort.as_ref())
    })
    .await
}

#[utoipa::path(tag = "sales orders", params(IdPath), security(("api_key" = ["deliveries:read"])),
    responses((status = 200, description = "The delivery", body = Delivery)))]
#[get("/deliveries/{id}")]
async fn get_delivery(read: Read<may::ReadDeliveries>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let row: DeliveryRow = all()
            .filter(deliveries::id.eq(path.id))
            .first(conn)
            .or_not_found("delivery")?;
        let mut found = queries::complete(conn, vec![row])?;
        found.pop().ok_or_else(|| Problem::not_found("delivery").into())
    })
    .await
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    deliveries::table.inner_join(sales_orders::table).select((
        deliveries::id,
        deliveries::number,
        deliveries::order_id,
        sales_orders::number,
        sales_orders::customer_id,
        deliveries::warehouse_id,
        deliveries::delivered_on,
        deliveries::external_ref,
        deliveries::created_at,
    ))
}

type Boxed = diesel::helper_types::IntoBoxed<'static, joined, diesel::pg::Pg>;

fn all() -> Boxed {
    joined().into_boxed()
}

fn page(
    conn: &mut PgConnection,
    rows: Boxed,
    limit: Option<Limit>,
    cursor: Option<&Cursor>,
    sort: Option<&Sort>,
) -> Result<Page<Delivery>> {
    let cursor = cursor.cloned();
    let sort = sort.cloned();
    let page: Result<Page<DeliveryRow>> = keyset_page!(rows, conn, limit, cursor, sort, id: deliveries::id as Uuid => |d: &DeliveryRow| d.id, [
        "created_at" => deliveries::created_at as DateTime<Utc> => |d: &DeliveryRow| d.created_at,
        "date" => deliveries::delivered_on as NaiveDate => |d: &DeliveryRow| d.delivered_on,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: queries::complete(conn, items)?,
        next_cursor,
    })
}
