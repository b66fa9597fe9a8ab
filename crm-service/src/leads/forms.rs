//! Web forms: what a page asks, under a public key, for the pages of some origins.

use super::form_keys::{self, PreviousLeadFormKey};
use crate::customers::model::set;
use crate::json::AsJson;
use crate::may;
use crate::schema::lead_forms;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, present};
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use std::collections::HashSet;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What a form asks. `name`, `company`, `job_title`, `email`, `phone`, `country`, `postal_code`, `region`, `city` and
/// `message` become those of the lead; answers to anything else stand with the touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadFormField {
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9_]{0,39}$", example = "email")]
    pub name: String,
    #[schema(min_length = 1, max_length = 200)]
    pub label: Option<String>,
    #[serde(default)]
    pub required: bool,
}

/// Where a page comes from: scheme, host and port; `*` stands for everywhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Origin(String);

impl utoipa::PartialSchema for Origin {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(200))
            .pattern(Some(r"^(\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?)$"))
            .examples(["https://www.example.com"])
            .into()
    }
}

impl ToSchema for Origin {}

#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = lead_forms, treat_none_as_null = true)]
pub struct LeadForm {
    pub id: Uuid,
    pub name: String,
    /// Public: pages send to `/v1/forms/{key}/submissions`.
    pub key: String,
    /// Those that it had before and that still work; see `rotate-key`.
    #[schema(value_type = Vec<PreviousLeadFormKey>)]
    pub previous_keys: AsJson<Vec<PreviousLeadFormKey>>,
    #[serde(skip)]
    pub old_keys: Vec<String>,
    #[schema(value_type = Vec<LeadFormField>)]
    pub fields: AsJson<Vec<LeadFormField>>,
    /// Pages of these may send.
    pub allowed_origins: Vec<String>,
    /// A field that people do not see: what fills it is spam.
    pub honeypot: Option<String>,
    /// Of the leads and touches, unless the page sends a campaign of its own.
    pub source: String,
    pub campaign: Option<String>,
    /// So many submissions of one address within an hour.
    pub hourly_limit: i32,
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LeadForm {
    const PATH: &'static str = "lead-forms";
    const TYPE: &'static str = "lead_form";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadFormIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Ask for an offer")]
    pub name: String,
    /// An e-mail address or a telephone number must be among them.
    #[schema(min_items = 1, max_items = 50)]
    pub fields: Vec<LeadFormField>,
    #[schema(min_items = 1, max_items = 50)]
    pub allowed_origins: Vec<Origin>,
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9_]{0,39}$", example = "website")]
    pub honeypot: Option<String>,
    /// `web form` when absent.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<String>,
    /// 60 when absent.
    #[schema(nullable = false, minimum = 1, maximum = 1_000)]
    pub hourly_limit: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadFormPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false, min_items = 1, max_items = 50)]
    pub fields: Option<Vec<LeadFormField>>,
    #[schema(nullable = false, min_items = 1, max_items = 50)]
    pub allowed_origins: Option<Vec<Origin>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 40, pattern = "^[a-z][a-z0-9_]{0,39}$")]
    pub honeypot: Option<Option<String>>,
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub source: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<Option<String>>,
    #[schema(nullable = false, minimum = 1, maximum = 1_000)]
    pub hourly_limit: Option<i32>,
    /// A form that is not active takes nothing.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LeadFormsQuery {
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_lead_forms)
        .add(create_lead_form)
        .add(get_lead_form)
        .add(update_lead_form);
}

/// Web forms.
#[utoipa::path(tag = "lead forms", params(LeadFormsQuery), security(("api_key" = ["lead_forms:read"])),
    responses((status = 200, description = "A page of forms", body = Page<LeadForm>)))]
#[get("/lead-forms")]
async fn list_lead_forms(read: Read<may::ReadLeadForms>, query: Query<LeadFormsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = lead_forms::table.select(LeadForm::as_select()).into_boxed();
        if let Some(active) = query.active {
            rows = rows.filter(lead_forms::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: lead_forms::id as Uuid => |form: &LeadForm| form.id, [
            "name" => lead_forms::name as String => |form: &LeadForm| form.name.clone(),
        ])
    })
    .await
}

/// Make a web form; its key is made with it.
#[utoipa::path(tag = "lead forms", request_body = LeadFormIn, security(("api_key" = ["lead_forms:write"])),
    responses((status = 201, description = "The form", body = LeadForm)))]
#[post("/lead-forms")]
async fn create_lead_form(command: Command<may::WriteLeadForms>, body: Body<LeadFormIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One web form.
#[utoipa::path(tag = "lead forms", params(IdPath), security(("api_key" = ["lead_forms:read"])),
    responses((status = 200, description = "The form", body = LeadForm)))]
#[get("/lead-forms/{id}")]
async fn get_lead_form(read: Read<may::ReadLeadForms>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Change a web form, or make it inactive.
#[utoipa::path(tag = "lead forms", params(IdPath), request_body = LeadFormPatch,
    security(("api_key" = ["lead_forms:write"])),
    responses((status = 200, description = "The form", body = LeadForm)))]
#[patch("/lead-forms/{id}")]
async fn update_lead_form(
    command: Command<may::WriteLeadForms>,
    path: Path<IdPath>,
    body: Body<LeadFormPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<LeadForm> {
    let found = lead_forms::table.find(id).select(LeadForm::as_select());
    found.first(conn).or_not_found("form")
}

/// A form, locked.
///
/// # Errors
/// 404 when there is none.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadForm> {
    let row = lead_forms::table.find(id).select(LeadForm::as_select());
    row.for_no_key_update().first(&mut **tx).or_not_found("form")
}

/// Stores a locked form under its next revision.
pub fn save(tx: &mut Tx<'_>, before: &LeadForm, mut after: LeadForm) -> Result<LeadForm> {
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(lead_forms::table.find(after.id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(before), &after)?;
    Ok(after)
}

fn create(tx: &mut Tx<'_>, input: &LeadFormIn) -> Result<LeadForm> {
    let now = tx.now();
    let form = LeadForm {
        id: tx.mint(input.id),
        name: input.name.clone(),
        key: form_keys::new_key(),
        previous_keys: AsJson(Vec::new()),
        old_keys: Vec::new(),
        fields: AsJson(input.fields.clone()),
        allowed_origins: texts(&input.allowed_origins),
        honeypot: input.honeypot.clone(),
        source: input.source.clone().unwrap_or_else(|| "web form".to_owned()),
        campaign: input.campaign.clone(),
        hourly_limit: input.hourly_limit.unwrap_or(60),
        active: true,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    check(&form)?;
    diesel::insert_into(lead_forms::table)
        .values(&form)
        .execute(&mut **tx)?;
    tx.audit(None, &form)?;
    Ok(form)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &LeadFormPatch) -> Result<LeadForm> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    set(&mut after.name, &patch.name);
    set(&mut after.fields, &patch.fields.clone().map(AsJson));
    set(&mut after.allowed_origins, &patch.allowed_origins.as_deref().map(texts));
    set(&mut after.honeypot, &patch.honeypot);
    set(&mut after.source, &patch.source);
    set(&mut after.campaign, &patch.campaign);
    set(&mut after.hourly_limit, &patch.hourly_limit);
    set(&mut after.active, &patch.active);
    if after == before {
        return Ok(before);
    }
    check(&after)?;
    save(tx, &before, after)
}

fn texts(origins: &[Origin]) -> Vec<String> {
    origins.iter().map(|origin| origin.0.clone()).collect()
}

/// What every page may send besides the form's own fields.
pub const TRACKED: [&str; 8] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "campaign",
    "referrer",
    "landing_page",
];

fn check(form: &LeadForm) -> Result<(), Problem> {
    let mut faults = Faults::default();
    let (mut seen, fields) = (HashSet::new(), &form.fields.0);
    for (index, field) in fields.iter().enumerate() {
        let pointer = format!("/fields/{index}/name");
        if !seen.insert(field.name.as_str()) {
            faults.add(pointer, "duplicate", "the form asks this already");
        } else if TRACKED.contains(&field.name.as_str()) {
            faults.add(pointer, "reserved", "every page may send this; a form does not ask it");
        }
    }
    if !seen.contains("email") && !seen.contains("phone") {
        faults.add(
            "/fields",
            "required",
            "ask an e-mail address or a phone number, or nobody can answer",
        );
    }
    let honeypot = form.honeypot.as_deref();
    if honeypot.is_some_and(|name| seen.contains(name) || TRACKED.contains(&name)) {
        faults.add("/honeypot", "duplicate", "the form asks this, so people would fill it");
    }
    faults.check()
}
