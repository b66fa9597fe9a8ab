use super::model::{Price, PriceIn, PricePatch, PricesOfListQuery, PricesQuery};
use super::{actions, queries};
use crate::may;
use actix_web::{get, patch, post};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_prices_of_list)
        .add(create_price)
        .add(list_prices)
        .add(get_price)
        .add(update_price);
}

#[utoipa::path(tag = "pricing", params(IdPath, PricesOfListQuery), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "A page of the list's prices", body = Page<Price>)))]
#[get("/price-lists/{id}/prices")]
async fn list_prices_of_list(
    read: Read<may::ReadPriceLists>,
    path: Path<IdPath>,
    query: Query<PricesOfListQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        queries::list_exists(conn, path.id).or_not_found("price list")?;
        queries::page(conn, &query.in_list(path.id))
    })
    .await
}

/// Add a price to a list.
///
/// A price that ties with another of the list (same product, minimum quantity and first day) is
/// refused with 409 `duplicate_price`.
#[utoipa::path(tag = "pricing", params(IdPath), request_body = PriceIn, security(("api_key" = ["price_lists:write"])),
    responses((status = 201, description = "The price", body = Price)))]
#[post("/price-lists/{id}/prices")]
async fn create_price(
    command: Command<may::WritePriceLists>,
    path: Path<IdPath>,
    body: Body<PriceIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "pricing", params(PricesQuery), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "A page of prices", body = Page<Price>)))]
#[get("/prices")]
async fn list_prices(read: Read<may::ReadPriceLists>, query: Query<PricesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

#[utoipa::path(tag = "pricing", params(IdPath), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "The price", body = Price)))]
#[get("/prices/{id}")]
async fn get_price(read: Read<may::ReadPriceLists>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id).or_not_found("price"))
        .await
}

/// Change a price or end it.
#[utoipa::path(tag = "pricing", params(IdPath), request_body(content = PricePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["price_lists:write"])), responses((status = 200, description = "The changed price", body = Price)))]
#[patch("/prices/{id}")]
async fn update_price(
    command: Command<may::WritePriceLists>,
    path: Path<IdPath>,
    body: Body<PricePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::update(tx, path.id, &body.0)).await
}
