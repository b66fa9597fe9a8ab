use super::model::{Product, ProductIn, ProductPatch, ProductsQuery};
use super::{actions, queries, taken};
use crate::may;
use actix_web::{get, patch, post, put};
use service_kit::http::require_same_id;
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_products)
        .add(create_product)
        .add(get_product)
        .add(put_product)
        .add(update_product)
        .add(retire_product)
        .add(reactivate_product);
}

#[utoipa::path(tag = "catalog", params(ProductsQuery), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "A page of products", body = Page<Product>)))]
#[get("/products")]
async fn list_products(read: Read<may::ReadProducts>, query: Query<ProductsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

#[utoipa::path(tag = "catalog", request_body = ProductIn, security(("api_key" = ["products:write"])),
    responses((status = 201, description = "The product", body = Product)))]
#[post("/products")]
async fn create_product(command: Command<may::WriteProducts>, body: Body<ProductIn>) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let created = actions::create(tx, body.0.id, &body.0)?;
            created.ok_or_else(|| taken("/id", "a product with this id exists"))
        })
        .await
}

#[utoipa::path(tag = "catalog", params(IdPath), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "The product", body = Product)))]
#[get("/products/{id}")]
async fn get_product(read: Read<may::ReadProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id).or_not_found("product"))
        .await
}

/// Create a product under an id of your own, or change it with `If-Match`.
#[utoipa::path(tag = "catalog", params(IdPath), request_body = ProductIn, security(("api_key" = ["products:write"])),
    responses((status = 200, description = "The product, changed or as it was", body = Product),
              (status = 201, description = "The new product", body = Product)))]
#[put("/products/{id}")]
async fn put_product(
    command: Command<may::WriteProducts>,
    path: Path<IdPath>,
    body: Body<ProductIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            actions::put(tx, path.id, &body.0)
        })
        .await
}

#[utoipa::path(tag = "catalog", params(IdPath), request_body(content = ProductPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["products:write"])), responses((status = 200, description = "The changed product", body = Product)))]
#[patch("/products/{id}")]
async fn update_product(
    command: Command<may::WriteProducts>,
    path: Path<IdPath>,
    body: Body<ProductPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let current = queries::lock(tx, path.id).or_not_found("product")?;
            let wanted = current.with(body.0.clone());
            actions::update(tx, current, &wanted)
        })
        .await
}

/// Take a product out of sale: new orders refuse it, old documents keep it.
#[utoipa::path(tag = "catalog", params(IdPath), security(("api_key" = ["products:write"])),
    responses((status = 200, description = "The retired product", body = Product)))]
#[post("/products/{id}/retire")]
async fn retire_product(command: Command<may::WriteProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::retire(tx, path.id)).await
}

/// Put a retired product back into sale.
#[utoipa::path(tag = "catalog", params(IdPath), security(("api_key" = ["products:write"])),
    responses((status = 200, description = "The active product", body = Product)))]
#[post("/products/{id}/reactivate")]
async fn reactivate_product(command: Command<may::WriteProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::reactivate(tx, path.id)).await
}
