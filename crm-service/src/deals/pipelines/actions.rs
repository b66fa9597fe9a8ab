//! The verbs of pipelines.

use super::model::{
    Pipeline, PipelineAction, PipelineDraftIn, PipelineIn, PipelinePatch, PipelineRow, PipelineStatus, StageIn,
    StageRow, VersionRow, VersionState,
};
use super::{queries, rules};
use crate::json::AsJson;
use service_kit::{Error, Faults, OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &PipelineIn) -> Result<Pipeline> {
    let mut faults = Faults::default();
    rules::check(&input.stages, &mut faults);
    faults.check()?;
    let (id, now) = (tx.mint(input.id), tx.now());
    let row = PipelineRow {
        id,
        name: input.name.clone(),
        status: PipelineStatus::Active,
        is_default: false,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    if !queries::insert(tx, &row)? {
        return Err(Problem::conflict("duplicate", "there is a pipeline with this id").into());
    }
    let draft = store_draft(tx, id, None, &input.stages)?;
    if input.publish {
        queries::publish(tx, id, draft, now)?;
    }
    let pipeline = queries::get(tx, id)?;
    tx.changed(None, &pipeline)?;
    Ok(pipeline)
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &PipelinePatch) -> Result<Pipeline> {
    let before = queries::lock(tx, id).or_not_found("pipeline")?;
    tx.require_match(&before)?;
    let mut row = before.row();
    if let Some(name) = &patch.name {
        row.name.clone_from(name);
    }
    if patch.is_default == Some(true) && !row.is_default {
        if row.status == PipelineStatus::Archived || before.published.is_none() {
            return Err(refusal("make the default", &before));
        }
        let now = tx.now();
        if let Some(other) = queries::clear_default(tx, now)? {
            let other = queries::get(tx, other)?;
            tx.changed(None, &other)?;
        }
        row.is_default = true;
    }
    if row == before.row() {
        return Ok(before);
    }
    save(tx, &before, row)
}

/// Puts the stages of the next version in place.
pub fn draft(tx: &mut Tx<'_>, id: Uuid, input: &PipelineDraftIn) -> Result<Pipeline> {
    let mut faults = Faults::default();
    rules::check(&input.stages, &mut faults);
    let before = queries::lock(tx, id).or_not_found("pipeline")?;
    faults.check()?;
    tx.match_if_given(&before)?;
    allow(PipelineAction::Draft, &before)?;
    store_draft(tx, id, before.draft.as_ref().map(|draft| draft.id), &input.stages)?;
    save(tx, &before, before.row())
}

/// New deals enter the draft from now on; those that are there keep their version.
pub fn publish(tx: &mut Tx<'_>, id: Uuid) -> Result<Pipeline> {
    let before = queries::lock(tx, id).or_not_found("pipeline")?;
    tx.match_if_given(&before)?;
    allow(PipelineAction::Publish, &before)?;
    let draft = before.draft.as_ref().map(|draft| draft.id);
    let draft = draft.ok_or_else(|| Error::Bug("publishing was allowed without a draft".to_owned()))?;
    let now = tx.now();
    queries::publish(tx, id, draft, now)?;
    save(tx, &before, before.row())
}

pub fn archive(tx: &mut Tx<'_>, id: Uuid) -> Result<Pipeline> {
    turn(tx, id, PipelineAction::Archive, PipelineStatus::Archived)
}

pub fn restore(tx: &mut Tx<'_>, id: Uuid) -> Result<Pipeline> {
    turn(tx, id, PipelineAction::Restore, PipelineStatus::Active)
}

fn turn(tx: &mut Tx<'_>, id: Uuid, action: PipelineAction, to: PipelineStatus) -> Result<Pipeline> {
    let before = queries::lock(tx, id).or_not_found("pipeline")?;
    tx.match_if_given(&before)?;
    allow(action, &before)?;
    let row = PipelineRow {
        status: to,
        ..before.row()
    };
    save(tx, &before, row)
}

fn allow(action: PipelineAction, pipeline: &Pipeline) -> Result<()> {
    match pipeline.allowed_actions.contains(&action) {
        true => Ok(()),
        false => Err(refusal(action.as_str(), pipeline)),
    }
}

fn refusal(action: &str, pipeline: &Pipeline) -> Error {
    let allowed: Vec<&str> = pipeline.allowed_actions.iter().map(|action| action.as_str()).collect();
    let state = match (pipeline.status, &pipeline.draft, pipeline.is_default) {
        (PipelineStatus::Active, _, true) if action == "archive" => "the default one",
        (PipelineStatus::Active, None, _) if action == "publish" => "without a draft",
        (status, ..) => status.as_str(),
    };
    Problem::illegal_transition(action, state, &allowed).into()
}

/// Stores a locked pipeline, whose versions are stored already, under its next revision.
fn save(tx: &mut Tx<'_>, before: &Pipeline, row: PipelineRow) -> Result<Pipeline> {
    let row = PipelineRow {
        version: before.version + 1,
        revision: before.revision + 1,
        updated_at: tx.now(),
        ..row
    };
    queries::update(tx, &row)?;
    let after = queries::get(tx, row.id)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}

/// Replaces the stages of the draft, which is made when there is none.
fn store_draft(tx: &mut Tx<'_>, pipeline: Uuid, draft: Option<Uuid>, stages: &[StageIn]) -> Result<Uuid> {
    let version = match draft {
        Some(draft) => draft,
        None => {
            let row = VersionRow {
                id: Uuid::now_v7(),
                pipeline_id: pipeline,
                number: queries::next_number(tx, pipeline)?,
                state: VersionState::Draft,
                published_at: None,
                created_at: tx.now(),
            };
            queries::insert_version(tx, &row)?;
            row.id
        }
    };
    let rows: Vec<StageRow> = (1..)
        .zip(stages)
        .enumerate()
        .map(|(index, (position, stage))| StageRow {
            id: Uuid::now_v7(),
            version_id: version,
            pipeline_id: pipeline,
            position,
            key: stage.key.clone(),
            name: stage.name.clone(),
            probability: stage.probability,
            ageing_days: stage.ageing_days,
            next_stages: rules::next_stages(stages, index),
            steps: AsJson(stage.steps.clone()),
        })
        .collect();
    queries::replace_stages(tx, version, &rows)?;
    Ok(version)
}
