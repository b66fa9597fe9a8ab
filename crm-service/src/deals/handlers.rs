//! Deals over HTTP.

use super::list::{self, DealsQuery, ListedDeal};
use super::model::{
    Deal, DealAssignIn, DealIn, DealLoseIn, DealMoveIn, DealPatch, DealVersionIn, DealWinIn, StepEvidenceIn,
};
use super::{closing, editing, moving, queries};
use crate::may;
use actix_web::{get, patch, post};
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, OptionalBody, Page, Path, Problem, Query, Read, Routes};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct StepPath {
    /// UUID of the deal.
    id: Uuid,
    /// Key of the step.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    step: String,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_deals)
        .add(create_deal)
        .add(get_deal)
        .add(update_deal)
        .add(move_deal)
        .add(complete_deal_step)
        .add(win_deal)
        .add(lose_deal)
        .add(reopen_deal)
        .add(assign_deal)
        .add(change_deal_version);
}

/// Deals that the caller sees, each with what it is worth.
#[utoipa::path(tag = "deals", params(DealsQuery), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "A page of deals", body = Page<ListedDeal>)))]
#[get("/deals")]
async fn list_deals(read: Read<may::ReadDeals>, query: Query<DealsQuery>) -> Result<Answer, Problem> {
    let (sight, today) = (read.actor().sight.clone(), read.today());
    read.json(move |conn| {
        // Deals and their parts are several statements: all must see the same state.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| list::page(conn, &sight, today, &query))
    })
    .await
}

/// Open a deal in the first stage of a pipeline.
///
/// It needs neither an amount nor lines. Lines are of the catalogue; those without a price get
/// today's list price of the customer's tier. The amount is their sum unless one is given.
#[utoipa::path(tag = "deals", request_body = DealIn, security(("api_key" = ["deals:write"])),
    responses((status = 201, description = "The deal", body = Deal)))]
#[post("/deals")]
async fn create_deal(command: Command<may::WriteDeals>, body: Body<DealIn>) -> Result<Answer, Problem> {
    command.create(move |tx| editing::open(tx, &body.0)).await
}

/// One deal, with its lines and the steps of its pipeline.
#[utoipa::path(tag = "deals", params(IdPath), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "The deal", body = Deal)))]
#[get("/deals/{id}")]
async fn get_deal(read: Read<may::ReadDeals>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.snapshot(move |conn| queries::get(conn, &sight, path.id)?.wire())
        .await
}

/// Change an open deal.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealPatch, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The deal", body = Deal)))]
#[patch("/deals/{id}")]
async fn update_deal(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: Body<DealPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| editing::change(tx, path.id, &body.0)).await
}

/// Move a deal to a stage that its stage leads to.
///
/// Going forward leaves no required step behind: `409 steps_missing` lists those of its stage and of
/// the stages passed over. `evidence` completes steps in the same breath.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealMoveIn, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The deal in its new stage", body = Deal)))]
#[post("/deals/{id}/move")]
async fn move_deal(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: Body<DealMoveIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| moving::move_to(tx, path.id, &body.0)).await
}

/// Complete a step of a deal, with the call or the document that proves it.
///
/// A step that is a filled field is done as long as the field is filled; completing it notes when and by whom.
#[utoipa::path(tag = "deals", params(StepPath), request_body = StepEvidenceIn,
    security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The deal", body = Deal)))]
#[post("/deals/{id}/steps/{step}/complete")]
async fn complete_deal_step(
    command: Command<may::WriteDeals>,
    path: Path<StepPath>,
    body: OptionalBody<StepEvidenceIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| moving::complete_step(tx, path.id, &path.step, &body.0))
        .await
}

/// Win a deal. Required steps of its stage and of all that follow must be done.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealWinIn, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The won deal", body = Deal)))]
#[post("/deals/{id}/win")]
async fn win_deal(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: OptionalBody<DealWinIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| closing::win(tx, path.id, &body.0)).await
}

/// Lose a deal, for a reason. Steps of its stage that are asked for on loss must be done.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealLoseIn, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The lost deal", body = Deal)))]
#[post("/deals/{id}/lose")]
async fn lose_deal(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: Body<DealLoseIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| closing::lose(tx, path.id, &body.0)).await
}

/// Open a closed deal again, in the stage that it was in.
#[utoipa::path(tag = "deals", params(IdPath), security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The open deal", body = Deal)))]
#[post("/deals/{id}/reopen")]
async fn reopen_deal(command: Command<may::WriteDeals>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| closing::reopen(tx, path.id)).await
}

/// Give a deal to somebody. Who sees it, and what is told of it, follows.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealAssignIn, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The deal", body = Deal)))]
#[post("/deals/{id}/assign")]
async fn assign_deal(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: Body<DealAssignIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| editing::assign(tx, path.id, &body.0)).await
}

/// Move a deal to the published version of its pipeline.
///
/// It goes to the stage with the same key unless another is named. Steps with the same key stay done.
#[utoipa::path(tag = "deals", params(IdPath), request_body = DealVersionIn, security(("api_key" = ["deals:write"])),
    responses((status = 200, description = "The deal on the published version", body = Deal)))]
#[post("/deals/{id}/change-version")]
async fn change_deal_version(
    command: Command<may::WriteDeals>,
    path: Path<IdPath>,
    body: OptionalBody<DealVersionIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| moving::change_version(tx, path.id, &body.0))
        .await
}
