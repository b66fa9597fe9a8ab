use super::model::{
    OrderRequisition, OrderedRequisition, Requisition, RequisitionIn, RequisitionPatch, RequisitionsQuery,
};
use super::{actions, queries};
use crate::purchasing::orders::{OptionalPurchaseReason, PurchaseReason};
use crate::{company, may};
use actix_web::{get, patch, post};
use service_kit::{
    Answer, Body, Command, IdPath, OptionalBody, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes,
};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_requisitions)
        .add(create_requisition)
        .add(get_requisition)
        .add(update_requisition)
        .add(submit_requisition)
        .add(approve_requisition)
        .add(reject_requisition)
        .add(order_requisition)
        .add(cancel_requisition);
}

#[utoipa::path(tag = "requisitions", params(RequisitionsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of requisitions", body = Page<Requisition>)))]
#[get("/requisitions")]
async fn list_requisitions(
    read: Read<may::ReadPurchasing>,
    query: Query<RequisitionsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Say what is needed.
#[utoipa::path(tag = "requisitions", request_body = RequisitionIn, security(("api_key" = ["requisitions:write"])),
    responses((status = 201, description = "The requisition", body = Requisition)))]
#[post("/requisitions")]
async fn create_requisition(
    command: Command<may::WriteRequisitions>,
    body: Body<RequisitionIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "requisitions", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The requisition", body = Requisition)))]
#[get("/requisitions/{id}")]
async fn get_requisition(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let (row, lines) = queries::load(conn, path.id).or_not_found("requisition")?;
        let base = company::settings(conn)?.base_currency;
        Ok(Requisition::from_rows(&row, &lines, base))
    })
    .await
}

/// Change a requisition that is not decided.
#[utoipa::path(tag = "requisitions", params(IdPath), request_body(content = RequisitionPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["requisitions:write"])), responses((status = 200, description = "The changed requisition", body = Requisition)))]
#[patch("/requisitions/{id}")]
async fn update_requisition(
    command: Command<may::WriteRequisitions>,
    path: Path<IdPath>,
    body: Body<RequisitionPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::edit(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "requisitions", params(IdPath), security(("api_key" = ["requisitions:write"])),
    responses((status = 200, description = "The submitted requisition", body = Requisition)))]
#[post("/requisitions/{id}/submit")]
async fn submit_requisition(command: Command<may::WriteRequisitions>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::submit(tx, path.id)).await
}

/// Approve what somebody else needs, within the limit of the key or its role.
#[utoipa::path(tag = "requisitions", params(IdPath), security(("api_key" = ["requisitions:approve"])),
    responses((status = 200, description = "The approved requisition", body = Requisition)))]
#[post("/requisitions/{id}/approve")]
async fn approve_requisition(
    command: Command<may::ApproveRequisitions>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::approve(tx, path.id)).await
}

#[utoipa::path(tag = "requisitions", params(IdPath), request_body = PurchaseReason, security(("api_key" = ["requisitions:approve"])),
    responses((status = 200, description = "The rejected requisition", body = Requisition)))]
#[post("/requisitions/{id}/reject")]
async fn reject_requisition(
    command: Command<may::ApproveRequisitions>,
    path: Path<IdPath>,
    body: Body<PurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::reject(tx, path.id, &body.0.reason))
        .await
}

/// Make purchase orders of an approved requisition, one for each supplier.
///
/// A line goes to the supplier that is named here, else to the preferred one, else to who asks least.
#[utoipa::path(tag = "requisitions", params(IdPath), request_body = OrderRequisition, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The requisition with its new orders", body = OrderedRequisition)))]
#[post("/requisitions/{id}/order")]
async fn order_requisition(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OrderRequisition>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::order(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "requisitions", params(IdPath), request_body = OptionalPurchaseReason, security(("api_key" = ["requisitions:write"])),
    responses((status = 200, description = "The cancelled requisition", body = Requisition)))]
#[post("/requisitions/{id}/cancel")]
async fn cancel_requisition(
    command: Command<may::WriteRequisitions>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalPurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::cancel(tx, path.id, body.0.reason.as_deref()))
        .await
}
