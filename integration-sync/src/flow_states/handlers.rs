use super::model::FlowStatus;
use super::{actions, queries};
use crate::app::SyncData;
use crate::flows::Flow;
use crate::may;
use actix_web::{get, post, web};
use serde::Deserialize;
use service_kit::{Answer, Command, Page, Path, Problem, Query, Read, Routes};
use utoipa::IntoParams;

/// The path `/v1/flows/{name}`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct FlowPath {
    /// Name of a flow, e.g. `orders-to-erp`.
    #[param(max_length = 60)]
    name: String,
}

impl FlowPath {
    fn flow(&self) -> Result<&'static Flow, Problem> {
        Flow::named(&self.name).ok_or_else(|| Problem::not_found("flow"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowsQuery {}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_flows)
        .add(get_flow)
        .add(pause_flow)
        .add(resume_flow)
        .add(resync_flow);
}

/// All flows: where they stand, their lags and counts, who works on them.
#[utoipa::path(tag = "flows", security(("api_key" = ["flows:read"])),
    responses((status = 200, description = "All flows, on one page", body = Page<FlowStatus>)))]
#[get("/flows")]
async fn list_flows(read: Read<may::ReadFlows>, _query: Query<FlowsQuery>) -> Result<Answer, Problem> {
    read.json(|conn| {
        Ok(Page {
            items: queries::all(conn)?,
            next_cursor: None,
        })
    })
    .await
}

/// One flow.
#[utoipa::path(tag = "flows", params(FlowPath), security(("api_key" = ["flows:read"])),
    responses((status = 200, description = "The flow", body = FlowStatus)))]
#[get("/flows/{name}")]
async fn get_flow(read: Read<may::ReadFlows>, path: Path<FlowPath>) -> Result<Answer, Problem> {
    let flow = path.flow()?;
    read.one(move |conn| queries::find(conn, flow)).await
}

/// Pause a flow: it finishes or drops what it has in hand, and nothing moves until it is resumed.
///
/// Changes wait in the feed of the source; nothing is lost as long as the feed keeps them.
#[utoipa::path(tag = "flows", params(FlowPath), security(("api_key" = ["flows:manage"])),
    responses((status = 200, description = "The paused flow", body = FlowStatus)))]
#[post("/flows/{name}/pause")]
async fn pause_flow(
    command: Command<may::ManageFlows>,
    sync: web::Data<SyncData>,
    path: Path<FlowPath>,
) -> Result<Answer, Problem> {
    let flow = path.flow()?;
    let answer = command.run(move |tx| actions::pause(tx, flow)).await?;
    sync.board.nudge(flow);
    sync.board.came_to_rest(flow).await;
    Ok(answer)
}

/// Let a paused flow go on from where it stopped.
#[utoipa::path(tag = "flows", params(FlowPath), security(("api_key" = ["flows:manage"])),
    responses((status = 200, description = "The flow", body = FlowStatus)))]
#[post("/flows/{name}/resume")]
async fn resume_flow(
    command: Command<may::ManageFlows>,
    sync: web::Data<SyncData>,
    path: Path<FlowPath>,
) -> Result<Answer, Problem> {
    let flow = path.flow()?;
    let answer = command.run(move |tx| actions::resume(tx, flow)).await?;
    sync.board.nudge(flow);
    Ok(answer)
}

/// Send everything again: page through the owner and push the current state of each record,
/// replacing what the target has regardless of version.
///
/// Answers at once; `resync` shows how far it is, and turns `null` when it is done. A resync that
/// is under way already goes on.
#[utoipa::path(tag = "flows", params(FlowPath), security(("api_key" = ["flows:manage"])),
    responses((status = 200, description = "The flow, with the resync that is under way", body = FlowStatus)))]
#[post("/flows/{name}/resync")]
async fn resync_flow(
    command: Command<may::ManageFlows>,
    sync: web::Data<SyncData>,
    path: Path<FlowPath>,
) -> Result<Answer, Problem> {
    let flow = path.flow()?;
    let answer = command.run(move |tx| actions::resync(tx, flow)).await?;
    sync.board.nudge(flow);
    Ok(answer)
}
