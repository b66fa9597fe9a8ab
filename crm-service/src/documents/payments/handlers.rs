use super::model::{CustomerPaymentsQuery, Payment, PaymentReplicaIn, PaymentsQuery};
use super::{apply, queries};
use crate::{customers, may};
use actix_web::{get, patch, post, put};
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Problem, Query, Read, Result, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_payments)
        .add(create_payment)
        .add(get_payment)
        .add(apply_payment)
        .add(update_payment)
        .add(list_payments_of_customer);
}

/// Payments of customers, and refunds to them.
#[utoipa::path(tag = "documents", params(PaymentsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of payments", body = Page<Payment>)))]
#[get("/payments")]
async fn list_payments(read: Read<may::ReadPayments>, query: Query<PaymentsQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// One payment, with what it cleared.
#[utoipa::path(tag = "documents", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The payment", body = Payment)))]
#[get("/payments/{id}")]
async fn get_payment(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::find(conn, &sight, path.id)).await
}

/// Payments of a customer.
#[utoipa::path(tag = "customers", params(IdPath, CustomerPaymentsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of payments", body = Page<Payment>)))]
#[get("/customers/{id}/payments")]
async fn list_payments_of_customer(
    read: Read<may::ReadPayments>,
    path: Path<IdPath>,
    query: Query<CustomerPaymentsQuery>,
) -> Result<Answer, Problem> {
    let (query, sight) = (query.0.of(path.id), read.actor().sight.clone());
    read.json(move |conn| {
        customers::queries::require(conn, &sight, path.id, "/payments")?;
        queries::page(conn, &sight, &query)
    })
    .await
}

/// Apply a payment as the ERP has it. For the sync.
#[utoipa::path(tag = "documents", params(IdPath), request_body = PaymentReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored payment", body = Payment),
        (status = 201, description = "The payment, new here", body = Payment)))]
#[put("/payments/{id}")]
async fn apply_payment(
    command: Command<may::ApplyPayments>,
    path: Path<IdPath>,
    body: Body<PaymentReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply::apply(tx, path.id, &body.0)).await
}

/// Payments are made in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "documents", security(("api_key" = ["payments:write"])), responses())]
#[post("/payments")]
async fn create_payment(_command: Command<may::WritePayments>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, "/v1/payments"))
}

/// Payments are changed in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "documents", params(IdPath), security(("api_key" = ["payments:write"])), responses())]
#[patch("/payments/{id}")]
async fn update_payment(_command: Command<may::WritePayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, &format!("/v1/payments/{}", path.id)))
}
