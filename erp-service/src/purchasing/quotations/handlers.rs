use super::model::{
    AwardIn, AwardedRequest, QuotationAnswersIn, QuotationComparison, RequestForQuotation, RequestForQuotationIn,
    RequestsQuery,
};
use super::{actions, award, comparison, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_requests_for_quotation)
        .add(create_request_for_quotation)
        .add(get_request_for_quotation)
        .add(send_request_for_quotation)
        .add(answer_request_for_quotation)
        .add(compare_quotations)
        .add(award_request_for_quotation)
        .add(cancel_request_for_quotation);
}

#[utoipa::path(tag = "requests for quotation", params(RequestsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of requests", body = Page<RequestForQuotation>)))]
#[get("/requests-for-quotation")]
async fn list_requests_for_quotation(
    read: Read<may::ReadPurchasing>,
    query: Query<RequestsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Ask several suppliers the same.
#[utoipa::path(tag = "requests for quotation", request_body = RequestForQuotationIn, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 201, description = "The request", body = RequestForQuotation)))]
#[post("/requests-for-quotation")]
async fn create_request_for_quotation(
    command: Command<may::WritePurchaseOrders>,
    body: Body<RequestForQuotationIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "requests for quotation", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The request with its answers", body = RequestForQuotation)))]
#[get("/requests-for-quotation/{id}")]
async fn get_request_for_quotation(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let request = queries::load(conn, path.id).or_not_found("request for quotation")?;
        Ok(request.shown())
    })
    .await
}

#[utoipa::path(tag = "requests for quotation", params(IdPath), security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The request, numbered", body = RequestForQuotation)))]
#[post("/requests-for-quotation/{id}/send")]
async fn send_request_for_quotation(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::send(tx, path.id)).await
}

/// Note what a supplier answers; it replaces an earlier answer.
#[utoipa::path(tag = "requests for quotation", params(IdPath), request_body = QuotationAnswersIn, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The request with its answers", body = RequestForQuotation)))]
#[post("/requests-for-quotation/{id}/answers")]
async fn answer_request_for_quotation(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: Body<QuotationAnswersIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::answer(tx, path.id, &body.0)).await
}

/// The answers side by side, valued in the base currency by the rates of today.
#[utoipa::path(tag = "requests for quotation", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "One row for each line and supplier", body = QuotationComparison)))]
#[get("/requests-for-quotation/{id}/comparison")]
async fn compare_quotations(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| comparison::compare(conn, path.id, today)).await
}

/// Give lines to suppliers: one purchase order for each supplier and currency, at the prices of the answers.
#[utoipa::path(tag = "requests for quotation", params(IdPath), request_body = AwardIn, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The request with its new orders", body = AwardedRequest)))]
#[post("/requests-for-quotation/{id}/award")]
async fn award_request_for_quotation(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: Body<AwardIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| award::award(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "requests for quotation", params(IdPath), security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The cancelled request", body = RequestForQuotation)))]
#[post("/requests-for-quotation/{id}/cancel")]
async fn cancel_request_for_quotation(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::cancel(tx, path.id)).await
}
