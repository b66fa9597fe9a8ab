//! Capturing: a new lead, or another touch of the open one of the same person.

use super::assignment;
use super::editing::{save, settled};
use super::model::{Lead, LeadIn, LeadRow};
use super::queries;
use super::scoring;
use super::state::{LeadAction, LeadState};
use super::touches::{self, Way};
use crate::activities::notifications;
use crate::custom_fields::{self, CustomValues, RecordType};
use crate::json::AsJson;
use serde_json::json;
use service_kit::exchange::{self, Import};
use service_kit::{Faults, Owned, Problem, Put, Resource, Result, Sight, Tx};
use uuid::Uuid;

/// Takes in what somebody sent: a new lead, or another touch of the open one of the same person.
///
/// # Errors
/// 422 with every fault; 409 `possible_duplicate`.
pub fn take(tx: &mut Tx<'_>, input: &LeadIn, way: &Way) -> Result<Put<Lead>> {
    let mut row = described(tx, input, way, Faults::default())?;
    Ok(match same(tx, &row, input, way)? {
        Some(open) => Put::Updated(join(tx, open, &row, input, way)?),
        None => {
            if row.owned() == Owned::default() {
                row.give_to(Owned::of_actor(tx.actor()).unwrap_or_default());
            }
            Put::Created(enter(tx, row, input, way)?)
        }
    })
}

/// The lead that an input describes.
///
/// # Errors
/// 422 with every fault.
pub fn described(tx: &mut Tx<'_>, input: &LeadIn, way: &Way, mut faults: Faults) -> Result<LeadRow> {
    let given = Owned::given(tx, input.owner_id, input.team_id, &mut faults)?;
    let mut row = row_of(tx, input, way);
    if let Some(values) = &input.custom_fields {
        let sight = tx.sight();
        let none = CustomValues::default();
        row.custom_fields = custom_fields::merge(tx, RecordType::Lead, &none, values, &sight, &mut faults)?;
    }
    if !row.is_somebody() {
        faults.add(
            "/email",
            "required",
            "give an e-mail address, a phone number, a name or a company",
        );
    }
    faults.check()?;
    row.give_to(given.unwrap_or_default());
    Ok(row)
}

/// The open lead of the same person, locked. A form sees all leads to find it; whoever else captures, those in
/// their sight.
///
/// # Errors
/// 409 `possible_duplicate` when another system calls the two by different names.
pub fn same(tx: &mut Tx<'_>, row: &LeadRow, input: &LeadIn, way: &Way) -> Result<Option<LeadRow>> {
    scoring::hold(tx)?;
    if !input.join.unwrap_or(true) {
        return Ok(None);
    }
    queries::lock_identity(tx, row)?;
    let sight = match way.form_id {
        Some(_) => Sight::All,
        None => tx.sight(),
    };
    let open = queries::lock_same(tx, row, &sight)?;
    match (&open, &row.external_ref) {
        (Some(open), Some(_)) if open.external_ref.is_some() && open.external_ref != row.external_ref => {
            let known = open.external_ref.as_deref().unwrap_or_default();
            let detail = format!(
                "may be {} ({}), whose external_ref is {known}; with join: false it is a lead of its own",
                open.label, open.id
            );
            let candidate = json!({ "id": open.id, "label": open.label, "external_ref": known });
            let problem = Problem::conflict("possible_duplicate", detail);
            Err(problem.fact("candidates", json!([candidate])).into())
        }
        _ => Ok(open),
    }
}

/// Another touch of a lead that is known.
pub fn touch(tx: &mut Tx<'_>, id: Uuid, input: &LeadIn) -> Result<Lead> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&Lead::from(before.clone()))?;
    before.state.check(LeadAction::Touch)?;
    let said = LeadRow {
        message: input.message.clone(),
        source: input.source.clone(),
        campaign: input.campaign.clone(),
        ..before.clone()
    };
    join(tx, before, &said, input, &Way::default())
}

fn row_of(tx: &Tx<'_>, input: &LeadIn, way: &Way) -> LeadRow {
    let (input, now) = (input.clone(), tx.now());
    let mut row = LeadRow {
        id: tx.mint(input.id),
        label: String::new(),
        name: input.name,
        company: input.company,
        job_title: input.job_title,
        email: input.email,
        phone: input.phone,
        country: input.country,
        postal_code: input.postal_code,
        region: input.region,
        city: input.city,
        message: input.message,
        custom_fields: CustomValues::default(),
        email_key: None,
        phone_key: None,
        state: LeadState::New,
        disqualified_reason: None,
        disqualified_note: None,
        source: input.source,
        campaign: input.campaign,
        form_id: way.form_id,
        score: 0,
        score_parts: AsJson(Vec::new()),
        touch_count: 1,
        last_touch_at: now,
        owner_id: None,
        team_id: None,
        assigned_by: None,
        customer_id: None,
        contact_id: None,
        deal_id: None,
        converted_at: None,
        external_ref: input.external_ref,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    row.settle();
    row
}

/// Stores a new lead, scores it, and gives it to somebody if it belongs to nobody.
pub fn enter(tx: &mut Tx<'_>, mut row: LeadRow, input: &LeadIn, way: &Way) -> Result<Lead> {
    if !queries::insert(tx, &row)? {
        return Err(Problem::conflict("duplicate", "there is a lead with this id").into());
    }
    touches::add(tx, row.id, input, way)?;
    scoring::score(tx, &mut row)?;
    // The rules may look at the score.
    queries::update(tx, &row)?;
    give_away(tx, &mut row)?;
    if row.owned() == Owned::default() {
        row.give_to(Owned::of_actor(tx.actor()).unwrap_or_default());
    }
    queries::update(tx, &row)?;
    let lead = Lead::from(row);
    tx.changed(None, &lead)?;
    tell_owner(tx, &lead, "lead_assigned", way)?;
    Ok(lead)
}

/// Somebody came again.
pub fn join(tx: &mut Tx<'_>, before: LeadRow, said: &LeadRow, input: &LeadIn, way: &Way) -> Result<Lead> {
    let after = completed(&before, said);
    touched(tx, &before, after, input, way)
}

/// A lead with what was not known of it; what was known stays.
pub fn completed(before: &LeadRow, said: &LeadRow) -> LeadRow {
    let mut after = before.clone();
    let known = |known: &mut Option<String>, said: &Option<String>| {
        if known.is_none() {
            known.clone_from(said);
        }
    };
    known(&mut after.name, &said.name);
    known(&mut after.company, &said.company);
    known(&mut after.job_title, &said.job_title);
    known(&mut after.phone, &said.phone);
    known(&mut after.postal_code, &said.postal_code);
    known(&mut after.region, &said.region);
    known(&mut after.city, &said.city);
    known(&mut after.message, &said.message);
    known(&mut after.source, &said.source);
    known(&mut after.campaign, &said.campaign);
    known(&mut after.external_ref, &said.external_ref);
    after.email = after.email.or_else(|| said.email.clone());
    after.country = after.country.or(said.country);
    for (key, value) in &said.custom_fields.0 {
        let values = &mut after.custom_fields.0;
        values.entry(key.clone()).or_insert_with(|| value.clone());
    }
    after
}

/// Stores a locked lead that was touched, with what changed of it thereby.
pub fn touched(tx: &mut Tx<'_>, before: &LeadRow, mut after: LeadRow, input: &LeadIn, way: &Way) -> Result<Lead> {
    touches::add(tx, before.id, input, way)?;
    after.touch_count += 1;
    after.last_touch_at = tx.now();
    let mut after = settled(tx, after)?;
    let unowned = before.owned() == Owned::default();
    queries::update(tx, &after)?;
    give_away(tx, &mut after)?;
    let lead = save(tx, before, after)?;
    tell_owner(tx, &lead, if unowned { "lead_assigned" } else { "lead_touched" }, way)?;
    Ok(lead)
}

/// Gives a lead that belongs to nobody to whom the rules choose.
pub fn give_away(tx: &mut Tx<'_>, row: &mut LeadRow) -> Result<()> {
    if row.owned() != Owned::default() {
        return Ok(());
    }
    if let Some(chosen) = assignment::choose(tx, row.id)? {
        row.give_to(chosen.owned);
        row.assigned_by = Some(chosen.rule_id);
    }
    Ok(())
}

/// Tells the owner, unless they did it themselves; of a whole file once.
pub fn tell_owner(tx: &mut Tx<'_>, lead: &Lead, kind: &'static str, way: &Way) -> Result<()> {
    let (acting, now) = (tx.actor().user.map(|user| user.id), tx.now());
    let Some(owner) = lead.row.owner_id.filter(|owner| Some(*owner) != acting) else {
        return Ok(());
    };
    match way.import_id {
        Some(import) => {
            let begun = exchange::import(tx, import)?.created_at;
            let title = "Leads were imported for you";
            notifications::tell(tx, owner, "leads_imported", title, (Import::TYPE, import), begun)?;
        }
        None => {
            notifications::tell(tx, owner, kind, &lead.row.label, (Lead::TYPE, lead.row.id), now)?;
        }
    }
    Ok(())
}
