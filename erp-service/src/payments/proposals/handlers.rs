use super::model::{
    PaymentProposal, PaymentProposalExecutionIn, PaymentProposalHead, PaymentProposalIn, PaymentProposalLine,
    PaymentProposalPatch, PaymentProposalReason, PaymentProposalsQuery, ProposalLinesQuery,
};
use super::{approval, draft, execute, pain, prepare, queries};
use crate::may;
use actix_web::{get, patch, post};
use service_kit::{Answer, Body, Command, IdPath, OptionalBody, Page, Path, Problem, Query, Read, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_payment_proposals)
        .add(create_payment_proposal)
        .add(get_payment_proposal)
        .add(update_payment_proposal)
        .add(submit_payment_proposal)
        .add(approve_payment_proposal)
        .add(reject_payment_proposal)
        .add(cancel_payment_proposal)
        .add(execute_payment_proposal)
        .add(get_payment_file)
        .add(list_payment_proposal_lines);
}

#[utoipa::path(tag = "payment proposals", params(PaymentProposalsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of payment proposals", body = Page<PaymentProposalHead>)))]
#[get("/payment-proposals")]
async fn list_payment_proposals(
    read: Read<may::ReadPayments>,
    query: Query<PaymentProposalsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Propose which suppliers to pay.
///
/// Takes what is due up to a day and what would lose its cash discount, less the suppliers' credits, and says of each item why
/// it is there or why it is left out.
#[utoipa::path(tag = "payment proposals", request_body = PaymentProposalIn, security(("api_key" = ["payment_proposals:write"])),
    responses((status = 201, description = "The proposal, a draft", body = PaymentProposal)))]
#[post("/payment-proposals")]
async fn create_payment_proposal(
    command: Command<may::WritePaymentProposals>,
    body: Body<PaymentProposalIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| prepare::create(tx, &body.0)).await
}

#[utoipa::path(tag = "payment proposals", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The proposal with its payments and their items", body = PaymentProposal)))]
#[get("/payment-proposals/{id}")]
async fn get_payment_proposal(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::find(conn, path.id)).await
}

/// Take items of a draft out, put them back, or pay them in part.
#[utoipa::path(tag = "payment proposals", params(IdPath), request_body(content = PaymentProposalPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["payment_proposals:write"])), responses((status = 200, description = "The changed proposal", body = PaymentProposal)))]
#[patch("/payment-proposals/{id}")]
async fn update_payment_proposal(
    command: Command<may::WritePaymentProposals>,
    path: Path<IdPath>,
    body: Body<PaymentProposalPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| draft::edit(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "payment proposals", params(IdPath), security(("api_key" = ["payment_proposals:write"])),
    responses((status = 200, description = "The proposal, waiting for its approval", body = PaymentProposal)))]
#[post("/payment-proposals/{id}/submit")]
async fn submit_payment_proposal(
    command: Command<may::WritePaymentProposals>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| approval::submit(tx, path.id)).await
}

/// Approve what somebody else proposed, and the bank details as they are now.
///
/// Its value must be within the limit of the key or its role; above every limit nobody approves. When a supplier's bank
/// details change afterwards it has to be approved again, by somebody else than who changed them.
#[utoipa::path(tag = "payment proposals", params(IdPath), security(("api_key" = ["payment_proposals:approve"])),
    responses((status = 200, description = "The approved proposal", body = PaymentProposal)))]
#[post("/payment-proposals/{id}/approve")]
async fn approve_payment_proposal(
    command: Command<may::ApprovePaymentProposals>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| approval::approve(tx, path.id)).await
}

/// Give a proposal back with a reason: it is a draft again.
#[utoipa::path(tag = "payment proposals", params(IdPath), request_body = PaymentProposalReason, security(("api_key" = ["payment_proposals:approve"])),
    responses((status = 200, description = "The draft", body = PaymentProposal)))]
#[post("/payment-proposals/{id}/reject")]
async fn reject_payment_proposal(
    command: Command<may::ApprovePaymentProposals>,
    path: Path<IdPath>,
    body: Body<PaymentProposalReason>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| approval::reject(tx, path.id, &body.0.reason))
        .await
}

/// End a proposal that nothing was paid of: its items may stand in another one.
#[utoipa::path(tag = "payment proposals", params(IdPath), request_body = PaymentProposalReason, security(("api_key" = ["payment_proposals:write"])),
    responses((status = 200, description = "The cancelled proposal", body = PaymentProposal)))]
#[post("/payment-proposals/{id}/cancel")]
async fn cancel_payment_proposal(
    command: Command<may::WritePaymentProposals>,
    path: Path<IdPath>,
    body: Body<PaymentProposalReason>,
) -> Result<Answer, Problem> {
    command.run(move |tx| draft::cancel(tx, path.id, &body.0.reason)).await
}

/// Post the payments of an approved proposal, one for each supplier and currency, all or none.
///
/// Items that were paid or disputed meanwhile, or lost their cash discount, are dropped with the reason; never is more paid
/// than was approved.
#[utoipa::path(tag = "payment proposals", params(IdPath), request_body = PaymentProposalExecutionIn, security(("api_key" = ["payments:post"])),
    responses((status = 200, description = "The executed proposal", body = PaymentProposal)))]
#[post("/payment-proposals/{id}/execute")]
async fn execute_payment_proposal(
    command: Command<may::PostPayments>,
    path: Path<IdPath>,
    body: OptionalBody<PaymentProposalExecutionIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| execute::execute(tx, path.id, body.0.date)).await
}

/// The credit transfers of an approved or executed proposal for the bank, as ISO 20022 pain.001.001.09.
///
/// Of an approved proposal the file has what an execution would pay now; of an executed one its payments.
#[utoipa::path(tag = "payment proposals", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The file", body = String, content_type = "application/xml")))]
#[get("/payment-proposals/{id}/pain.001")]
async fn get_payment_file(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.file("application/xml", move |conn| pain::file(conn, path.id))
        .await
}

/// Items in proposals, with what became of them.
#[utoipa::path(tag = "payment proposals", params(ProposalLinesQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of lines", body = Page<PaymentProposalLine>)))]
#[get("/payment-proposal-lines")]
async fn list_payment_proposal_lines(
    read: Read<may::ReadPayments>,
    query: Query<ProposalLinesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page_of_lines(conn, &query.0)).await
}
