//! Moving the open deals of older versions to the published one.

use super::model::StageKey;
use super::queries;
use crate::deals::moving;
use crate::deals::queries as deals_queries;
use crate::deals::status::DealState;
use crate::may::WritePipelines;
use crate::schema::{deals, pipeline_stages};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::{Faults, OrNotFound, Permission, Problem, Result, Tx};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Deals in one command; the caller repeats it until none remain.
const MOST: i64 = 200;

/// Where the deals of a stage go.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageMapping {
    /// Key of a stage of older versions.
    pub from: StageKey,
    /// Key of a stage of the published version.
    pub to: StageKey,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemapIn {
    /// Stages that are not named go to the one with the same key.
    #[serde(default)]
    #[schema(max_items = 300)]
    pub stages: Vec<StageMapping>,
}

/// How far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Remapped {
    pub pipeline_id: Uuid,
    /// Number of the version that they follow now.
    pub pipeline_version: i32,
    /// Deals that this command moved.
    pub moved: i64,
    /// Open deals that are still on older versions: repeat the command until there are none.
    pub remaining: i64,
}

pub fn remap(tx: &mut Tx<'_>, id: Uuid, input: &RemapIn) -> Result<Remapped> {
    let pipeline = queries::lock(tx, id).or_not_found("pipeline")?;
    if !tx.actor().sight.sees_all() {
        let refused = Problem {
            detail: "this moves everybody's deals: it is only for those who see all records".to_owned(),
            ..Problem::forbidden(WritePipelines::NAME)
        };
        return Err(refused.fact("required_sight", "all").into());
    }
    let way = queries::published(tx, id)?;
    let way = way.ok_or_else(|| {
        let allowed: Vec<&str> = pipeline.allowed_actions.iter().map(|action| action.as_str()).collect();
        Problem::illegal_transition("remap deals", "without a published version", &allowed)
    })?;
    let mut faults = Faults::default();
    let mut targets: HashMap<&str, &str> = HashMap::new();
    for (index, mapping) in input.stages.iter().enumerate() {
        if way.stage(&mapping.to.0).is_none() {
            faults.add(
                format!("/stages/{index}/to"),
                "unknown_stage",
                format!("version {} has no such stage", way.number),
            );
        }
        if targets.insert(&mapping.from.0, &mapping.to.0).is_some() {
            faults.add(format!("/stages/{index}/from"), "duplicate", "it is mapped already");
        }
    }
    let old: Vec<(Uuid, String)> = pipeline_stages::table
        .filter(pipeline_stages::pipeline_id.eq(id))
        .filter(pipeline_stages::id.ne_all(way.stages.iter().map(|stage| stage.id).collect::<Vec<_>>()))
        .select((pipeline_stages::id, pipeline_stages::key))
        .load(&mut **tx)?;
    let waiting: Vec<Uuid> = deals::table
        .filter(deals::state.eq(DealState::Open))
        .filter(deals::stage_id.eq_any(old.iter().map(|(id, _)| *id).collect::<Vec<_>>()))
        .select(deals::stage_id)
        .distinct()
        .load(&mut **tx)?;
    let mut nowhere: Vec<&str> = old
        .iter()
        .filter(|(id, _)| waiting.contains(id))
        .map(|(_, key)| key.as_str())
        .filter(|key| way.stage(targets.get(key).copied().unwrap_or(key)).is_none() && !targets.contains_key(key))
        .collect();
    nowhere.sort_unstable();
    nowhere.dedup();
    for key in nowhere {
        faults.add(
            "/stages",
            "stage_unmapped",
            format!("version {} has no stage {key:?}: say where its deals go", way.number),
        );
    }
    faults.check()?;
    let on_old = || {
        deals::table
            .filter(deals::state.eq(DealState::Open))
            .filter(deals::stage_id.eq_any(&waiting))
    };
    let ids: Vec<Uuid> = on_old()
        .order(deals::id)
        .limit(MOST)
        .select(deals::id)
        .load(&mut **tx)?;
    let mut moved = 0;
    for deal in ids {
        let before = deals_queries::lock(tx, deal)?;
        // Somebody may have moved or closed it since.
        if before.row.state != DealState::Open || before.way.number == way.number {
            continue;
        }
        let key = before.row.stage_key.as_str();
        let target = targets.get(key).copied().unwrap_or(key);
        let stage = way.stage(target).cloned();
        let stage = stage.ok_or_else(|| service_kit::Error::Stale)?;
        moving::follow(tx, &before, &way, &stage)?;
        moved += 1;
    }
    let remaining: i64 = on_old().count().get_result(&mut **tx)?;
    Ok(Remapped {
        pipeline_id: id,
        pipeline_version: way.number,
        moved,
        remaining,
    })
}
