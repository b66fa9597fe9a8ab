//! The verbs of templates.

use super::model::{QuoteTemplate, QuoteTemplateDraftIn, QuoteTemplateIn, QuoteTemplateVersion, TemplateRow};
use super::{built_in, check, queries};
use service_kit::{Faults, OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &QuoteTemplateIn) -> Result<QuoteTemplate> {
    let html = input.html.as_deref().unwrap_or(built_in(&input.language).1);
    checked(html, &input.language)?;
    let (id, now) = (tx.mint(input.id), tx.now());
    let row = TemplateRow {
        id,
        language: input.language.clone(),
        name: input.name.clone(),
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    if !queries::insert(tx, &row)? {
        return Err(Problem::conflict("duplicate", "there is a template with this id").into());
    }
    queries::put_draft(tx, id, None, html, now)?;
    let mut template = queries::get(tx, id)?;
    if let Some(draft) = template.draft.as_ref().filter(|_| input.publish) {
        queries::publish(tx, draft.id, now)?;
        template = queries::get(tx, id)?;
    }
    tx.audit(None, &template)?;
    Ok(template)
}

/// Puts the next version in place.
pub fn draft(tx: &mut Tx<'_>, id: Uuid, input: &QuoteTemplateDraftIn) -> Result<QuoteTemplate> {
    let before = queries::lock(tx, id).or_not_found("quote template")?;
    tx.match_if_given(&before)?;
    checked(&input.html, &before.language)?;
    if before.draft.as_ref().is_some_and(|draft| draft.html == input.html) {
        return Ok(before);
    }
    let now = tx.now();
    queries::put_draft(tx, id, before.draft.as_ref().map(|draft| draft.id), &input.html, now)?;
    save(tx, &before)
}

/// Shows quotes by the draft from now on; those that were sent keep what they were sent with.
pub fn publish(tx: &mut Tx<'_>, id: Uuid) -> Result<QuoteTemplate> {
    let before = queries::lock(tx, id).or_not_found("quote template")?;
    tx.match_if_given(&before)?;
    let Some(draft) = &before.draft else {
        return Err(refusal("publish", "without a draft", &before));
    };
    let now = tx.now();
    queries::retire(tx, id)?;
    queries::publish(tx, draft.id, now)?;
    save(tx, &before)
}

/// Goes back to the built-in template.
pub fn retire(tx: &mut Tx<'_>, id: Uuid) -> Result<QuoteTemplate> {
    let before = queries::lock(tx, id).or_not_found("quote template")?;
    tx.match_if_given(&before)?;
    if before.published.is_none() {
        return Err(refusal("retire", "not published", &before));
    }
    queries::retire(tx, id)?;
    save(tx, &before)
}

/// The version that a preview shows: the draft, else what is published.
pub fn previewed(template: &QuoteTemplate) -> Option<&QuoteTemplateVersion> {
    template.draft.as_ref().or(template.published.as_ref())
}

fn checked(html: &str, language: &str) -> Result<(), Problem> {
    let mut faults = Faults::default();
    check::check(html, language, "/html", &mut faults);
    faults.check()
}

fn refusal(action: &str, state: &str, template: &QuoteTemplate) -> service_kit::Error {
    let mut allowed = vec!["draft"];
    allowed.extend(template.draft.is_some().then_some("publish"));
    allowed.extend(template.published.is_some().then_some("retire"));
    Problem::illegal_transition(action, state, &allowed).into()
}

/// Stores a locked template, whose versions are stored already, under its next revision.
fn save(tx: &mut Tx<'_>, before: &QuoteTemplate) -> Result<QuoteTemplate> {
    let now = tx.now();
    queries::touch(tx, before.id, before.revision + 1, now)?;
    let after = queries::get(tx, before.id)?;
    tx.audit(Some(before), &after)?;
    Ok(after)
}
