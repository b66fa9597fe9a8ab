use super::model::{
    OptionalPurchaseReason, PurchaseOrder, PurchaseOrderIn, PurchaseOrderPatch, PurchaseOrdersQuery, PurchaseReason,
};
use super::{actions, queries};
use crate::{company, may};
use actix_web::{get, patch, post};
use service_kit::{
    Answer, Body, Command, IdPath, OptionalBody, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes,
};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_purchase_orders)
        .add(create_purchase_order)
        .add(get_purchase_order)
        .add(update_purchase_order)
        .add(submit_purchase_order)
        .add(approve_purchase_order)
        .add(reject_purchase_order)
        .add(close_purchase_order)
        .add(cancel_purchase_order);
}

#[utoipa::path(tag = "purchase orders", params(PurchaseOrdersQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of purchase orders", body = Page<PurchaseOrder>)))]
#[get("/purchase-orders")]
async fn list_purchase_orders(
    read: Read<may::ReadPurchasing>,
    query: Query<PurchaseOrdersQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Enter a purchase order, as a draft or submitted at once.
///
/// Lines without a price get what the supplier asks; a line that it has no price for is refused.
#[utoipa::path(tag = "purchase orders", request_body = PurchaseOrderIn, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 201, description = "The purchase order", body = PurchaseOrder)))]
#[post("/purchase-orders")]
async fn create_purchase_order(
    command: Command<may::WritePurchaseOrders>,
    body: Body<PurchaseOrderIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::place(tx, &body.0)).await
}

#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The purchase order", body = PurchaseOrder)))]
#[get("/purchase-orders/{id}")]
async fn get_purchase_order(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let (row, lines) = queries::load(conn, path.id).or_not_found("purchase order")?;
        let base = company::settings(conn)?.base_currency;
        Ok(PurchaseOrder::from_rows(&row, &lines, base))
    })
    .await
}

/// Change an order that is not at its end.
///
/// What was received or billed binds. Worth more than was approved, it waits for another approval.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body(content = PurchaseOrderPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["purchase_orders:write"])), responses((status = 200, description = "The changed order", body = PurchaseOrder)))]
#[patch("/purchase-orders/{id}")]
async fn update_purchase_order(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: Body<PurchaseOrderPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::edit(tx, path.id, &body.0)).await
}

/// Submit a draft for approval. Up to the value that the settings leave free it is ordered at once.
#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The submitted order", body = PurchaseOrder)))]
#[post("/purchase-orders/{id}/submit")]
async fn submit_purchase_order(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::submit(tx, path.id)).await
}

/// Approve an order that somebody else made: it is numbered and binding.
///
/// Its value must be within the limit of the key or its role; above every limit nobody approves.
#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchase_orders:approve"])),
    responses((status = 200, description = "The order, binding", body = PurchaseOrder)))]
#[post("/purchase-orders/{id}/approve")]
async fn approve_purchase_order(
    command: Command<may::ApprovePurchaseOrders>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::approve(tx, path.id)).await
}

/// Give an order back with a reason.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body = PurchaseReason, security(("api_key" = ["purchase_orders:approve"])),
    responses((status = 200, description = "The rejected order", body = PurchaseOrder)))]
#[post("/purchase-orders/{id}/reject")]
async fn reject_purchase_order(
    command: Command<may::ApprovePurchaseOrders>,
    path: Path<IdPath>,
    body: Body<PurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::reject(tx, path.id, &body.0.reason))
        .await
}

/// End an order. What is still to come is given up, with a reason.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body = OptionalPurchaseReason, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The closed order", body = PurchaseOrder)))]
#[post("/purchase-orders/{id}/close")]
async fn close_purchase_order(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalPurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::close(tx, path.id, body.0.reason.as_deref()))
        .await
}

/// Cancel an order of which nothing has come.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body = OptionalPurchaseReason, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The cancelled order", body = PurchaseOrder)))]
#[post("/purchase-orders/{id}/cancel")]
async fn cancel_purchase_order(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalPurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::cancel(tx, path.id, body.0.reason.as_deref()))
        .await
}
