use super::actions;
use super::model::{
    PricesOfSupplierQuery, SupplierPrice, SupplierPriceAnswer, SupplierPriceIn, SupplierPricePatch,
    SupplierPriceQuestion, SupplierPricesQuery,
};
use crate::may;
use actix_web::{get, patch, post};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_prices_of_supplier)
        .add(create_supplier_price)
        .add(ask_supplier_prices)
        .add(list_supplier_prices)
        .add(get_supplier_price)
        .add(update_supplier_price);
}

#[utoipa::path(tag = "suppliers", params(IdPath, PricesOfSupplierQuery), security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "A page of the supplier's prices", body = Page<SupplierPrice>)))]
#[get("/suppliers/{id}/prices")]
async fn list_prices_of_supplier(
    read: Read<may::ReadSuppliers>,
    path: Path<IdPath>,
    query: Query<PricesOfSupplierQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| actions::page_of(conn, path.id, &query.0)).await
}

/// Note what a supplier asks for a product.
///
/// A price that ties with another (same product, currency, minimum quantity and first day) is
/// refused with 409 `duplicate_price`.
#[utoipa::path(tag = "suppliers", params(IdPath), request_body = SupplierPriceIn, security(("api_key" = ["suppliers:write"])),
    responses((status = 201, description = "The price", body = SupplierPrice)))]
#[post("/suppliers/{id}/prices")]
async fn create_supplier_price(
    command: Command<may::WriteSuppliers>,
    path: Path<IdPath>,
    body: Body<SupplierPriceIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, path.id, &body.0)).await
}

/// Ask what a supplier wants for quantities of products; changes nothing.
#[utoipa::path(tag = "suppliers", params(IdPath), request_body = SupplierPriceQuestion, security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "The price of each line, with its explanation", body = SupplierPriceAnswer)))]
#[post("/suppliers/{id}/price-quotes")]
async fn ask_supplier_prices(
    command: Command<may::ReadSuppliers>,
    path: Path<IdPath>,
    body: Body<SupplierPriceQuestion>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let today = tx.today();
            Ok(Answer::json(&actions::answer(tx, path.id, &body.0, today)?)?)
        })
        .await
}

#[utoipa::path(tag = "suppliers", params(SupplierPricesQuery), security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "A page of supplier prices", body = Page<SupplierPrice>)))]
#[get("/supplier-prices")]
async fn list_supplier_prices(
    read: Read<may::ReadSuppliers>,
    query: Query<SupplierPricesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| actions::page(conn, &query.0)).await
}

#[utoipa::path(tag = "suppliers", params(IdPath), security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "The price", body = SupplierPrice)))]
#[get("/supplier-prices/{id}")]
async fn get_supplier_price(read: Read<may::ReadSuppliers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| actions::find(conn, path.id).or_not_found("supplier price"))
        .await
}

/// Change a price or end it.
#[utoipa::path(tag = "suppliers", params(IdPath), request_body(content = SupplierPricePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["suppliers:write"])), responses((status = 200, description = "The changed price", body = SupplierPrice)))]
#[patch("/supplier-prices/{id}")]
async fn update_supplier_price(
    command: Command<may::WriteSuppliers>,
    path: Path<IdPath>,
    body: Body<SupplierPricePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::update(tx, path.id, &body.0)).await
}
