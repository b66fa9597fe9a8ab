//! Changing, qualifying and assigning leads.

use super::capture::{give_away, tell_owner};
use super::model::{Lead, LeadDisqualifyIn, LeadPatch, LeadRow};
use super::queries;
use super::scoring;
use super::state::{LeadAction, LeadState};
use super::touches::Way;
use crate::custom_fields::{self, RecordType};
use crate::customers::model::set;
use service_kit::users::AssignIn;
use service_kit::{Faults, Owned, Result, Tx};
use uuid::Uuid;

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &LeadPatch) -> Result<Lead> {
    let before = queries::lock(tx, id)?;
    let shown = Lead::from(before.clone());
    tx.require_match(&shown)?;
    before.state.check(LeadAction::Edit)?;
    let after = patched(tx, &before, patch)?;
    if after == before {
        return Ok(shown);
    }
    let after = settled(tx, after)?;
    save(tx, &before, after)
}

/// A lead with what a patch says of it, not stored yet.
///
/// # Errors
/// 422 with every fault.
pub fn patched(tx: &mut Tx<'_>, before: &LeadRow, patch: &LeadPatch) -> Result<LeadRow> {
    let (mut after, mut faults) = (before.clone(), Faults::default());
    set(&mut after.name, &patch.name);
    set(&mut after.company, &patch.company);
    set(&mut after.job_title, &patch.job_title);
    set(&mut after.email, &patch.email);
    set(&mut after.phone, &patch.phone);
    set(&mut after.country, &patch.country);
    set(&mut after.postal_code, &patch.postal_code);
    set(&mut after.region, &patch.region);
    set(&mut after.city, &patch.city);
    set(&mut after.message, &patch.message);
    set(&mut after.source, &patch.source);
    set(&mut after.campaign, &patch.campaign);
    set(&mut after.external_ref, &patch.external_ref);
    if let Some(values) = &patch.custom_fields {
        let sight = tx.sight();
        let stored = &before.custom_fields;
        after.custom_fields = custom_fields::merge(tx, RecordType::Lead, stored, values, &sight, &mut faults)?;
    }
    if !after.is_somebody() {
        faults.add(
            "/email",
            "required",
            "an e-mail address, a phone number, a name or a company must stay",
        );
    }
    faults.check()?;
    Ok(after)
}

/// Somebody works on it.
pub fn start(tx: &mut Tx<'_>, id: Uuid) -> Result<Lead> {
    turn(tx, id, LeadAction::Start, |row| row.state = LeadState::Working)
}

pub fn qualify(tx: &mut Tx<'_>, id: Uuid) -> Result<Lead> {
    turn(tx, id, LeadAction::Qualify, |row| row.state = LeadState::Qualified)
}

pub fn disqualify(tx: &mut Tx<'_>, id: Uuid, input: &LeadDisqualifyIn) -> Result<Lead> {
    turn(tx, id, LeadAction::Disqualify, |row| {
        row.state = LeadState::Disqualified;
        row.disqualified_reason = Some(input.reason);
        row.disqualified_note.clone_from(&input.note);
    })
}

pub fn reopen(tx: &mut Tx<'_>, id: Uuid) -> Result<Lead> {
    turn(tx, id, LeadAction::Reopen, |row| {
        row.state = LeadState::Working;
        row.disqualified_reason = None;
        row.disqualified_note = None;
    })
}

/// Gives a lead to somebody.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &AssignIn) -> Result<Lead> {
    let before = locked(tx, id, LeadAction::Assign)?;
    let owned = Owned::assigned(tx, to)?;
    if owned == before.owned() {
        return Ok(before.into());
    }
    let mut after = before.clone();
    after.give_to(owned);
    after.assigned_by = None;
    let lead = save(tx, &before, after)?;
    tell_owner(tx, &lead, "lead_assigned", &Way::default())?;
    Ok(lead)
}

/// Lets the rules choose anew; where none fits, the lead belongs to nobody.
pub fn assign_by_rules(tx: &mut Tx<'_>, id: Uuid) -> Result<Lead> {
    let before = locked(tx, id, LeadAction::Assign)?;
    let mut after = before.clone();
    after.give_to(Owned::default());
    after.assigned_by = None;
    give_away(tx, &mut after)?;
    if after == before {
        return Ok(before.into());
    }
    let lead = save(tx, &before, after)?;
    tell_owner(tx, &lead, "lead_assigned", &Way::default())?;
    Ok(lead)
}

fn turn(tx: &mut Tx<'_>, id: Uuid, action: LeadAction, change: impl FnOnce(&mut LeadRow)) -> Result<Lead> {
    let before = locked(tx, id, action)?;
    let mut after = before.clone();
    change(&mut after);
    let after = settled(tx, after)?;
    save(tx, &before, after)
}

fn locked(tx: &mut Tx<'_>, id: Uuid, action: LeadAction) -> Result<LeadRow> {
    let row = queries::lock(tx, id)?;
    tx.match_if_given(&Lead::from(row.clone()))?;
    row.state.check(action)?;
    Ok(row)
}

/// A changed lead, stored so that rules can look at it, with what follows from the change.
pub fn settled(tx: &mut Tx<'_>, mut row: LeadRow) -> Result<LeadRow> {
    row.settle();
    queries::update(tx, &row)?;
    scoring::score(tx, &mut row)?;
    Ok(row)
}

/// Stores a locked lead under its next version, and tells the world.
pub fn save(tx: &mut Tx<'_>, before: &LeadRow, mut after: LeadRow) -> Result<Lead> {
    after.version += 1;
    after.revision += 1;
    after.updated_at = tx.now();
    queries::update(tx, &after)?;
    let lead = Lead::from(after);
    tx.changed(Some(&Lead::from(before.clone())), &lead)?;
    Ok(lead)
}
