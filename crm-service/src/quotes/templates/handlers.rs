//! Templates over HTTP.

use super::model::{QuoteTemplate, QuoteTemplateDraftIn, QuoteTemplateIn, QuoteTemplateVersion, TemplateRow};
use super::{actions, built_in, data, page, queries, render};
use crate::may;
use crate::schema::{quote_template_versions, quote_templates};
use actix_web::{HttpResponse, get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct QuoteTemplatesQuery {
    #[param(max_length = 6)]
    language: Option<String>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `language`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct QuoteTemplateVersionsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `number`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_quote_templates)
        .add(create_quote_template)
        .add(get_quote_template)
        .add(list_quote_template_versions)
        .add(draft_quote_template)
        .add(publish_quote_template)
        .add(retire_quote_template)
        .add(preview_quote_template);
}

/// Templates of the documents of quotes.
#[utoipa::path(tag = "quotes", params(QuoteTemplatesQuery), security(("api_key" = ["quote_templates:read"])),
    responses((status = 200, description = "A page of templates", body = Page<QuoteTemplate>)))]
#[get("/quote-templates")]
async fn list_quote_templates(
    read: Read<may::ReadQuoteTemplates>,
    query: Query<QuoteTemplatesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = quote_templates::table.select(TemplateRow::as_select()).into_boxed();
        if let Some(language) = &query.language {
            rows = rows.filter(quote_templates::language.eq(language.replace('\0', "")));
        }
        let page: Result<Page<TemplateRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: quote_templates::id as Uuid => |t: &TemplateRow| t.id, [
            "created_at" => quote_templates::created_at as DateTime<Utc> => |t: &TemplateRow| t.created_at,
            "language" => quote_templates::language as String => |t: &TemplateRow| t.language.clone(),
        ]);
        let page = page?;
        Ok(Page {
            items: queries::with_versions(conn, page.items)?,
            next_cursor: page.next_cursor,
        })
    })
    .await
}

/// Make the template of a language: a draft, or published at once.
///
/// HTML with the expressions of Jinja. All faults are named at once, each with its line.
#[utoipa::path(tag = "quotes", request_body = QuoteTemplateIn, security(("api_key" = ["quote_templates:write"])),
    responses((status = 201, description = "The template", body = QuoteTemplate)))]
#[post("/quote-templates")]
async fn create_quote_template(
    command: Command<may::WriteQuoteTemplates>,
    body: Body<QuoteTemplateIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// One template, with its draft and what is published.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quote_templates:read"])),
    responses((status = 200, description = "The template", body = QuoteTemplate)))]
#[get("/quote-templates/{id}")]
async fn get_quote_template(read: Read<may::ReadQuoteTemplates>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::get(conn, path.id).or_not_found("quote template"))
        .await
}

/// All versions of a template.
#[utoipa::path(tag = "quotes", params(IdPath, QuoteTemplateVersionsQuery),
    security(("api_key" = ["quote_templates:read"])),
    responses((status = 200, description = "A page of versions", body = Page<QuoteTemplateVersion>)))]
#[get("/quote-templates/{id}/versions")]
async fn list_quote_template_versions(
    read: Read<may::ReadQuoteTemplates>,
    path: Path<IdPath>,
    query: Query<QuoteTemplateVersionsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        queries::get(conn, path.id).or_not_found("quote template")?;
        let rows = quote_template_versions::table
            .filter(quote_template_versions::template_id.eq(path.id))
            .select(QuoteTemplateVersion::as_select())
            .into_boxed();
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: quote_template_versions::id as Uuid => |v: &QuoteTemplateVersion| v.id, [
            "number" => quote_template_versions::number as i32 => |v: &QuoteTemplateVersion| v.number,
        ])
    })
    .await
}

/// Put the next version of a template in place. Nothing is shown by it until it is published.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = QuoteTemplateDraftIn,
    security(("api_key" = ["quote_templates:write"])),
    responses((status = 200, description = "The template", body = QuoteTemplate)))]
#[post("/quote-templates/{id}/draft")]
async fn draft_quote_template(
    command: Command<may::WriteQuoteTemplates>,
    path: Path<IdPath>,
    body: Body<QuoteTemplateDraftIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::draft(tx, path.id, &body.0)).await
}

/// Show quotes by the draft from now on. Those that were sent keep what they were sent with.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quote_templates:write"])),
    responses((status = 200, description = "The template", body = QuoteTemplate)))]
#[post("/quote-templates/{id}/publish")]
async fn publish_quote_template(
    command: Command<may::WriteQuoteTemplates>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::publish(tx, path.id)).await
}

/// Go back to the built-in template of the language.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quote_templates:write"])),
    responses((status = 200, description = "The template", body = QuoteTemplate)))]
#[post("/quote-templates/{id}/retire")]
async fn retire_quote_template(
    command: Command<may::WriteQuoteTemplates>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::retire(tx, path.id)).await
}

/// A sample quote, as the draft shows it; without a draft as what is published, or built in, does.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quote_templates:read"])),
    responses((status = 200, description = "The document", body = String, content_type = "text/html")))]
#[get("/quote-templates/{id}/preview")]
async fn preview_quote_template(
    read: Read<may::ReadQuoteTemplates>,
    path: Path<IdPath>,
) -> Result<HttpResponse, Problem> {
    let html = read.fetch(move |conn| {
        let template = queries::get(conn, path.id).or_not_found("quote template")?;
        let html = match actions::previewed(&template) {
            Some(version) => version.html.as_str(),
            None => built_in(&template.language).1,
        };
        render::document(html, &template.language, &data::sample(true))
            .map_err(|error| Problem::conflict("template_fails", error.to_string()).into())
    });
    Ok(page(html.await?))
}
