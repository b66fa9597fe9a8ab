//! Templates of e-mails: one text for each language.

use crate::activities::emails::model::EmailIn;
use crate::activities::emails::placeholders::{self, Into};
use crate::activities::model::ActivityRow;
use crate::may;
use crate::schema::{contacts, customers, email_templates};
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText, present};
use service_kit::schema::users;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A template to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailTemplateIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// What it is called in `POST /v1/emails`; the same in all languages.
    #[schema(max_length = 60, pattern = "^[a-z][a-z0-9_]*$", example = "welcome")]
    pub code: String,
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$", example = "de")]
    pub language: String,
    /// For people.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$",
        example = "Welcome, {{contact.name|dear customer}}"
    )]
    pub subject: String,
    #[schema(min_length = 1, max_length = 50_000, pattern = r"\S")]
    pub text: String,
    /// The same with markup; what is put in is escaped.
    #[schema(min_length = 1, max_length = 100_000, pattern = r"\S")]
    pub html: Option<String>,
}

/// Changes of a template; its code and language stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailTemplatePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 300,
        pattern = r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$"
    )]
    pub subject: Option<String>,
    #[schema(nullable = false, min_length = 1, max_length = 50_000, pattern = r"\S")]
    pub text: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100_000, pattern = r"\S")]
    pub html: Option<Option<String>>,
    /// Whether it may be used.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// A text with placeholders, in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = email_templates, treat_none_as_null = true)]
pub struct EmailTemplate {
    pub id: Uuid,
    pub code: String,
    pub language: String,
    pub name: String,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// Whether it may be used.
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for EmailTemplate {
    const PATH: &'static str = "email-templates";
    const TYPE: &'static str = "email_template";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EmailTemplatesQuery {
    /// Part of the code or name.
    q: Option<SearchText>,
    #[param(max_length = 60)]
    code: Option<String>,
    #[param(max_length = 6)]
    language: Option<String>,
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `code`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_email_templates)
        .add(create_email_template)
        .add(get_email_template)
        .add(update_email_template);
}

/// Templates of e-mails.
#[utoipa::path(tag = "e-mail", params(EmailTemplatesQuery), security(("api_key" = ["email_templates:read"])),
    responses((status = 200, description = "A page of templates", body = Page<EmailTemplate>)))]
#[get("/email-templates")]
async fn list_email_templates(
    read: Read<may::ReadEmailTemplates>,
    query: Query<EmailTemplatesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = email_templates::table.select(EmailTemplate::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let pattern = text.contains();
            rows = rows.filter(
                email_templates::name
                    .ilike(pattern.clone())
                    .or(email_templates::code.ilike(pattern)),
            );
        }
        if let Some(code) = &query.code {
            rows = rows.filter(email_templates::code.eq(code));
        }
        if let Some(language) = &query.language {
            rows = rows.filter(email_templates::language.eq(language));
        }
        if let Some(active) = query.active {
            rows = rows.filter(email_templates::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: email_templates::id as Uuid => |t: &EmailTemplate| t.id, [
            "created_at" => email_templates::created_at as DateTime<Utc> => |t: &EmailTemplate| t.created_at,
            "code" => email_templates::code as String => |t: &EmailTemplate| t.code.clone(),
        ])
    })
    .await
}

/// Make a template for one language.
///
/// Placeholders are `{{customer.name}}` and the like, `{{values.amount}}` for what whoever sends it
/// gives, each with a text for where nothing is known: `{{contact.name|Sir or Madam}}`.
#[utoipa::path(tag = "e-mail", request_body = EmailTemplateIn, security(("api_key" = ["email_templates:write"])),
    responses((status = 201, description = "The template", body = EmailTemplate)))]
#[post("/email-templates")]
async fn create_email_template(
    command: Command<may::WriteEmailTemplates>,
    body: Body<EmailTemplateIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One template.
#[utoipa::path(tag = "e-mail", params(IdPath), security(("api_key" = ["email_templates:read"])),
    responses((status = 200, description = "The template", body = EmailTemplate)))]
#[get("/email-templates/{id}")]
async fn get_email_template(read: Read<may::ReadEmailTemplates>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let template = email_templates::table.find(path.id).select(EmailTemplate::as_select());
        template.first(conn).or_not_found("template")
    })
    .await
}

/// Change a template. What was written from it stays as it was.
#[utoipa::path(tag = "e-mail", params(IdPath), request_body = EmailTemplatePatch, security(("api_key" = ["email_templates:write"])),
    responses((status = 200, description = "The template", body = EmailTemplate)))]
#[patch("/email-templates/{id}")]
async fn update_email_template(
    command: Command<may::WriteEmailTemplates>,
    path: Path<IdPath>,
    body: Body<EmailTemplatePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &EmailTemplateIn) -> Result<EmailTemplate> {
    let template = EmailTemplate {
        id: tx.mint(input.id),
        code: input.code.clone(),
        language: input.language.clone(),
        name: input.name.clone(),
        subject: input.subject.clone(),
        text: input.text.clone(),
        html: input.html.clone(),
        active: true,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(&template)?;
    diesel::insert_into(email_templates::table)
        .values(&template)
        .execute(&mut **tx)?;
    tx.audit(None, &template)?;
    Ok(template)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &EmailTemplatePatch) -> Result<EmailTemplate> {
    let before: EmailTemplate = email_templates::table
        .find(id)
        .select(EmailTemplate::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("template")?;
    tx.require_match(&before)?;
    let mut after = EmailTemplate {
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        subject: patch.subject.clone().unwrap_or_else(|| before.subject.clone()),
        text: patch.text.clone().unwrap_or_else(|| before.text.clone()),
        html: patch.html.clone().unwrap_or_else(|| before.html.clone()),
        active: patch.active.unwrap_or(before.active),
        ..before.clone()
    };
    if after == before {
        return Ok(before);
    }
    check(&after)?;
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(email_templates::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn check(template: &EmailTemplate) -> Result<()> {
    let mut faults = Faults::default();
    placeholders::check(&template.subject, "/subject", &mut faults);
    placeholders::check(&template.text, "/text", &mut faults);
    if let Some(html) = &template.html {
        placeholders::check(html, "/html", &mut faults);
    }
    Ok(faults.check()?)
}

/// What a message says.
#[derive(Debug, Default)]
pub struct Written {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub template: Option<String>,
    pub language: Option<String>,
}

/// Finds out what a message says: its own words, or those of a template filled in.
///
/// # Errors
/// When the database refuses; faults of the input are added.
pub fn write(tx: &mut Tx<'_>, input: &EmailIn, row: &ActivityRow, faults: &mut Faults) -> Result<Written> {
    for (name, value) in &input.values {
        let pointer = format!("/values/{}", name.replace('~', "~0").replace('/', "~1"));
        if !placeholders::is_name(name) {
            let message = "a value is called by small letters, digits and underscores";
            faults.add(&pointer, "bad_format", message);
        }
        if value.chars().count() > 2_000 {
            faults.add(&pointer, "too_long", "at most 2,000 characters");
        }
    }
    if input.values.len() > 100 {
        faults.add("/values", "too_long", "at most 100 values");
    }
    let Some(code) = &input.template else {
        if !input.values.is_empty() {
            faults.add(
                "/values",
                "needs_template",
                "there is no template that they could stand in",
            );
        }
        return Ok(Written {
            subject: input.subject.clone(),
            text: input.text.clone(),
            html: input.html.clone(),
            ..Written::default()
        });
    };
    for (name, given) in [
        ("subject", input.subject.is_some()),
        ("text", input.text.is_some()),
        ("html", input.html.is_some()),
    ] {
        if given {
            faults.add(format!("/{name}"), "ambiguous", "give a template or own words");
        }
    }
    let Some(template) = find(tx, code, input.language.as_deref().unwrap_or("en"), faults)? else {
        return Ok(Written::default());
    };
    let mut values = facts(tx, row)?;
    let own = input.values.iter();
    values.extend(own.map(|(name, value)| (format!("values.{name}"), value.clone())));
    let mut missing = BTreeSet::new();
    let mut fill = |text: &str, into| placeholders::fill(text, &values, into, &mut missing);
    let subject = fill(&template.subject, Into::Line);
    let written = Written {
        subject: Some(subject.chars().take(300).collect()),
        text: Some(fill(&template.text, Into::Text)),
        html: template.html.as_deref().map(|html| fill(html, Into::Html)),
        template: Some(template.code),
        language: Some(template.language),
    };
    for name in missing {
        let (pointer, message) = match name.strip_prefix("values.") {
            Some(own) => (format!("/values/{own}"), "the template needs this value".to_owned()),
            None => (
                "/template".to_owned(),
                format!("{name} is not known here, and the template says nothing else for that"),
            ),
        };
        faults.add(pointer, "missing_value", message);
    }
    for (name, text) in [("subject", &written.subject), ("text", &written.text)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            let message = format!("nothing is left of the template's {name} with these values");
            faults.add("/template", "too_short", message);
        }
    }
    let too_long = |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.chars().count() > most);
    if too_long(&written.text, 100_000) || too_long(&written.html, 200_000) {
        faults.add("/values", "too_long", "the filled-in text is too long");
    }
    Ok(written)
}

/// The template in a language, or in the language without its region.
fn find(tx: &mut Tx<'_>, code: &str, language: &str, faults: &mut Faults) -> Result<Option<EmailTemplate>> {
    let all: Vec<EmailTemplate> = email_templates::table
        .filter(email_templates::code.eq(code).and(email_templates::active))
        .order(email_templates::language)
        .select(EmailTemplate::as_select())
        .load(&mut **tx)?;
    if all.is_empty() {
        faults.add(
            "/template",
            "unknown_template",
            "there is no active template with this code",
        );
        return Ok(None);
    }
    let general = language.split('-').next().unwrap_or(language);
    let languages: Vec<String> = all.iter().map(|template| template.language.clone()).collect();
    let chosen = [language, general].into_iter().find_map(|wanted| {
        let mut all = all.iter();
        all.find(|template| template.language == wanted)
    });
    if chosen.is_none() {
        let message = format!(
            "the template is not there in {language}; it is in {}",
            languages.join(", ")
        );
        faults.add("/language", "unknown_language", message);
    }
    Ok(chosen.cloned())
}

/// What is known of the records that a message is about.
fn facts(tx: &mut Tx<'_>, row: &ActivityRow) -> Result<BTreeMap<String, String>> {
    let mut facts = vec![("today", Some(tx.today().to_string()))];
    if let Some(customer) = row.customer_id {
        type Known = (String, Option<String>, Option<String>);
        let known: Option<Known> = customers::table
            .find(customer)
            .select((customers::name, customers::email, customers::phone))
            .first(&mut **tx)
            .optional()?;
        if let Some((name, email, phone)) = known {
            facts.extend([
                ("customer.name", Some(name)),
                ("customer.email", email),
                ("customer.phone", phone),
            ]);
        }
    }
    if let Some(contact) = row.contact_id {
        type Known = (String, Option<String>, Option<String>, Option<String>, Option<String>);
        let known: Option<Known> = contacts::table
            .find(contact)
            .select((
                contacts::name,
                contacts::title,
                contacts::role,
                contacts::email,
                contacts::phone,
            ))
            .first(&mut **tx)
            .optional()?;
        if let Some((name, title, role, email, phone)) = known {
            facts.extend([
                ("contact.name", Some(name)),
                ("contact.title", title),
                ("contact.role", role),
                ("contact.email", email),
                ("contact.phone", phone),
            ]);
        }
    }
    let sender = tx.actor().user.map(|user| user.id).or(row.owner_id);
    if let Some(sender) = sender {
        let known: Option<(String, String)> = users::table
            .find(sender)
            .select((users::name, users::email))
            .first(&mut **tx)
            .optional()?;
        if let Some((name, email)) = known {
            facts.extend([("sender.name", Some(name)), ("sender.email", Some(email))]);
        }
    }
    let known = facts.into_iter();
    Ok(known
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}
