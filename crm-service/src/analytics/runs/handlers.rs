//! Analyses over HTTP.

use super::model::{
    AnalysisChange, AnalysisChangesQuery, AnalysisItem, AnalysisItemsQuery, AnalysisRun, AnalysisRunIn,
    AnalysisRunsQuery,
};
use super::{compare, make, queries};
use crate::may;
use actix_web::{get, post};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_analysis_runs)
        .add(create_analysis_run)
        .add(get_analysis_run)
        .add(list_analysis_items)
        .add(list_analysis_changes);
}

/// Analyses that were made, as far as the caller sees them.
#[utoipa::path(tag = "analytics", params(AnalysisRunsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of analyses", body = Page<AnalysisRun>)))]
#[get("/analysis-runs")]
async fn list_analysis_runs(
    read: Read<may::ReadAnalytics>,
    query: Query<AnalysisRunsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::page(conn, &sight, &query)).await
}

/// Make an analysis: ABC, XYZ, BCG or RFM over a period, and keep it.
///
/// It is over what the caller sees. Classes, thresholds and the class of everybody stay as they are
/// found now.
#[utoipa::path(tag = "analytics", request_body = AnalysisRunIn, security(("api_key" = ["analytics:write"])),
    responses((status = 201, description = "The analysis", body = AnalysisRun)))]
#[post("/analysis-runs")]
async fn create_analysis_run(
    command: Command<may::WriteAnalytics>,
    body: Body<AnalysisRunIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| make::make(tx, &body.0)).await
}

/// One analysis, with how much is in each class.
#[utoipa::path(tag = "analytics", params(IdPath), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "The analysis", body = AnalysisRun)))]
#[get("/analysis-runs/{id}")]
async fn get_analysis_run(read: Read<may::ReadAnalytics>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::shown(queries::get(conn, &sight, path.id)?))
        .await
}

/// Who is in an analysis, with class and figures, largest first.
#[utoipa::path(tag = "analytics", params(IdPath, AnalysisItemsQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of those in it", body = Page<AnalysisItem>)))]
#[get("/analysis-runs/{id}/items")]
async fn list_analysis_items(
    read: Read<may::ReadAnalytics>,
    path: Path<IdPath>,
    query: Query<AnalysisItemsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let run = queries::get(conn, &sight, path.id)?;
        queries::items(conn, &sight, &run, &query)
    })
    .await
}

/// Whose class is another than in an earlier analysis of the same kind.
#[utoipa::path(tag = "analytics", params(IdPath, AnalysisChangesQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of changes", body = Page<AnalysisChange>)))]
#[get("/analysis-runs/{id}/changes")]
async fn list_analysis_changes(
    read: Read<may::ReadAnalytics>,
    path: Path<IdPath>,
    query: Query<AnalysisChangesQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| compare::page(conn, &sight, path.id, &query))
        .await
}
