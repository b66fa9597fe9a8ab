use super::model::{Prepayment, PrepaymentCancellationIn, PrepaymentIn, PrepaymentsQuery};
use super::requests;
use crate::may;
use actix_web::{get, post};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_prepayments)
        .add(get_prepayment)
        .add(request_prepayment)
        .add(cancel_prepayment);
}

#[utoipa::path(tag = "invoices", params(PrepaymentsQuery), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "A page of prepayments", body = Page<Prepayment>)))]
#[get("/prepayments")]
async fn list_prepayments(read: Read<may::ReadInvoices>, query: Query<PrepaymentsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| requests::page(conn, &query.0)).await
}

#[utoipa::path(tag = "invoices", params(IdPath), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "The prepayment with what came for it", body = Prepayment)))]
#[get("/prepayments/{id}")]
async fn get_prepayment(read: Read<may::ReadInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| requests::find(conn, path.id)).await
}

/// Ask the customer for money before the invoice. Posts nothing; a payment that names the prepayment does.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = PrepaymentIn, security(("api_key" = ["invoices:write"])),
    responses((status = 201, description = "The request", body = Prepayment)))]
#[post("/sales-orders/{id}/prepayments")]
async fn request_prepayment(
    command: Command<may::WriteInvoices>,
    path: Path<IdPath>,
    body: Body<PrepaymentIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| requests::request(tx, path.id, &body.0)).await
}

/// Cancel a prepayment. What came for it and is not cleared by an invoice becomes a credit that can be refunded.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = PrepaymentCancellationIn, security(("api_key" = ["invoices:post"])),
    responses((status = 200, description = "The cancelled prepayment", body = Prepayment)))]
#[post("/prepayments/{id}/cancel")]
async fn cancel_prepayment(
    command: Command<may::PostInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<PrepaymentCancellationIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| requests::cancel(tx, path.id, &body.0)).await
}
