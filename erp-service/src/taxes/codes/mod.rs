//! Tax codes with their rates.

mod actions;
mod model;

pub(super) use actions::known;
pub use model::{RatePeriod, TaxCode, TaxCodeIn, TaxCodePatch, TaxCodeStatus, TaxKind};

use self::model::TaxCodesQuery;
use crate::may;
use actix_web::{get, patch, post};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_tax_codes)
        .add(create_tax_code)
        .add(get_tax_code)
        .add(update_tax_code);
}

#[utoipa::path(tag = "taxes", params(TaxCodesQuery), security(("api_key" = ["taxes:read"])),
    responses((status = 200, description = "A page of tax codes", body = Page<TaxCode>)))]
#[get("/tax-codes")]
async fn list_tax_codes(read: Read<may::ReadTaxes>, query: Query<TaxCodesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| actions::page(conn, &query.0)).await
}

/// Add a tax code with its rates by date.
#[utoipa::path(tag = "taxes", request_body = TaxCodeIn, security(("api_key" = ["taxes:write"])),
    responses((status = 201, description = "The tax code", body = TaxCode)))]
#[post("/tax-codes")]
async fn create_tax_code(command: Command<may::WriteTaxes>, body: Body<TaxCodeIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "taxes", params(IdPath), security(("api_key" = ["taxes:read"])),
    responses((status = 200, description = "The tax code", body = TaxCode)))]
#[get("/tax-codes/{id}")]
async fn get_tax_code(read: Read<may::ReadTaxes>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| actions::find(conn, path.id).or_not_found("tax code"))
        .await
}

/// Change a tax code. `rates` replaces all of its rates; documents keep the rate that they have.
#[utoipa::path(tag = "taxes", params(IdPath), request_body(content = TaxCodePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["taxes:write"])), responses((status = 200, description = "The changed tax code", body = TaxCode)))]
#[patch("/tax-codes/{id}")]
async fn update_tax_code(
    command: Command<may::WriteTaxes>,
    path: Path<IdPath>,
    body: Body<TaxCodePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::update(tx, path.id, &body.0)).await
}
