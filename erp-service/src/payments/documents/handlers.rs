use super::model::{AllocationIn, AllocationsIn, Payment, PaymentIn, PaymentsQuery};
use super::undo::{self, ReversalIn, UnallocationIn};
use super::{actions, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::{Answer, Body, Command, IdPath, Page, Path, Permission, Problem, Query, Read, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_payments)
        .add(create_payment)
        .add(get_payment)
        .add(allocate_payment)
        .add(unallocate_payment)
        .add(reverse_payment);
}

#[utoipa::path(tag = "payments", params(PaymentsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of payments", body = Page<Payment>)))]
#[get("/payments")]
async fn list_payments(read: Read<may::ReadPayments>, query: Query<PaymentsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Post a payment and, in the same command, what it clears. The rest stays on account.
///
/// A cash discount is taken when the payment is dated in time: a payment clears more than it is, in the proportion
/// of the discount.
#[utoipa::path(tag = "payments", request_body = PaymentIn, security(("api_key" = ["payments:post"])),
    responses((status = 201, description = "The posted payment", body = Payment)))]
#[post("/payments")]
async fn create_payment(command: Command<may::PostPayments>, body: Body<PaymentIn>) -> Result<Answer, Problem> {
    may_write_off(&command, &body.0.allocations)?;
    command.create(move |tx| actions::pay(tx, &body.0)).await
}

#[utoipa::path(tag = "payments", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The payment", body = Payment)))]
#[get("/payments/{id}")]
async fn get_payment(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::find(conn, path.id)).await
}

/// Clear items with what the payment has on account. Discounts go by the date of the payment.
#[utoipa::path(tag = "payments", params(IdPath), request_body = AllocationsIn, security(("api_key" = ["payments:post"])),
    responses((status = 200, description = "The payment", body = Payment)))]
#[post("/payments/{id}/allocate")]
async fn allocate_payment(
    command: Command<may::PostPayments>,
    path: Path<IdPath>,
    body: Body<AllocationsIn>,
) -> Result<Answer, Problem> {
    may_write_off(&command, &body.0.allocations)?;
    command.run(move |tx| actions::allocate(tx, path.id, &body.0)).await
}

/// Undo allocations: the items are open again, and the money stands on account.
#[utoipa::path(tag = "payments", params(IdPath), request_body = UnallocationIn, security(("api_key" = ["payments:post"])),
    responses((status = 200, description = "The payment", body = Payment)))]
#[post("/payments/{id}/unallocate")]
async fn unallocate_payment(
    command: Command<may::PostPayments>,
    path: Path<IdPath>,
    body: Body<UnallocationIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| undo::unallocate(tx, path.id, &body.0)).await
}

/// Reverse a payment that bounced or was a mistake: what it cleared is open again, discounts are taken back.
#[utoipa::path(tag = "payments", params(IdPath), request_body = ReversalIn, security(("api_key" = ["postings:reverse"])),
    responses((status = 200, description = "The reversed payment", body = Payment)))]
#[post("/payments/{id}/reverse")]
async fn reverse_payment(
    command: Command<may::ReversePostings>,
    path: Path<IdPath>,
    body: Body<ReversalIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| undo::reverse(tx, path.id, &body.0)).await
}

/// Writing off asks for a permission of its own.
pub(in crate::payments) fn may_write_off<P: Permission>(
    command: &Command<P>,
    allocations: &[AllocationIn],
) -> Result<(), Problem> {
    match allocations
        .iter()
        .any(|one| one.write_off.is_some_and(|amount| !amount.is_zero()))
    {
        true => command.require::<may::WriteOff>(),
        false => Ok(()),
    }
}
