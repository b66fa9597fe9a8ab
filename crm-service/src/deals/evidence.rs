//! Whether what is said to prove a step is there: calls and documents belong to other modules,
//! which hang them on the deal.

use super::pipelines::model::StepEvidence;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use service_kit::db::sql;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Whether a call or a document with this id hangs on the deal.
///
/// # Errors
/// When the database refuses.
pub fn exists(conn: &mut PgConnection, kind: StepEvidence, id: Uuid, deal: Uuid) -> QueryResult<bool> {
    let statement = match kind {
        StepEvidence::LoggedCall => {
            "SELECT EXISTS (SELECT FROM activities WHERE id = $1 AND kind = 'call' AND state = 'done'
                 AND subject_type = 'deal' AND subject_id = $2) AS found"
        }
        StepEvidence::Document => {
            "SELECT EXISTS (SELECT FROM attachments WHERE id = $1 AND subject_type = 'deal' AND subject_id = $2) AS found"
        }
        StepEvidence::Field => return Ok(false),
    };
    let there = match kind {
        StepEvidence::LoggedCall => "SELECT to_regclass('activities') IS NOT NULL AS found",
        _ => "SELECT to_regclass('attachments') IS NOT NULL AS found",
    };
    let there: Found = sql(there).row(conn)?;
    if !there.found {
        return Ok(false);
    }
    let found: Found = sql(statement)
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(deal)
        .row(conn)?;
    Ok(found.found)
}
