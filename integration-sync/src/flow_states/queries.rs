use super::model::{FlowRow, FlowStatus};
use crate::flows::{FLOWS, Flow};
use diesel::PgConnection;
use diesel::sql_types::{Nullable, Text};
use service_kit::db::sql;
use service_kit::{OrNotFound, Result};

macro_rules! select_flows {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, paused, state, last_error, cursor, last_event_at, committed_to_read_ms,
                    read_to_applied_ms, read, superseded, skipped, applied, retried, dead, lease_owner, lease_until,
                    resync_requested_at, resync_reason, resync_head, resync_pushed, resync_finished_at, revision,
                    updated_at,
                    (SELECT count(*) FROM retries r WHERE r.flow = f.name) AS open_retries,
                    (SELECT count(*) FROM dead_letters d WHERE d.flow = f.name AND d.state = 'open') AS open_dead_letters
             FROM flow_states f ",
            $rest
        )
    };
}

/// In the order of [`FLOWS`].
pub(super) fn all(conn: &mut PgConnection) -> Result<Vec<FlowStatus>> {
    let mut rows: Vec<FlowRow> = sql(select_flows!("")).rows(conn)?;
    let statuses = FLOWS.into_iter().filter_map(|flow| {
        let at = rows.iter().position(|row| row.name == flow.name)?;
        Some(rows.swap_remove(at).status_of(flow))
    });
    Ok(statuses.collect())
}

pub(super) fn find(conn: &mut PgConnection, flow: &'static Flow) -> Result<FlowStatus> {
    let row: FlowRow = sql(select_flows!("WHERE name = $1"))
        .bind::<Text, _>(flow.name)
        .row(conn)
        .or_not_found("flow")?;
    Ok(row.status_of(flow))
}

/// The flow under its lock: nothing else changes it until the command ends.
pub(super) fn lock(conn: &mut PgConnection, flow: &'static Flow) -> Result<FlowStatus> {
    let row: FlowRow = sql(select_flows!("WHERE name = $1 FOR UPDATE"))
        .bind::<Text, _>(flow.name)
        .row(conn)
        .or_not_found("flow")?;
    Ok(row.status_of(flow))
}

pub(super) fn set_paused(conn: &mut PgConnection, flow: &'static Flow, paused: bool) -> Result<()> {
    let statement = match paused {
        true => "UPDATE flow_states SET paused = true, revision = revision + 1, updated_at = now() WHERE name = $1",
        false => "UPDATE flow_states SET paused = false, revision = revision + 1, updated_at = now() WHERE name = $1",
    };
    sql(statement).bind::<Text, _>(flow.name).run(conn)?;
    Ok(())
}

/// Opens a resync from the first page on, whatever was under way.
pub(super) fn request_resync(conn: &mut PgConnection, flow: &'static Flow, reason: Option<&str>) -> Result<()> {
    sql("UPDATE flow_states
         SET resync_requested_at = clock_timestamp(), resync_reason = $1, resync_replace = true, resync_head = NULL,
             resync_list = 0, resync_page = NULL, resync_pushed = 0, revision = revision + 1, updated_at = now()
         WHERE name = $2")
    .bind::<Nullable<Text>, _>(reason)
    .bind::<Text, _>(flow.name)
    .run(conn)?;
    Ok(())
}
