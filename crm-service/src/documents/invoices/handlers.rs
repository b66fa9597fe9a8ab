use super::model::{CustomerInvoicesQuery, Invoice, InvoiceReplicaIn, InvoicesQuery};
use super::{apply, queries};
use crate::{customers, may};
use actix_web::{get, patch, post, put};
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Problem, Query, Read, Result, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_invoices)
        .add(create_invoice)
        .add(get_invoice)
        .add(apply_invoice)
        .add(update_invoice)
        .add(list_invoices_of_customer);
}

/// Invoices and credit notes.
#[utoipa::path(tag = "documents", params(InvoicesQuery), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "A page of invoices and credit notes", body = Page<Invoice>)))]
#[get("/invoices")]
async fn list_invoices(read: Read<may::ReadInvoices>, query: Query<InvoicesQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// One invoice or credit note, with what is open of it and what cleared it.
#[utoipa::path(tag = "documents", params(IdPath), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "The invoice or credit note", body = Invoice)))]
#[get("/invoices/{id}")]
async fn get_invoice(read: Read<may::ReadInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::find(conn, &sight, path.id)).await
}

/// Invoices and credit notes of a customer.
#[utoipa::path(tag = "customers", params(IdPath, CustomerInvoicesQuery), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "A page of invoices and credit notes", body = Page<Invoice>)))]
#[get("/customers/{id}/invoices")]
async fn list_invoices_of_customer(
    read: Read<may::ReadInvoices>,
    path: Path<IdPath>,
    query: Query<CustomerInvoicesQuery>,
) -> Result<Answer, Problem> {
    let (query, sight) = (query.0.of(path.id), read.actor().sight.clone());
    read.json(move |conn| {
        customers::queries::require(conn, &sight, path.id, "/invoices")?;
        queries::page(conn, &sight, &query)
    })
    .await
}

/// Apply an invoice or credit note as the ERP has it. For the sync.
#[utoipa::path(tag = "documents", params(IdPath), request_body = InvoiceReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored document", body = Invoice),
        (status = 201, description = "The document, new here", body = Invoice)))]
#[put("/invoices/{id}")]
async fn apply_invoice(
    command: Command<may::ApplyInvoices>,
    path: Path<IdPath>,
    body: Body<InvoiceReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply::apply(tx, path.id, &body.0)).await
}

/// Invoices are made in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "documents", security(("api_key" = ["invoices:write"])), responses())]
#[post("/invoices")]
async fn create_invoice(_command: Command<may::WriteInvoices>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, "/v1/invoices"))
}

/// Invoices are changed in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "documents", params(IdPath), security(("api_key" = ["invoices:write"])), responses())]
#[patch("/invoices/{id}")]
async fn update_invoice(_command: Command<may::WriteInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, &format!("/v1/invoices/{}", path.id)))
}
