use super::model::{SupplierReturn, SupplierReturnIn, SupplierReturnsQuery};
use super::{actions, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::problem::Error;
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_supplier_returns)
        .add(create_supplier_return)
        .add(get_supplier_return);
}

#[utoipa::path(tag = "purchase orders", params(SupplierReturnsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of returns", body = Page<SupplierReturn>)))]
#[get("/supplier-returns")]
async fn list_supplier_returns(
    read: Read<may::ReadPurchasing>,
    query: Query<SupplierReturnsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Send something of a receipt back to the supplier.
///
/// Goods leave at the moving average. Of what was billed already a credit note is expected.
#[utoipa::path(tag = "purchase orders", request_body = SupplierReturnIn, security(("api_key" = ["receipts:write"])),
    responses((status = 201, description = "The posted return", body = SupplierReturn)))]
#[post("/supplier-returns")]
async fn create_supplier_return(
    command: Command<may::WriteReceipts>,
    body: Body<SupplierReturnIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::post(tx, &body.0)).await
}

#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The return", body = SupplierReturn)))]
#[get("/supplier-returns/{id}")]
async fn get_supplier_return(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        queries::find(conn, path.id).map_err(|error| match error {
            Error::Database(diesel::result::Error::NotFound) => Problem::not_found("supplier return").into(),
            other => other,
        })
    })
    .await
}
