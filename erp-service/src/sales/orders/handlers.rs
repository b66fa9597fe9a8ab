use super::input::{OptionalReasonIn, ReasonIn, SalesOrderAmendment, SalesOrderIn, SalesOrderPatch, SubmittedOrder};
use super::model::SalesOrder;
use super::rows::OrderRow;
use super::status::Status;
use super::{actions, amend, apply, drafts, queries, release};
use crate::customers::segments;
use crate::may;
use crate::schema::sales_orders;
use actix_web::{get, patch, post, put};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SalesOrdersQuery {
    status: Option<Status>,
    customer_id: Option<Uuid>,
    /// Orders of customers that are in this segment of the CRM now.
    segment_id: Option<Uuid>,
    /// `crm` or `erp`.
    origin: Option<SearchText>,
    external_ref: Option<SearchText>,
    number: Option<SearchText>,
    order_date_from: Option<NaiveDate>,
    order_date_to: Option<NaiveDate>,
    /// Finds in number and external_ref.
    q: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `order_date`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_sales_orders)
        .add(create_sales_order)
        .add(get_sales_order)
        .add(apply_sales_order)
        .add(update_sales_order)
        .add(confirm_sales_order)
        .add(amend_sales_order)
        .add(hold_sales_order)
        .add(release_sales_order)
        .add(close_sales_order)
        .add(cancel_sales_order);
}

#[utoipa::path(tag = "sales orders", params(SalesOrdersQuery), security(("api_key" = ["sales_orders:read"])),
    responses((status = 200, description = "A page of sales orders", body = Page<SalesOrder>)))]
#[get("/sales-orders")]
async fn list_sales_orders(
    read: Read<may::ReadSalesOrders>,
    query: Query<SalesOrdersQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| list(conn, &query)).await
}

fn list(conn: &mut PgConnection, query: &SalesOrdersQuery) -> Result<Page<SalesOrder>> {
    let mut orders = sales_orders::table.select(OrderRow::as_select()).into_boxed();
    if let Some(status) = query.status {
        orders = orders.filter(sales_orders::status.eq(status.name()));
    }
    if let Some(customer) = query.customer_id {
        orders = orders.filter(sales_orders::customer_id.eq(customer));
    }
    if let Some(segment) = query.segment_id {
        orders = orders.filter(sales_orders::customer_id.eq_any(segments::buyers_in(segment)));
    }
    if let Some(origin) = &query.origin {
        orders = orders.filter(sales_orders::origin.eq(origin.as_str()));
    }
    if let Some(reference) = &query.external_ref {
        orders = orders.filter(sales_orders::external_ref.eq(reference.as_str()));
    }
    if let Some(number) = &query.number {
        orders = orders.filter(sales_orders::number.eq(number.as_str()));
    }
    if let Some(date) = query.order_date_from {
        orders = orders.filter(sales_orders::order_date.ge(date));
    }
    if let Some(date) = query.order_date_to {
        orders = orders.filter(sales_orders::order_date.le(date));
    }
    if let Some(text) = &query.q {
        let pattern = text.contains();
        orders = orders.filter(
            sales_orders::number
                .ilike(pattern.clone())
                .or(sales_orders::external_ref.ilike(pattern)),
        );
    }
    let page: Result<Page<OrderRow>> = keyset_page!(orders, conn, query.limit, query.cursor, query.sort,
        id: sales_orders::id as Uuid => |order: &OrderRow| order.id, [
        "created_at" => sales_orders::created_at as DateTime<Utc> => |order: &OrderRow| order.created_at,
        "order_date" => sales_orders::order_date as NaiveDate => |order: &OrderRow| order.order_date,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: queries::complete(conn, items)?,
        next_cursor,
    })
}

/// Enter an order of the back office; `confirm: true` confirms it in the same command.
#[utoipa::path(tag = "sales orders", request_body = SalesOrderIn, security(("api_key" = ["sales_orders:write"])),
    responses((status = 201, description = "The order", body = SalesOrder)))]
#[post("/sales-orders")]
async fn create_sales_order(
    command: Command<may::WriteSalesOrders>,
    body: Body<SalesOrderIn>,
) -> Result<Answer, Problem> {
    if body.0.confirm {
        command.require::<may::ConfirmSalesOrders>()?;
    }
    command.create(move |tx| drafts::place(tx, &body.0)).await
}

#[utoipa::path(tag = "sales orders", params(IdPath), security(("api_key" = ["sales_orders:read"])),
    responses((status = 200, description = "The order with its lines", body = SalesOrder)))]
#[get("/sales-orders/{id}")]
async fn get_sales_order(read: Read<may::ReadSalesOrders>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id)).await
}

/// Apply an order that was submitted in the CRM, and decide on it.
///
/// The decision is part of the answer: accepted (confirmed, numbered, reserved, perhaps on hold)
/// or rejected with reasons line by line. A repeat changes nothing.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = SubmittedOrder, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The order as it stands", body = SalesOrder), (status = 201, description = "The new order with its decision", body = SalesOrder)))]
#[put("/sales-orders/{id}")]
async fn apply_sales_order(
    command: Command<may::ApplySalesOrders>,
    path: Path<IdPath>,
    body: Body<SubmittedOrder>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply::apply(tx, path.id, &body.0)).await
}

/// Change a draft.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body(content = SalesOrderPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["sales_orders:write"])), responses((status = 200, description = "The changed draft", body = SalesOrder)))]
#[patch("/sales-orders/{id}")]
async fn update_sales_order(
    command: Command<may::WriteSalesOrders>,
    path: Path<IdPath>,
    body: Body<SalesOrderPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| drafts::edit(tx, path.id, &body.0)).await
}

/// Confirm a draft: price it, check the customer's credit, reserve stock.
///
/// Lines that cannot be covered are backordered; an order over the credit limit is numbered and on
/// hold, without a reservation.
#[utoipa::path(tag = "sales orders", params(IdPath), security(("api_key" = ["sales_orders:confirm"])),
    responses((status = 200, description = "The confirmed order", body = SalesOrder)))]
#[post("/sales-orders/{id}/confirm")]
async fn confirm_sales_order(command: Command<may::ConfirmSalesOrders>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| drafts::confirm(tx, path.id)).await
}

/// Change a confirmed order: quantities, lines, prices, date, address.
///
/// Quantities stay at or above what is delivered and invoiced, and the price of an invoiced line is
/// frozen: 409 `below_delivered`, `below_invoiced`, `price_frozen` with the lines. Agreed prices stay
/// unless `reprice` is set. Only what the order grows by is checked for credit.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = SalesOrderAmendment, security(("api_key" = ["sales_orders:amend"])),
    responses((status = 200, description = "The amended order", body = SalesOrder)))]
#[post("/sales-orders/{id}/amend")]
async fn amend_sales_order(
    command: Command<may::AmendSalesOrders>,
    path: Path<IdPath>,
    body: Body<SalesOrderAmendment>,
) -> Result<Answer, Problem> {
    command.run(move |tx| amend::amend(tx, path.id, &body.0)).await
}

/// Hold a confirmed order by hand.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = ReasonIn, security(("api_key" = ["sales_orders:hold"])),
    responses((status = 200, description = "The order on hold", body = SalesOrder)))]
#[post("/sales-orders/{id}/hold")]
async fn hold_sales_order(
    command: Command<may::HoldSalesOrders>,
    path: Path<IdPath>,
    body: Body<ReasonIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::hold(tx, path.id, &body.0.reason)).await
}

/// Release an order from its holds, on your authority and with a reason.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = ReasonIn, security(("api_key" = ["sales_orders:release"])),
    responses((status = 200, description = "The released order", body = SalesOrder)))]
#[post("/sales-orders/{id}/release")]
async fn release_sales_order(
    command: Command<may::ReleaseSalesOrders>,
    path: Path<IdPath>,
    body: Body<ReasonIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| release::release(tx, path.id, &body.0.reason))
        .await
}

/// Close an order; an undelivered rest is dropped, with a reason.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = OptionalReasonIn, security(("api_key" = ["sales_orders:close"])),
    responses((status = 200, description = "The closed order", body = SalesOrder)))]
#[post("/sales-orders/{id}/close")]
async fn close_sales_order(
    command: Command<may::CloseSalesOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalReasonIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::close(tx, path.id, body.0.reason.as_deref()))
        .await
}

/// Cancel an order while nothing has shipped.
#[utoipa::path(tag = "sales orders", params(IdPath), request_body = OptionalReasonIn, security(("api_key" = ["sales_orders:cancel"])),
    responses((status = 200, description = "The cancelled order", body = SalesOrder)))]
#[post("/sales-orders/{id}/cancel")]
async fn cancel_sales_order(
    command: Command<may::CancelSalesOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalReasonIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::cancel(tx, path.id, body.0.reason.as_deref()))
        .await
}
