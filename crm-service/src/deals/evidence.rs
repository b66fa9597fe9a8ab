//! Whether what is said to prove a step is there: calls and documents belong to other modules,
//! which hang them on the deal.

use super::pipelines::model::StepEvidence;
use crate::subjects::SubjectRef;
use crate::{activities, attachments};
use diesel::prelude::*;
use uuid::Uuid;

/// Whether a call that was made, or a document, with this id hangs on the deal.
///
/// # Errors
/// When the database refuses.
pub fn exists(conn: &mut PgConnection, kind: StepEvidence, id: Uuid, deal: Uuid) -> QueryResult<bool> {
    match kind {
        StepEvidence::LoggedCall => activities::evidence(conn, "call", id, "deal", deal),
        StepEvidence::Document => attachments::evidence(conn, SubjectRef::deal(deal), id),
        StepEvidence::Field => Ok(false),
    }
}
