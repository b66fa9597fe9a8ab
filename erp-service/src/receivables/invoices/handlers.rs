use super::billing::{self, InvoiceRun, Outcome};
use super::input::{
    CreditNoteIn, InvoiceCancellationIn, InvoiceIn, InvoicePatch, InvoicePostingIn, InvoiceRunIn, InvoicesQuery,
    OrderInvoiceIn,
};
use super::model::Invoice;
use super::{credit, drafts, queries};
use crate::may;
use crate::sales::orders::SalesOrder;
use actix_web::{delete, get, patch, post};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_invoices)
        .add(create_invoice)
        .add(create_invoice_run)
        .add(get_invoice)
        .add(update_invoice)
        .add(delete_invoice)
        .add(post_invoice)
        .add(create_credit_note)
        .add(cancel_invoice)
        .add(invoice_sales_order)
        .add(invoice_delivery);
}

/// Invoices and credit notes.
#[utoipa::path(tag = "invoices", params(InvoicesQuery), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "A page of documents", body = Page<Invoice>)))]
#[get("/invoices")]
async fn list_invoices(read: Read<may::ReadInvoices>, query: Query<InvoicesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::page(conn, &query.0)).await
}

/// Make an invoice, or a credit note that stands alone, with free lines; `post: true` posts it at once.
#[utoipa::path(tag = "invoices", request_body = InvoiceIn, security(("api_key" = ["invoices:write"])),
    responses((status = 201, description = "The document", body = Invoice)))]
#[post("/invoices")]
async fn create_invoice(command: Command<may::WriteInvoices>, body: Body<InvoiceIn>) -> Result<Answer, Problem> {
    if body.0.post {
        command.require::<may::PostInvoices>()?;
    }
    command.create(move |tx| drafts::create(tx, &body.0)).await
}

/// Invoice everything that may be, up to a day: one posted invoice for each order.
#[utoipa::path(tag = "invoices", request_body = InvoiceRunIn, security(("api_key" = ["invoices:post"])),
    responses((status = 200, description = "What was invoiced, and what was put on hold", body = InvoiceRun)))]
#[post("/invoice-runs")]
async fn create_invoice_run(command: Command<may::PostInvoices>, body: Body<InvoiceRunIn>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| Ok(Answer::json(&billing::run(tx, &body.0)?)?))
        .await
}

#[utoipa::path(tag = "invoices", params(IdPath), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "The document with lines, open amount and what cleared it", body = Invoice)))]
#[get("/invoices/{id}")]
async fn get_invoice(read: Read<may::ReadInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::find(conn, path.id)).await
}

/// Change a draft.
#[utoipa::path(tag = "invoices", params(IdPath), request_body(content = InvoicePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["invoices:write"])), responses((status = 200, description = "The document", body = Invoice)))]
#[patch("/invoices/{id}")]
async fn update_invoice(
    command: Command<may::WriteInvoices>,
    path: Path<IdPath>,
    body: Body<InvoicePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| drafts::edit(tx, path.id, &body.0)).await
}

/// Delete a draft. A posted document is credited instead.
#[utoipa::path(tag = "invoices", params(IdPath), security(("api_key" = ["invoices:write"])),
    responses((status = 204, description = "The draft is gone")))]
#[delete("/invoices/{id}")]
async fn delete_invoice(command: Command<may::WriteInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            drafts::delete(tx, path.id)?;
            Ok(Answer::no_content())
        })
        .await
}

/// Post a draft: tax at the tax point, party and rate of the day, number, open items, entry.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = InvoicePostingIn, security(("api_key" = ["invoices:post"])),
    responses((status = 200, description = "The posted document", body = Invoice)))]
#[post("/invoices/{id}/post")]
async fn post_invoice(
    command: Command<may::PostInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<InvoicePostingIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| drafts::post(tx, path.id, body.0.date)).await
}

/// Credit an invoice: what is left of it, or lines by quantity or amount. The credit note is posted at once.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = CreditNoteIn, security(("api_key" = ["invoices:post"])),
    responses((status = 201, description = "The posted credit note", body = Invoice)))]
#[post("/invoices/{id}/credit-notes")]
async fn create_credit_note(
    command: Command<may::PostInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<CreditNoteIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| credit::credit(tx, path.id, &body.0)).await
}

/// Take an invoice back as a whole, by a credit note.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = InvoiceCancellationIn, security(("api_key" = ["invoices:post"])),
    responses((status = 201, description = "The posted credit note", body = Invoice)))]
#[post("/invoices/{id}/cancel")]
async fn cancel_invoice(
    command: Command<may::PostInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<InvoiceCancellationIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| credit::cancel(tx, path.id, &body.0)).await
}

/// Invoice an order: what may be by its policy, or the lines named, with the charges that are not invoiced yet.
///
/// An order whose legal entity has ended is put on hold instead; the answer is then the order.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = OrderInvoiceIn, security(("api_key" = ["invoices:write"])),
    responses((status = 201, description = "The invoice", body = Invoice),
              (status = 200, description = "The order, on hold because its legal entity has ended", body = SalesOrder)))]
#[post("/sales-orders/{id}/invoices")]
async fn invoice_sales_order(
    command: Command<may::WriteInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<OrderInvoiceIn>,
) -> Result<Answer, Problem> {
    if body.0.post {
        command.require::<may::PostInvoices>()?;
    }
    command
        .answer(move |tx| shown(&billing::order(tx, path.id, &body.0)?))
        .await
}

/// Invoice what a delivery brought.
///
/// An order whose legal entity has ended is put on hold instead; the answer is then the order.
#[utoipa::path(tag = "invoices", params(IdPath), request_body = OrderInvoiceIn, security(("api_key" = ["invoices:write"])),
    responses((status = 201, description = "The invoice", body = Invoice),
              (status = 200, description = "The order, on hold because its legal entity has ended", body = SalesOrder)))]
#[post("/deliveries/{id}/invoice")]
async fn invoice_delivery(
    command: Command<may::WriteInvoices>,
    path: Path<IdPath>,
    body: OptionalBody<OrderInvoiceIn>,
) -> Result<Answer, Problem> {
    if body.0.post {
        command.require::<may::PostInvoices>()?;
    }
    command
        .answer(move |tx| shown(&billing::delivery(tx, path.id, &body.0)?))
        .await
}

fn shown(outcome: &Outcome) -> Result<Answer> {
    Ok(match outcome {
        Outcome::Invoiced(invoice) => Answer::created(&**invoice)?,
        Outcome::Held(order) => Answer::ok(&**order)?,
    })
}
