//! Pipelines over HTTP.

use super::actions;
use super::model::{
    Pipeline, PipelineDraftIn, PipelineIn, PipelinePatch, PipelineRow, PipelineStatus, PipelineVersion, VersionRow,
};
use super::queries;
use super::remap::{self, RemapIn, Remapped};
use crate::may;
use crate::schema::{pipeline_versions, pipelines};
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OptionalBody, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes,
    Sort, keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PipelinesQuery {
    #[param(inline)]
    status: Option<PipelineStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct VersionsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `number`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_pipelines)
        .add(create_pipeline)
        .add(get_pipeline)
        .add(update_pipeline)
        .add(list_pipeline_versions)
        .add(draft_pipeline)
        .add(publish_pipeline)
        .add(archive_pipeline)
        .add(restore_pipeline)
        .add(remap_pipeline_deals);
}

/// Pipelines, each with its published version and its draft.
#[utoipa::path(tag = "pipelines", params(PipelinesQuery), security(("api_key" = ["pipelines:read"])),
    responses((status = 200, description = "A page of pipelines", body = Page<Pipeline>)))]
#[get("/pipelines")]
async fn list_pipelines(read: Read<may::ReadPipelines>, query: Query<PipelinesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = pipelines::table.select(PipelineRow::as_select()).into_boxed();
        if let Some(status) = query.status {
            rows = rows.filter(pipelines::status.eq(status));
        }
        let page: Result<Page<PipelineRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: pipelines::id as Uuid => |p: &PipelineRow| p.id, [
            "created_at" => pipelines::created_at as DateTime<Utc> => |p: &PipelineRow| p.created_at,
            "name" => pipelines::name as String => |p: &PipelineRow| p.name.clone(),
        ]);
        let page = page?;
        Ok(Page {
            items: queries::with_versions(conn, page.items)?,
            next_cursor: page.next_cursor,
        })
    })
    .await
}

/// Make a pipeline: a draft, or published at once so that deals can enter.
///
/// All faults of its stages are named at once.
#[utoipa::path(tag = "pipelines", request_body = PipelineIn, security(("api_key" = ["pipelines:write"])),
    responses((status = 201, description = "The pipeline", body = Pipeline)))]
#[post("/pipelines")]
async fn create_pipeline(command: Command<may::WritePipelines>, body: Body<PipelineIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// One pipeline.
#[utoipa::path(tag = "pipelines", params(IdPath), security(("api_key" = ["pipelines:read"])),
    responses((status = 200, description = "The pipeline", body = Pipeline)))]
#[get("/pipelines/{id}")]
async fn get_pipeline(read: Read<may::ReadPipelines>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::get(conn, path.id).or_not_found("pipeline"))
        .await
}

/// Rename a pipeline, or make it the default one.
#[utoipa::path(tag = "pipelines", params(IdPath), request_body = PipelinePatch,
    security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The pipeline", body = Pipeline)))]
#[patch("/pipelines/{id}")]
async fn update_pipeline(
    command: Command<may::WritePipelines>,
    path: Path<IdPath>,
    body: Body<PipelinePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// All versions of a pipeline, with their stages.
#[utoipa::path(tag = "pipelines", params(IdPath, VersionsQuery), security(("api_key" = ["pipelines:read"])),
    responses((status = 200, description = "A page of versions", body = Page<PipelineVersion>)))]
#[get("/pipelines/{id}/versions")]
async fn list_pipeline_versions(
    read: Read<may::ReadPipelines>,
    path: Path<IdPath>,
    query: Query<VersionsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        queries::get(conn, path.id).or_not_found("pipeline")?;
        let rows = pipeline_versions::table
            .filter(pipeline_versions::pipeline_id.eq(path.id))
            .select(VersionRow::as_select())
            .into_boxed();
        let page: Result<Page<VersionRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: pipeline_versions::id as Uuid => |v: &VersionRow| v.id, [
            "number" => pipeline_versions::number as i32 => |v: &VersionRow| v.number,
        ]);
        let page = page?;
        let versions = queries::with_stages(conn, page.items)?;
        Ok(Page {
            items: versions.into_iter().map(|(_, version)| version).collect(),
            next_cursor: page.next_cursor,
        })
    })
    .await
}

/// Put the stages of the next version in place. Deals do not notice until it is published.
#[utoipa::path(tag = "pipelines", params(IdPath), request_body = PipelineDraftIn,
    security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The pipeline with its draft", body = Pipeline)))]
#[post("/pipelines/{id}/draft")]
async fn draft_pipeline(
    command: Command<may::WritePipelines>,
    path: Path<IdPath>,
    body: Body<PipelineDraftIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::draft(tx, path.id, &body.0)).await
}

/// Publish the draft: new deals enter it. The deals that are there keep the version that they entered.
#[utoipa::path(tag = "pipelines", params(IdPath), security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The pipeline", body = Pipeline)))]
#[post("/pipelines/{id}/publish")]
async fn publish_pipeline(command: Command<may::WritePipelines>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::publish(tx, path.id)).await
}

/// Archive a pipeline: it takes no new deals; those in it go on. Not the default one.
#[utoipa::path(tag = "pipelines", params(IdPath), security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The archived pipeline", body = Pipeline)))]
#[post("/pipelines/{id}/archive")]
async fn archive_pipeline(command: Command<may::WritePipelines>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::archive(tx, path.id)).await
}

/// Let an archived pipeline take deals again.
#[utoipa::path(tag = "pipelines", params(IdPath), security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The active pipeline", body = Pipeline)))]
#[post("/pipelines/{id}/restore")]
async fn restore_pipeline(command: Command<may::WritePipelines>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::restore(tx, path.id)).await
}

/// Move open deals of older versions to the published one, stage by stage.
///
/// Up to 200 deals at once: repeat it until `remaining` is 0. A stage keeps its deals under the same
/// key, unless a mapping says otherwise; `422 stage_unmapped` names every stage that has no place.
#[utoipa::path(tag = "pipelines", params(IdPath), request_body = RemapIn,
    security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "How far it is", body = Remapped)))]
#[post("/pipelines/{id}/remap-deals")]
async fn remap_pipeline_deals(
    command: Command<may::WritePipelines>,
    path: Path<IdPath>,
    body: OptionalBody<RemapIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| Ok(Answer::json(&remap::remap(tx, path.id, &body.0)?)?))
        .await
}
