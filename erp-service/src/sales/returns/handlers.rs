use super::model::{ReturnInspectionIn, ReturnReceiptIn, ReturnRow, ReturnStatus, SalesReturn, SalesReturnIn};
use super::{actions, inspection, queries, receipt};
use crate::may;
use crate::schema::sales_returns;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
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
struct SalesReturnsQuery {
    order_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    #[param(inline)]
    status: Option<ReturnStatus>,
    number: Option<SearchText>,
    external_ref: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_sales_returns)
        .add(create_sales_return)
        .add(get_sales_return)
        .add(receive_sales_return)
        .add(inspect_sales_return)
        .add(cancel_sales_return);
}

#[utoipa::path(tag = "returns", params(SalesReturnsQuery), security(("api_key" = ["returns:read"])),
    responses((status = 200, description = "A page of returns", body = Page<SalesReturn>)))]
#[get("/sales-returns")]
async fn list_sales_returns(read: Read<may::ReadReturns>, query: Query<SalesReturnsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = sales_returns::table.select(ReturnRow::as_select()).into_boxed();
        if let Some(order) = query.order_id {
            found = found.filter(sales_returns::order_id.eq(order));
        }
        if let Some(customer) = query.customer_id {
            found = found.filter(sales_returns::customer_id.eq(customer));
        }
        if let Some(status) = query.status {
            found = found.filter(sales_returns::status.eq(status));
        }
        if let Some(number) = &query.number {
            found = found.filter(sales_returns::number.eq(number.as_str()));
        }
        if let Some(reference) = &query.external_ref {
            found = found.filter(sales_returns::external_ref.eq(reference.as_str()));
        }
        let page: Result<Page<ReturnRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: sales_returns::id as Uuid => |row: &ReturnRow| row.id, [
            "created_at" => sales_returns::created_at as DateTime<Utc> => |row: &ReturnRow| row.created_at,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: queries::complete(conn, items)?,
            next_cursor,
        })
    })
    .await
}

/// Authorise a return of goods that were delivered. Nothing moves yet.
#[utoipa::path(tag = "returns", request_body = SalesReturnIn, security(("api_key" = ["returns:write"])),
    responses((status = 201, description = "The authorised return", body = SalesReturn)))]
#[post("/sales-returns")]
async fn create_sales_return(
    command: Command<may::WriteReturns>,
    body: Body<SalesReturnIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::authorise(tx, &body.0)).await
}

#[utoipa::path(tag = "returns", params(IdPath), security(("api_key" = ["returns:read"])),
    responses((status = 200, description = "The return", body = SalesReturn)))]
#[get("/sales-returns/{id}")]
async fn get_sales_return(read: Read<may::ReadReturns>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id)).await
}

/// Receive what came back: it enters stock at its delivery's cost, and waits for its inspection.
///
/// Without lines all that was authorised came. What did not come may be returned another time.
#[utoipa::path(tag = "returns", params(IdPath), request_body = ReturnReceiptIn, security(("api_key" = ["returns:write"])),
    responses((status = 200, description = "The received return", body = SalesReturn)))]
#[post("/sales-returns/{id}/receive")]
async fn receive_sales_return(
    command: Command<may::WriteReturns>,
    path: Path<IdPath>,
    body: OptionalBody<ReturnReceiptIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| receipt::receive(tx, path.id, &body.0)).await
}

/// Say what becomes of what came back: to stock, which fills backorders, or to scrap.
#[utoipa::path(tag = "returns", params(IdPath), request_body = ReturnInspectionIn, security(("api_key" = ["returns:write"])),
    responses((status = 200, description = "The inspected return", body = SalesReturn)))]
#[post("/sales-returns/{id}/inspect")]
async fn inspect_sales_return(
    command: Command<may::WriteReturns>,
    path: Path<IdPath>,
    body: Body<ReturnInspectionIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| inspection::inspect(tx, path.id, &body.0)).await
}

/// Take an authorisation back, while nothing has come.
#[utoipa::path(tag = "returns", params(IdPath), security(("api_key" = ["returns:write"])),
    responses((status = 200, description = "The cancelled return", body = SalesReturn)))]
#[post("/sales-returns/{id}/cancel")]
async fn cancel_sales_return(command: Command<may::WriteReturns>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::cancel(tx, path.id)).await
}
