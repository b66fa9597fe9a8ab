use super::model::{SupplierCreditNote, SupplierCreditNoteIn, SupplierCreditNotesQuery};
use super::{actions, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::problem::Error;
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_supplier_credit_notes)
        .add(create_supplier_credit_note)
        .add(get_supplier_credit_note);
}

#[utoipa::path(tag = "supplier bills", params(SupplierCreditNotesQuery), security(("api_key" = ["bills:read"])),
    responses((status = 200, description = "A page of credit notes", body = Page<SupplierCreditNote>)))]
#[get("/supplier-credit-notes")]
async fn list_supplier_credit_notes(
    read: Read<may::ReadBills>,
    query: Query<SupplierCreditNotesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Enter and post a supplier's credit note. It clears its own bill first.
#[utoipa::path(tag = "supplier bills", request_body = SupplierCreditNoteIn, security(("api_key" = ["bills:post"])),
    responses((status = 201, description = "The posted credit note", body = SupplierCreditNote)))]
#[post("/supplier-credit-notes")]
async fn create_supplier_credit_note(
    command: Command<may::PostBills>,
    body: Body<SupplierCreditNoteIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::post(tx, &body.0)).await
}

#[utoipa::path(tag = "supplier bills", params(IdPath), security(("api_key" = ["bills:read"])),
    responses((status = 200, description = "The credit note", body = SupplierCreditNote)))]
#[get("/supplier-credit-notes/{id}")]
async fn get_supplier_credit_note(read: Read<may::ReadBills>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        queries::find(conn, path.id).map_err(|error| match error {
            Error::Database(diesel::result::Error::NotFound) => Problem::not_found("supplier credit note").into(),
            other => other,
        })
    })
    .await
}
