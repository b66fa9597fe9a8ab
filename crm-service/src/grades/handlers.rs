//! Grades over HTTP.

use super::model::{
    GradeApprovalIn, GradeProposal, GradeProposalsQuery, GradeRejectionIn, GradeRun, GradeRunIn, GradeRunsQuery,
    GradeSettings, GradeSettingsIn,
};
use super::{actions, queries};
use crate::may;
use actix_web::{get, post, put};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes
        .add(get_grade_settings)
        .add(put_grade_settings)
        .add(list_grade_runs)
        .add(create_grade_run)
        .add(get_grade_run)
        .add(list_grade_proposals)
        .add(get_grade_proposal)
        .add(approve_grade_proposal)
        .add(reject_grade_proposal);
}

/// From what on a customer has which grade.
#[utoipa::path(tag = "grades", security(("api_key" = ["grades:read"])),
    responses((status = 200, description = "The settings", body = GradeSettings)))]
#[get("/grade-settings")]
async fn get_grade_settings(read: Read<may::ReadGrades>) -> Result<Answer, Problem> {
    read.one(|conn| Ok(queries::settings(conn)?)).await
}

/// Change from what on a customer has which grade; it takes effect with the next run. Needs `If-Match`.
#[utoipa::path(tag = "grades", request_body = GradeSettingsIn, security(("api_key" = ["grades:approve"])),
    responses((status = 200, description = "The settings", body = GradeSettings)))]
#[put("/grade-settings")]
async fn put_grade_settings(
    command: Command<may::ApproveGrades>,
    body: Body<GradeSettingsIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::configure(tx, &body.0)).await
}

/// Runs that proposed grades.
#[utoipa::path(tag = "grades", params(GradeRunsQuery), security(("api_key" = ["grades:read"])),
    responses((status = 200, description = "A page of runs", body = Page<GradeRun>)))]
#[get("/grade-runs")]
async fn list_grade_runs(read: Read<may::ReadGrades>, query: Query<GradeRunsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| queries::runs(conn, &query)).await
}

/// Propose grades from what customers bought. What earlier runs proposed and nobody decided is superseded.
///
/// It counts everybody's orders and is only for those who see all records.
#[utoipa::path(tag = "grades", request_body = GradeRunIn, security(("api_key" = ["grades:propose"])),
    responses((status = 201, description = "The run", body = GradeRun)))]
#[post("/grade-runs")]
async fn create_grade_run(command: Command<may::ProposeGrades>, body: Body<GradeRunIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::propose(tx, &body.0)).await
}

/// One run.
#[utoipa::path(tag = "grades", params(IdPath), security(("api_key" = ["grades:read"])),
    responses((status = 200, description = "The run", body = GradeRun)))]
#[get("/grade-runs/{id}")]
async fn get_grade_run(read: Read<may::ReadGrades>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| Ok(GradeRun::from(queries::run(conn, path.id)?)))
        .await
}

/// Proposals for customers that the caller sees.
#[utoipa::path(tag = "grades", params(GradeProposalsQuery), security(("api_key" = ["grades:read"])),
    responses((status = 200, description = "A page of proposals", body = Page<GradeProposal>)))]
#[get("/grade-proposals")]
async fn list_grade_proposals(
    read: Read<may::ReadGrades>,
    query: Query<GradeProposalsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| queries::proposals(conn, &sight, &query)).await
}

/// One proposal.
#[utoipa::path(tag = "grades", params(IdPath), security(("api_key" = ["grades:read"])),
    responses((status = 200, description = "The proposal", body = GradeProposal)))]
#[get("/grade-proposals/{id}")]
async fn get_grade_proposal(read: Read<may::ReadGrades>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| Ok(queries::proposal(conn, &sight, path.id)?.shown(sight.sees_all())))
        .await
}

/// Approve a proposal: the customer gets the grade from a day on, and the ERP is told.
///
/// Not by who made the run (`403 maker_may_not_approve`).
#[utoipa::path(tag = "grades", params(IdPath), request_body = GradeApprovalIn, security(("api_key" = ["grades:approve"])),
    responses((status = 200, description = "The approved proposal", body = GradeProposal)))]
#[post("/grade-proposals/{id}/approve")]
async fn approve_grade_proposal(
    command: Command<may::ApproveGrades>,
    path: Path<IdPath>,
    body: OptionalBody<GradeApprovalIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::approve(tx, path.id, &body.0)).await
}

/// Reject a proposal, for a reason.
#[utoipa::path(tag = "grades", params(IdPath), request_body = GradeRejectionIn, security(("api_key" = ["grades:approve"])),
    responses((status = 200, description = "The rejected proposal", body = GradeProposal)))]
#[post("/grade-proposals/{id}/reject")]
async fn reject_grade_proposal(
    command: Command<may::ApproveGrades>,
    path: Path<IdPath>,
    body: Body<GradeRejectionIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::reject(tx, path.id, &body.0)).await
}
