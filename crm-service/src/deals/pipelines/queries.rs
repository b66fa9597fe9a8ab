//! The SQL of pipelines.

use super::model::{Pipeline, PipelineRow, PipelineVersion, Stage, StageRow, VersionRow, VersionState};
use crate::schema::{pipeline_stages, pipeline_versions, pipelines};
use diesel::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

pub fn get(conn: &mut PgConnection, id: Uuid) -> QueryResult<Pipeline> {
    let row = pipelines::table.find(id).select(PipelineRow::as_select()).first(conn)?;
    one(conn, row)
}

/// The pipeline, locked against other changes of it; deals are made and moved meanwhile.
pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Pipeline> {
    let row = pipelines::table
        .find(id)
        .select(PipelineRow::as_select())
        .for_no_key_update()
        .first(conn)?;
    one(conn, row)
}

fn one(conn: &mut PgConnection, row: PipelineRow) -> QueryResult<Pipeline> {
    with_versions(conn, vec![row])?.pop().ok_or(diesel::NotFound)
}

/// Gives pipelines what is published and what is being prepared.
pub fn with_versions(conn: &mut PgConnection, rows: Vec<PipelineRow>) -> QueryResult<Vec<Pipeline>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let versions = pipeline_versions::table
        .filter(pipeline_versions::pipeline_id.eq_any(ids))
        .filter(pipeline_versions::state.ne(VersionState::Retired))
        .select(VersionRow::as_select())
        .load(conn)?;
    let mut of_pipeline: HashMap<Uuid, Vec<PipelineVersion>> = HashMap::new();
    for (pipeline, version) in with_stages(conn, versions)? {
        of_pipeline.entry(pipeline).or_default().push(version);
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let versions = of_pipeline.remove(&row.id).unwrap_or_default();
            Pipeline::of(row, versions)
        })
        .collect())
}

/// Gives versions their stages; each with the pipeline that it is of.
pub fn with_stages(conn: &mut PgConnection, rows: Vec<VersionRow>) -> QueryResult<Vec<(Uuid, PipelineVersion)>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut stages: HashMap<Uuid, Vec<Stage>> = HashMap::new();
    for stage in stages_of(conn, &ids)? {
        stages.entry(stage.version_id).or_default().push(Stage::from(stage));
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let version = PipelineVersion {
                id: row.id,
                number: row.number,
                state: row.state,
                published_at: row.published_at,
                created_at: row.created_at,
                stages: stages.remove(&row.id).unwrap_or_default(),
            };
            (row.pipeline_id, version)
        })
        .collect())
}

fn stages_of(conn: &mut PgConnection, versions: &[Uuid]) -> QueryResult<Vec<StageRow>> {
    pipeline_stages::table
        .filter(pipeline_stages::version_id.eq_any(versions))
        .order((pipeline_stages::version_id, pipeline_stages::position))
        .select(StageRow::as_select())
        .load(conn)
}

/// The number of a version, and its stages in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    pub number: i32,
    pub stages: Vec<StageRow>,
}

impl Way {
    pub fn stage(&self, key: &str) -> Option<&StageRow> {
        self.stages.iter().find(|stage| stage.key == key)
    }
}

/// The ways that stages are on, by version; and the version of each stage.
pub fn ways(conn: &mut PgConnection, stages: &[Uuid]) -> QueryResult<(HashMap<Uuid, Uuid>, HashMap<Uuid, Way>)> {
    let on: HashMap<Uuid, Uuid> = pipeline_stages::table
        .filter(pipeline_stages::id.eq_any(stages))
        .select((pipeline_stages::id, pipeline_stages::version_id))
        .load::<(Uuid, Uuid)>(conn)?
        .into_iter()
        .collect();
    let mut versions: Vec<Uuid> = on.values().copied().collect();
    versions.sort_unstable();
    versions.dedup();
    let mut ways: HashMap<Uuid, Way> = pipeline_versions::table
        .filter(pipeline_versions::id.eq_any(&versions))
        .select((pipeline_versions::id, pipeline_versions::number))
        .load::<(Uuid, i32)>(conn)?
        .into_iter()
        .map(|(id, number)| {
            let stages = Vec::new();
            (id, Way { number, stages })
        })
        .collect();
    for stage in stages_of(conn, &versions)? {
        if let Some(way) = ways.get_mut(&stage.version_id) {
            way.stages.push(stage);
        }
    }
    Ok((on, ways))
}

/// What deals enter: of the pipeline that is named, else of the default one. `None` when there is no
/// such pipeline, it is archived, or nothing is published.
pub fn entered(conn: &mut PgConnection, named: Option<Uuid>) -> QueryResult<Option<Way>> {
    use super::model::PipelineStatus;
    let mut found = pipeline_versions::table
        .inner_join(pipelines::table)
        .filter(pipeline_versions::state.eq(VersionState::Published))
        .filter(pipelines::status.eq(PipelineStatus::Active))
        .select((pipeline_versions::id, pipeline_versions::number))
        .into_boxed();
    found = match named {
        Some(id) => found.filter(pipelines::id.eq(id)),
        None => found.filter(pipelines::is_default),
    };
    let Some((version, number)) = found.first::<(Uuid, i32)>(conn).optional()? else {
        return Ok(None);
    };
    let stages = stages_of(conn, &[version])?;
    Ok(Some(Way { number, stages }))
}

/// What is published of a pipeline, archived or not.
pub fn published(conn: &mut PgConnection, pipeline: Uuid) -> QueryResult<Option<Way>> {
    let version = pipeline_versions::table
        .filter(pipeline_versions::pipeline_id.eq(pipeline))
        .filter(pipeline_versions::state.eq(VersionState::Published))
        .select((pipeline_versions::id, pipeline_versions::number))
        .first::<(Uuid, i32)>(conn)
        .optional()?;
    let Some((version, number)) = version else {
        return Ok(None);
    };
    let stages = stages_of(conn, &[version])?;
    Ok(Some(Way { number, stages }))
}

/// Stores a new pipeline; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, row: &PipelineRow) -> QueryResult<bool> {
    let made = diesel::insert_into(pipelines::table)
        .values(row)
        .on_conflict(pipelines::id)
        .do_nothing()
        .execute(conn)?;
    Ok(made == 1)
}

pub fn update(conn: &mut PgConnection, row: &PipelineRow) -> QueryResult<usize> {
    diesel::update(pipelines::table.find(row.id)).set(row).execute(conn)
}

/// Takes the default from whichever pipeline has it.
pub fn clear_default(conn: &mut PgConnection, now: chrono::DateTime<chrono::Utc>) -> QueryResult<Option<Uuid>> {
    diesel::update(pipelines::table.filter(pipelines::is_default))
        .set((
            pipelines::is_default.eq(false),
            pipelines::version.eq(pipelines::version + 1),
            pipelines::revision.eq(pipelines::revision + 1),
            pipelines::updated_at.eq(now),
        ))
        .returning(pipelines::id)
        .get_result(conn)
        .optional()
}

/// The number that the next version has.
pub fn next_number(conn: &mut PgConnection, pipeline: Uuid) -> QueryResult<i32> {
    let newest: Option<i32> = pipeline_versions::table
        .filter(pipeline_versions::pipeline_id.eq(pipeline))
        .select(diesel::dsl::max(pipeline_versions::number))
        .first(conn)?;
    Ok(newest.unwrap_or(0) + 1)
}

pub fn insert_version(conn: &mut PgConnection, row: &VersionRow) -> QueryResult<usize> {
    diesel::insert_into(pipeline_versions::table).values(row).execute(conn)
}

/// Replaces the stages of a draft.
pub fn replace_stages(conn: &mut PgConnection, version: Uuid, stages: &[StageRow]) -> QueryResult<()> {
    diesel::delete(pipeline_stages::table.filter(pipeline_stages::version_id.eq(version))).execute(conn)?;
    diesel::insert_into(pipeline_stages::table)
        .values(stages)
        .execute(conn)?;
    Ok(())
}

/// Retires what is published and publishes the draft. Of two at once, one finds the draft.
pub fn publish(
    conn: &mut PgConnection,
    pipeline: Uuid,
    draft: Uuid,
    now: chrono::DateTime<chrono::Utc>,
) -> QueryResult<usize> {
    let of_pipeline = pipeline_versions::table.filter(pipeline_versions::pipeline_id.eq(pipeline));
    diesel::update(of_pipeline.filter(pipeline_versions::state.eq(VersionState::Published)))
        .set(pipeline_versions::state.eq(VersionState::Retired))
        .execute(conn)?;
    diesel::update(pipeline_versions::table.find(draft))
        .set((
            pipeline_versions::state.eq(VersionState::Published),
            pipeline_versions::published_at.eq(Some(now)),
        ))
        .execute(conn)
}
