use super::model::{ChangeRequestsIn, Order, OrderCancelIn, OrderCopyIn, OrderIn, OrderPatch, OrderPutIn, OrdersQuery};
use super::status::ChangeKind;
use super::{assignment, change_requests, drafts, queries, submission};
use crate::may;
use actix_web::{get, patch, post, put};
use service_kit::http::IdPath;
use service_kit::users::AssignIn;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_orders)
        .add(create_order)
        .add(get_order)
        .add(put_order)
        .add(update_order)
        .add(submit_order)
        .add(copy_order)
        .add(cancel_order)
        .add(request_order_changes)
        .add(assign_order);
}

/// Orders of the CRM and of the back office.
#[utoipa::path(tag = "orders", params(OrdersQuery), security(("api_key" = ["orders:read"])),
    responses((status = 200, description = "A page of orders", body = Page<Order>)))]
#[get("/orders")]
async fn list_orders(read: Read<may::ReadOrders>, query: Query<OrdersQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        // Orders and their lines are two statements: both must see the same state.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| queries::page(conn, &sight, &query))
    })
    .await
}

/// Place an order as a draft; with `submit` at once.
///
/// Products need not be known here yet: the ERP decides and rejects unknown ones line by line.
#[utoipa::path(tag = "orders", request_body = OrderIn, security(("api_key" = ["orders:write"])),
    responses((status = 201, description = "The order", body = Order)))]
#[post("/orders")]
async fn create_order(command: Command<may::WriteOrders>, body: Body<OrderIn>) -> Result<Answer, Problem> {
    if body.0.submit {
        command.require::<may::SubmitOrders>()?;
    }
    command.create(move |tx| drafts::place(tx, &body.0)).await
}

/// One order with everything that came back from the ERP.
#[utoipa::path(tag = "orders", params(IdPath), security(("api_key" = ["orders:read"])),
    responses((status = 200, description = "The order", body = Order)))]
#[get("/orders/{id}")]
async fn get_order(read: Read<may::ReadOrders>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::get(conn, &sight, path.id)?.wire()).await
}

/// Put the whole content of a draft in place, or place an order under this id.
#[utoipa::path(tag = "orders", params(IdPath), request_body = OrderPutIn, security(("api_key" = ["orders:write"])),
    responses((status = 200, description = "The order", body = Order),
        (status = 201, description = "The new order", body = Order)))]
#[put("/orders/{id}")]
async fn put_order(
    command: Command<may::WriteOrders>,
    path: Path<IdPath>,
    body: Body<OrderPutIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| drafts::put(tx, path.id, &body.0)).await
}

/// Change a draft.
#[utoipa::path(tag = "orders", params(IdPath), request_body = OrderPatch, security(("api_key" = ["orders:write"])),
    responses((status = 200, description = "The order", body = Order)))]
#[patch("/orders/{id}")]
async fn update_order(
    command: Command<may::WriteOrders>,
    path: Path<IdPath>,
    body: Body<OrderPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| drafts::change(tx, path.id, &body.0)).await
}

/// Submit a draft to the ERP, which accepts or rejects it.
///
/// Lines without a price get the list price of the customer's tier at the order date; what the
/// CRM cannot price, the ERP does. A submitted order does not change here any more.
#[utoipa::path(tag = "orders", params(IdPath), security(("api_key" = ["orders:submit"])),
    responses((status = 200, description = "The submitted order", body = Order)))]
#[post("/orders/{id}/submit")]
async fn submit_order(command: Command<may::SubmitOrders>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| submission::submit(tx, path.id)).await
}

/// Make a new draft of any order, dated today.
///
/// Prices that somebody gave are kept; list prices are found anew when the copy is submitted.
#[utoipa::path(tag = "orders", params(IdPath), request_body = OrderCopyIn, security(("api_key" = ["orders:write"])),
    responses((status = 201, description = "The copy", body = Order)))]
#[post("/orders/{id}/copy")]
async fn copy_order(
    command: Command<may::WriteOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OrderCopyIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| drafts::copy(tx, path.id, body.0.id)).await
}

/// Cancel a draft at once; request the cancellation of a submitted order.
///
/// The ERP grants or refuses the request; `cancellation.state` tells which. An order that was
/// rejected, delivered, closed or cancelled cannot be cancelled.
#[utoipa::path(tag = "orders", params(IdPath), request_body = OrderCancelIn, security(("api_key" = ["orders:cancel"])),
    responses((status = 200, description = "The order", body = Order)))]
#[post("/orders/{id}/cancel")]
async fn cancel_order(
    command: Command<may::CancelOrders>,
    path: Path<IdPath>,
    body: OptionalBody<OrderCancelIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| submission::cancel(tx, path.id, body.0.reason.as_deref()))
        .await
}

/// Ask the ERP to change a submitted order: quantities, date, address, or to cancel lines of it.
///
/// The order stays as it was submitted; the ERP grants or refuses each request, and
/// `change_requests` tells which. What it has now stands in `fulfilment`.
#[utoipa::path(tag = "orders", params(IdPath), request_body = ChangeRequestsIn, security(("api_key" = ["orders:submit"])),
    responses((status = 200, description = "The order with its requests", body = Order)))]
#[post("/orders/{id}/change-requests")]
async fn request_order_changes(
    command: Command<may::SubmitOrders>,
    path: Path<IdPath>,
    body: Body<ChangeRequestsIn>,
) -> Result<Answer, Problem> {
    if body.0.requests.iter().any(|request| request.kind == ChangeKind::Cancel) {
        command.require::<may::CancelOrders>()?;
    }
    command
        .run(move |tx| change_requests::request(tx, path.id, &body.0))
        .await
}

/// Give an order to somebody else, whatever its state. What the timeline tells of it goes along.
#[utoipa::path(tag = "orders", params(IdPath), request_body = AssignIn, security(("api_key" = ["orders:write"])),
    responses((status = 200, description = "The order", body = Order)))]
#[post("/orders/{id}/assign")]
async fn assign_order(
    command: Command<may::WriteOrders>,
    path: Path<IdPath>,
    body: Body<AssignIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| assignment::assign(tx, path.id, &body.0)).await
}
