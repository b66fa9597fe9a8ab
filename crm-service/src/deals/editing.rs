//! Opening, changing and assigning deals.

use super::lines::{self, Pricing};
use super::model::{Deal, DealAssignIn, DealIn, DealPatch};
use super::pipelines::queries as pipelines;
use super::status::{DealAction, DealState};
use super::stored::{DealRow, StoredDeal, ages_at};
use super::{queries, soft_demand, stays};
use crate::currencies;
use crate::customers::CustomerStatus;
use crate::customers::merge;
use crate::customers::model::set;
use crate::customers::reference::{self, Referred};
use crate::customers::timeline::{self, Entry};
use crate::schema::deals;
use diesel::prelude::*;
use serde_json::json;
use service_kit::tx::Emitted;
use service_kit::{Amount, Error, Faults, Owned, Problem, Result, Tx};
use uuid::Uuid;

/// Opens a deal in the first stage of its pipeline.
pub fn open(tx: &mut Tx<'_>, input: &DealIn) -> Result<Deal> {
    let (id, now) = (tx.mint(input.id), tx.now());
    let mut faults = Faults::default();
    let customer = customer(tx, input.customer_id, &mut faults)?;
    let way = pipelines::entered(tx, input.pipeline_id)?;
    if way.is_none() {
        faults.add(
            "/pipeline_id",
            "unknown_pipeline",
            "there is no such active pipeline with a published version",
        );
    }
    let otherwise = customer.as_ref().map(|customer| customer.owned).unwrap_or_default();
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, otherwise, &mut faults)?;
    let currency = match input.currency {
        Some(currency) => currency,
        None => currencies::base_currency(tx)?,
    };
    check_contact(tx, input.customer_id, input.contact_id, &mut faults)?;
    check_amount(input.amount, &mut faults);
    check_next_step(input.next_step.as_deref(), input.next_step_on.is_some(), &mut faults);
    let pricing = Pricing {
        customer_id: input.customer_id,
        tier: tier_today(tx, customer.as_ref()),
        currency,
    };
    let lines = lines::put_together(tx, id, &input.lines, &[], &pricing, &mut faults)?;
    let first = way.as_ref().and_then(|way| way.stages.first()).cloned();
    let (Some(way), Some(stage), Some(customer)) = (way, first, customer) else {
        faults.check()?;
        return Err(Error::Bug("a published version has no stages".to_owned()));
    };
    let row = DealRow {
        id,
        name: input.name.clone(),
        customer_id: input.customer_id,
        contact_id: input.contact_id,
        pipeline_id: stage.pipeline_id,
        stage_id: stage.id,
        stage_key: stage.key.clone(),
        state: DealState::Open,
        currency,
        amount: input.amount.map(|amount| rounded(currency, amount)),
        amount_given: input.amount.is_some(),
        probability: stage.probability,
        weighted_amount: None,
        expected_close_on: input.expected_close_on,
        source: input.source.clone(),
        campaign: input.campaign.clone(),
        next_step: input.next_step.clone(),
        next_step_on: input.next_step_on,
        loss_reason: None,
        competitor: None,
        competitor_id: None,
        closed_on: None,
        base_amount: None,
        base_currency: None,
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        stage_entered_at: now,
        ages_at: ages_at(&stage, now),
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    let mut deal = StoredDeal {
        row,
        lines,
        steps: Vec::new(),
        way,
    };
    weigh(&mut deal, &mut faults);
    faults.check()?;
    require_active(&customer)?;
    if !queries::insert(tx, &deal)? {
        return Err(Problem::conflict("duplicate", "there is a deal with this id").into());
    }
    stays::enter(tx, id, stage.id, now)?;
    soft_demand::tell(tx, &deal)?;
    let deal = deal.wire()?;
    tx.changed(None, &deal)?;
    tell(tx, &deal, "deal_opened", format!("Deal opened: {}", deal.name))?;
    Ok(deal)
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &DealPatch) -> Result<Deal> {
    let before = queries::lock(tx, id)?;
    let shown = before.wire()?;
    tx.require_match(&shown)?;
    before.row.state.check(DealAction::Edit)?;
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let row = &mut after.row;
    set(&mut row.name, &patch.name);
    set(&mut row.contact_id, &patch.contact_id);
    set(&mut row.currency, &patch.currency);
    set(&mut row.expected_close_on, &patch.expected_close_on);
    set(&mut row.source, &patch.source);
    set(&mut row.campaign, &patch.campaign);
    set(&mut row.next_step, &patch.next_step);
    set(&mut row.next_step_on, &patch.next_step_on);
    set(&mut row.competitor, &patch.competitor);
    set(&mut row.competitor_id, &patch.competitor_id);
    if row.next_step.is_none() && patch.next_step_on.is_none() {
        // The date of a step that is no longer there.
        row.next_step_on = None;
    }
    if let Some(amount) = patch.amount {
        check_amount(amount, &mut faults);
        row.amount_given = amount.is_some();
        row.amount = amount;
    }
    if row.amount_given {
        row.amount = row.amount.map(|amount| rounded(row.currency, amount));
    }
    check_next_step(row.next_step.as_deref(), row.next_step_on.is_some(), &mut faults);
    if row.contact_id != before.row.contact_id {
        check_contact(tx, row.customer_id, row.contact_id, &mut faults)?;
    }
    if patch.lines.is_some() || row.currency != before.row.currency {
        let sight = service_kit::Sight::All;
        let customer = reference::referred(tx, &sight, row.customer_id)?;
        let pricing = Pricing {
            customer_id: row.customer_id,
            tier: tier_today(tx, customer.as_ref()),
            currency: row.currency,
        };
        if let Some(input) = &patch.lines {
            after.lines = lines::put_together(tx, id, input, &before.lines, &pricing, &mut faults)?;
        }
        if after.row.currency != before.row.currency {
            lines::price_anew(tx, &mut after.lines, &pricing)?;
        }
    }
    weigh(&mut after, &mut faults);
    faults.check()?;
    if after == before {
        return Ok(shown);
    }
    let after = save(tx, &before, after)?;
    let fields = changed_fields(&shown, &after)?;
    let entry = Entry::here(tx, after.customer_id, "deal_changed", &after)
        .summary(format!(
            "Deal changed: {} ({})",
            after.name,
            fields.join(", ").replace('_', " ")
        ))
        .data(json!({ "fields": fields }))
        .owned(after.owner_id, after.team_id);
    timeline::add(tx, entry)?;
    Ok(after)
}

/// Gives a deal to somebody; what is told of it follows.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, input: &DealAssignIn) -> Result<Deal> {
    let before = queries::lock(tx, id)?;
    let shown = before.wire()?;
    tx.match_if_given(&shown)?;
    before.row.state.check(DealAction::Assign)?;
    let mut faults = Faults::default();
    let given = Owned::given(tx, Some(input.owner_id), input.team_id, &mut faults)?;
    faults.check()?;
    let owned = given.unwrap_or_default();
    if owned == before.owned() {
        return Ok(shown);
    }
    let mut after = before.clone();
    after.row.owner_id = owned.owner_id;
    after.row.team_id = owned.team_id;
    let after = save(tx, &before, after)?;
    timeline::reassign(tx, id, owned)?;
    tell(tx, &after, "deal_assigned", format!("Deal assigned: {}", after.name))?;
    Ok(after)
}

/// Stores a locked deal under its next version, and tells the world.
pub fn save(tx: &mut Tx<'_>, before: &StoredDeal, mut after: StoredDeal) -> Result<Deal> {
    after.count_change(tx.now());
    queries::update(tx, before, &after)?;
    soft_demand::tell(tx, &after)?;
    let (before, after) = (before.wire()?, after.wire()?);
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Tells deals that a merge has moved to another customer.
///
/// # Errors
/// When the database refuses.
pub fn moved(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    let found = deals::table.filter(deals::id.eq_any(ids)).order(deals::id);
    let rows: Vec<DealRow> = found.select(DealRow::as_select()).load(&mut **tx)?;
    for deal in queries::with_parts(tx, rows)? {
        let deal = deal.wire()?;
        tx.emit(Deal::EVENT, deal.id, deal.version, serde_json::to_value(&deal)?);
    }
    Ok(())
}

/// An entry of the customer's timeline that is seen by those who see the deal.
pub fn tell(tx: &mut Tx<'_>, deal: &Deal, kind: &'static str, summary: String) -> Result<()> {
    let data = json!({
        "state": deal.state, "stage": deal.stage, "amount": deal.amount, "currency": deal.currency,
        "loss_reason": deal.loss_reason,
    });
    let entry = Entry::here(tx, deal.customer_id, kind, deal)
        .summary(summary)
        .data(data)
        .owned(deal.owner_id, deal.team_id);
    Ok(timeline::add(tx, entry)?)
}

/// Computes amount and weight; what is too large is a fault of the input.
pub fn weigh(deal: &mut StoredDeal, faults: &mut Faults) {
    if let Err(problem) = deal.weigh() {
        faults.add("/lines", &problem.code, problem.detail);
    }
}

fn customer(tx: &mut Tx<'_>, id: Uuid, faults: &mut Faults) -> Result<Option<Referred>> {
    let sight = tx.actor().sight.clone();
    let customer = reference::referred(tx, &sight, id)?;
    if customer.is_none() {
        faults.add("/customer_id", "unknown_customer", "there is no such customer");
    }
    Ok(customer)
}

/// The tier of today, at which lines without a price are priced.
fn tier_today(tx: &Tx<'_>, customer: Option<&Referred>) -> Option<String> {
    customer?.tiers.on(tx.today()).map(str::to_owned)
}

fn require_active(customer: &Referred) -> Result<()> {
    if let Some(survivor) = customer.merged_into {
        return Err(merge::refused(survivor).into());
    }
    match customer.status {
        CustomerStatus::Active => Ok(()),
        CustomerStatus::Archived => {
            Err(Problem::conflict("customer_archived", "an archived customer takes no new deals").into())
        }
    }
}

fn check_contact(tx: &mut Tx<'_>, customer: Uuid, contact: Option<Uuid>, faults: &mut Faults) -> Result<()> {
    if let Some(contact) = contact
        && !reference::has_contact(tx, customer, contact)?
    {
        faults.add("/contact_id", "unknown_contact", "the customer has no such contact");
    }
    Ok(())
}

fn check_amount(amount: Option<Amount>, faults: &mut Faults) {
    if amount.is_some_and(|amount| amount.value().is_sign_negative()) {
        faults.add("/amount", "out_of_range", "must not be negative");
    }
}

fn check_next_step(next_step: Option<&str>, dated: bool, faults: &mut Faults) {
    if dated && next_step.is_none() {
        faults.add("/next_step_on", "not_allowed", "say what the next step is as well");
    }
}

/// What was given, with the currency's minor digits.
fn rounded(currency: service_kit::Currency, amount: Amount) -> Amount {
    Amount::money(currency, amount.value()).unwrap_or(amount)
}

/// The fields of a deal that a change touched.
fn changed_fields(before: &Deal, after: &Deal) -> Result<Vec<String>> {
    let counted = ["version", "revision", "updated_at", "steps", "weighted_amount"];
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let fields = after.as_object().into_iter().flatten();
    Ok(fields
        .filter(|(field, value)| !counted.contains(&field.as_str()) && before.get(field.as_str()) != Some(value))
        .map(|(field, _)| field.clone())
        .collect())
}

/// What a timeline says of a deal.
pub fn words(deal: &Deal) -> String {
    match deal.amount {
        Some(amount) => format!("{} ({amount} {})", deal.name, deal.currency),
        None => deal.name.clone(),
    }
}

/// Locks a deal for a command that its state must allow, and checks `If-Match` if it was sent.
pub fn locked(tx: &mut Tx<'_>, id: Uuid, action: DealAction) -> Result<StoredDeal> {
    let deal = queries::lock(tx, id)?;
    let shown = deal.wire()?;
    tx.match_if_given(&shown)?;
    deal.row.state.check(action)?;
    Ok(deal)
}
