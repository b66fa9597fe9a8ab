//! Winning, losing and reopening deals.

use super::editing::{locked, save, tell, words};
use super::model::{Deal, DealLoseIn, DealWinIn};
use super::moving::{complete_all, instant};
use super::status::{DealAction, DealState};
use super::stays::{self, StayOutcome};
use super::steps::{self, Leaving};
use super::stored::{StoredDeal, ages_at};
use super::{loss_reasons, queries, value};
use crate::activities::notifications;
use chrono::NaiveDate;
use service_kit::{Faults, Resource, Result, Tx};
use uuid::Uuid;

pub fn win(tx: &mut Tx<'_>, id: Uuid, input: &DealWinIn) -> Result<Deal> {
    let before = locked(tx, id, DealAction::Win)?;
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let closed_on = closing_date(tx, input.closed_on, &mut faults);
    complete_all(tx, &mut after, &input.evidence, &mut faults)?;
    faults.check()?;
    steps::require(&after, before.stage()?, Leaving::Winning)?;
    after.row.state = DealState::Won;
    let deal = close(tx, &before, after, closed_on, StayOutcome::Won)?;
    tell(tx, &deal, "deal_won", format!("Deal won: {}", words(&deal)))?;
    Ok(deal)
}

/// Wins a deal of which a quote was accepted, whoever accepted it: also one out of their sight.
///
/// A deal that is closed stays as it is. Where required steps are missing the customer's word holds all the
/// same: the deal stays open, and its owner is told which steps they are.
pub fn win_by_quote(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let before = queries::lock_unseen(tx, id)?;
    if before.row.state != DealState::Open {
        return Ok(());
    }
    let missing = steps::missing(&before, before.stage()?, Leaving::Winning);
    if !missing.is_empty() {
        let title = format!(
            "Quote accepted, deal not won: {}. Missing: {}",
            before.row.name,
            steps::names(&missing)
        );
        if let Some(owner) = before.row.owner_id {
            let now = tx.now();
            notifications::tell(tx, owner, "deal_not_won", &title, (Deal::TYPE, id), now)?;
        }
        return Ok(());
    }
    let mut after = before.clone();
    after.row.state = DealState::Won;
    let today = tx.today();
    let deal = close(tx, &before, after, today, StayOutcome::Won)?;
    tell(tx, &deal, "deal_won", format!("Deal won: {}", words(&deal)))
}

pub fn lose(tx: &mut Tx<'_>, id: Uuid, input: &DealLoseIn) -> Result<Deal> {
    let before = locked(tx, id, DealAction::Lose)?;
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let closed_on = closing_date(tx, input.closed_on, &mut faults);
    let reason = loss_reasons::active(tx, &input.reason)?;
    if reason.is_none() {
        faults.add("/reason", "unknown_reason", "there is no such active loss reason");
    }
    if input.competitor.is_some() || input.competitor_id.is_some() {
        after.row.competitor.clone_from(&input.competitor);
        after.row.competitor_id = input.competitor_id;
    }
    complete_all(tx, &mut after, &input.evidence, &mut faults)?;
    faults.check()?;
    steps::require(&after, before.stage()?, Leaving::Losing)?;
    after.row.state = DealState::Lost;
    after.row.loss_reason = Some(input.reason.clone());
    let deal = close(tx, &before, after, closed_on, StayOutcome::Lost)?;
    let why = reason.unwrap_or_default();
    tell(tx, &deal, "deal_lost", format!("Deal lost: {} — {why}", words(&deal)))?;
    Ok(deal)
}

/// Opens a closed deal again, in the stage that it was in.
pub fn reopen(tx: &mut Tx<'_>, id: Uuid) -> Result<Deal> {
    let before = locked(tx, id, DealAction::Reopen)?;
    let mut after = before.clone();
    let at = instant(tx, &before);
    let stage = before.stage()?;
    stays::enter(tx, id, stage.id, at)?;
    let row = &mut after.row;
    row.state = DealState::Open;
    row.closed_on = None;
    row.loss_reason = None;
    row.base_amount = None;
    row.base_currency = None;
    row.stage_entered_at = at;
    row.ages_at = ages_at(stage, at);
    let deal = save(tx, &before, after)?;
    tell(tx, &deal, "deal_reopened", format!("Deal reopened: {}", words(&deal)))?;
    Ok(deal)
}

fn closing_date(tx: &Tx<'_>, given: Option<NaiveDate>, faults: &mut Faults) -> NaiveDate {
    let today = tx.today();
    let date = given.unwrap_or(today);
    if date > today {
        faults.add("/closed_on", "out_of_range", "must not be in the future");
    }
    date
}

/// Closes a deal whose state is set: it leaves its stage and keeps what it is worth that day.
fn close(
    tx: &mut Tx<'_>,
    before: &StoredDeal,
    mut after: StoredDeal,
    closed_on: NaiveDate,
    outcome: StayOutcome,
) -> Result<Deal> {
    stays::leave(tx, before.row.id, instant(tx, before), outcome)?;
    after.row.closed_on = Some(closed_on);
    if let Some(amount) = after.row.amount
        && let Some((worth, base)) = value::on_day(tx, amount, after.row.currency, closed_on)?
    {
        after.row.base_amount = Some(worth);
        after.row.base_currency = Some(base);
    }
    save(tx, before, after)
}
