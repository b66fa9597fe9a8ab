//! What becomes of a lead: a customer, a contact and a deal, once.

use super::model::{Lead, LeadConvertIn, LeadRow};
use super::queries;
use super::state::{LeadAction, LeadState};
use crate::customers::contacts::{Contact, ContactIn};
use crate::customers::model::{CustomerIn, CustomerKind};
use crate::customers::timeline::{self, Entry};
use crate::customers::{self, parts, reference};
use crate::deals::pipelines::queries as pipelines;
use crate::deals::{self, Deal, DealIn};
use crate::subjects::SubjectType;
use crate::{activities, attachments};
use diesel::prelude::*;
use serde_json::json;
use service_kit::problem::Error;
use service_kit::schema::users;
use service_kit::{Email, Faults, Owned, Problem, Resource, Result, Tx};
use uuid::Uuid;

use super::editing::save;

/// Converts a qualified lead.
///
/// # Errors
/// 409 `illegal_transition` that names what it became, if somebody was faster; `possible_duplicate` with the
/// customers who may be the one.
pub fn convert(tx: &mut Tx<'_>, id: Uuid, input: &LeadConvertIn, allow_duplicate: bool) -> Result<Lead> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&Lead::from(before.clone()))?;
    before
        .state
        .check(LeadAction::Convert)
        .map_err(|refusal| match before.state {
            LeadState::Converted => refusal
                .fact("customer_id", json!(before.customer_id))
                .fact("contact_id", json!(before.contact_id))
                .fact("deal_id", json!(before.deal_id)),
            _ => refusal,
        })?;
    check(tx, input)?;
    let owned = still_active(tx, before.owned())?;
    let (customer_id, contact_id) = match input.customer_id {
        Some(customer) => (customer, contact_at(tx, customer, &before)?),
        None => make_customer(tx, &before, owned, input, allow_duplicate)?,
    };
    let deal = match input.without_deal {
        true => None,
        false => Some(open_deal(tx, &before, owned, customer_id, contact_id, input)?),
    };
    let mut after = before.clone();
    after.state = LeadState::Converted;
    after.customer_id = Some(customer_id);
    after.contact_id = contact_id;
    after.deal_id = deal.as_ref().map(|deal| deal.id);
    after.converted_at = Some(tx.now());
    let lead = save(tx, &before, after)?;
    activities::subject_concerns(tx, SubjectType::Lead, id, customer_id)?;
    attachments::subject_concerns(tx, SubjectType::Lead, id, customer_id)?;
    tell(tx, &before, &lead)?;
    Ok(lead)
}

/// What can be known to be wrong before anything is made.
fn check(tx: &mut Tx<'_>, input: &LeadConvertIn) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(customer) = input.customer_id {
        let sight = tx.sight();
        if reference::referred(tx, &sight, customer)?.is_none() {
            faults.add("/customer_id", "unknown_customer", "there is no such customer");
        }
        for (name, given) in [
            ("customer_name", input.customer_name.is_some()),
            ("customer_kind", input.customer_kind.is_some()),
        ] {
            if given {
                faults.add(format!("/{name}"), "not_allowed", "the customer is there already");
            }
        }
    }
    if let Some(deal) = &input.deal {
        if input.without_deal {
            faults.add("/deal", "not_allowed", "without_deal says that there is none");
        }
        if pipelines::entered(tx, deal.pipeline_id)?.is_none() {
            let message = "there is no such active pipeline with a published version";
            faults.add("/deal/pipeline_id", "unknown_pipeline", message);
        }
        if deal.amount.is_some_and(|amount| amount.value().is_sign_negative()) {
            faults.add("/deal/amount", "out_of_range", "must not be negative");
        }
    }
    Ok(faults.check()?)
}

/// Whom a lead belongs to, unless they have left meanwhile.
fn still_active(tx: &mut Tx<'_>, owned: Owned) -> QueryResult<Owned> {
    let Some(owner) = owned.owner_id else { return Ok(owned) };
    let active = users::table.filter(users::id.eq(owner).and(users::active));
    let active: Option<Uuid> = active.select(users::id).first(&mut **tx).optional()?;
    Ok(match active {
        Some(_) => owned,
        None => Owned {
            owner_id: None,
            ..owned
        },
    })
}

fn contact_in(row: &LeadRow) -> Option<ContactIn> {
    let email = row.email.as_ref().map(Email::as_str);
    let name = row.name.as_deref().or(email).or(row.phone.as_deref())?;
    Some(ContactIn {
        id: None,
        name: name.to_owned(),
        role: None,
        title: row.job_title.as_deref().map(|title| title.chars().take(100).collect()),
        email: row.email.clone(),
        phone: row.phone.clone(),
    })
}

fn make_customer(
    tx: &mut Tx<'_>,
    row: &LeadRow,
    owned: Owned,
    input: &LeadConvertIn,
    allow_duplicate: bool,
) -> Result<(Uuid, Option<Uuid>)> {
    let derived = match row.company {
        Some(_) => CustomerKind::Company,
        None => CustomerKind::Person,
    };
    let kind = input.customer_kind.unwrap_or(derived);
    let name = input
        .customer_name
        .as_ref()
        .or(row.company.as_ref())
        .or(row.name.as_ref());
    let person = kind == CustomerKind::Person;
    let customer = CustomerIn {
        id: None,
        name: name.unwrap_or(&row.label).clone(),
        kind,
        email: row.email.clone().filter(|_| person),
        phone: row.phone.clone().filter(|_| person),
        tax_id: None,
        grade: None,
        grade_effective_from: None,
        external_ref: None,
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        tags: None,
        parent_id: None,
        language: None,
        custom_fields: None,
        contacts: contact_in(row).into_iter().collect(),
        addresses: Vec::new(),
        legal_entities: Vec::new(),
    };
    let customer = customers::actions::create(tx, &customer, allow_duplicate)?;
    let contact = customer.contacts.first().map(|contact| contact.id);
    Ok((customer.id(), contact))
}

/// The person among the contacts of a customer; added if they are none.
fn contact_at(tx: &mut Tx<'_>, customer: Uuid, row: &LeadRow) -> Result<Option<Uuid>> {
    let there = customers::queries::lock(tx, customer)?;
    let same = |contact: &&Contact| {
        let email = contact.email.as_ref().map(Email::lowercase);
        let name = contact.name.to_lowercase();
        match &row.email_key {
            Some(key) => email.as_ref() == Some(key),
            None => row.name.as_ref().is_some_and(|known| known.to_lowercase() == name),
        }
    };
    if let Some(contact) = there.contacts.iter().find(same) {
        return Ok(Some(contact.id));
    }
    match contact_in(row) {
        Some(contact) => Ok(Some(parts::add::<Contact>(tx, customer, &contact)?.id)),
        None => Ok(None),
    }
}

fn open_deal(
    tx: &mut Tx<'_>,
    row: &LeadRow,
    owned: Owned,
    customer_id: Uuid,
    contact_id: Option<Uuid>,
    input: &LeadConvertIn,
) -> Result<Deal> {
    let given = input.deal.clone().unwrap_or_default();
    let name: String = row.label.chars().take(200).collect();
    let deal = DealIn {
        id: given.id,
        name: given.name.unwrap_or(name),
        customer_id,
        contact_id,
        pipeline_id: given.pipeline_id,
        currency: given.currency,
        amount: given.amount,
        lines: Vec::new(),
        expected_close_on: given.expected_close_on,
        source: row.source.clone(),
        campaign: row.campaign.clone(),
        next_step: None,
        next_step_on: None,
        owner_id: owned.owner_id,
        team_id: owned.team_id,
    };
    deals::editing::open(tx, &deal).map_err(|error| below("/deal", error))
}

/// The faults of a part of the input, as those of the input.
fn below(pointer: &str, error: Error) -> Error {
    let Error::Problem(mut problem) = error else {
        return error;
    };
    let problem: &mut Problem = &mut problem;
    for fault in &mut problem.errors {
        fault.pointer = format!("{pointer}{}", fault.pointer);
    }
    problem.clone().into()
}

/// The customer's timeline tells where it came from, to those who see the lead.
fn tell(tx: &mut Tx<'_>, before: &LeadRow, lead: &Lead) -> Result<()> {
    let Some(customer) = lead.row.customer_id else {
        return Ok(());
    };
    let data = json!({ "source": lead.row.source, "campaign": lead.row.campaign, "score": lead.row.score });
    let captured = Entry {
        occurred_at: before.created_at,
        subject_version: 1,
        ..Entry::here(tx, customer, "lead_captured", lead)
    };
    let captured = captured.summary(format!("Lead: {}", lead.row.label)).data(data);
    let became = json!({ "contact_id": lead.row.contact_id, "deal_id": lead.row.deal_id });
    let converted = Entry::here(tx, customer, "lead_converted", lead)
        .summary(format!("Lead converted: {}", lead.row.label))
        .data(became);
    let entries = [captured, converted].map(|entry| entry.owned(lead.row.owner_id, lead.row.team_id));
    Ok(timeline::add_all(tx, &entries)?)
}
