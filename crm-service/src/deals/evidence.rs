//! Whether what is said to prove a step is there: calls and documents belong to other modules,
//! which hang them on the deal.

use super::pipelines::model::StepEvidence;
use crate::activities;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use service_kit::db::sql;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Whether a call that was made, or a document, with this id hangs on the deal.
///
/// # Errors
/// When the database refuses.
pub fn exists(conn: &mut PgConnection, kind: StepEvidence, id: Uuid, deal: Uuid) -> QueryResult<bool> {
    match kind {
        StepEvidence::LoggedCall => activities::evidence(conn, "call", id, "deal", deal),
        StepEvidence::Document => document(conn, id, deal),
        StepEvidence::Field => Ok(false),
    }
}

fn document(conn: &mut PgConnection, id: Uuid, deal: Uuid) -> QueryResult<bool> {
    let kept: Found = sql("SELECT to_regclass('attachments') IS NOT NULL AS found").row(conn)?;
    if !kept.found {
        return Ok(false);
    }
    let found: Found = sql("SELECT EXISTS (
             SELECT FROM attachments WHERE id = $1 AND subject_type = 'deal' AND subject_id = $2) AS found")
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(deal)
    .row(conn)?;
    Ok(found.found)
}
