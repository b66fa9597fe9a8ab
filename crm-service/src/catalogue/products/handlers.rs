use super::model::{Product, ProductReplicaIn, ProductRow, ProductsQuery};
use super::queries;
use crate::may;
use crate::replica::{apply_replica, storable};
use crate::schema::products;
use actix_web::{get, patch, post, put};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OrNotFound, Page, Path, Problem, Put, Query, Read, Result, Routes, Tx};
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_products)
        .add(create_product)
        .add(get_product)
        .add(apply_product)
        .add(update_product);
}

/// Products with their prices and availability.
#[utoipa::path(tag = "catalogue", params(ProductsQuery), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "A page of products", body = Page<Product>)))]
#[get("/products")]
async fn list_products(read: Read<may::ReadProducts>, query: Query<ProductsQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// One product with its prices and availability.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "The product", body = Product)))]
#[get("/products/{id}")]
async fn get_product(read: Read<may::ReadProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.snapshot(move |conn| queries::find(conn, &sight, path.id).or_not_found("product"))
        .await
}

/// Apply a product as the ERP has it. For the sync.
#[utoipa::path(tag = "catalogue", params(IdPath), request_body = ProductReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored product", body = Product),
        (status = 201, description = "The product, new here", body = Product)))]
#[put("/products/{id}")]
async fn apply_product(
    command: Command<may::ApplyCatalogue>,
    path: Path<IdPath>,
    body: Body<ProductReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

/// Products are made in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", security(("api_key" = ["products:write"])), responses())]
#[post("/products")]
async fn create_product(_command: Command<may::WriteCatalogue>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, "/v1/products"))
}

/// Products are changed in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:write"])), responses())]
#[patch("/products/{id}")]
async fn update_product(_command: Command<may::WriteCatalogue>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, &format!("/v1/products/{}", path.id)))
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &ProductReplicaIn) -> Result<Put<Product>> {
    let applied = store(tx, id, told)?;
    let sight = tx.sight();
    let product = queries::find(tx, &sight, id)?;
    Ok(match applied {
        Put::Created(_) => Put::Created(product),
        Put::Updated(_) => Put::Updated(product),
        Put::Unchanged(_) => Put::Unchanged(product),
    })
}

fn store(tx: &mut Tx<'_>, id: Uuid, told: &ProductReplicaIn) -> Result<Put<ProductRow>> {
    let product = ProductRow {
        id,
        sku: told.sku.clone(),
        name: told.name.clone(),
        description: told.description.clone(),
        kind: told.kind,
        unit: told.unit.clone(),
        category_id: told.category_id,
        category_name: told.category_name.clone(),
        status: told.status,
        external_ref: told.external_ref.clone(),
        source_version: told.source_version,
        as_of: storable(told.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    apply_replica!(tx, products, product, replace: told.replace)
}
