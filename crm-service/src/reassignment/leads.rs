//! Leads that change hands.

use super::choice::{self, Choice};
use super::model::{LeadsReassignIn, LeadsReassigned};
use crate::activities;
use crate::filter::{self, Filter, Scope};
use crate::leads::assignment::many;
use crate::leads::model::LeadRow;
use crate::leads::state::{LeadAction, LeadState};
use crate::schema::leads;
use crate::subjects::SubjectType;
use diesel::prelude::*;
use service_kit::{Faults, Owned, Result, Tx, visible};
use std::collections::HashMap;
use uuid::Uuid;

pub fn reassign(tx: &mut Tx<'_>, input: &LeadsReassignIn) -> Result<LeadsReassigned> {
    let mut faults = Faults::default();
    let to = Owned::given(tx, Some(input.owner_id), input.team_id, &mut faults)?.unwrap_or_default();
    let choice = Choice {
        kind: "lead",
        ids: input.lead_ids.as_deref(),
        filter: input.filter.as_deref(),
    };
    let ids = choice.ids(&mut faults, |text, _| found(tx, text))?;
    let before = many::locked(tx, &ids)?;
    choice.name_missing(before.iter().map(|lead| lead.id), &mut faults);
    name_converted(&choice, &before, &mut faults);
    faults.check()?;
    let before: Vec<LeadRow> = before.into_iter().filter(may_change_hands).collect();
    let owners: HashMap<Uuid, Option<Uuid>> = before.iter().map(|lead| (lead.id, lead.owner_id)).collect();
    let known: Vec<Uuid> = before.iter().map(|lead| lead.id).collect();
    let (changing, unchanged): (Vec<LeadRow>, Vec<LeadRow>) = before.into_iter().partition(|lead| lead.owned() != to);
    let given = changing.iter().map(|lead| lead.id).collect();
    many::assign_all(tx, changing, to)?;
    let activities = give_activities(tx, input, &known, &owners, to)?;
    Ok(LeadsReassigned {
        owner_id: to.owner_id,
        team_id: to.team_id,
        leads: given,
        unchanged: unchanged.into_iter().map(|lead| lead.id).collect(),
        activities,
    })
}

/// The leads in sight that a filter finds and that may change hands.
fn found(tx: &mut Tx<'_>, text: &str) -> Result<Vec<Uuid>> {
    let sight = tx.sight();
    let scope = Scope::within(tx, sight.clone());
    let filter = Filter::of(tx, &filter::LEADS, text, "/filter")?.sql(&scope);
    Ok(leads::table
        .filter(leads::state.ne(LeadState::Converted))
        .filter(visible!(&sight, leads))
        .filter(filter)
        .order(leads::id)
        .limit(i64::try_from(choice::MOST + 1).unwrap_or(i64::MAX))
        .select(leads::id)
        .load(&mut **tx)?)
}

fn may_change_hands(lead: &LeadRow) -> bool {
    lead.state.check(LeadAction::Assign).is_ok()
}

/// What was converted stays with whom it was; whoever names it is told.
fn name_converted(choice: &Choice<'_>, there: &[LeadRow], faults: &mut Faults) {
    for (index, id) in choice.named() {
        if there.iter().any(|lead| lead.id == *id && !may_change_hands(lead)) {
            let message = "this lead is converted; reassign what it became";
            faults.add(format!("/lead_ids/{index}"), "illegal_transition", message);
        }
    }
}

fn give_activities(
    tx: &mut Tx<'_>,
    input: &LeadsReassignIn,
    of: &[Uuid],
    owners: &HashMap<Uuid, Option<Uuid>>,
    to: Owned,
) -> Result<Vec<Uuid>> {
    if !input.activities.moves() {
        return Ok(Vec::new());
    }
    let open = activities::assignment::open_about(tx, SubjectType::Lead, of, choice::most_along())?;
    choice::check_size("/activities", open.len())?;
    let owner_of = |lead: Option<Uuid>| lead.and_then(|lead| owners.get(&lead).copied().flatten());
    let moved: Vec<_> = open
        .into_iter()
        .filter(|row| (row.owner_id, row.team_id) != (to.owner_id, to.team_id))
        .filter(|row| input.activities.takes(row.owner_id, owner_of(row.subject_id)))
        .collect();
    let ids = moved.iter().map(|row| row.id).collect();
    activities::assignment::assign_all(tx, moved, to)?;
    Ok(ids)
}
