use super::model::{PostedReceipt, Receipt, ReceiptIn, ReceiptsQuery};
use super::{actions, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::problem::Error;
use service_kit::{Answer, Command, IdPath, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes.add(receive_purchase_order).add(list_receipts).add(get_receipt);
}

/// Receive what came of a purchase order: all that is still to come, or the lines named.
///
/// Beyond the tolerance it is refused with 409 `over_receipt` and the lines. Stock that comes in
/// fills backorders at once.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body = ReceiptIn, security(("api_key" = ["receipts:write"])),
    responses((status = 201, description = "The receipt, with its order as it stands now", body = PostedReceipt)))]
#[post("/purchase-orders/{id}/receipts")]
async fn receive_purchase_order(
    command: Command<may::WriteReceipts>,
    path: Path<IdPath>,
    body: OptionalBody<ReceiptIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::post(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "purchase orders", params(ReceiptsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of receipts", body = Page<Receipt>)))]
#[get("/receipts")]
async fn list_receipts(read: Read<may::ReadPurchasing>, query: Query<ReceiptsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The receipt", body = Receipt)))]
#[get("/receipts/{id}")]
async fn get_receipt(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        queries::find(conn, path.id).map_err(|error| match error {
            Error::Database(diesel::result::Error::NotFound) => Problem::not_found("receipt").into(),
            other => other,
        })
    })
    .await
}
