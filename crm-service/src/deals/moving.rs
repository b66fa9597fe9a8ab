//! Moving a deal through its stages, completing steps, and following a newer version.

use super::editing::{locked, save, tell, weigh, words};
use super::evidence;
use super::model::{Deal, DealMoveIn, DealVersionIn, StepDoneIn, StepEvidenceIn};
use super::pipelines::model::{StageRow, StepEvidence};
use super::pipelines::queries::{self as pipelines, Way};
use super::status::DealAction;
use super::stays::{self, StayOutcome};
use super::steps::{self, Leaving};
use super::stored::{StepRow, StoredDeal, ages_at};
use super::{queries, stored};
use chrono::{DateTime, Utc};
use service_kit::{Faults, Problem, Result, Tx};
use uuid::Uuid;

/// Moves a deal to one of the stages that its stage leads to.
pub fn move_to(tx: &mut Tx<'_>, id: Uuid, input: &DealMoveIn) -> Result<Deal> {
    let before = locked(tx, id, DealAction::Move)?;
    let here = before.stage()?.clone();
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let target = after.way.stage(&input.stage).cloned();
    if target.is_none() {
        faults.add("/stage", "unknown_stage", "the deal's pipeline has no such stage");
    }
    complete_all(tx, &mut after, &input.evidence, &mut faults)?;
    faults.check()?;
    let target = target.filter(|target| here.next_stages.contains(&target.key));
    let target = target.ok_or_else(|| not_next(&before, &here, &input.stage))?;
    steps::require(&after, &here, Leaving::For(&target))?;
    let at = instant(tx, &before);
    stays::leave(tx, id, at, StayOutcome::Moved)?;
    stays::enter(tx, id, target.id, at)?;
    after.enter(&target, at);
    let mut faults = Faults::default();
    weigh(&mut after, &mut faults);
    faults.check()?;
    let deal = save(tx, &before, after)?;
    let summary = format!("Deal moved from {} to {}: {}", here.name, target.name, words(&deal));
    tell(tx, &deal, "deal_moved", summary)?;
    Ok(deal)
}

fn not_next(deal: &StoredDeal, here: &StageRow, wanted: &str) -> Problem {
    let state = deal.row.state;
    let allowed: Vec<&str> = state.allowed_actions().iter().map(|action| action.as_str()).collect();
    let mut problem = Problem::illegal_transition("move", state.as_str(), &allowed);
    problem.detail = match wanted == here.key {
        true => format!("it is in the stage {:?} already", here.key),
        false => format!("the stage {:?} does not lead to {wanted:?}", here.key),
    };
    problem
        .fact("stage", here.key.clone())
        .fact("next_stages", here.next_stages.clone())
}

/// Completes a step of whichever stage of the deal's pipeline.
pub fn complete_step(tx: &mut Tx<'_>, id: Uuid, step: &str, input: &StepEvidenceIn) -> Result<Deal> {
    let before = locked(tx, id, DealAction::CompleteStep)?;
    if steps::find(&before, step).is_none() {
        return Err(Problem::not_found("step of this deal").into());
    }
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let done = StepDoneIn {
        step: step.to_owned(),
        evidence_id: input.evidence_id,
    };
    complete(tx, &mut after, &done, "", &mut faults)?;
    faults.check()?;
    if after == before {
        return before.wire();
    }
    save(tx, &before, after)
}

/// Completes the steps that a command proves along the way.
pub fn complete_all(tx: &mut Tx<'_>, deal: &mut StoredDeal, done: &[StepDoneIn], faults: &mut Faults) -> Result<()> {
    for (index, done) in done.iter().enumerate() {
        complete(tx, deal, done, &format!("/evidence/{index}"), faults)?;
    }
    Ok(())
}

fn complete(
    tx: &mut Tx<'_>,
    deal: &mut StoredDeal,
    done: &StepDoneIn,
    pointer: &str,
    faults: &mut Faults,
) -> Result<()> {
    let Some(step) = steps::find(deal, &done.step) else {
        faults.add(
            format!("{pointer}/step"),
            "unknown_step",
            "the deal's pipeline has no such step",
        );
        return Ok(());
    };
    let (kind, field) = (step.evidence, step.field);
    let at = format!("{pointer}/evidence_id");
    match (kind, done.evidence_id) {
        (StepEvidence::Field, Some(_)) => faults.add(at, "not_allowed", "a filled field proves this step"),
        (StepEvidence::Field, None) if !field.is_some_and(|field| steps::is_filled(deal, field)) => {
            let field = field.map_or("the field", |field| field.as_str());
            faults.add(
                format!("{pointer}/step"),
                "field_empty",
                format!("{field} of the deal is empty"),
            );
        }
        (StepEvidence::LoggedCall | StepEvidence::Document, None) => {
            faults.add(at, "required", "name the call or the document that proves this step");
        }
        (StepEvidence::LoggedCall | StepEvidence::Document, Some(id))
            if !evidence::exists(tx, kind, id, deal.row.id)? =>
        {
            let what = match kind {
                StepEvidence::LoggedCall => "the deal has no call with this id that was made",
                _ => "the deal has no document with this id",
            };
            faults.add(at, "unknown_evidence", what);
        }
        (evidence, evidence_id) => {
            let same =
                |row: &&StepRow| row.step == done.step && row.evidence == evidence && row.evidence_id == evidence_id;
            if deal.steps.iter().find(same).is_some() {
                return Ok(());
            }
            let row = StepRow {
                deal_id: deal.row.id,
                step: done.step.clone(),
                evidence,
                evidence_id,
                completed_at: tx.now(),
                completed_by: tx.actor().name.to_string(),
            };
            queries::put_step(tx, &row)?;
            deal.steps.retain(|other| other.step != row.step);
            deal.steps.push(row);
        }
    }
    Ok(())
}

/// Moves a deal to the published version of its pipeline.
pub fn change_version(tx: &mut Tx<'_>, id: Uuid, input: &DealVersionIn) -> Result<Deal> {
    let before = locked(tx, id, DealAction::ChangeVersion)?;
    let way = pipelines::published(tx, before.row.pipeline_id)?;
    let way = way.filter(|way| way.number != before.way.number);
    let way = way.ok_or_else(|| {
        Problem::conflict("version_current", "the deal is on the published version already")
            .fact("pipeline_version", before.way.number)
    })?;
    let here = before.stage()?.key.clone();
    let key = input.stage.as_deref().unwrap_or(&here);
    let Some(stage) = way.stage(key).cloned() else {
        let mut faults = Faults::default();
        faults.add(
            "/stage",
            "unknown_stage",
            format!("version {} has no stage {key:?}; say which one instead", way.number),
        );
        faults.check()?;
        return before.wire();
    };
    follow(tx, &before, &way, &stage)
}

/// Puts a deal, which is locked, on another way. Where its stage is called the same there, it has been
/// there all along; steps that are called the same stay done.
pub fn follow(tx: &mut Tx<'_>, before: &StoredDeal, way: &Way, stage: &StageRow) -> Result<Deal> {
    let mut after = before.clone();
    after.way = way.clone();
    let id = before.row.id;
    if stage.key == before.row.stage_key {
        stays::carry_over(tx, id, stage.id)?;
        after.enter(stage, before.row.stage_entered_at);
        after.row.ages_at = ages_at(stage, before.row.stage_entered_at);
    } else {
        let at = instant(tx, before);
        stays::leave(tx, id, at, StayOutcome::Remapped)?;
        stays::enter(tx, id, stage.id, at)?;
        after.enter(stage, at);
    }
    let mut faults = Faults::default();
    weigh(&mut after, &mut faults);
    faults.check()?;
    let deal = save(tx, before, after)?;
    let summary = format!(
        "Deal follows version {} of its pipeline, in {}: {}",
        way.number,
        stage.name,
        words(&deal)
    );
    tell(tx, &deal, "deal_version_changed", summary)?;
    Ok(deal)
}

/// Now, but not before the deal entered its stage: a command that waited for another is older than it.
pub fn instant(tx: &Tx<'_>, deal: &stored::StoredDeal) -> DateTime<Utc> {
    tx.now().max(deal.row.stage_entered_at)
}
