//! Quotes over HTTP.

use super::availability::{self, ShownQuote, with_availability};
use super::list::{self, QuotesQuery};
use super::model::{
    Quote, QuoteAcceptIn, QuoteDeclineIn, QuoteIn, QuoteNoteIn, QuotePatch, QuoteRejectIn, QuoteSendIn, QuoteVersionIn,
};
use super::templates::page;
use super::{approval, deciding, document, editing, sending};
use crate::activities::emails;
use crate::may;
use actix_web::{HttpResponse, get, patch, post};
use service_kit::http::IdPath;
use service_kit::users::AssignIn;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes, Tx};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_quotes)
        .add(create_quote)
        .add(get_quote)
        .add(update_quote)
        .add(get_quote_document)
        .add(create_quote_version)
        .add(request_quote_approval)
        .add(approve_quote)
        .add(reject_quote)
        .add(withdraw_quote)
        .add(send_quote)
        .add(accept_quote)
        .add(decline_quote)
        .add(assign_quote);
}

/// What an action answers, with what there is of the products.
fn shown(tx: &mut Tx<'_>, quote: Quote) -> Result<ShownQuote> {
    let today = tx.today();
    with_availability(tx, quote, today)
}

/// Quotes that the caller sees.
#[utoipa::path(tag = "quotes", params(QuotesQuery), security(("api_key" = ["quotes:read"])),
    responses((status = 200, description = "A page of quotes", body = Page<Quote>)))]
#[get("/quotes")]
async fn list_quotes(read: Read<may::ReadQuotes>, query: Query<QuotesQuery>) -> Result<Answer, Problem> {
    let (sight, today) = (read.actor().sight.clone(), read.today());
    read.json(move |conn| {
        // Quotes and their parts are several statements: all must see the same state.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| list::page(conn, &sight, today, &query))
    })
    .await
}

/// Make a quote: a draft.
///
/// Lines are of the catalogue; those without a price get today's list price of the customer's tier,
/// with the trace of which price answered. With a deal and without lines it offers what the deal is about.
#[utoipa::path(tag = "quotes", request_body = QuoteIn, security(("api_key" = ["quotes:write"])),
    responses((status = 201, description = "The quote", body = ShownQuote)))]
#[post("/quotes")]
async fn create_quote(command: Command<may::WriteQuotes>, body: Body<QuoteIn>) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let quote = editing::make(tx, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// One version of a quote, with what there is of its products as the ERP last told it.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quotes:read"])),
    responses((status = 200, description = "The quote", body = ShownQuote)))]
#[get("/quotes/{id}")]
async fn get_quote(read: Read<may::ReadQuotes>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let (sight, today) = (read.actor().sight.clone(), read.today());
    read.snapshot(move |conn| availability::get(conn, &sight, today, path.id))
        .await
}

/// Change a draft. An approval that was given is for what the quote was.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuotePatch, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The quote", body = ShownQuote)))]
#[patch("/quotes/{id}")]
async fn update_quote(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: Body<QuotePatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = editing::change(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// The document of a quote, made for print: what was sent, or what would be today.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quotes:read"])),
    responses((status = 200, description = "The document", body = String, content_type = "text/html")))]
#[get("/quotes/{id}/document")]
async fn get_quote_document(read: Read<may::ReadQuotes>, path: Path<IdPath>) -> Result<HttpResponse, Problem> {
    let (sight, today) = (read.actor().sight.clone(), read.today());
    let html = read.fetch(move |conn| {
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| document::show(conn, &sight, today, path.id))
    });
    Ok(page(html.await?))
}

/// Make the next version of a quote that was sent, declined or has expired: a draft with the same lines and prices.
///
/// What was sent is taken back at once: it cannot be accepted any more.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteVersionIn, security(("api_key" = ["quotes:write"])),
    responses((status = 201, description = "The new version", body = ShownQuote)))]
#[post("/quotes/{id}/versions")]
async fn create_quote_version(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteVersionIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let quote = editing::new_version(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Ask for approval of the quote's discount.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteNoteIn, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The quote", body = ShownQuote)))]
#[post("/quotes/{id}/request-approval")]
async fn request_quote_approval(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteNoteIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = approval::request(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Let the discount pass. Whoever made or changed the quote may not; nor may anybody whose own limit is below it.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteNoteIn, security(("api_key" = ["quotes:approve"])),
    responses((status = 200, description = "The quote, to be sent", body = ShownQuote)))]
#[post("/quotes/{id}/approve")]
async fn approve_quote(
    command: Command<may::ApproveQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteNoteIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = approval::approve(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Send the quote back to be changed.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteRejectIn, security(("api_key" = ["quotes:approve"])),
    responses((status = 200, description = "The draft", body = ShownQuote)))]
#[post("/quotes/{id}/reject")]
async fn reject_quote(
    command: Command<may::ApproveQuotes>,
    path: Path<IdPath>,
    body: Body<QuoteRejectIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = approval::reject(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Take a request for approval back, to change the quote.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The draft", body = ShownQuote)))]
#[post("/quotes/{id}/withdraw")]
async fn withdraw_quote(command: Command<may::WriteQuotes>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = approval::withdraw(tx, path.id)?;
            shown(tx, quote)
        })
        .await
}

/// Send a quote: it gets its number, its document and its hash, and does not change any more.
///
/// More discount than the caller may offer answers `409 approval_required` until somebody has approved the quote as it is.
/// With `email` the document goes to the customer by e-mail; what keeps the mail from going keeps the quote from being sent.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteSendIn, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The sent quote", body = ShownQuote)))]
#[post("/quotes/{id}/send")]
async fn send_quote(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteSendIn>,
) -> Result<Answer, Problem> {
    let mail = match body.0.email {
        Some(_) => {
            command.require::<may::SendEmails>()?;
            Some(command.mail().ok_or_else(emails::actions::not_configured)?)
        }
        None => None,
    };
    command
        .run(move |tx| {
            let by_mail = mail.as_deref().zip(body.0.email.as_ref());
            let quote = sending::send(tx, path.id, by_mail)?;
            shown(tx, quote)
        })
        .await
}

/// Accept a quote: its order is placed at the promised prices, and submitted unless `submit` is `false`.
///
/// A quote makes one order. Its deal is won with it, unless that is closed or required steps are missing. Needs `orders:write`, and `orders:submit` to submit.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteAcceptIn, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The accepted quote; `order_id` is its order", body = ShownQuote)))]
#[post("/quotes/{id}/accept")]
async fn accept_quote(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteAcceptIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = deciding::accept(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Decline a quote. Another version may follow.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteDeclineIn, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The declined quote", body = ShownQuote)))]
#[post("/quotes/{id}/decline")]
async fn decline_quote(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: OptionalBody<QuoteDeclineIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = deciding::decline(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}

/// Give a quote to somebody. Who sees it, and what is told of it, follows.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = AssignIn, security(("api_key" = ["quotes:write"])),
    responses((status = 200, description = "The quote", body = ShownQuote)))]
#[post("/quotes/{id}/assign")]
async fn assign_quote(
    command: Command<may::WriteQuotes>,
    path: Path<IdPath>,
    body: Body<AssignIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let quote = editing::assign(tx, path.id, &body.0)?;
            shown(tx, quote)
        })
        .await
}
