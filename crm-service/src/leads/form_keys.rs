//! Another key for a form: pages still send under the one before for a while.
//!
//! A key that was replaced works until its grace is over; no key works longer than one that came later. Who rotates at once
//! does so one after the other, under the lock of the form.

use super::forms::{self, LeadForm};
use crate::json::AsJson;
use crate::may;
use crate::schema::lead_forms;
use actix_web::post;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{Answer, Command, OptionalBody, Path, Problem, Result, Routes, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

/// Keys of a form that still work beside the newest.
const MOST: usize = 100;
/// Hours that a key works on when nothing is said.
const GRACE_HOURS: i64 = 24;

/// A key that was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviousLeadFormKey {
    pub key: String,
    /// Until then pages may send under it.
    pub valid_until: DateTime<Utc>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadFormRotateIn {
    /// So long the key works on, 24 hours when absent; 0 ends it at once, and earlier ones with it.
    #[schema(nullable = false, minimum = 0, maximum = 720)]
    pub grace_hours: Option<i64>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(rotate_lead_form_key);
}

/// Give a form another key.
///
/// The old one works on for `grace_hours`, so that pages can be changed meanwhile; `previous_keys` says until when. `If-Match`
/// is obeyed when it is sent: of many who rotate the form that they have read, one does.
#[utoipa::path(tag = "lead forms", params(IdPath), request_body = LeadFormRotateIn,
    security(("api_key" = ["lead_forms:write"])),
    responses((status = 200, description = "The form with its new key", body = LeadForm)))]
#[post("/lead-forms/{id}/rotate-key")]
async fn rotate_lead_form_key(
    command: Command<may::WriteLeadForms>,
    path: Path<IdPath>,
    body: OptionalBody<LeadFormRotateIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| rotate(tx, path.id, &body.0)).await
}

/// A key that nobody guesses.
pub fn new_key() -> String {
    format!("form_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()))
}

/// The active form that takes submissions under a key now.
pub fn form_of(conn: &mut PgConnection, key: &str, now: DateTime<Utc>) -> QueryResult<Option<LeadForm>> {
    let known = lead_forms::key.eq(key).or(lead_forms::old_keys.contains(vec![key]));
    let form: Option<LeadForm> = lead_forms::table
        .filter(known.and(lead_forms::active))
        .select(LeadForm::as_select())
        .first(conn)
        .optional()?;
    let works = |form: &LeadForm| {
        let mut previous = form.previous_keys.0.iter();
        form.key == key || previous.any(|old| old.key == key && old.valid_until > now)
    };
    Ok(form.filter(works))
}

fn rotate(tx: &mut Tx<'_>, id: Uuid, input: &LeadFormRotateIn) -> Result<LeadForm> {
    let before = forms::lock(tx, id)?;
    tx.match_if_given(&before)?;
    let now = tx.now();
    let until = now + TimeDelta::hours(input.grace_hours.unwrap_or(GRACE_HOURS));
    let replaced = PreviousLeadFormKey {
        key: before.key.clone(),
        valid_until: until,
    };
    let earlier = before.previous_keys.0.iter().map(|old| PreviousLeadFormKey {
        key: old.key.clone(),
        valid_until: old.valid_until.min(until),
    });
    let working: Vec<_> = [replaced]
        .into_iter()
        .chain(earlier)
        .filter(|old| old.valid_until > now)
        .collect();
    if working.len() > MOST {
        let detail = format!("{MOST} earlier keys still work; wait, or end them with a shorter grace_hours");
        return Err(Problem::conflict("too_many_keys", detail).into());
    }
    let mut after = before.clone();
    after.key = new_key();
    after.old_keys = working.iter().map(|old| old.key.clone()).collect();
    after.previous_keys = AsJson(working);
    forms::save(tx, &before, after)
}
