use super::model::{Supplier, SupplierIn, SupplierPatch, SupplierStatus, SuppliersQuery};
use super::{actions, queries};
use crate::catalog::products::taken;
use crate::may;
use actix_web::{get, patch, post, put};
use service_kit::http::require_same_id;
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_suppliers)
        .add(create_supplier)
        .add(get_supplier)
        .add(put_supplier)
        .add(update_supplier)
        .add(archive_supplier)
        .add(restore_supplier);
}

#[utoipa::path(tag = "suppliers", params(SuppliersQuery), security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "A page of suppliers", body = Page<Supplier>)))]
#[get("/suppliers")]
async fn list_suppliers(read: Read<may::ReadSuppliers>, query: Query<SuppliersQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

#[utoipa::path(tag = "suppliers", request_body = SupplierIn, security(("api_key" = ["suppliers:write"])),
    responses((status = 201, description = "The supplier", body = Supplier)))]
#[post("/suppliers")]
async fn create_supplier(command: Command<may::WriteSuppliers>, body: Body<SupplierIn>) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let created = actions::create(tx, body.0.id, &body.0)?;
            created.ok_or_else(|| taken("/id", "a supplier with this id exists"))
        })
        .await
}

#[utoipa::path(tag = "suppliers", params(IdPath), security(("api_key" = ["suppliers:read"])),
    responses((status = 200, description = "The supplier", body = Supplier)))]
#[get("/suppliers/{id}")]
async fn get_supplier(read: Read<may::ReadSuppliers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| queries::find(conn, path.id).or_not_found("supplier"))
        .await
}

/// Create a supplier under an id of your own, or change it with `If-Match`.
#[utoipa::path(tag = "suppliers", params(IdPath), request_body = SupplierIn, security(("api_key" = ["suppliers:write"])),
    responses((status = 200, description = "The supplier, changed or as it was", body = Supplier),
              (status = 201, description = "The new supplier", body = Supplier)))]
#[put("/suppliers/{id}")]
async fn put_supplier(
    command: Command<may::WriteSuppliers>,
    path: Path<IdPath>,
    body: Body<SupplierIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            actions::put(tx, path.id, &body.0)
        })
        .await
}

#[utoipa::path(tag = "suppliers", params(IdPath), request_body(content = SupplierPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["suppliers:write"])), responses((status = 200, description = "The changed supplier", body = Supplier)))]
#[patch("/suppliers/{id}")]
async fn update_supplier(
    command: Command<may::WriteSuppliers>,
    path: Path<IdPath>,
    body: Body<SupplierPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let current = queries::lock(tx, path.id).or_not_found("supplier")?;
            let wanted = current.with(body.0.clone());
            actions::update(tx, &current, &wanted)
        })
        .await
}

/// Order nothing more from a supplier; what was ordered goes on to its end.
#[utoipa::path(tag = "suppliers", params(IdPath), security(("api_key" = ["suppliers:write"])),
    responses((status = 200, description = "The archived supplier", body = Supplier)))]
#[post("/suppliers/{id}/archive")]
async fn archive_supplier(command: Command<may::WriteSuppliers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::set_status(tx, path.id, "archive", SupplierStatus::Archived))
        .await
}

/// Order from an archived supplier again.
#[utoipa::path(tag = "suppliers", params(IdPath), security(("api_key" = ["suppliers:write"])),
    responses((status = 200, description = "The active supplier", body = Supplier)))]
#[post("/suppliers/{id}/restore")]
async fn restore_supplier(command: Command<may::WriteSuppliers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::set_status(tx, path.id, "restore", SupplierStatus::Active))
        .await
}
