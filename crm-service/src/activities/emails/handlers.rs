//! E-mails over HTTP.

use crate::activities::emails::model::{EmailIn, EmailMessage};
use crate::activities::emails::{actions, inbound, parse, queries};
use crate::may;
use actix_web::http::header;
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use service_kit::http::{IdPath, MessageFile};
use service_kit::{Answer, Body, Command, OrNotFound, Path, Problem, Read, Routes};
use utoipa::IntoParams;
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    routes
        .add(send_email)
        .add(get_email)
        .add(get_email_attachment)
        .add(retry_email)
        .add(cancel_email)
        .add(receive_email);
}

/// Send an e-mail, in own words or from a template.
///
/// It goes out after this has been answered: `state` tells how it stands. With `dry_run` the
/// message is shown and not sent.
#[utoipa::path(tag = "e-mail", request_body = EmailIn, security(("api_key" = ["emails:send"])),
    responses((status = 201, description = "The message, queued", body = EmailMessage)))]
#[post("/emails")]
async fn send_email(command: Command<may::SendEmails>, body: Body<EmailIn>) -> Result<Answer, Problem> {
    let mail = command.mail().ok_or_else(actions::not_configured)?;
    command.create(move |tx| actions::send(tx, &mail, &body.0)).await
}

/// A message that went out or came in here.
#[utoipa::path(tag = "e-mail", params(IdPath), security(("api_key" = ["activities:read"])),
    responses((status = 200, description = "The message", body = EmailMessage)))]
#[get("/emails/{id}")]
async fn get_email(read: Read<may::ReadActivities>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::get(conn, path.id, &sight)).await
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct AttachmentPath {
    id: Uuid,
    /// Its place among the attachments, from 0.
    #[param(max_length = 10)]
    position: String,
}

/// A file of a message.
#[utoipa::path(tag = "e-mail", params(AttachmentPath), security(("api_key" = ["activities:read"])),
    responses((status = 200, description = "The file", content_type = "application/octet-stream", body = String)))]
#[get("/emails/{id}/attachments/{position}")]
async fn get_email_attachment(
    read: Read<may::ReadActivities>,
    path: Path<AttachmentPath>,
) -> Result<HttpResponse, Problem> {
    let sight = read.actor().sight.clone();
    let (attachment, bytes) = read
        .fetch(move |conn| {
            let email = queries::get(conn, path.id, &sight)?;
            let source = queries::source(conn, email.id).or_not_found("attachment")?;
            let position = path.position.parse().ok();
            let found = source
                .zip(position)
                .and_then(|(source, position)| parse::attachment(&source, position));
            found.ok_or_else(|| Problem::not_found("attachment").into())
        })
        .await?;
    // What somebody sent is saved, never shown by a browser as if it were ours.
    let name: String = attachment
        .name
        .unwrap_or_else(|| "attachment".to_owned())
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

/// Send a message anew that had failed.
#[utoipa::path(tag = "e-mail", params(IdPath), security(("api_key" = ["emails:send"])),
    responses((status = 200, description = "The message, queued", body = EmailMessage)))]
#[post("/emails/{id}/retry")]
async fn retry_email(command: Command<may::SendEmails>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::retry(tx, path.id)).await
}

/// Take a message back that has not gone out yet.
#[utoipa::path(tag = "e-mail", params(IdPath), security(("api_key" = ["emails:send"])),
    responses((status = 200, description = "The message, cancelled", body = EmailMessage)))]
#[post("/emails/{id}/cancel")]
async fn cancel_email(command: Command<may::SendEmails>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::cancel(tx, path.id)).await
}

/// Take in a message as it came (RFC 5322): what a mail server pipes here.
///
/// A message that is delivered again is answered with the one that is here (200). It joins the
/// thread of what it answers; otherwise the sender's address tells which customer it concerns.
/// `errors[].pointer` names the header at fault.
#[utoipa::path(tag = "e-mail", request_body(content = MessageFile, content_type = "message/rfc822"),
    security(("api_key" = ["emails:receive"])),
    responses((status = 200, description = "The message, which was here already", body = EmailMessage),
        (status = 201, description = "The message", body = EmailMessage)))]
#[post("/inbound-emails")]
async fn receive_email(command: Command<may::ReceiveEmails>, body: MessageFile) -> Result<Answer, Problem> {
    command.put(move |tx| inbound::receive(tx, &body.0)).await
}
