use super::model::{
    PostSupplierBill, ReleaseSupplierBill, ReverseSupplierBill, SupplierBill, SupplierBillIn, SupplierBillPatch,
    SupplierBillsQuery,
};
use super::{actions, queries, reversal};
use crate::may;
use crate::purchasing::orders::OptionalPurchaseReason;
use actix_web::{get, patch, post};
use service_kit::problem::Error;
use service_kit::{Answer, Body, Command, IdPath, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_supplier_bills)
        .add(create_supplier_bill)
        .add(get_supplier_bill)
        .add(update_supplier_bill)
        .add(post_supplier_bill)
        .add(release_supplier_bill)
        .add(reverse_supplier_bill)
        .add(cancel_supplier_bill);
}

#[utoipa::path(tag = "supplier bills", params(SupplierBillsQuery), security(("api_key" = ["bills:read"])),
    responses((status = 200, description = "A page of bills", body = Page<SupplierBill>)))]
#[get("/supplier-bills")]
async fn list_supplier_bills(read: Read<may::ReadBills>, query: Query<SupplierBillsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Enter a bill as a draft.
///
/// A number that the supplier has used before is refused with 409 `duplicate`.
#[utoipa::path(tag = "supplier bills", request_body = SupplierBillIn, security(("api_key" = ["bills:write"])),
    responses((status = 201, description = "The draft", body = SupplierBill)))]
#[post("/supplier-bills")]
async fn create_supplier_bill(
    command: Command<may::WriteBills>,
    body: Body<SupplierBillIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "supplier bills", params(IdPath), security(("api_key" = ["bills:read"])),
    responses((status = 200, description = "The bill", body = SupplierBill)))]
#[get("/supplier-bills/{id}")]
async fn get_supplier_bill(read: Read<may::ReadBills>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        queries::find(conn, path.id).map_err(|error| match error {
            Error::Database(diesel::result::Error::NotFound) => Problem::not_found("supplier bill").into(),
            other => other,
        })
    })
    .await
}

/// Change a bill that is not posted; it is a draft again.
#[utoipa::path(tag = "supplier bills", params(IdPath), request_body(content = SupplierBillPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["bills:write"])), responses((status = 200, description = "The changed bill", body = SupplierBill)))]
#[patch("/supplier-bills/{id}")]
async fn update_supplier_bill(
    command: Command<may::WriteBills>,
    path: Path<IdPath>,
    body: Body<SupplierBillPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::edit(tx, path.id, &body.0)).await
}

/// Match a bill with its orders and receipts, and post it.
///
/// Outside of the tolerance it is not posted: its status is then `match_held`, and `findings` says why.
#[utoipa::path(tag = "supplier bills", params(IdPath), request_body = PostSupplierBill, security(("api_key" = ["bills:post"])),
    responses((status = 200, description = "The bill, posted or held", body = SupplierBill)))]
#[post("/supplier-bills/{id}/post")]
async fn post_supplier_bill(
    command: Command<may::PostBills>,
    path: Path<IdPath>,
    body: OptionalBody<PostSupplierBill>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::post(tx, path.id, body.0.date)).await
}

/// Post a held bill in spite of what is outside of the tolerance.
///
/// Who entered, last changed or posted it may not release it.
#[utoipa::path(tag = "supplier bills", params(IdPath), request_body = ReleaseSupplierBill, security(("api_key" = ["bills:release"])),
    responses((status = 200, description = "The posted bill", body = SupplierBill)))]
#[post("/supplier-bills/{id}/release")]
async fn release_supplier_bill(
    command: Command<may::ReleaseBills>,
    path: Path<IdPath>,
    body: Body<ReleaseSupplierBill>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::release(tx, path.id, &body.0.reason, body.0.date))
        .await
}

/// Take a posted bill back: its entry is mirrored, and what it billed can be billed again.
#[utoipa::path(tag = "supplier bills", params(IdPath), request_body = ReverseSupplierBill, security(("api_key" = ["postings:reverse"])),
    responses((status = 200, description = "The reversed bill", body = SupplierBill)))]
#[post("/supplier-bills/{id}/reverse")]
async fn reverse_supplier_bill(
    command: Command<may::ReversePostings>,
    path: Path<IdPath>,
    body: Body<ReverseSupplierBill>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| reversal::reverse(tx, path.id, &body.0.reason, body.0.date))
        .await
}

/// Cancel a bill that is not posted.
#[utoipa::path(tag = "supplier bills", params(IdPath), request_body = OptionalPurchaseReason, security(("api_key" = ["bills:write"])),
    responses((status = 200, description = "The cancelled bill", body = SupplierBill)))]
#[post("/supplier-bills/{id}/cancel")]
async fn cancel_supplier_bill(
    command: Command<may::WriteBills>,
    path: Path<IdPath>,
    body: OptionalBody<OptionalPurchaseReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| actions::cancel(tx, path.id, body.0.reason.as_deref()))
        .await
}
