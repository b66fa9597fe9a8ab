use super::model::{FlowState, FlowStatus};
use super::queries;
use crate::flows::Flow;
use service_kit::{Result, Tx};

/// Stops the flow after what it has in hand; changes wait in the feed.
pub fn pause(tx: &mut Tx<'_>, flow: &'static Flow) -> Result<FlowStatus> {
    set_paused(tx, flow, true)
}

/// Lets the flow go on from where it stopped.
pub fn resume(tx: &mut Tx<'_>, flow: &'static Flow) -> Result<FlowStatus> {
    set_paused(tx, flow, false)
}

fn set_paused(tx: &mut Tx<'_>, flow: &'static Flow, paused: bool) -> Result<FlowStatus> {
    let before = queries::lock(tx, flow)?;
    tx.match_if_given(&before)?;
    if (before.state == FlowState::Paused) == paused {
        return Ok(before);
    }
    queries::set_paused(tx, flow, paused)?;
    let after = queries::find(tx, flow)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Opens a resync; one that is open already goes on.
pub fn resync(tx: &mut Tx<'_>, flow: &'static Flow) -> Result<FlowStatus> {
    let before = queries::lock(tx, flow)?;
    tx.match_if_given(&before)?;
    if before.resync.is_some() {
        return Ok(before);
    }
    let reason = format!("requested by {}", tx.actor().name);
    queries::request_resync(tx, flow, Some(&reason))?;
    let after = queries::find(tx, flow)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
