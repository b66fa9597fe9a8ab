//! Submissions over HTTP: from pages, and for those who look at them.

use super::model::{LeadSubmission, LeadSubmissionIn, LeadSubmissionReceipt};
use super::taking;
use crate::filter::Fragment;
use crate::filter::compile::in_sight;
use crate::leads::form_keys;
use crate::leads::forms::{self, LeadForm};
use crate::may;
use crate::schema::{lead_submissions, leads};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, Responder, get, options, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::auth::Actor;
use service_kit::http::{FormBody, IdPath};
use service_kit::{
    Answer, Command, Cursor, Limit, Open, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page, visible,
};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct FormPath {
    /// Public key of the form.
    #[param(min_length = 1, max_length = 60, pattern = "^[A-Za-z0-9_-]+$")]
    key: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LeadSubmissionsQuery {
    spam: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `received_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .open(submit_form)
        .open(preflight_form)
        .add(list_lead_submissions)
        .add(get_lead_submission)
        .add(accept_lead_submission);
}

/// Send what somebody filled in; needs no key.
///
/// Every submission is stored. Who is known by e-mail address or telephone number touches the lead that is open.
#[utoipa::path(tag = "lead forms", params(FormPath),
    request_body(content((LeadSubmissionIn = "application/json"), (LeadSubmissionIn = "application/x-www-form-urlencoded"))),
    responses((status = 202, description = "It is here", body = LeadSubmissionReceipt),
              (status = 403, description = "The page is of another origin", body = Problem, content_type = "application/problem+json")))]
#[post("/forms/{key}/submissions")]
async fn submit_form(
    open: Open,
    path: Path<FormPath>,
    body: Result<FormBody<LeadSubmissionIn>, Problem>,
) -> Result<HttpResponse, Problem> {
    let page = page_of(&open);
    let Some(form) = form(&open, &path.key).await? else {
        return Err(body.err().unwrap_or_else(|| Problem::not_found("form")));
    };
    let allowed = allowed(&form, page.as_deref())?;
    match take_in(open, form, body, page).await {
        Ok(response) => Ok(readable(response, allowed.as_deref())),
        Err(problem) => Err(match allowed {
            Some(origin) => problem
                .header("Access-Control-Allow-Origin", origin)
                .header("Vary", "Origin"),
            None => problem,
        }),
    }
}

/// What a browser asks before it sends JSON from another origin.
#[utoipa::path(tag = "lead forms", params(FormPath),
    responses((status = 204, description = "The page may send"),
              (status = 403, description = "The page is of another origin", body = Problem, content_type = "application/problem+json")))]
#[options("/forms/{key}/submissions")]
async fn preflight_form(open: Open, path: Path<FormPath>) -> Result<HttpResponse, Problem> {
    let page = page_of(&open);
    let form = form(&open, &path.key)
        .await?
        .ok_or_else(|| Problem::not_found("form"))?;
    let allowed = allowed(&form, page.as_deref())?;
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "POST"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"));
    Ok(readable(response.finish(), allowed.as_deref()))
}

/// What a form was sent, as far as the leads are in sight; spam is seen by those who see all.
#[utoipa::path(tag = "lead forms", params(IdPath, LeadSubmissionsQuery), security(("api_key" = ["lead_forms:read"])),
    responses((status = 200, description = "A page of submissions", body = Page<LeadSubmission>)))]
#[get("/lead-forms/{id}/submissions")]
async fn list_lead_submissions(
    read: Read<may::ReadLeadForms>,
    path: Path<IdPath>,
    query: Query<LeadSubmissionsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        forms::find(conn, path.id)?;
        let mut rows = lead_submissions::table
            .filter(lead_submissions::form_id.eq(path.id))
            .select(LeadSubmission::as_select())
            .into_boxed();
        if !sight.sees_all() {
            let seen = Fragment::new("lead_submissions.lead_id IN (SELECT l.id FROM leads l WHERE ");
            rows = rows.filter(in_sight(seen, "l", &sight).sql(")"));
        }
        if let Some(spam) = query.spam {
            rows = rows.filter(lead_submissions::spam.eq(spam));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: lead_submissions::id as Uuid => |one: &LeadSubmission| one.id, [
            "received_at" => lead_submissions::received_at as DateTime<Utc> => |one: &LeadSubmission| one.received_at,
        ])
    })
    .await
}

/// One submission.
#[utoipa::path(tag = "lead forms", params(IdPath), security(("api_key" = ["lead_forms:read"])),
    responses((status = 200, description = "The submission", body = LeadSubmission)))]
#[get("/lead-submissions/{id}")]
async fn get_lead_submission(read: Read<may::ReadLeadForms>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| {
        let found = lead_submissions::table
            .find(path.id)
            .select(LeadSubmission::as_select());
        let found: LeadSubmission = found.first(conn).or_not_found("submission")?;
        let lead = leads::table.filter(leads::id.eq(found.lead_id.unwrap_or_default()));
        let seen = lead.filter(visible!(&sight, leads)).select(leads::id);
        match sight.sees_all() || seen.first::<Uuid>(conn).optional()?.is_some() {
            true => Ok(found),
            false => Err(Problem::not_found("submission").into()),
        }
    })
    .await
}

/// Say that what was taken for spam is none: it becomes a lead, or touches one.
#[utoipa::path(tag = "lead forms", params(IdPath), security(("api_key" = ["lead_forms:write"])),
    responses((status = 200, description = "The submission", body = LeadSubmission)))]
#[post("/lead-submissions/{id}/accept")]
async fn accept_lead_submission(command: Command<may::WriteLeadForms>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| taking::accept(tx, path.id)).await
}

async fn form(open: &Open, key: &str) -> Result<Option<LeadForm>, Problem> {
    let key = key.to_owned();
    open.read(move |conn| Ok(form_keys::form_of(conn, &key, Utc::now())?))
        .await
}

/// The origin of the page that sends; what is no browser has none.
fn page_of(open: &Open) -> Option<String> {
    let origin = open.request().headers().get(header::ORIGIN)?;
    Some(origin.to_str().unwrap_or("?").chars().take(300).collect())
}

/// What the answer says who may read it.
///
/// # Errors
/// 403 `origin_not_allowed`.
fn allowed(form: &LeadForm, page: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(page) = page else { return Ok(None) };
    let mut origins = form.allowed_origins.iter();
    match origins.any(|origin| origin == "*" || origin == page) {
        true => Ok(Some(page.to_owned())),
        false => {
            let detail = "this form takes nothing from pages of this origin";
            Err(Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", detail))
        }
    }
}

fn readable(mut response: HttpResponse, origin: Option<&str>) -> HttpResponse {
    if let Some(Ok(origin)) = origin.map(HeaderValue::from_str) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(HeaderName::from_static("vary"), HeaderValue::from_static("Origin"));
    }
    response
}

async fn take_in(
    open: Open,
    form: LeadForm,
    body: Result<FormBody<LeadSubmissionIn>, Problem>,
    page: Option<String>,
) -> Result<HttpResponse, Problem> {
    let (request, fields) = (open.request().clone(), body?.0.0);
    let address_hash = Sha256::digest(format!("{}\n{}", form.id, open.network())).to_vec();
    let actor = Actor::outsider(form.id, &format!("form {}", form.name));
    let answer = open.run(actor, move |tx| {
        let stored = taking::take(tx, &form, &fields, page.clone(), address_hash.clone())?;
        let receipt = LeadSubmissionReceipt { id: stored.id };
        Ok(Answer {
            status: 202,
            ..Answer::json(&receipt)?
        })
    });
    Ok(answer.await?.respond_to(&request))
}
