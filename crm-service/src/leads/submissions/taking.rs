//! Taking a submission: stored as it came, and made a touch of a lead unless it is spam.

use super::model::LeadSubmission;
use super::reading::read;
use crate::json::AsJson;
use crate::leads::capture;
use crate::leads::forms::{self, LeadForm};
use crate::leads::touches::Way;
use crate::schema::lead_submissions;
use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use service_kit::db::sql;
use service_kit::{Faults, OrNotFound, Problem, Put, Result, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Takes what a page has sent.
///
/// # Errors
/// 422 with every fault; 429.
pub fn take(
    tx: &mut Tx<'_>,
    form: &LeadForm,
    fields: &BTreeMap<String, String>,
    page: Option<String>,
    address_hash: Vec<u8>,
) -> Result<LeadSubmission> {
    let mut submission = LeadSubmission {
        id: Uuid::now_v7(),
        form_id: form.id,
        lead_id: None,
        spam: is_caught(form, fields),
        fields: AsJson(fields.clone()),
        origin: page,
        address_hash,
        revision: 1,
        received_at: tx.now(),
    };
    limit(tx, form, &submission)?;
    if !submission.spam {
        submission.lead_id = Some(become_lead(tx, form, &submission)?);
    }
    diesel::insert_into(lead_submissions::table)
        .values(&submission)
        .execute(&mut **tx)?;
    tx.audit(None, &submission)?;
    Ok(submission)
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

/// Makes a lead, or a touch of one, of what was taken for spam.
pub fn accept(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadSubmission> {
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
