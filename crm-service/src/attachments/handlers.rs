//! Attachments over HTTP.

use super::model::{Attachment, AttachmentQuery, AttachmentsQuery};
use super::{actions, names, queries};
use crate::may;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use service_kit::http::{File, IdPath};
use service_kit::users::AssignIn;
use service_kit::{Answer, Body, Command, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_attachments)
        .add(create_attachment)
        .add(get_attachment)
        .add(download_attachment)
        .add(assign_attachment)
        .add(delete_attachment);
}

/// Files that the caller sees: of one record, of a customer, or all.
#[utoipa::path(tag = "attachments", params(AttachmentsQuery), security(("api_key" = ["attachments:read"])),
    responses((status = 200, description = "A page of files, without their content", body = Page<Attachment>)))]
#[get("/attachments")]
async fn list_attachments(read: Read<may::ReadAttachments>, query: Query<AttachmentsQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// Hang a file on a record that the caller sees: the body is the file, its `Content-Type` that of the request.
///
/// It may have 10 MiB, and a record 100 files. The name is kept without folders and control characters.
#[utoipa::path(tag = "attachments", params(AttachmentQuery),
    request_body(content = File, content_type = "application/octet-stream"),
    security(("api_key" = ["attachments:write"])),
    responses((status = 201, description = "The file, without its content", body = Attachment)))]
#[post("/attachments")]
async fn create_attachment(
    command: Command<may::WriteAttachments>,
    query: Query<AttachmentQuery>,
    file: File,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::upload(tx, &query, &file)).await
}

/// What a file is, without its content.
#[utoipa::path(tag = "attachments", params(IdPath), security(("api_key" = ["attachments:read"])),
    responses((status = 200, description = "The file", body = Attachment)))]
#[get("/attachments/{id}")]
async fn get_attachment(read: Read<may::ReadAttachments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::get(conn, &sight, path.id)).await
}

/// The content of a file, to be saved: no browser shows it. Its `ETag` is the SHA-256.
#[utoipa::path(tag = "attachments", params(IdPath), security(("api_key" = ["attachments:read"])),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream", body = String),
              (status = 304, description = "`If-None-Match` is the ETag of the content")))]
#[get("/attachments/{id}/content")]
async fn download_attachment(
    read: Read<may::ReadAttachments>,
    path: Path<IdPath>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sight = read.actor().sight.clone();
    let known = request.headers().get(header::IF_NONE_MATCH);
    let known = known.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let (attachment, bytes) = read
        .fetch(move |conn| {
            let attachment = queries::get(conn, &sight, path.id)?;
            let unchanged = known.as_deref() == Some(&tag(&attachment));
            let bytes = match unchanged {
                true => None,
                false => Some(queries::content(conn, attachment.id)?),
            };
            Ok((attachment, bytes))
        })
        .await?;
    let etag = (header::ETAG, tag(&attachment));
    let Some(bytes) = bytes else {
        return Ok(HttpResponse::NotModified().insert_header(etag).finish());
    };
    Ok(HttpResponse::Ok()
        .content_type(attachment.content_type)
        .insert_header(etag)
        .insert_header((header::CONTENT_DISPOSITION, names::disposition(&attachment.name)))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(bytes))
}

fn tag(attachment: &Attachment) -> String {
    format!("\"{}\"", attachment.sha256)
}

/// Give a file to somebody: who sees it follows.
#[utoipa::path(tag = "attachments", params(IdPath), request_body = AssignIn, security(("api_key" = ["attachments:write"])),
    responses((status = 200, description = "The file", body = Attachment)))]
#[post("/attachments/{id}/assign")]
async fn assign_attachment(
    command: Command<may::WriteAttachments>,
    path: Path<IdPath>,
    body: Body<AssignIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::assign(tx, path.id, &body.0)).await
}

/// Remove a file. One that proves a step of a deal stays: `409 attachment_is_evidence`.
#[utoipa::path(tag = "attachments", params(IdPath), security(("api_key" = ["attachments:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/attachments/{id}")]
async fn delete_attachment(command: Command<may::WriteAttachments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| actions::remove(tx, path.id)).await
}
