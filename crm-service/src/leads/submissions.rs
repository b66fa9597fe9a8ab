//! What web forms are sent: taken from anybody, stored as it came, made a touch of a lead.
//!
//! A page of an allowed origin sends JSON or a form (`application/x-www-form-urlencoded`). Faults are answered, all of
//! them; everything else is stored and answered 202, and nothing that is answered says more than that it is here.
//! What a honeypot caught is answered alike and kept as spam.

use super::capture;
use super::forms::{self, LeadForm, TRACKED};
use super::model::LeadIn;
use super::touches::Way;
use crate::customers::country::Country;
use crate::filter::Fragment;
use crate::filter::compile::in_sight;
use crate::json::AsJson;
use crate::may;
use crate::schema::{lead_submissions, leads};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, Responder, get, options, post};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::auth::Actor;
use service_kit::db::sql;
use service_kit::http::{FormBody, IdPath};
use service_kit::{
    Answer, Command, Cursor, Email, Faults, Limit, Open, OrNotFound, Page, Path, Problem, Put, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page, visible,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What a form was sent, by the names of its fields: those that the form asks, `utm_source` … `utm_content`, `campaign`,
/// `referrer` and `landing_page`. Anything else is kept, and not looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct LeadSubmissionIn(BTreeMap<String, String>);

impl utoipa::PartialSchema for LeadSubmissionIn {
    fn schema() -> utoipa::openapi::RefOr<Schema> {
        let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(5_000));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
            .max_properties(Some(100))
            .examples([json!({ "name": "Maria Anders", "email": "maria@example.com", "utm_source": "newsletter" })])
            .into()
    }
}

impl ToSchema for LeadSubmissionIn {}

/// It is here.
#[derive(Debug, Serialize, ToSchema)]
struct LeadSubmissionReceipt {
    id: Uuid,
}

/// What a form was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = lead_submissions)]
pub struct LeadSubmission {
    pub id: Uuid,
    pub form_id: Uuid,
    /// The lead that it touched; of spam, none.
    pub lead_id: Option<Uuid>,
    pub spam: bool,
    /// As they came.
    #[schema(value_type = Object)]
    pub fields: AsJson<BTreeMap<String, String>>,
    pub origin: Option<String>,
    #[serde(skip)]
    pub address_hash: Vec<u8>,
    pub revision: i64,
    pub received_at: DateTime<Utc>,
}

impl Resource for LeadSubmission {
    const PATH: &'static str = "lead-submissions";
    const TYPE: &'static str = "lead_submission";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

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
    command.run(move |tx| accept(tx, path.id)).await
}

async fn form(open: &Open, key: &str) -> Result<Option<LeadForm>, Problem> {
    let key = key.to_owned();
    open.read(move |conn| Ok(forms::of_key(conn, &key)?)).await
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
        let mut submission = LeadSubmission {
            id: Uuid::now_v7(),
            form_id: form.id,
            lead_id: None,
            spam: is_caught(&form, &fields),
            fields: AsJson(fields.clone()),
            origin: page.clone(),
            address_hash: address_hash.clone(),
            revision: 1,
            received_at: tx.now(),
        };
        limit(tx, &form, &submission)?;
        if !submission.spam {
            submission.lead_id = Some(become_lead(tx, &form, &submission)?);
        }
        diesel::insert_into(lead_submissions::table)
            .values(&submission)
            .execute(&mut **tx)?;
        tx.audit(None, &submission)?;
        let receipt = LeadSubmissionReceipt { id: submission.id };
        Ok(Answer {
            status: 202,
            ..Answer::json(&receipt)?
        })
    });
    Ok(answer.await?.respond_to(&request))
}

/// Whether the field was filled that people do not see.
fn is_caught(form: &LeadForm, fields: &BTreeMap<String, String>) -> bool {
    let hidden = form.honeypot.as_ref().and_then(|name| fields.get(name));
    hidden.is_some_and(|value| !value.trim().is_empty())
}

/// So many of one address within an hour.
fn limit(tx: &mut Tx<'_>, form: &LeadForm, submission: &LeadSubmission) -> Result<()> {
    let key = format!("form address {:?}", submission.address_hash);
    sql("SELECT pg_advisory_xact_lock(hashtextextended($1, 461))")
        .bind::<Text, _>(key)
        .run(tx)?;
    let since = tx.now() - TimeDelta::hours(1);
    let recent: Vec<DateTime<Utc>> = lead_submissions::table
        .filter(lead_submissions::form_id.eq(form.id))
        .filter(lead_submissions::address_hash.eq(&submission.address_hash))
        .filter(lead_submissions::received_at.gt(since))
        .order(lead_submissions::received_at)
        .select(lead_submissions::received_at)
        .limit(1_000)
        .load(&mut **tx)?;
    match recent.first() {
        Some(first) if recent.len() >= usize::try_from(form.hourly_limit).unwrap_or_default() => {
            let wait = (*first - since).num_seconds().max(0) + 1;
            let detail = "too many submissions of this form from one address; try again later";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
            Err(problem.header("Retry-After", wait.to_string()).into())
        }
        _ => Ok(()),
    }
}

fn become_lead(tx: &mut Tx<'_>, form: &LeadForm, submission: &LeadSubmission) -> Result<Uuid> {
    let mut faults = Faults::default();
    let (input, answers) = read(form, &submission.fields.0, &mut faults);
    faults.check()?;
    let way = Way {
        form_id: Some(form.id),
        submission_id: Some(submission.id),
        import_id: None,
        answers,
    };
    Ok(match capture::take(tx, &input, &way)? {
        Put::Created(lead) | Put::Updated(lead) | Put::Unchanged(lead) => lead.row.id,
    })
}

fn accept(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadSubmission> {
    let row = lead_submissions::table.find(id).select(LeadSubmission::as_select());
    let before: LeadSubmission = row.for_update().first(&mut **tx).or_not_found("submission")?;
    if !tx.actor().sight.sees_all() {
        return Err(Problem::not_found("submission").into());
    }
    tx.match_if_given(&before)?;
    if !before.spam {
        return Err(Problem::illegal_transition("accept", "accepted", &[]).into());
    }
    let form = forms::find(tx, before.form_id)?;
    let after = LeadSubmission {
        lead_id: Some(become_lead(tx, &form, &before)?),
        spam: false,
        revision: before.revision + 1,
        ..before.clone()
    };
    diesel::update(lead_submissions::table.find(id))
        .set((
            lead_submissions::lead_id.eq(after.lead_id),
            lead_submissions::spam.eq(false),
            lead_submissions::revision.eq(after.revision),
        ))
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Reads what a form asks; the rest is not looked at.
fn read(form: &LeadForm, sent: &BTreeMap<String, String>, faults: &mut Faults) -> (LeadIn, BTreeMap<String, String>) {
    let mut lead = LeadIn {
        source: Some(form.source.clone()),
        campaign: form.campaign.clone(),
        ..LeadIn::default()
    };
    let mut answers = BTreeMap::new();
    for field in &form.fields.0 {
        let value = sent
            .get(&field.name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        match value {
            Some(value) => fill(&mut lead, &mut answers, &field.name, value, faults),
            None if field.required => faults.add(format!("/{}", field.name), "required", "must be filled in"),
            None => {}
        }
    }
    for name in TRACKED {
        let value = sent
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        if let Some(value) = value {
            // What a link carries is no fault of whoever followed it.
            track(&mut lead, name, value);
        }
    }
    (lead, answers)
}

fn fill(lead: &mut LeadIn, answers: &mut BTreeMap<String, String>, name: &str, value: &str, faults: &mut Faults) {
    let (place, longest) = match name {
        "name" => (&mut lead.name, 200),
        "company" => (&mut lead.company, 200),
        "job_title" => (&mut lead.job_title, 200),
        "phone" => (&mut lead.phone, 50),
        "postal_code" => (&mut lead.postal_code, 20),
        "region" => (&mut lead.region, 100),
        "city" => (&mut lead.city, 100),
        "message" => (&mut lead.message, 5_000),
        "email" => {
            lead.email = Email::parse(value);
            if lead.email.is_none() {
                faults.add("/email", "bad_format", "is no e-mail address");
            }
            return;
        }
        "country" => {
            lead.country = Country::from_code(&value.to_uppercase());
            if lead.country.is_none() {
                faults.add("/country", "bad_format", "expected an ISO 3166-1 alpha-2 country code");
            }
            return;
        }
        _ => {
            answers.insert(name.to_owned(), value.to_owned());
            return;
        }
    };
    if value.chars().count() > longest {
        faults.add(format!("/{name}"), "too_long", format!("at most {longest} characters"));
    }
    *place = Some(value.to_owned());
}

fn track(lead: &mut LeadIn, name: &str, value: &str) {
    let (place, longest) = match name {
        "utm_source" => (&mut lead.utm_source, 200),
        "utm_medium" => (&mut lead.utm_medium, 200),
        "utm_campaign" => (&mut lead.utm_campaign, 200),
        "utm_term" => (&mut lead.utm_term, 200),
        "utm_content" => (&mut lead.utm_content, 200),
        "campaign" => (&mut lead.campaign, 200),
        "referrer" => (&mut lead.referrer, 2_000),
        _ => (&mut lead.landing_page, 2_000),
    };
    *place = Some(value.chars().take(longest).collect());
}
