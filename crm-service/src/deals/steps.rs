//! Which steps are done, and which are missing: pure.

use super::model::DealStep;
use super::pipelines::model::{DealField, StageRow, StageStep, StepEvidence};
use super::stored::{StepRow, StoredDeal};
use serde_json::json;
use service_kit::Problem;

/// All steps of the deal's way, in order.
pub fn shown(deal: &StoredDeal) -> Vec<DealStep> {
    let steps = deal
        .way
        .stages
        .iter()
        .flat_map(|stage| stage.steps.0.iter().map(move |step| (stage, step)));
    steps
        .map(|(stage, step)| {
            let completed = completed(deal, step);
            DealStep {
                stage: stage.key.clone(),
                key: step.key.clone(),
                name: step.name.clone(),
                evidence: step.evidence,
                field: step.field,
                required: !step.optional,
                on_loss: step.on_loss,
                done: is_done(deal, step),
                evidence_id: completed.and_then(|row| row.evidence_id),
                completed_at: completed.map(|row| row.completed_at),
                completed_by: completed.map(|row| row.completed_by.clone()),
            }
        })
        .collect()
}

/// The step of this key, in whichever stage of the deal's way.
pub fn find<'a>(deal: &'a StoredDeal, key: &str) -> Option<&'a StageStep> {
    let steps = deal.way.stages.iter().flat_map(|stage| &stage.steps.0);
    steps.into_iter().find(|step| step.key == key)
}

/// The proof that was given for a step. That of another kind, from another version, counts nothing.
fn completed<'a>(deal: &'a StoredDeal, step: &StageStep) -> Option<&'a StepRow> {
    let mut rows = deal.steps.iter();
    rows.find(|row| row.step == step.key && row.evidence == step.evidence)
}

fn is_done(deal: &StoredDeal, step: &StageStep) -> bool {
    match (step.evidence, step.field) {
        (StepEvidence::Field, Some(field)) => is_filled(deal, field),
        _ => completed(deal, step).is_some(),
    }
}

pub fn is_filled(deal: &StoredDeal, field: DealField) -> bool {
    let row = &deal.row;
    match field {
        DealField::Amount => row.amount.is_some(),
        DealField::Lines => !deal.lines.is_empty(),
        DealField::ExpectedCloseOn => row.expected_close_on.is_some(),
        DealField::Contact => row.contact_id.is_some(),
        DealField::NextStep => row.next_step.is_some(),
        DealField::Source => row.source.is_some(),
        DealField::Campaign => row.campaign.is_some(),
        DealField::Competitor => row.competitor.is_some() || row.competitor_id.is_some(),
    }
}

/// Where a deal is to go.
#[derive(Debug, Clone, Copy)]
pub enum Leaving<'a> {
    /// To another stage of its way.
    For(&'a StageRow),
    Winning,
    Losing,
}

/// The required steps that would be left behind, with the stage of each.
///
/// Going forward needs the steps of the stage that is left and of those that are passed over;
/// winning passes over all that are left. Going back needs none. Losing needs those of the stage
/// that are marked so.
pub fn missing<'a>(deal: &'a StoredDeal, here: &StageRow, leaving: Leaving<'_>) -> Vec<(&'a StageRow, &'a StageStep)> {
    let concerned = |stage: &StageRow, step: &StageStep| match leaving {
        Leaving::For(there) => !step.optional && (here.position..there.position).contains(&stage.position),
        Leaving::Winning => !step.optional && stage.position >= here.position,
        Leaving::Losing => step.on_loss && stage.id == here.id,
    };
    let steps = deal
        .way
        .stages
        .iter()
        .flat_map(|stage| stage.steps.0.iter().map(move |step| (stage, step)));
    steps
        .filter(|(stage, step)| concerned(stage, step) && !is_done(deal, step))
        .collect()
}

/// Refuses to leave required steps behind: see [`missing`].
///
/// # Errors
/// 409 `steps_missing` with all of them.
pub fn require(deal: &StoredDeal, here: &StageRow, leaving: Leaving<'_>) -> Result<(), Problem> {
    let missing = missing(deal, here, leaving);
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!("not done yet: {}", names(&missing));
    let missing: Vec<_> = missing
        .into_iter()
        .map(|(stage, step)| {
            json!({
                "stage": stage.key, "step": step.key, "name": step.name, "evidence": step.evidence, "field": step.field,
            })
        })
        .collect();
    Err(Problem::conflict("steps_missing", detail)
        .fact("state", deal.row.state.as_str())
        .fact("stage", here.key.clone())
        .fact("missing", missing))
}

/// What steps are called, in one line.
pub fn names(steps: &[(&StageRow, &StageStep)]) -> String {
    let names: Vec<&str> = steps.iter().map(|(_, step)| step.name.as_str()).collect();
    names.join(", ")
}
